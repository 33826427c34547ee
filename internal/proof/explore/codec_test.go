package explore

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/proof/negative"
	"acyclic/peer"
)

// plain is data of the kinds that machines keep.
type plain struct {
	N     int
	Name  string
	At    time.Time
	Addr  netip.AddrPort
	List  []item
	ByID  map[actor.ID]*item
	First *item // one of ByID
	Body  any
	Rng   *rand.Rand
	Block *peer.MsgBlock
	err   error
}

type item struct {
	ID   actor.ID
	Seen map[string]bool
	Next *item
}

func drawPlain(t *rapid.T) *plain {
	p := &plain{
		N: rapid.Int().Draw(t, "n"), Name: rapid.String().Draw(t, "name"),
		At:   Epoch.Add(time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "at"))),
		Addr: address(rapid.IntRange(0, 9).Draw(t, "addr")),
		ByID: map[actor.ID]*item{}, Rng: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)),
		Block: tree[a1].block, err: actor.ErrBusy,
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "items") {
		it := &item{ID: actor.ID(i), Seen: map[string]bool{rapid.StringN(0, 3, 3).Draw(t, "seen"): true}}
		if i > 0 && rapid.Bool().Draw(t, "chained") {
			it.Next = p.ByID[actor.ID(i-1)]
		}
		p.ByID[it.ID], p.First = it, it
		p.List = append(p.List, *it)
	}
	p.Body = []any{nil, item{ID: 3}, p.First, actor.Stop{}, map[int]int{1: 2}}[rapid.IntRange(0, 4).Draw(t, "body")]
	return p
}

// change changes something deep inside.
func change(t *rapid.T, p *plain) {
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		p.N++
	case 1:
		p.Rng.Uint64()
	case 2:
		p.ByID[99] = &item{}
	case 3:
		p.List = append(p.List, item{ID: 7})
	case 4:
		if p.First == nil {
			p.First = &item{}
		} else {
			p.First.ID += 100
		}
	case 5:
		p.At = p.At.Add(1)
	}
}

// A clone is encoded as its original. A change of the clone changes its encoding, and
// not the original's.
func cloneProperty(clone func(*plain) *plain) func(*rapid.T) {
	return func(t *rapid.T) {
		p := drawPlain(t)
		before := encode(nil, p)
		c := clone(p)
		if !bytes.Equal(encode(nil, c), before) {
			t.Fatal("a clone is encoded differently")
		}
		change(t, c)
		if bytes.Equal(encode(nil, c), before) {
			t.Fatal("a change does not show in the encoding")
		}
		if !bytes.Equal(encode(nil, p), before) {
			t.Fatal("the original changed with its clone")
		}
	}
}

func TestClonesAreEqualAndApart(t *testing.T) {
	rapid.Check(t, cloneProperty(clone[*plain]))
}

// A clone that copies only the outermost level must be caught.
func TestClonesMustBeDeep(t *testing.T) {
	shallow := func(p *plain) *plain { c := *p; return &c }
	if negative.Property(t, cloneProperty(shallow)) == nil {
		t.Error("a shallow copy passes for a clone")
	}
}

// Mailboxes with the same content are encoded alike, however they came to it. Where a
// ring begins and what was counted on the way are left out.
func TestTheEncodingOfAMailboxIsItsContent(t *testing.T) {
	put := func(b *mailbox.Box, n int) {
		b.Put(mailbox.Envelope{Lane: actor.Control, In: actor.Input{Body: packet{n}}, Queued: int64(n)})
	}
	one := mailbox.NewBox(1, mailbox.Spec{Control: 4})
	put(&one, 1)
	two := mailbox.NewBox(1, mailbox.Spec{Control: 4})
	for range 5 {
		put(&two, 2)
		two.TakeFirst(0)
	}
	put(&two, 1)
	if !bytes.Equal(encode(nil, &one), encode(nil, &two)) {
		t.Error("the same content is encoded differently")
	}
	two.TakeFirst(0)
	put(&two, 3)
	if bytes.Equal(encode(nil, &one), encode(nil, &two)) {
		t.Error("different contents are encoded alike")
	}
	cloned := clone(&one)
	cloned.TakeFirst(0)
	if one.Empty() {
		t.Error("taking from the clone took from the original")
	}
}

// That two pointers are the same is part of the content: both see a change.
func TestTheEncodingKnowsWhatIsShared(t *testing.T) {
	type pair struct{ A, B *item }
	i := &item{ID: 1}
	if bytes.Equal(encode(nil, &pair{i, i}), encode(nil, &pair{&item{ID: 1}, &item{ID: 1}})) {
		t.Error("one item twice is encoded as two items")
	}
	c := clone(&pair{i, i})
	if c.A != c.B || c.A == i {
		t.Error("a clone does not share what its original shares")
	}
}

// Writing to a nil map panics, writing to an empty one does not.
func TestTheEncodingKnowsNilFromEmpty(t *testing.T) {
	type both struct {
		M map[int]int
		S []int
	}
	for _, c := range []struct{ a, b both }{
		{both{}, both{M: map[int]int{}}},
		{both{}, both{S: []int{}}},
	} {
		if bytes.Equal(encode(nil, &c.a), encode(nil, &c.b)) {
			t.Errorf("%#v and %#v are encoded alike", c.a, c.b)
		}
		if x := clone(c.b); (x.M == nil) != (c.b.M == nil) || (x.S == nil) != (c.b.S == nil) {
			t.Errorf("the clone of %#v is %#v", c.b, x)
		}
	}
}

// A pointer into the middle of something else leads to a separate copy in a clone, and
// no longer sees what changes there.
func TestPointersIntoSomethingElseAreRefused(t *testing.T) {
	type holder struct {
		List []item
		One  *item
		Hash *chainhash.Hash
		ID   *actor.ID
		Tip  chainhash.Hash
	}
	list := []item{{ID: 1}, {ID: 2}}
	one := &item{ID: 3}
	self := &holder{}
	self.Hash = &self.Tip
	for _, c := range []struct {
		name    string
		h       *holder
		refused bool
	}{
		{"an element of a slice", &holder{List: list, One: &list[1]}, true},
		{"the first element of a slice", &holder{List: list, One: &list[0]}, true},
		{"an element of a slice behind its end", &holder{List: list[:1], One: &list[1]}, true},
		{"a field of a struct", &holder{One: one, ID: &one.ID}, true},
		{"something immutable in the machine itself", self, true},
		{"nothing else", &holder{List: list, One: one, Hash: &chainhash.Hash{}, ID: new(actor.ID)}, false},
		{"the same twice", &holder{List: []item{{Next: one}, {Next: one}}, One: one}, false},
	} {
		if err := whole(c.h); (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A state is plain data.
func TestWhatIsNotPlainDataIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a function was taken for plain data")
		}
	}()
	encode(nil, &struct{ F func() }{func() {}})
}
