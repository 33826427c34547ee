package track

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// witness is a transaction whose two names differ.
func witness(n int) chain.TxID { return chain.TxID{TxID: txHash(n), WTxID: txHash(n + 1<<16)} }

func contains(o *Orphans, name peer.TxName) bool { return o.index(name) >= 0 }

// A child comes before its parents. Who sent it and who announces it are asked for them,
// until they are there.
func TestOrphanStory(t *testing.T) {
	o := NewOrphans(DefaultBounds())
	child := witness(1)
	if !o.Add(start, child, alice, hashes(10, 2)) {
		t.Fatal("it is not kept")
	}
	for _, c := range []struct {
		why  string
		name peer.TxName
		is   bool
	}{
		{"by wtxid", peer.TxName{Hash: child.WTxID, WTxID: true}, true},
		{"by txid", peer.TxName{Hash: child.TxID}, true},
		{"a txid is no wtxid", peer.TxName{Hash: child.TxID, WTxID: true}, false},
		{"a wtxid is no txid", peer.TxName{Hash: child.WTxID}, false},
		{"another", byWTxID(7), false},
	} {
		missing, is := o.Announced(bob, c.name)
		if is != c.is || is && !slices.Equal(missing, hashes(10, 2)) {
			t.Errorf("%s: %v, %v", c.why, missing, is)
		}
	}
	o.Found(txHash(10))
	if missing, _ := o.Announced(carol, byTxID(1)); !slices.Equal(missing, hashes(11, 1)) {
		t.Errorf("one parent was found, missing are %v", missing)
	}
	o.ForgetPeer(alice)
	o.ForgetPeer(bob)
	if len(o.list) != 1 {
		t.Error("carol has it, and it is forgotten")
	}
	o.Remove(child)
	if len(o.list) != 0 || !o.Deadline().IsZero() {
		t.Error("it was accepted, and is an orphan")
	}
}

func TestWhatOrphansAreForgotten(t *testing.T) {
	b := DefaultBounds()
	for _, c := range []struct {
		why   string
		do    func(o *Orphans)
		still bool
	}{
		{"19 minutes are not too long", func(o *Orphans) { o.Advance(start.Add(b.OrphanTimeout - 1)) }, true},
		{"after 20 minutes nobody will bring the parents", func(o *Orphans) { o.Advance(start.Add(b.OrphanTimeout)) }, false},
		{"nobody is left who has it", func(o *Orphans) { o.ForgetPeer(alice) }, false},
		{"another peer is gone", func(o *Orphans) { o.ForgetPeer(bob) }, true},
		{"with more parents than are kept it is not worth it", func(o *Orphans) { o.Add(start, txID(1), bob, hashes(10, b.MaxMissing+1)) }, false},
		{"so many parents are kept", func(o *Orphans) { o.Add(start, txID(1), bob, hashes(10, b.MaxMissing)) }, true},
		{"nothing is missing any more", func(o *Orphans) { o.Add(start, txID(1), bob, nil) }, false},
		{"all parents were found, but nobody has said what became of it", func(o *Orphans) { o.Found(txHash(10)) }, true},
		{"the same wtxid is the same transaction", func(o *Orphans) { o.Remove(txID(1)) }, false},
		{"another copy of it may be good", func(o *Orphans) { o.Remove(chain.TxID{TxID: txHash(1), WTxID: txHash(9)}) }, true},
	} {
		o := NewOrphans(b)
		o.Add(start, txID(1), alice, hashes(10, 1))
		if c.do(o); (len(o.list) == 1) != c.still {
			t.Errorf("it is kept: %v: %s", len(o.list) == 1, c.why)
		}
	}
}

// An orphan comes again. It is the same one, whoever sends it. What is missing now counts.
func TestAnOrphanThatComesAgain(t *testing.T) {
	o := NewOrphans(DefaultBounds())
	child := witness(1)
	o.Add(start, child, alice, hashes(10, 2))
	if !o.Add(after(1), child, bob, hashes(11, 1)) || len(o.list) != 1 {
		t.Fatalf("%d are kept of one", len(o.list))
	}
	if d := o.Deadline(); !d.Equal(start.Add(o.cfg.OrphanTimeout)) {
		t.Errorf("it is kept until %v: coming again does not help it", d)
	}
	o.ForgetPeer(alice)
	if missing, is := o.Announced(carol, byTxID(1)); !is || !slices.Equal(missing, hashes(11, 1)) {
		t.Errorf("bob has it: %v, missing are %v", is, missing)
	}
}

