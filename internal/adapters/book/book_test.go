package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/addrmgr"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/server"
)

const port = 18333

func open(t *testing.T, dir string) *Book {
	t.Helper()
	b, warning, err := Open(dir, port)
	if err != nil || warning != "" {
		t.Fatalf("opening: %v, %q", err, warning)
	}
	return b
}

func ask[A any](b *Book, q any) A {
	return b.Handle(context.Background(), actor.Input{Body: q}).(A)
}

// addrs makes addresses of the public network: n networks, one address each.
func addrs(n int) []*wire.NetAddressV2 {
	var list []*wire.NetAddressV2
	for i := range n {
		list = append(list, netAddress(netip.MustParseAddrPort(fmt.Sprintf("%d.%d.1.1:%d", 20+i/200, i%200, port))))
	}
	return list
}

var source = netip.MustParseAddrPort("8.8.8.8:18333")

func learn(b *Book, list ...*wire.NetAddressV2) int {
	return ask[server.Noted](b, server.Note{Learned: []server.Learned{{Addrs: list, Source: source}}}).Known
}

func TestTheBookOutlivesTheNode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	b := open(t, dir)
	if known := learn(b, addrs(40)...); known < 35 {
		t.Fatalf("of 40 addresses %d are known", known)
	}
	good := ask[server.Picked](b, server.Pick{Max: 1}).Addrs
	if len(good) != 1 {
		t.Fatal("nothing picked of a full book")
	}
	ask[server.Noted](b, server.Note{
		Attempted: good, Connected: good,
		Good: []server.Good{{Addr: good[0], Services: wire.SFNodeNetwork}},
	})
	before := ask[server.Picked](b, server.Pick{}).Known
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = open(t, dir)
	defer b.Close()
	after := ask[server.Picked](b, server.Pick{Max: 3})
	if after.Known != before || len(after.Addrs) != 3 {
		t.Fatalf("after a restart %d addresses are known and %d offered, before %d", after.Known, len(after.Addrs), before)
	}
}

func TestPicksAreOfDifferentNetworks(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	for i := range 60 {
		learn(b, netAddress(netip.MustParseAddrPort(fmt.Sprintf("20.%d.0.%d:18333", i%3, i+1))))
	}
	got := ask[server.Picked](b, server.Pick{Max: 8}).Addrs
	if len(got) != 3 {
		t.Fatalf("three networks are known, picked %v", got)
	}
	seen := map[string]bool{}
	for _, a := range got {
		seen[addrmgr.GroupKey(netAddress(a))] = true
	}
	if len(seen) != 3 {
		t.Fatalf("two of one network: %v", got)
	}
}

// Each address that is wanted has its own tries, so as many are picked as are wanted.
func TestAsManyArePickedAsAreWanted(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	learn(b, addrs(90)...)
	if got := ask[server.Picked](b, server.Pick{Max: maxPick + 1}).Addrs; len(got) != maxPick {
		t.Errorf("of 90 networks %d are picked, want %d", len(got), maxPick)
	}
}

func TestOnlyWhatTCPCanReachIsKept(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	at := func(s string) *wire.NetAddressV2 { return netAddress(netip.MustParseAddrPort(s)) }
	onion := wire.NetAddressV2FromBytes(time.Now(), 0, make([]byte, wire.TorV3Size), port)
	oldOnion := wire.NetAddressV2FromBytes(time.Now(), 0, make([]byte, 10), port)
	known := learn(b,
		at("127.0.0.1:18333"), at("10.1.1.1:18333"), at("192.0.2.1:18333"), at("[::1]:18333"), at("[fe80::1]:18333"),
		at("20.0.0.1:0"), onion, oldOnion, nil, &wire.NetAddressV2{Port: port},
	)
	if known != 0 {
		t.Fatalf("%d of the unreachable were kept", known)
	}
	if known = learn(b, at("20.0.0.1:18333"), at("[2a00:1450::1]:18333"), at("[::ffff:20.1.0.1]:18333")); known != 3 {
		t.Fatalf("%d of three good ones were kept", known)
	}
	for _, a := range ask[server.Picked](b, server.Pick{Max: 8}).Addrs {
		if a.Addr().Is4In6() {
			t.Fatalf("%v is not in its usual form", a)
		}
	}
}

