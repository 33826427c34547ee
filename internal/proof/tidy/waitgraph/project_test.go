package waitgraph

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"acyclic/internal/proof/golden"
)

const top = "../../../.."

// Every cell runs in run: there it takes inputs, steps its machine and performs the
// effects. It waits for its own inbox in nap.
var (
	cells = regexp.MustCompile(`^\(\*live\.Node\)\.run$`)
	rest  = regexp.MustCompile(`^\(\*live\.sleeper\)\.nap$`)
)

// onCells must be found to run on cells, or the search is blind: the machines, what
// tells adapters, and what the driver does for cells.
var onCells = []string{
	"(*chain.Machine).Step", "(*netsync.Machine).Step", "(*peer.Machine).Step", "(*relay.Machine).Step", "(*server.Machine).Step",
	"(*cell.System).Run", "(*cell.System).perform", "(*bus.Bus).Publish", "(*mailbox.Mailbox).Put", "(*transport.Adapter).Tell",
	"(*transport.conn).write", "(*logging.Logs).Record", "(*live.Node).Wake", "(*live.Node).Halt", "(*live.sleeper).signal",
}

// leaves are the locks that a cell takes. A holder waits for nothing but, where the
// entry says so, another leaf. Leaves are taken in this direction only.
var leaves = map[string]struct {
	why  string
	then []string // what may be done while it is held
}{
	"mailbox.Mailbox.mu": {"guards tables and rings; the wake-up under it is a signal that is kept or dropped", nil},
	"bus.Bus.mu": {"guards tables; what must be told in one act with a change of them goes into mailboxes; the bus " +
		"tells the node if it cannot", []string{"locks cell.System.mu", "locks live.Node.mu", "locks mailbox.Mailbox.mu"}},
	"cell.System.mu":       {"guards a map of the cells and the list of deaths", nil},
	"live.Node.mu":         {"guards the first error and whether the node has halted", nil},
	"transport.Adapter.mu": {"guards a map and counters", nil},
	"transport.conn.mu": {"guards a queue and a phase",
		[]string{"leaves for (net.Conn).SetDeadline", "leaves for (net.Conn).SetReadDeadline", "leaves for (net.Conn).SetWriteDeadline"}},
}

// heldOver are the locks of adapters whose holder may wait, for what, and why it may.
var heldOver = map[string]struct {
	why  string
	then []string // nil: whatever btcd does
}{
	"engine.Engine.work": {"the worker holds it while btcd works; only Close waits for it", nil},
	"engine.Engine.life": {"a reader holds it while it reads; only Close waits for it", nil},
	"engine.Engine.mu":   {"the worker and readers take it, never a cell; see there", nil},
	"logging.sink.mu": {"held while a line is written to the file; no cell takes it", []string{
		"leaves for (*os.File).Close", "leaves for (*os.File).Write", "leaves for os.OpenFile", "leaves for os.Remove",
		"leaves for os.Rename", "leaves for path/filepath.Base", "leaves for path/filepath.Dir", "leaves for path/filepath.Glob",
		"leaves for path/filepath.Join"}},
	"rpc.limitedConn.once": {"takes out what Accept has put in", []string{"receives from rpc.limitedConn.conns"}},
}

// harmless are the other calls of a cell, or under a leaf, whose code the search does
// not see.
var harmless = map[string]string{
	"leaves for (net.Conn).SetDeadline":           "sets a timer of the runtime",
	"leaves for (net.Conn).SetReadDeadline":       "as SetDeadline",
	"leaves for (net.Conn).SetWriteDeadline":      "as SetDeadline",
	"leaves for runtime/pprof.Labels":             "makes a value",
	"leaves for runtime/pprof.WithLabels":         "makes a value",
	"leaves for runtime/pprof.SetGoroutineLabels": "sets a field of the goroutine",
}

