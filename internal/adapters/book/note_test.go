package book

import (
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/btcsuite/btcd/addrmgr"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/server"
)

// entry is an address as it stands in the book's file.
type entry struct {
	Addr, Src                string
	Attempts                 int
	TimeStamp                int64
	LastAttempt, LastSuccess int64
	Services                 wire.ServiceFlag
}

// onFile closes the book in dir and returns its entries.
func onFile(t *testing.T, b *Book, dir string) []entry {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, peersFile))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Addresses []entry }
	if err := json.Unmarshal(content, &file); err != nil || len(file.Addresses) == 0 {
		t.Fatalf("%v; no address in %.300s", err, content)
	}
	return file.Addresses
}

// What the server notes of an address is in the book, each note as what it says.
func TestNotesAreKept(t *testing.T) {
	addr := netip.MustParseAddrPort("20.0.1.1:18333")
	const services = wire.SFNodeNetwork | wire.SFNodeWitness
	attempts := func(n int) (list []netip.AddrPort) {
		for range n {
			list = append(list, addr)
		}
		return list
	}
	good := []server.Good{{Addr: addr, Services: services}}
	for _, c := range []struct {
		why      string
		notes    []server.Note
		attempts int
		services wire.ServiceFlag
		tried    bool // it has been dialled
		success  bool
	}{
		{"learned, and no more", nil, 0, 0, false, false},
		{"dialled in vain", []server.Note{{Attempted: attempts(3)}}, 3, 0, true, false},
		{"a good peer has failed no more", []server.Note{{Attempted: attempts(3)}, {Good: good}}, 0, services, true, true},
		{
			"after a success failures count from zero, up to the bound",
			[]server.Note{{Attempted: attempts(maxAttempts + 1)}, {Good: good}, {Attempted: attempts(2)}}, 2, services, true, true,
		},
	} {
		dir := t.TempDir()
		b := open(t, dir)
		learn(b, netAddress(addr))
		for _, n := range c.notes {
			ask[server.Noted](b, n)
		}
		e := onFile(t, b, dir)[0]
		never := time.Time{}.Unix()
		if e.Attempts != c.attempts || e.Services != c.services || (e.LastAttempt != never) != c.tried || (e.LastSuccess != never) != c.success {
			t.Errorf("%s: on file is %+v", c.why, e)
		}
	}
}

// One note brings what several peers have told. Each address is booked under the peer that
// told it: the manager gives each source a few places only, so that one liar cannot have
// those of others.
func TestAnAddressIsOfThePeerThatToldIt(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	want := map[string]string{}
	var note server.Note
	for i, a := range addrs(3) {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, byte(i), 8, 8}), port)
		note.Learned = append(note.Learned, server.Learned{Addrs: []*wire.NetAddressV2{a}, Source: from})
		want[addrmgr.NetAddressKey(a)] = from.String()
	}
	ask[server.Noted](b, note)
	got := map[string]string{}
	for _, e := range onFile(t, b, dir) {
		got[e.Addr] = e.Src
	}
	if !maps.Equal(got, want) {
		t.Errorf("on file are %v, want %v", got, want)
	}
}

// An address of a peer that is connected was seen now. What others say of it may be old.
func TestAConnectedAddressWasSeenNow(t *testing.T) {
	addr := netip.MustParseAddrPort("20.0.1.1:18333")
	for _, connected := range [][]netip.AddrPort{nil, {addr}} {
		dir := t.TempDir()
		b := open(t, dir)
		old := netAddress(addr)
		old.Timestamp = time.Now().Add(-24 * time.Hour)
		learn(b, old)
		ask[server.Noted](b, server.Note{Connected: connected})
		seen := time.Unix(onFile(t, b, dir)[0].TimeStamp, 0)
		if now := seen.After(time.Now().Add(-time.Hour)); now != (connected != nil) {
			t.Errorf("connected %v: seen at %v", connected, seen)
		}
	}
}

// An address that was not dialled lately comes before all that were. The manager by itself
// prefers it only somewhat, so there are several of the others.
func TestAddressesDialledLatelyComeLast(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	var late []netip.AddrPort
	for _, a := range addrs(8) {
		addr, _ := dialable(a)
		late = append(late, addr)
		learn(b, a)
	}
	ask[server.Noted](b, server.Note{Attempted: late})
	if got := ask[server.Picked](b, server.Pick{Max: 1}).Addrs; len(got) != 1 {
		t.Fatalf("when there is nothing else they will do: %v", got)
	}
	other := netip.MustParseAddrPort("30.1.1.1:18333")
	learn(b, netAddress(other))
	for range 30 {
		if got := ask[server.Picked](b, server.Pick{Max: 1}).Addrs; len(got) != 1 || got[0] != other {
			t.Fatalf("picked %v, want the one that was not dialled", got)
		}
	}
}

// L4: an answer has a bounded number of addresses, whatever is asked for.
func TestL4PicksAndSamplesAreBounded(t *testing.T) {
	b := open(t, t.TempDir())
	defer b.Close()
	learn(b, addrs(200)...)
	if got := ask[server.Picked](b, server.Pick{Max: 1000}).Addrs; len(got) != maxPick {
		t.Errorf("%d picked, want %d", len(got), maxPick)
	}
	for _, limit := range []int{0, -1} {
		picked, shown := ask[server.Picked](b, server.Pick{Max: limit}).Addrs, ask[server.Sampled](b, server.Sample{Max: limit}).Addrs
		if len(picked)+len(shown) != 0 {
			t.Errorf("asked for %d: %d picked, %d shown", limit, len(picked), len(shown))
		}
	}
}