func TestUnusualPortsComeLast(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	learn(b, netAddress(netip.MustParseAddrPort("20.0.0.1:22")))
	if got := ask[server.Picked](b, server.Pick{Max: 1}).Addrs; len(got) != 1 || got[0].Port() != 22 {
		t.Fatalf("when there is nothing else an unusual port will do: %v", got)
	}
	learn(b, netAddress(netip.MustParseAddrPort("20.1.0.1:18333")))
	usual := 0
	for range 20 {
		if got := ask[server.Picked](b, server.Pick{Max: 1}).Addrs; len(got) == 1 && got[0].Port() == port {
			usual++
		}
	}
	if usual != 20 {
		t.Fatalf("the usual port came first only %d times of 20", usual)
	}
}

func TestFailuresAreCountedUpToABound(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	learn(b, addrs(1)...)
	dead := ask[server.Picked](b, server.Pick{Max: 1}).Addrs
	for range 5000 {
		ask[server.Noted](b, server.Note{Attempted: dead})
	}
	if got := ask[server.Picked](b, server.Pick{Max: 1}).Addrs; len(got) != 1 {
		t.Fatalf("picked %v", got)
	}
	b.Close()
	data, err := os.ReadFile(filepath.Join(dir, peersFile))
	if err != nil || !strings.Contains(string(data), `"Attempts":32,`) {
		t.Fatalf("%v; not %d attempts in %.300s", err, maxAttempts, data)
	}
}

// full makes a book of many addresses in dir, and returns what is in its file.
func full(t *testing.T, dir string) (content []byte, known int) {
	t.Helper()
	b := open(t, dir)
	known = learn(b, addrs(30)...)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, peersFile))
	if err != nil || known == 0 {
		t.Fatalf("a book of %d addresses: %v", known, err)
	}
	return content, known
}

// damaged are files that addrmgr cannot read, or panics on; content is one that
// it can.
func damaged(t *testing.T, content []byte) map[string]string {
	t.Helper()
	var file map[string]json.RawMessage
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	// One that is good at first and bad at its end: the manager has counted
	// addresses when it gives up.
	file["TriedBuckets"] = json.RawMessage(`[["9.9.9.9:1"]]`)
	halfGood, _ := json.Marshal(file)
	return map[string]string{
		"empty":           "",
		"not JSON":        "hello",
		"cut off":         string(content[:len(content)/2]),
		"half good":       string(halfGood),
		"null address":    `{"Version":2,"Addresses":[null]}`,
		"a name":          `{"Version":2,"Addresses":[{"Addr":"localhost:1","Src":"localhost:1"}]}`,
		"a later version": `{"Version":99}`,
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestACorruptFileIsMovedAside(t *testing.T) {
	good, _ := full(t, t.TempDir())
	for name, content := range damaged(t, good) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, peersFile)
			write(t, path, content)
			b, warning, err := Open(dir, port)
			if err != nil || !strings.Contains(warning, path+".corrupt") || !strings.HasSuffix(warning, "; starting with an empty one") || strings.Contains(warning, "\n") {
				t.Fatalf("opening: %v, %q", err, warning)
			}
			if kept, _ := os.ReadFile(path + ".corrupt"); string(kept) != content {
				t.Fatalf("kept aside: %q", kept)
			}
			if got := ask[server.Picked](b, server.Pick{Max: 1}); got.Known != 0 || len(got.Addrs) != 0 {
				t.Fatalf("a new book offers %+v", got)
			}
			learn(b, addrs(5)...)
			b.Close()
			b = open(t, dir)
			defer b.Close()
			if got := ask[server.Picked](b, server.Pick{Max: 1}); got.Known == 0 {
				t.Fatal("the new book does not work")
			}
		})
	}
}