// A peer that says again and again that it has an orphan takes no room from others.
func TestL4APeerIsOneSource(t *testing.T) {
	b := DefaultBounds()
	o := NewOrphans(b)
	o.Add(start, txID(1), alice, hashes(10, 1))
	for range 2 * b.MaxSources {
		o.Announced(bob, byTxID(1))
	}
	o.Announced(carol, byTxID(1))
	if !slices.Equal(o.list[0].from, []actor.ID{alice, bob, carol}) {
		t.Errorf("those that have it are %v", o.list[0].from)
	}
}

// A flood of orphans pushes out itself, the oldest first.
func TestL4AFloodOfOrphansPushesOutItself(t *testing.T) {
	b := DefaultBounds()
	b.MaxOrphans = 7
	o := NewOrphans(b)
	o.Add(start, txID(1), alice, hashes(10, 1))
	for n := range 3 * b.MaxOrphans {
		o.Add(start.Add(time.Duration(n)), txID(100+n), bob, hashes(10, 1))
	}
	if len(o.list) != b.MaxOrphans || !contains(o, byTxID(1)) {
		t.Errorf("%d are kept, alice's is: %v", len(o.list), contains(o, byTxID(1)))
	}
	if contains(o, byTxID(100)) || !contains(o, byTxID(100+3*b.MaxOrphans-1)) {
		t.Error("an old one is kept, or a new one is not")
	}
}

// Whatever happens, the list makes sense, and what has expired is gone.
func TestL4OrphansInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := DefaultBounds()
		b.MaxOrphans, b.MaxSources, b.MaxMissing, b.OrphanTimeout = 3, 2, 2, 5*time.Second
		o, now := NewOrphans(b), start
		num := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") }
		for range num(60) {
			id, n := actor.ID(1+num(4)), num(6)
			switch num(7) {
			case 0, 1, 2:
				missing := hashes(10+num(3), num(4))
				if kept := o.Add(now, txID(n), id, missing); kept != (len(missing) > 0 && len(missing) <= 2) || kept != contains(o, byTxID(n)) {
					t.Fatalf("%d with %d missing is kept: %v", n, len(missing), kept)
				}
			case 3:
				if _, is := o.Announced(id, byWTxID(n)); is != contains(o, byWTxID(n)) {
					t.Fatalf("%d is an orphan: %v", n, is)
				}
			case 4:
				o.Found(txHash(10 + n))
				for _, x := range o.list {
					if slices.Contains(x.missing, txHash(10+n)) {
						t.Fatalf("%v misses what was found", x.id)
					}
				}
			case 5:
				o.Remove(txID(n))
				if contains(o, byTxID(n)) {
					t.Fatal("it is still there")
				}
			case 6:
				o.ForgetPeer(id)
			}
			now = now.Add(time.Duration(num(3)) * time.Second)
			want := 0
			for _, x := range o.list {
				if x.until.After(now) {
					want++
				}
			}
			if o.Advance(now); len(o.list) != want {
				t.Fatalf("%d are left, want %d", len(o.list), want)
			}
			if d := o.Deadline(); len(o.list) > 0 && !d.After(now) || d.IsZero() != (len(o.list) == 0) {
				t.Fatalf("%d are left, and the deadline is %v", len(o.list), d)
			}
			if err := o.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOrphansCheckFindsDamage(t *testing.T) {
	for name, damage := range map[string]func(o *Orphans){
		"too many":        func(o *Orphans) { o.cfg.MaxOrphans = 1 },
		"too much missed": func(o *Orphans) { o.list[0].missing = make([]chainhash.Hash, o.cfg.MaxMissing+1) },
		"nobody has it":   func(o *Orphans) { o.list[1].from = nil },
		"too many have":   func(o *Orphans) { o.list[1].from = make([]actor.ID, o.cfg.MaxSources+1) },
		"twice":           func(o *Orphans) { o.list[1].id = o.list[0].id },
		"out of order":    func(o *Orphans) { slices.Reverse(o.list) },
	} {
		o := NewOrphans(DefaultBounds())
		o.Add(start, txID(1), alice, hashes(10, 1))
		o.Add(after(1), txID(2), alice, hashes(10, 1))
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		if damage(o); o.Check() == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
