package rpc

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"acyclic/chain"
	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/proof/steptest"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is the time at which the fake node lives.
var clock = time.Unix(1_600_000_000, 0)

var targets = Targets{Chain: 1, Netsync: 2, Relay: 3, Server: 4, Readers: 5}

// fake is a node of answers: an adapter.Asker that knows by the question's type
// what to say.
type fake struct {
	mu     sync.Mutex
	t      *testing.T
	answer map[string]func(to actor.ID, q any) (any, error)
	asked  []any
	hang   func(context.Context) error // when set, chain.GetTips waits in it first
	silent int                         // this one of those asked gets no answer; 0: each gets one
}

// on says how questions of type Q are answered.
func on[Q actor.Question[A, T], A, T any](f *fake, answer func(Q) (A, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer[fmt.Sprintf("%T", *new(Q))] = func(_ actor.ID, q any) (any, error) { return answer(q.(Q)) }
}

// Ask implements adapter.Asker.
func (f *fake) Ask(ctx context.Context, _ int, to actor.ID, q, none any) (any, error) {
	f.mu.Lock()
	f.asked = append(f.asked, q)
	answer, ok := f.answer[fmt.Sprintf("%T", q)]
	hang := f.hang
	silent := len(f.asked) == f.silent
	f.mu.Unlock()
	if _, tips := q.(chain.GetTips); tips && hang != nil {
		if err := hang(ctx); err != nil {
			return none, err
		}
	}
	if !ok || silent {
		return none, actor.ErrTimeout
	}
	return answer(to, q)
}

// rig is a served node of answers.
type rig struct {
	t       *testing.T
	s       *Server
	f       *fake
	url     string
	stopped chan struct{}
	watch   fakeWatch
}

// fakeWatch is a watchdog of answers.
type fakeWatch struct{ stuck atomic.Pointer[[]watch.Stall] }

func (w *fakeWatch) Stuck() []watch.Stall {
	if s := w.stuck.Load(); s != nil {
		return *s
	}
	return nil
}

// Report shows a chain that waits for its engine, as it must not.
func (w *fakeWatch) Report() watch.Report {
	stuck := watch.CellReport{
		ID: 3, Name: "chain", Kind: watch.Component, State: watch.Waits, For: "a receive", Doing: "chain.SubmitBlock",
		Since: 5250 * time.Millisecond, Depth: [actor.NumLanes]int{0, 1, 0, 7, 0}, Oldest: "chain.GetTips", Age: 5 * time.Second,
		Asking: 1, Owing: 8, Stack: []string{"chain.(*Machine).Step (machine.go:120)", "acyclic/internal/kernel/live.(*Node).run (live.go:110)"},
	}
	return watch.Report{
		At:    clock,
		Cells: []watch.CellReport{{ID: 1, Name: "server", Kind: watch.Component, State: watch.Asleep}, stuck},
		Questions: []watch.Question{{
			From: 2, FromName: "netsync", To: 3, ToName: "chain", Port: "netsync.block", Type: "chain.SubmitBlock",
			Age: 6 * time.Second, GivenUp: true,
		}},
		WaitEdges: []watch.CellReport{stuck},
		Stuck:     []watch.Stall{{ID: 3, Name: "chain", Why: watch.Running, Since: clock.Add(-5250 * time.Millisecond), With: "chain.SubmitBlock"}},
	}
}

// start is Bind and Serve.
func start(cfg Config) (*Server, error) {
	s, err := Bind(cfg)
	if err == nil {
		err = s.Serve()
	}
	if s != nil && err != nil {
		err = errors.Join(err, s.Close(context.Background()))
	}
	return s, err
}

// newRig serves a node with n handlers on a loopback port.
func newRig(t *testing.T, n int, cfg Config) *rig {
	t.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	cfg.Log = log.WithField("subsystem", "rpc")
	cfg.Listen = []string{"127.0.0.1:0"}
	cfg.Penalty = time.Nanosecond
	cfg.Bounds = steptest.Fill(cfg.Bounds, DefaultBounds())
	if cfg.CookieFile == "" && cfg.User == "" {
		cfg.User, cfg.Pass = "me", "secret"
	}
	s, err := start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, s: s, f: &fake{t: t, answer: map[string]func(actor.ID, any) (any, error){}}, url: "http://" + s.Addrs()[0] + "/", stopped: make(chan struct{}, 1)}
	r.story()
	r.attach(n)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return r
}