// breaches are the ways in which a cell may come to wait for another goroutine, and the
// locks that are held over a wait.
func breaches(g *Graph) (found []string) {
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	waits, reached := g.Below(cells)
	for _, name := range onCells {
		if !slices.Contains(reached, name) {
			add("%s is not found to run on a cell's goroutine", name)
		}
	}
	taken, excused := map[string]bool{}, map[string]bool{}
	for _, w := range waits {
		excused[w.What] = true
		lock, isLock := strings.CutPrefix(w.What, "locks ")
		if _, leaf := leaves[lock]; isLock && leaf {
			taken[lock] = true
		} else if harmless[w.What] == "" {
			add("a cell's goroutine %s\n    %s", w.What, strings.Join(w.Calls, "\n    "))
		}
	}
	for lock, leaf := range leaves {
		if !taken[lock] {
			add("no cell takes %s", lock)
		}
		under := g.Under(lock)
		if !slices.Equal(under, leaf.then) {
			add("while %s is held, its holder %q, not %q", lock, under, leaf.then)
		}
		for _, what := range under {
			excused[what] = true
		}
	}
	locks := g.Locks("acyclic")
	for lock := range heldOver {
		if !slices.Contains(locks, lock) {
			add("nothing is done while %s is held, which has an excuse", lock)
		}
	}
	for _, lock := range locks {
		_, leaf := leaves[lock]
		over, listed := heldOver[lock]
		if under := g.Under(lock); !leaf && !(listed && over.then == nil) && !slices.Equal(under, over.then) {
			add("%s is held over a wait: its holder %q, not %q", lock, under, over.then)
		}
	}
	for what := range harmless {
		if !excused[what] {
			add("no cell %s, which has an excuse", what)
		}
	}
	for _, e := range g.edges {
		if cells.MatchString(e.from.name) {
			add("%s may wait for %s, where %s %s", e.from.name, e.to.name, nameOf(e.wait.fn), e.wait)
		}
	}
	for _, fn := range g.funcs {
		pkg := pkgOf(fn)
		if b := g.bodies[fn]; pkg != nil && strings.HasPrefix(pkg.Path(), "acyclic/") && len(b.acquires)+len(b.releases) > 0 {
			add("%s leaves a lock locked, or unlocks one, for its caller: its holder is then not certain", nameOf(fn))
		}
	}
	return found
}

// TestL1NoWaitEdgesBetweenComponents: a cell's goroutine waits for no other
// goroutine, the step of any component included. Cells take locks, and these are
// leaves. Nor does an adapter wait while it holds a lock, but for those in heldOver.
func TestL1NoWaitEdgesBetweenComponents(t *testing.T) {
	watch(t)
	for _, b := range breaches(read(t, Config{Dir: top, Rest: rest}, "./cmd/acyclicd")) {
		t.Error(b)
	}
}

// TestL1ControlAWaitInTheKernelIsFound: the search finds a wake-up that waits under a
// lock, and a log that waits for its writer, far from the kernel's code.
func TestL1ControlAWaitInTheKernelIsFound(t *testing.T) {
	wantBreaches(t, map[string][]string{
		"internal/kernel/live/nap.go":       {"default: // a signal is kept already", ""},
		"internal/adapters/logging/logs.go": {"default:\n\t\tl.dropped.Add(1)", ""},
	},
		"a cell's goroutine sends on live.sleeper.wake",
		"a cell's goroutine sends on logging.Logs.queue",
		"while mailbox.Mailbox.mu is held, its holder [\"sends on live.sleeper.wake\"], not []",
		"(*live.Node).run may wait for (*logging.Logs).write, where (*logging.Logs).Record sends on logging.Logs.queue",
	)
}

// TestL1ControlAWriteOnACellIsFound: the search finds a log that writes its records
// itself, and so waits for their reader, through functions that otherwise only
// calculate.
func TestL1ControlAWriteOnACellIsFound(t *testing.T) {
	wantBreaches(t, map[string][]string{"internal/adapters/logging/logs.go": {
		"rec actor.Record) {", "rec actor.Record) {\n\tfmt.Fprintln(os.Stderr, rec)\n\tio.Copy(os.Stderr, os.Stdin)\n",
	}},
		"a cell's goroutine leaves for fmt.Fprintln",
		"a cell's goroutine leaves for io.Copy",
	)
}

