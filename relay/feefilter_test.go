package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// wantFee takes the next Send. It must be a feefilter.
func wantFee(t *testing.T, r *steptest.Rig, to actor.ID, why string) int64 {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	msg, ok := send.Msgs[0].(*wire.MsgFeeFilter)
	if !ok || asked.To != to {
		t.Fatalf("%s: %T to %v, want a feefilter to %v", why, send.Msgs[0], asked.To, to)
	}
	r.Reply(asked, peer.Sent{})
	return msg.MinFee
}

// A peer is told at once that nothing is of use while the node catches up, and at once when
// that has ended. Later changes are told at random times.
func TestPeersAreToldTheFeeRate(t *testing.T) {
	r := newRig(t)
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	_, asked := steptest.WantAsk[chain.GetPoolInfo](r, "what does the pool take?")
	r.Reply(asked, chain.PoolInfo{MinFee: 1000, MinRelayFee: 1000})
	if rate := wantFee(t, r, alice, "at once"); rate < 9_000_000 {
		t.Errorf("%d: nothing is of use", rate)
	}
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	if rate := wantFee(t, r, alice, "at once"); rate < 1000 || rate > 1100 {
		t.Errorf("%d, want about 1000", rate)
	}
	r.Advance(24 * time.Hour)
	r.WantNothing("nothing has changed, and nobody is asked")

	r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	_, asked = steptest.WantAsk[chain.GetPoolInfo](r, "the pool is full: what does it take now?")
	r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	r.WantNothing("once")
	r.Reply(asked, chain.PoolInfo{MinFee: 50_000, MinRelayFee: 1000})
	r.Advance(0)
	if rate := wantFee(t, r, alice, "her time had come long ago"); rate < 40_000 || rate > 60_000 {
		t.Errorf("%d, want about 50,000", rate)
	}
	r.Advance(time.Minute)
	_, asked = steptest.WantAsk[chain.GetPoolInfo](r, "the rate decays")
	r.Reply(asked, chain.PoolInfo{MinFee: 1000, MinRelayFee: 1000})
	r.Advance(5*time.Minute + time.Second)
	if rate := wantFee(t, r, alice, "much has changed: five minutes at most"); rate > 1100 {
		t.Errorf("%d, want about 1000", rate)
	}
}

// A full pool says so with each transaction. It is asked now and then.
func TestAFullPoolIsNotAskedEachTime(t *testing.T) {
	r := newRig(t)
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	_, asked := steptest.WantAsk[chain.GetPoolInfo](r, "at first")
	r.Reply(asked, chain.PoolInfo{MinFee: 1000, MinRelayFee: 1000})
	r.Drop()
	for range 100 {
		r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	}
	r.WantNothing("it was asked just now")
	r.Advance(DefaultBounds().FeeInterval)
	steptest.WantRetry[chain.GetPoolInfo](r, actor.ErrBusy, time.Second, time.Second, "then once, and again when that failed")
}

func TestWhoIsToldNoFeeRate(t *testing.T) {
	for why, c := range map[string]struct {
		ready      peer.Ready
		blocksOnly bool
	}{
		"it is too old":             {peer.Ready{Protocol: wire.FeeFilterVersion - 1}, false},
		"the connection has no txs": {peer.Ready{Protocol: wire.FeeFilterVersion, BlockRelayOnly: true}, false},
		"we want none from anybody": {peer.Ready{Protocol: wire.FeeFilterVersion}, true},
	} {
		r := newRig(t)
		r.M.(*Machine).cfg.BlocksOnly = c.blocksOnly
		c.ready.Peer = alice
		r.Give(c.ready)
		r.WantNothing(why)
	}
}