func (r *rig) attach(n int) {
	var specs actor.Ports
	node := Node{
		Ports: Connect(&specs, targets, DefaultWindows()), Targets: targets, Params: &chaincfg.RegressionNetParams,
		UserAgent: "/acyclic:0.1.0/", Services: wire.SFNodeNetwork | wire.SFNodeWitness | wire.SFNodeNetworkLimited,
		Protocol: 70016, MinRelayFee: 1000, Version: 100, Started: clock.Add(-90 * time.Second),
		Stop: func() { r.stopped <- struct{}{} },
		Cells: func() []cell.Stats {
			busy := cell.Stats{ID: 1, Name: "chain"}
			busy.Depth, busy.Oldest = [actor.NumLanes]int{0, 1, 2, 3, 4}, mailbox.Stamp(clock.Add(-1500*time.Microsecond))
			busy.Taken, busy.Refused = 7, 1
			idle := cell.Stats{ID: actor.Child(4, 9), Name: "peer"}
			idle.Taken = 3
			return []cell.Stats{busy, idle}
		},
		Now:   func() time.Time { return clock },
		Watch: &r.watch,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "acyclic_stuck 0\n")
		}),
	}
	for range n {
		node.Askers = append(node.Askers, r.f)
	}
	r.s.Attach(node)
}

// real block 1 and its parent, and a mainnet block with spends.
var (
	genesis = chaincfg.RegressionNetParams.GenesisBlock
	best    = readBlock("spend.hex")
)

func readBlock(name string) *wire.MsgBlock {
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		panic(err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		panic(err)
	}
	var b wire.MsgBlock
	if err := b.Deserialize(bytes.NewReader(raw)); err != nil {
		panic(err)
	}
	return &b
}

func payload(b *wire.MsgBlock) []byte {
	var buf bytes.Buffer
	_ = b.Serialize(&buf)
	return buf.Bytes()
}

var stale = chainhash.Hash{0xaa}

// story is the node that the tests speak to: genesis and one block on it, a
// stale header beside it, and three peers of which one does not answer.
func (r *rig) story() {
	tip := chain.Point{Hash: best.BlockHash(), Height: 170, Work: chain.Work{Hi: 1, Lo: 2}, Time: best.Header.Timestamp}
	head := tip
	head.Height = 171
	on(r.f, func(chain.GetTips) (chain.Tips, error) {
		return chain.Tips{Block: tip, Header: head, MedianTime: tip.Time.Add(-time.Hour)}, nil
	})
	on(r.f, func(q chain.GetHash) (chain.HashAt, error) {
		return chain.HashAt{Known: q.Height == 170, Hash: tip.Hash}, nil
	})
	on(r.f, func(q chain.GetHeader) (chain.HeaderInfo, error) {
		info := chain.HeaderInfo{Known: true, Header: best.Header, Point: tip, MedianTime: tip.Time.Add(-time.Hour), InBestChain: true}
		switch q.Hash {
		case tip.Hash:
		case stale:
			info.InBestChain, info.Point.Hash = false, stale
		case *chaincfg.RegressionNetParams.GenesisHash:
			info = chain.HeaderInfo{Known: true, Header: genesis.Header, Point: chain.Point{Hash: q.Hash, Work: chain.WorkFrom64(2)},
				MedianTime: genesis.Header.Timestamp, InBestChain: true, Next: tip.Hash}
		default:
			return chain.HeaderInfo{}, nil
		}
		return info, nil
	})
	on(r.f, func(q chain.GetBlock) (chain.Block, error) {
		switch q.Hash {
		case tip.Hash:
			b := chain.Block{Hash: q.Hash, Height: 170, Payload: payload(best)}
			if q.Spent {
				b.Spent = []chain.SpentOut{{Value: 50e8, Script: spend.TxOut[1].PkScript, Height: 9, CoinBase: true}}
			}
			return b, nil
		case *chaincfg.RegressionNetParams.GenesisHash:
			return chain.Block{Hash: q.Hash, Payload: payload(genesis)}, nil
		}
		return chain.Block{Hash: q.Hash}, nil
	})
	r.peers(tip, head)
	r.pool()
}