// A disk that was full, or a sudden end, while the book was written: it goes on
// with what it had at its last start.
func TestACorruptFileIsMadeUpForByItsCopy(t *testing.T) {
	good, _ := full(t, t.TempDir())
	for name, content := range damaged(t, good) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, peersFile)
			_, known := full(t, dir)
			open(t, dir).Close() // makes the copy
			write(t, path, content)
			b, warning, err := Open(dir, port)
			if err != nil || !strings.Contains(warning, path+".corrupt") || !strings.Contains(warning, "; going on with its copy of 20") || strings.Contains(warning, "\n") {
				t.Fatalf("opening: %v, %q", err, warning)
			}
			if got := ask[server.Picked](b, server.Pick{Max: 1}); got.Known != known || len(got.Addrs) != 1 {
				t.Fatalf("the copy of a book of %d offers %+v", known, got)
			}
			// Ended again before it was written: the file is good all the same.
			other := open(t, dir)
			if got := ask[server.Picked](other, server.Pick{Max: 1}); got.Known != known {
				t.Fatalf("the file that the copy was put into has %d addresses, want %d", got.Known, known)
			}
			other.Close()
			b.Close()

			write(t, path, content)
			write(t, path+copyExt, content)
			b, warning, err = Open(dir, port)
			if err != nil || !strings.Contains(warning, path+copyExt+" is damaged too; starting with an empty one") || strings.Contains(warning, "\n") {
				t.Fatalf("opening with a damaged copy: %v, %q", err, warning)
			}
			defer b.Close()
			if got := ask[server.Picked](b, server.Pick{Max: 1}); got.Known != 0 {
				t.Fatalf("a new book offers %+v", got)
			}
		})
	}
}

// Only a good book is copied, and only a damaged file makes the book use its copy. If the
// file is removed, the book starts empty.
func TestTheCopyIsForDamage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, peersFile)
	good, _ := full(t, dir)
	open(t, dir).Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for range 2 { // without a file, and with an empty book in it
		b := open(t, dir)
		if got := ask[server.Picked](b, server.Pick{Max: 1}); got.Known != 0 {
			t.Errorf("after its file was removed the book has %d addresses", got.Known)
		}
		b.Close()
	}
	if kept, err := os.ReadFile(path + copyExt); err != nil || string(kept) != string(good) {
		t.Errorf("an empty book has replaced the copy of a full one: %v", err)
	}
	// No copy can be made: that is said, and the book works.
	if err := errors.Join(os.Remove(path+copyExt), os.Mkdir(path+copyExt, 0o700), os.WriteFile(path, good, 0o600)); err != nil {
		t.Fatal(err)
	}
	b, warning, err := Open(dir, port)
	if err != nil || !strings.HasPrefix(warning, "no copy of the address book was made") || strings.Contains(warning, "\n") {
		t.Errorf("opening: %v, %q", err, warning)
	}
	defer b.Close()
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSamplesAreBounded(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	if got := ask[server.Sampled](b, server.Sample{Max: 1000}).Addrs; len(got) != 0 {
		t.Fatalf("an empty book shows %v", got)
	}
	learn(b, addrs(200)...)
	if got := ask[server.Sampled](b, server.Sample{Max: 1000}).Addrs; len(got) < 20 || len(got) > 50 {
		t.Fatalf("%d of some 200 addresses are shown, a quarter is right", len(got))
	}
	if got := ask[server.Sampled](b, server.Sample{Max: 7}).Addrs; len(got) != 7 {
		t.Fatalf("%d shown, asked for 7", len(got))
	}
}

// Failures are counted for so many addresses at most, and of each address up to a limit
// that a success takes back.
func TestL4FailuresAreCountedWithinBounds(t *testing.T) {
	b := open(t, t.TempDir())
	addr := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, byte(i >> 16), byte(i >> 8), byte(i)}), port)
	}
	for i := range maxAttempts + 1 {
		if got, want := b.mayCount(addr(0)), i < maxAttempts; got != want {
			t.Errorf("attempt %d counts: %v, want %v", i+1, got, want)
		}
	}
	most := 0
	for i := range maxCounted + 2 {
		b.mayCount(addr(i))
		most = max(most, len(b.attempts))
	}
	if most != maxCounted {
		t.Errorf("%d addresses were counted, want %d at most", most, maxCounted)
	}
}
