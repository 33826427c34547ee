package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain keeps the user's own files out of the tests.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "acyclicctl")
	if err != nil {
		panic(err)
	}
	os.Setenv("HOME", home)
	status := m.Run()
	os.RemoveAll(home)
	os.Exit(status)
}

// node is a server that notes what it is sent and answers as told.
type node struct {
	*httptest.Server
	status     int
	reply      string
	user, pass string
	got        string // method and params of the last request
}

func newNode(t *testing.T) *node {
	n := &node{status: 200}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.user, n.pass, _ = r.BasicAuth()
		var q struct {
			Method string
			Params json.RawMessage
		}
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &q)
		n.got = q.Method + " " + string(q.Params)
		w.WriteHeader(n.status)
		io.WriteString(w, n.reply)
	}))
	t.Cleanup(n.Close)
	return n
}

func (n *node) addr() string { return strings.TrimPrefix(n.URL, "http://") }

// ctl runs the client and returns what it leaves behind.
func ctl(stdin string, args ...string) (status int, out, err string) {
	var o, e bytes.Buffer
	status = run(args, strings.NewReader(stdin), &o, &e)
	return status, o.String(), e.String()
}

func TestCall(t *testing.T) {
	n := newNode(t)
	auth := []string{"-s", n.addr(), "-u", "me", "-P", "pass"}
	for _, c := range []struct {
		args       string
		stdin      string
		sent       string
		reply, out string
	}{
		{"getblockcount", "", "getblockcount []", `{"result":170}`, "170\n"},
		{"getbestblockhash", "", "getbestblockhash []", `{"result":"00ff"}`, "00ff\n"},
		{"getblockhash 5", "", "getblockhash [5]", `{"result":"00ff"}`, "00ff\n"},
		{"getblock 00ff 2", "", `getblock ["00ff",2]`, `{"result":{"hash":"00ff","tx":[]}}`, "{\n  \"hash\": \"00ff\",\n  \"tx\": []\n}\n"},
		{"getblock 1234 true", "", `getblock ["1234",true]`, `{"result":1.50000000}`, "1.50000000\n"},
		{"addnode 1.2.3.4 add", "", `addnode ["1.2.3.4","add"]`, `{"result":null,"error":null}`, ""},
		{"unknown 1 true", "", `unknown ["1","true"]`, `{"result":true}`, "true\n"},
		{"--named getblock verbosity=0 blockhash=12", "", `getblock {"blockhash":"12","verbosity":0}`, `{"result":"00"}`, "00\n"},
		{"--stdin submitblock", "00aa\n", `submitblock ["00aa"]`, `{"result":"high-hash"}`, "high-hash\n"},
		{"help getblock", "", `help ["getblock"]`, `{"result":"line\nline\n"}`, "line\nline\n"},
		{"disconnectnode -1 5", "", `disconnectnode ["-1",5]`, `{"result":null}`, ""},
	} {
		n.reply = c.reply
		status, out, errs := ctl(c.stdin, append(auth, strings.Fields(c.args)...)...)
		if status != 0 || out != c.out || errs != "" || n.got != c.sent {
			t.Errorf("%s: status %d, printed %q %q, sent %s; want %q, %s", c.args, status, out, errs, n.got, c.out, c.sent)
		}
	}
	if n.user != "me" || n.pass != "pass" {
		t.Errorf("asked as %s:%s", n.user, n.pass)
	}
}

// bitcoin-cli's single dashes, and the cookie of the network chosen.
func TestCookieAndDashes(t *testing.T) {
	n := newNode(t)
	n.reply = `{"result":1}`
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "regtest"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "regtest", ".cookie"), []byte("__cookie__:beef"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", dir) // what ~ is; no shell expands it within an argument
	host, port, _ := net.SplitHostPort(n.addr())
	for _, args := range [][]string{
		{"-regtest", "-datadir=" + dir, "-rpcconnect=" + host, "-rpcport=" + port, "getblockcount"},
		{"--regtest", "-b", dir, "--rpcserver", n.addr(), "getblockcount"},
		{"-regtest", "-datadir", dir, "-rpcconnect", n.addr(), "getblockcount"},
		{"-rpccookiefile=" + filepath.Join(dir, "regtest", ".cookie"), "-s", n.addr(), "getblockcount"},
		{"-rpccookiefile=~/regtest/.cookie", "-s", n.addr(), "getblockcount"},
	} {
		n.user, n.pass = "", ""
		if status, out, errs := ctl("", args...); status != 0 || out != "1\n" || n.user != "__cookie__" || n.pass != "beef" {
			t.Errorf("%v: status %d, %q %q, as %s:%s", args, status, out, errs, n.user, n.pass)
		}
	}
}