func (r *rig) peers(tip, head chain.Point) {
	one, two, three := actor.Child(4, 7), actor.Child(4, 8), actor.Child(4, 9)
	remote := netip.MustParseAddrPort("203.0.113.5:8333")
	on(r.f, func(server.GetPeers) (server.Peers, error) {
		return server.Peers{Peers: []server.Connection{
			{Peer: one, Remote: remote, Ready: true, Since: clock.Add(-time.Hour)},
			{Peer: two, Remote: netip.MustParseAddrPort("[::1]:5555"), Inbound: true, Since: clock},
			{Peer: three, Remote: netip.MustParseAddrPort("192.0.2.9:1"), Manual: true, Since: clock},
		}}, nil
	})
	on(r.f, func(netsync.GetPeers) (netsync.Peers, error) {
		return netsync.Peers{Peers: []netsync.PeerStatus{{Peer: one, SyncedHeaders: 171, SyncedBlocks: 170, InFlight: []int32{171}}}}, nil
	})
	r.f.answer["peer.GetInfo"] = func(to actor.ID, _ any) (any, error) {
		switch to {
		case one:
			return peer.Info{
				Arg:   peer.Arg{Remote: remote, Local: netip.MustParseAddrPort("192.168.1.2:40000")},
				Ready: true,
				Version: peer.Ready{Peer: one, Services: wire.SFNodeNetwork | wire.SFNodeWitness | 1<<30, Protocol: 70016,
					UserAgent: "/Satoshi:29.0.0/", Height: 171},
				Connected: clock.Add(-time.Hour), LastSend: clock.Add(-time.Second), LastRecv: clock, LastBlock: clock.Add(-time.Minute),
				BytesSent: 100, BytesRecv: 2000, SentByCommand: map[string]uint64{"ping": 32, "inv": 68},
				RecvByCommand: map[string]uint64{"block": 2000}, TimeOffset: -2 * time.Second,
				MinFee: 1000, PingTime: 81234567 * time.Nanosecond, PingMin: 80 * time.Millisecond, PingWait: 1500 * time.Millisecond,
			}, nil
		case two:
			return peer.Info{Arg: peer.Arg{Inbound: true}, Connected: clock}, nil // before the handshake
		}
		return peer.Info{}, actor.ErrTimeout
	}
	on(r.f, func(netsync.GetStatus) (netsync.Status, error) {
		return netsync.Status{
			Phase: netsync.Blocks, Tips: chain.Tips{Block: tip, Header: head}, Target: chain.Point{Hash: stale, Height: 172},
			Peers: 1, InFlight: 2, Held: 3, HeldBytes: 4000, Blocks: 5, Bytes: 6000, BlockRate: 2.5, HeaderRate: 7.5, Stalls: 8,
		}, nil
	})
	on(r.f, func(server.GetStatus) (server.Status, error) {
		return server.Status{Inbound: 1, Outbound: 2, Handshaking: 3, MaxPeers: 125, Dialling: 4, Known: 5000, Banned: 6, Refused: 7}, nil
	})
	on(r.f, func(relay.GetStatus) (relay.Status, error) {
		return relay.Status{Announced: 4, TxsAnnounced: 70, Unbroadcast: 2}, nil
	})
	on(r.f, func(relay.GetUnbroadcast) (relay.Unbroadcast, error) {
		return relay.Unbroadcast{TxIDs: []chainhash.Hash{child.TxHash()}}, nil
	})
	on(r.f, func(relay.GetPeers) (relay.Peers, error) {
		return relay.Peers{Peers: []relay.PeerStatus{{Peer: one, LastTx: clock.Add(-3 * time.Second)}, {Peer: two}}}, nil
	})
}

// post sends a body and returns status and reply.
func (r *rig) post(body string) (int, string) {
	r.t.Helper()
	req, _ := http.NewRequest(http.MethodPost, r.url, strings.NewReader(body))
	req.SetBasicAuth(r.s.cfg.User, r.s.cfg.Pass)
	return r.do(req)
}

func (r *rig) do(req *http.Request) (int, string) {
	r.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(reply)
}

// call sends one legacy request; it returns the result, or the error as
// "code message".
func (r *rig) call(method, params string) (result string, failure string) {
	r.t.Helper()
	_, body := r.post(fmt.Sprintf(`{"id":1,"method":%q,"params":%s}`, method, params))
	var reply struct {
		Result json.RawMessage
		Error  *rpcError
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil {
		r.t.Fatalf("%s: %q: %v", method, body, err)
	}
	if reply.Error != nil {
		return "", fmt.Sprintf("%d %s", reply.Error.Code, reply.Error.Message)
	}
	return string(reply.Result), ""
}

// want calls and compares the result.
func (r *rig) want(method, params, want string) {
	r.t.Helper()
	if got, failure := r.call(method, params); failure != "" || got != want {
		r.t.Errorf("%s %s: %s %s, want %s", method, params, got, failure, want)
	}
}

// wantError calls and compares the error.
func (r *rig) wantError(method, params, want string) {
	r.t.Helper()
	if got, failure := r.call(method, params); failure != want {
		r.t.Errorf("%s %s: %s %q, want error %q", method, params, got, failure, want)
	}
}

var _ adapter.Asker = (*fake)(nil)

func fileText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
