package rpc

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/sirupsen/logrus"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
)

// Statuses and replies of the HTTP level and of JSON-RPC are Core's.
func TestProtocol(t *testing.T) {
	r := newRig(t, 1, Config{Bounds: Bounds{MaxBody: 1000}})
	for _, c := range []struct {
		why, body string
		status    int
		want      string
	}{
		{"legacy", `{"id":"x","method":"getblockcount","params":[]}`, 200, `{"result":170,"error":null,"id":"x"}`},
		{"1.0", `{"jsonrpc":"1.0","id":"x","method":"getblockcount"}`, 200, `{"result":170,"error":null,"id":"x"}`},
		{"no id", `{"method":"getblockcount"}`, 200, `{"result":170,"error":null,"id":null}`},
		{"2.0", `{"jsonrpc":"2.0","id":[1],"method":"getblockcount","params":{}}`, 200, `{"jsonrpc":"2.0","result":170,"id":[1]}`},
		{"a null result is a result", `{"jsonrpc":"2.0","id":1,"method":"uptime","params":null}`, 200, `{"jsonrpc":"2.0","result":90,"id":1}`},
		{"notification", `{"jsonrpc":"2.0","method":"getblockcount"}`, 204, ``},
		{"notification that fails", `{"jsonrpc":"2.0","method":"nonsense"}`, 204, ``},
		{"error, legacy", `{"id":1,"method":"getblockhash","params":[-1]}`, 500, `{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":1}`},
		{"error, 2.0", `{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":[-1]}`, 200, `{"jsonrpc":"2.0","error":{"code":-8,"message":"Block height out of range"},"id":1}`},
		{"unknown, legacy", `{"id":1,"method":"nonsense"}`, 404, `{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}`},
		{"unknown, 2.0", `{"jsonrpc":"2.0","id":1,"method":"nonsense"}`, 200, `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1}`},
		{"not JSON", `{"id":1`, 500, `{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{"nothing", ``, 500, `{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{"neither object nor array", `17`, 500, `{"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null}`},
		{"no method", `{"id":1}`, 400, `{"result":null,"error":{"code":-32600,"message":"Missing method"},"id":1}`},
		{"method no string", `{"id":1,"method":5}`, 400, `{"result":null,"error":{"code":-32600,"message":"Method must be a string"},"id":1}`},
		{"params no list", `{"id":1,"method":"uptime","params":"x"}`, 400, `{"result":null,"error":{"code":-32600,"message":"Params must be an array or object"},"id":1}`},
		{"version no string", `{"id":1,"jsonrpc":2,"method":"uptime"}`, 400, `{"result":null,"error":{"code":-32600,"message":"jsonrpc field must be a string"},"id":1}`},
		{"unknown version", `{"id":1,"jsonrpc":"3.0","method":"uptime"}`, 400, `{"result":null,"error":{"code":-32600,"message":"JSON-RPC version not supported"},"id":1}`},
		{"batch", ` [{"id":1,"method":"uptime"},{"id":2,"method":"nonsense"},{"jsonrpc":"2.0","method":"uptime"},{"jsonrpc":"2.0","id":3,"method":"uptime"},7]`, 200,
			`[{"result":90,"error":null,"id":1},{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":2},{"jsonrpc":"2.0","result":90,"id":3},{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null}]`},
		{"empty batch", `[]`, 200, `[]`},
		{"batch of notifications", `[{"jsonrpc":"2.0","method":"uptime"}]`, 204, ``},
		{"no HTML escapes", `{"id":"<>&","method":"uptime"}`, 200, `{"result":90,"error":null,"id":"<>&"}`},
	} {
		status, got := r.post(c.body)
		if c.want != "" {
			c.want += "\n"
		}
		if status != c.status || got != c.want {
			t.Errorf("%s:\n got %d %s\nwant %d %s", c.why, status, got, c.status, c.want)
		}
	}
	if status, _ := r.post(`{"id":"` + strings.Repeat("x", 1000) + `"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a request above the limit: status %d", status)
	}
	for path, want := range map[string]int{"": 405, "wallet": 405} {
		req, _ := http.NewRequest(http.MethodGet, r.url+path, nil)
		if status, body := r.do(req); status != want || body != "JSONRPC server handles only POST requests" {
			t.Errorf("GET /%s: %d %q", path, status, body)
		}
	}
	req, _ := http.NewRequest(http.MethodPost, r.url+"elsewhere", strings.NewReader("{}"))
	if status, _ := r.do(req); status != 404 {
		t.Errorf("POST /elsewhere: %d", status)
	}
}

func TestAuthorization(t *testing.T) {
	r := newRig(t, 1, Config{})
	for _, c := range []struct {
		user, pass string
		status     int
	}{
		{"me", "secret", 200}, {"me", "wrong", 401}, {"you", "secret", 401}, {"me", "", 401}, {"", "", 401},
		{cookieUser, "secret", 401}, {"-", "-", 401},
	} {
		req, _ := http.NewRequest(http.MethodPost, r.url, strings.NewReader(`{"method":"uptime"}`))
		if c.user != "-" {
			req.SetBasicAuth(c.user, c.pass)
		}
		if status, body := r.do(req); status != c.status || status == 401 && body != "" {
			t.Errorf("%s:%s gives %d %q, want %d", c.user, c.pass, status, body, c.status)
		}
	}
}

// The cookie is for its owner only, works as a password, and goes with the
// server.
func TestCookie(t *testing.T) {
	file := filepath.Join(t.TempDir(), "regtest", ".cookie")
	log := logrus.New()
	log.SetOutput(io.Discard)
	s, err := start(Config{Bounds: DefaultBounds(), Listen: []string{"127.0.0.1:0"}, CookieFile: file, Log: logrus.NewEntry(log)})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, _ := os.ReadFile(file)
	user, pass, ok := strings.Cut(string(text), ":")
	if !ok || user != "__cookie__" || len(pass) != 64 {
		t.Errorf("cookie %q", text)
	}
	req, _ := http.NewRequest(http.MethodPost, "http://"+s.Addrs()[0], strings.NewReader(`{"method":"uptime","id":1}`))
	req.SetBasicAuth(user, pass)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if want := `{"result":null,"error":{"code":-28,"message":"Starting…"},"id":1}` + "\n"; resp.StatusCode != 500 || string(body) != want {
		t.Errorf("before the node is attached: %d %s", resp.StatusCode, body)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Error("the cookie is still there after Close:", err)
	}
}

// Between Bind and Serve the addresses are taken and nothing else has happened;
// Close gives them back.
func TestBindOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".cookie")
	log := logrus.New()
	log.SetOutput(io.Discard)
	s, err := Bind(Config{Bounds: DefaultBounds(), Listen: []string{"127.0.0.1:0"}, CookieFile: file, Log: logrus.NewEntry(log)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Error("Bind wrote a cookie:", err)
	}
	if _, err := net.Listen("tcp", s.Addrs()[0]); err == nil {
		t.Error("the address is still free")
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	l, err := net.Listen("tcp", s.Addrs()[0])
	if err != nil {
		t.Fatal("Close did not give the address back:", err)
	}
	l.Close()
}

// A cookie that another node has written meanwhile is left alone.
func TestForeignCookie(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".cookie")
	log := logrus.New()
	log.SetOutput(io.Discard)
	s, err := start(Config{Bounds: DefaultBounds(), Listen: []string{"127.0.0.1:0"}, CookieFile: file, Log: logrus.NewEntry(log)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("__cookie__:other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error("the other node's cookie is gone:", err)
	}
}

func TestWarmup(t *testing.T) {
	r := newRig(t, 1, Config{})
	r.s.Warmup("Shutting down…")
	r.wantError("getblockcount", "[]", "-28 Shutting down…")
	r.attach(1)
	r.want("getblockcount", "[]", "170")
}

// An address in use is an error that names it; of several addresses, one that
// can be bound is enough.
func TestListen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	log := logrus.New()
	log.SetOutput(io.Discard)
	cfg := Config{Bounds: DefaultBounds(), Listen: []string{l.Addr().String()}, User: "a", Pass: "b", Log: logrus.NewEntry(log)}
	want := "--rpclisten=" + l.Addr().String() + ": cannot serve RPC there, address already in use; want a free address of this machine (is another node running?)"
	if _, err := start(cfg); err == nil || err.Error() != want {
		t.Errorf("an address in use:\n got %v\nwant %s", err, want)
	}
	cfg.Listen = append(cfg.Listen, "127.0.0.1:0")
	s, err := start(cfg)
	if err != nil || len(s.Addrs()) != 1 {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// hang makes getblockcount hang until release is closed or its request's
// context ends; entered gets a value for each handler that hangs.
func (r *rig) hang() (entered chan struct{}, release chan struct{}) {
	entered, release = make(chan struct{}, 100), make(chan struct{})
	r.f.hang = func(ctx context.Context) error {
		entered <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return entered, release
}

// L4: when all handlers work and the queue is full, a request is turned away at
// once; one that waits too long is turned away as well; both with 503. Those
// under way are answered.
func TestL4Overload(t *testing.T) {
	const handlers, queued = 2, 1
	r := newRig(t, handlers, Config{Bounds: Bounds{MaxQueue: queued, WaitFor: time.Hour}})
	entered, release := r.hang()
	results := make(chan string, handlers+queued+1)
	send := func() {
		status, body := r.post(`{"id":1,"method":"getblockcount"}`)
		results <- fmt.Sprint(status, " ", body)
	}
	for range handlers {
		go send()
	}
	for range handlers {
		<-entered
	}
	for range queued + 1 {
		go send() // all but one find room to wait
	}
	if got := <-results; got != "503 Work queue depth exceeded" {
		t.Errorf("one too many: %s", got)
	}
	close(release)
	for range handlers + queued {
		if got := <-results; !strings.HasPrefix(got, `200 {"result":170`) {
			t.Errorf("one that was taken: %s", got)
		}
	}
}

func TestL9WaitingEnds(t *testing.T) {
	r := newRig(t, 1, Config{Bounds: Bounds{WaitFor: time.Millisecond}})
	entered, release := r.hang()
	first := make(chan int)
	go func() {
		status, _ := r.post(`{"id":1,"method":"getblockcount"}`)
		first <- status
	}()
	<-entered
	if status, body := r.post(`{"id":2,"method":"uptime"}`); status != 503 || body != "Work queue depth exceeded" {
		t.Errorf("no handler came free: %d %q", status, body)
	}
	close(release)
	if status := <-first; status != 200 {
		t.Errorf("the request that held the handler: %d", status)
	}
}

// L8: Close ends questions under way; a component that never answers does not
// hold up the stop.
func TestL8CloseEndsHandlers(t *testing.T) {
	r := newRig(t, 1, Config{})
	entered, _ := r.hang()
	reply := make(chan string)
	go func() {
		_, body := r.post(`{"id":1,"method":"getblockcount"}`)
		reply <- body
	}()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.s.Close(ctx); err != nil {
		t.Error(err)
	}
	if got, want := <-reply, "the request was given up before chain answered (chain.GetTips)"; !strings.Contains(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// A client that goes away frees its handler.
func TestClientGone(t *testing.T) {
	r := newRig(t, 1, Config{Bounds: Bounds{WaitFor: time.Minute}})
	entered, _ := r.hang()
	ctx, cancel := context.WithCancel(context.Background())
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, r.url, strings.NewReader(`{"method":"getblockcount"}`))
	req.SetBasicAuth("me", "secret")
	done := make(chan error)
	go func() {
		_, err := http.DefaultClient.Do(req)
		done <- err
	}()
	<-entered
	cancel()
	if err := <-done; err == nil {
		t.Error("a reply to a client that left")
	}
	r.want("uptime", "[]", "90") // waits until the only handler is free
}

// More connections than allowed wait to be accepted; each is accepted in the end.
func TestConnectionLimit(t *testing.T) {
	r := newRig(t, 4, Config{Bounds: Bounds{MaxConns: 1}})
	idle, err := net.Dial("tcp", r.s.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		result, failure := r.call("getblockcount", "[]")
		got <- result + failure
	}()
	idle.Close()
	if s := <-got; s != "170" {
		t.Error(s)
	}
}

// The parser takes anything; what it accepts has a method, and whatever it says
// can be sent as a reply.
func FuzzAnswerBody(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `[]`, `[1]`, `{"id":1,"method":"getblockhash","params":[1]}`, `{"jsonrpc":"2.0","method":"x","params":{"a":1}}`,
		`[{"id":null,"method":"help","params":["help"]}]`, `{"id":1,"method":"getblockhash","params":{"args":[1],"height":2}}`,
		`{"method":"getblock","params":["` + strings.Repeat("0", 64) + `",true]}`, "{\"method\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	node := &Node{Params: &chaincfg.RegressionNetParams, Cells: func() []cell.Stats { return nil }, Stop: func() {}}
	asker := &fake{answer: map[string]func(actor.ID, any) (any, error){}}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &call{Node: node, ctx: context.Background(), asker: asker, size: newDirSize(""), log: logrus.NewEntry(logrus.New())}
		status, answer := answerBody(c.ctx, body, DefaultBounds().MaxBatch, DefaultBounds().MaxReply, func(r *request) ([]byte, error) {
			cmd, ok := table[r.method]
			if !ok {
				return nil, fail(codeMethodNotFound, "Method not found")
			}
			args, err := bind(r, cmd.Params, cmd.Help())
			if err != nil {
				return nil, err
			}
			result, err := cmd.run(c, args) // not execute: a panic must be seen
			return marshal(reply(r.v2, r.id, result, nil)), err
		})
		if (status == http.StatusNoContent) != (answer == nil) {
			t.Errorf("status %d with answer %q", status, answer)
		}
	})
}