// Bitcoin-cli's name of the password, and what the node's configuration file
// says where the command line does not.
func TestPasswords(t *testing.T) {
	n := newNode(t)
	n.reply = `{"result":1}`
	conf := filepath.Join(t.TempDir(), "acyclic.conf")
	if err := os.WriteFile(conf, []byte("regtest=1\nrpcuser=file\nrpcpass=secret\nrpclisten="+n.addr()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-rpcuser=me -rpcpassword=word -s " + n.addr():   "me:word",
		"--rpcuser me --rpcpassword word -s " + n.addr(): "me:word",
		"-C " + conf: "file:secret",
		"-C " + conf + " -u me -P word -rpcconnect=" + n.addr(): "me:word",
	} {
		n.user, n.pass = "", ""
		status, out, errs := ctl("", append(strings.Fields(args), "getblockcount")...)
		if status != 0 || out != "1\n" || n.user+":"+n.pass != want {
			t.Errorf("%s: status %d, %q %q, as %s:%s, want %s", args, status, out, errs, n.user, n.pass, want)
		}
	}
	if err := os.WriteFile(conf, []byte("maxpeers=abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, errs := ctl("", "-C", conf, "getblockcount"); errs != "acyclicctl: "+conf+":1: maxpeers=abc: want a whole number from 1 to 10000\n" {
		t.Errorf("a bad file: %q", errs)
	}
}

// Every error is one line, and the exit status is bitcoin-cli's.
func TestErrors(t *testing.T) {
	n := newNode(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	empty := t.TempDir()
	bad := filepath.Join(empty, "cookie")
	if err := os.WriteFile(bad, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	auth := "-u me -P pass -s " + n.addr() + " "
	const host = "want a host with or without a port, as in 192.0.2.1, [2001:db8::1]:18333 or node.example.org:18333"
	for _, c := range []struct {
		args   string
		status int
		reply  string
		code   int
		want   string
	}{
		{"", 200, "", 1, "no command; want one as in acyclicctl getblockcount, see acyclicctl help"},
		{"--nonsense x", 200, "", 1, "--nonsense: no such option; see --help"},
		{"-rpcwallet=w x", 200, "", 1, "-rpcwallet: no such option; see --help"},
		{"-rpcusr=w x", 200, "", 1, "-rpcusr: no such option; did you mean --rpcuser?"},
		{"--rpcpassword", 200, "", 1, "--rpcpassword: no value; want --rpcpassword=PASSWORD"},
		{"--regtest=1 x", 200, "", 1, "--regtest: takes no value; want --regtest alone"},
		{"-rpcclienttimeout=abc x", 200, "", 1, "--rpcclienttimeout=abc: want a whole number from 0 to 31536000"},
		{"-rpcclienttimeout= x", 200, "", 1, `--rpcclienttimeout="": want a whole number from 0 to 31536000`},
		{"-rpcport=http x", 200, "", 1, "--rpcport=http: want a whole number from 1 to 65535"},
		{"-s 127.0.0.1:abc x", 200, "", 1, "--rpcserver=127.0.0.1:abc: " + host},
		{"-rpcconnect=a/b x", 200, "", 1, "--rpcconnect=a/b: " + host},
		{"-rpcconnect= x", 200, "", 1, `--rpcconnect="": ` + host},
		{"--datadir= x", 200, "", 1, `--datadir="": want the path of a directory`},
		{"--rpccookiefile= x", 200, "", 1, `--rpccookiefile="": want the path of a file`},
		{"-C /no/such x", 200, "", 1, "--configfile=/no/such: no such file; want the path of an ini file"},
		{"--regtest --simnet -u a -P b x", 200, "", 1, "--simnet and --regtest: want one network only"},
		{"-u a -P b -s " + closed + " getblockcount", 200, "", 1, "cannot reach the node at " + closed + ": is acyclicd running? (dial tcp " + closed + ": connect: connection refused)"},
		{"--regtest -s " + closed + " -b " + empty + " getblockcount", 200, "", 1, "cannot reach the node at " + closed + ": no cookie " + empty + "/regtest/.cookie, is acyclicd running? --datadir says where, --rpcuser and --rpcpass do without"},
		{"--rpccookiefile " + bad + " getblockcount", 200, "", 1, "--rpccookiefile=" + bad + ": no cookie; want a file with user:password"},
		{"--rpccookiefile " + empty + " getblockcount", 200, "", 1, "--rpccookiefile=" + empty + ": cannot be read (is a directory); want the node's cookie"},
		{"--regtest -b " + empty + " -s " + n.addr() + " getblockcount", 200, "", 1, "a node answers at " + n.addr() + ", but there is no cookie " + empty + "/regtest/.cookie to log in with; want its --rpcuser and --rpcpass, or the --datadir that it was started with"},
		{auth + "getblockhash x", 200, "", 1, `argument 1 of getblockhash: "x" is not JSON; want a number, true or false`},
		{auth + "--named getblockhash 1", 200, "", 1, `"1": want name=value`},
		{auth + "getblock 00", 500, `{"error":{"code":-5,"message":"Block not found"}}`, 5, "getblock: error -5: Block not found"},
		{auth + "nonsense", 404, `{"error":{"code":-32601,"message":"Method not found"}}`, 32601 & 0xff, "nonsense: error -32601: Method not found"},
		{auth + "getblock", 500, `{"error":{"code":-1,"message":"getblock \"hash\"\n\nA block.\n"}}`, 1, `getblock: error -1: getblock "hash" A block.`},
		{auth + "getblockcount", 401, "", 1, "the node at " + n.addr() + " does not know this user or password; want its --rpcuser and --rpcpass, or the --datadir with its cookie"},
		{auth + "getblockcount", 503, "Work queue depth exceeded", 1, "the node at " + n.addr() + " is overloaded (Work queue depth exceeded); try again"},
		{auth + "getblockcount", 200, "<html>", 1, "what answers at " + n.addr() + " is not a node: 200 OK"},
	} {
		n.status, n.reply = c.status, c.reply
		status, out, errs := ctl("", strings.Fields(c.args)...)
		if want := fmt.Sprintf("acyclicctl: %s\n", c.want); status != c.code || out != "" || errs != want {
			t.Errorf("%s:\n got %d %q %q\nwant %d %q", c.args, status, out, errs, c.code, want)
		}
	}
}

func TestPrint(t *testing.T) {
	if status, out, errs := ctl("", "-version"); status != 0 || !strings.HasPrefix(out, "acyclicctl version ") || errs != "" {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if status, out, errs := ctl("", "--help"); status != 0 || !strings.Contains(out, "--rpcserver") || errs != "" {
		t.Errorf("%d %q %q", status, out, errs)
	}
}