// TestL1ControlACloseOnACellIsFound: the search finds a connection that a cell's
// goroutine closes. net.Conn.Close may wait until the pumps have let go of the socket.
// It finds adapters, too, that hold a lock while they walk a folder, sleep or send.
func TestL1ControlACloseOnACellIsFound(t *testing.T) {
	wantBreaches(t, map[string][]string{
		"internal/adapters/transport/conn.go":    {"c.nc.SetDeadline(past)", "c.nc.Close()"},
		"internal/adapters/rpc/size.go":          {"bytes := d.sum(d.dir)\n\t\td.mu.Lock()", "d.mu.Lock()\n\t\tbytes := d.sum(d.dir)"},
		"internal/adapters/transport/adapter.go": {"stopping, number := e.stopping", "time.Sleep(1)\n\te.idle <- struct{}{}\n\tstopping, number := e.stopping"},
	},
		"rpc.dirSize.mu is held over a wait: its holder [\"leaves for ",
		"while transport.Adapter.mu is held, its holder [\"sends on transport.Adapter.idle\" \"sleeps: time.Sleep\"]",
		"a cell's goroutine leaves for (net.Conn).Close",
		"while transport.conn.mu is held, its holder [\"leaves for (net.Conn).Close\"",
	)
}

// wantBreaches looks for breaches in the project with pieces of its files replaced. Of
// each file, spoil lists an old piece and its replacement in turn.
func wantBreaches(t *testing.T, spoil map[string][]string, wants ...string) {
	t.Helper()
	overlay := map[string][]byte{}
	for file, pieces := range spoil {
		name, err := filepath.Abs(filepath.Join(top, file))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for pair := range slices.Chunk(pieces, 2) {
			if !strings.Contains(string(text), pair[0]) {
				t.Fatalf("%s has no %q that could be replaced", file, pair[0])
			}
			text = []byte(strings.Replace(string(text), pair[0], pair[1], 1))
		}
		overlay[name] = text
	}
	found := strings.Join(breaches(read(t, Config{Dir: top, Rest: rest, Overlay: overlay}, "./cmd/acyclicd")), "\n")
	for _, want := range wants {
		if !strings.Contains(found, want) {
			t.Errorf("no %q among what is found:\n%s", want, found)
		}
	}
}

// TestL1ControlTheRingOfBtcdIsFound: in btcd, as it is, the search finds the deadlock
// that this project is about (btcd's issue 2258), with the calls that lead to it.
func TestL1ControlTheRingOfBtcdIsFound(t *testing.T) {
	g := read(t, Config{Dir: top}, "github.com/btcsuite/btcd")
	var out strings.Builder
	g.Report(&out, regexp.MustCompile(`^(\(\*main\.server\)\.peerHandler|\(\*netsync\.SyncManager\)\.blockHandler)$`), true)
	golden.Equal(t, "testdata/btcd.txt", []byte(out.String()))
	for _, want := range []string{
		"(*netsync.SyncManager).NewPeer sends on netsync.SyncManager.msgChan",
		"(*netsync.SyncManager).DonePeer sends on netsync.SyncManager.msgChan",
		"(*netsync.SyncManager).IsCurrent receives from netsync.isCurrentMsg.reply",
		"(*blockchain.BlockChain).sendNotification\n",
		"(*main.server).RelayInventory sends on main.server.relayInv",
		"ring: (*main.server).peerHandler -> (*netsync.SyncManager).blockHandler -> (*main.server).peerHandler",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in the report", want)
		}
	}
}

// watch looks at every folder of the project. go test keeps a result until something
// changes that the test has looked at, and it does not see what go list looks at.
func watch(t *testing.T) {
	err := filepath.WalkDir(top, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
