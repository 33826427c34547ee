package relay

import (
	"errors"
	"net/netip"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"github.com/btcsuite/btcd/lib"
)

// Values, and tables that are only read.
var (
	ErrOwn  = errors.New("a sentinel")
	table   = [...]string{"a", "b"}
	local   = netip.MustParsePrefix("127.0.0.0/8")
	begin   = time.Unix(1, 0)
	rows    = []row{{"a", 1}, {"b", 2}}
	byName  = map[string]func() int{"pure": lib.Pure}
	counter int
	pair    struct{ a, b int }
	_           = []int(nil)
	_       run = (*row)(nil)
)

type run interface{ add() }

type row struct {
	name string
	n    int
}

func (r *row) add() { r.n++ }

func reads(k string) int {
	for _, r := range rows {
		r.n++ // of a copy
	}
	own := table
	own[1] = "c"
	return byName[k]() + len(rows) + rows[0].n + pair.a + begin.Nanosecond() + local.Bits()
}

// What can change without an assignment.
var (
	keeper  = &row{}                                // want "variable keeper has a pointer in it and is no table"
	cache   = make(map[int]int)                     // want "variable cache has a map in it and is no table"
	empty   map[int]int                             // want "variable empty has a map in it and is no table"
	inside  struct{ list []int }                    // want "variable inside has a slice in it and is no table"
	behind  any                                     // want "variable behind has an interface in it and is no table"
	nested  = map[int][]int{1: {2}}                 // want "variable nested has a map in it and is no table"
	count   = func() func() int { return nil }()    // want "variable count has a function in it and is no table"
	closure = []func() int{func() int { return 1 }} // want "variable closure has a slice in it and is no table"
	called  = []int{lib.Pure()}                     // want "variable called has a slice in it and is no table"
	foreign = chain.Tips{}                          // a value of another component
)

func writes(k string) *int {
	counter++               // want "changes the package variable relay.counter"
	rows[0].n = 2           // want "changes the package variable relay.rows"
	rows[1].add()           // want "changes the package variable relay.rows"
	delete(byName, k)       // want "changes the package variable relay.byName"
	(pair).a, _ = 3, 4      // want "changes the package variable relay.pair"
	_ = table[:]            // want "changes the package variable relay.table"
	f := rows[0].add        // want "changes the package variable relay.rows"
	for counter = range 3 { // want "changes the package variable relay.counter"
	}
	f()
	actor.Default.N = 2 // want "changes the package variable actor.Default"
	lib.Register(3)     // want "calls .*lib.Register, which changes the package variable registered"
	return &pair.b      // want "changes the package variable relay.pair"
}

func aliases(m map[string]func() int) {
	all := rows       // want "passes on the package variable relay.rows"
	all[0].n = 3      //
	aliases(byName)   // want "passes on the package variable relay.byName"
	_ = rows[1:]      // want "passes on the package variable relay.rows"
	_ = [][]row{rows} // want "passes on the package variable relay.rows"
}
