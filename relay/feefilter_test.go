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

// A rate that decays is asked for each minute, whoever comes meanwhile, and sooner if the
// pool is full again.
func TestADecayingRateIsAskedForEachMinute(t *testing.T) {
	r, b := newRig(t), DefaultBounds()
	r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	r.WantNothing("nobody is there to be told")
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	high := func(why string) {
		t.Helper()
		_, asked := steptest.WantAsk[chain.GetPoolInfo](r, why)
		r.Reply(asked, chain.PoolInfo{MinFee: 2000, MinRelayFee: 1000})
		r.Drop()
		r.WantNothing("not at once")
	}
	high("at first")
	r.Give(peer.Ready{Peer: bob, Protocol: wire.FeeFilterVersion})
	r.Drop()
	r.Advance(b.FeePoll - 1)
	r.WantNothing("not before a minute")
	r.Advance(1)
	high("after a minute")
	r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	r.Advance(b.FeeInterval - 1)
	r.WantNothing("it was asked just now")
	r.Advance(1)
	high("it is full")
	r.Advance(b.FeeInterval)
	r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	high("it is full again")
}

// The best block may be known before the pool's rate is. Nothing is said then, and the peer
// is told at once when the rate comes.
func TestTheTipComesBeforeTheRate(t *testing.T) {
	r := newRig(t)
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	_, asked := steptest.WantAsk[chain.GetPoolInfo](r, "what does the pool take?")
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	r.WantNothing("nobody knows what the pool takes")
	r.Reply(asked, chain.PoolInfo{MinFee: 5000, MinRelayFee: 1000})
	if rate := wantFee(t, r, alice, "at once"); rate < 4500 || rate > 5500 {
		t.Errorf("%d, want about 5000", rate)
	}
}

// A pool that takes everything is no reason to be silent while the node catches up.
func TestAPoolThatTakesEverything(t *testing.T) {
	r := newRig(t)
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	_, asked := steptest.WantAsk[chain.GetPoolInfo](r, "what does the pool take?")
	r.Reply(asked, chain.PoolInfo{})
	if rate := wantFee(t, r, alice, "nothing is of use"); rate < 9_000_000 {
		t.Errorf("%d: nothing is of use", rate)
	}
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	if rate := wantFee(t, r, alice, "everything is"); rate != 0 {
		t.Errorf("%d, want 0", rate)
	}
	r.Give(peer.Ready{Peer: bob, Protocol: wire.FeeFilterVersion})
	r.WantNothing("a new peer takes that for granted")
	if at := r.M.Deadline(); !at.IsZero() {
		t.Errorf("a clock runs, to %v, and there is nothing to tell", at)
	}
}

// The rate changes below what is told in any case. When the peer's time has come there is
// nothing new to tell, and the matter is closed.
func TestARateThatNeedNotBeTold(t *testing.T) {
	r := newRig(t)
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	answer := func(rate int64) {
		t.Helper()
		_, asked := steptest.WantAsk[chain.GetPoolInfo](r, "what does the pool take?")
		r.Reply(asked, chain.PoolInfo{MinFee: rate, MinRelayFee: 1000})
	}
	closed := func(why string) {
		t.Helper()
		r.WantNothing(why)
		if at := r.M.Deadline(); !at.IsZero() {
			t.Errorf("%s, and a clock runs to %v", why, at)
		}
	}
	answer(500)
	if rate := wantFee(t, r, alice, "the least that is taken ever"); rate != 1000 {
		t.Errorf("%d, want 1000", rate)
	}
	r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	r.Advance(DefaultBounds().FeeInterval)
	answer(600)
	if r.M.Deadline().IsZero() {
		t.Error("the rate has changed, and no clock runs")
	}
	r.Advance(24 * time.Hour)
	closed("her time has come, and she knows it")
	r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted})
	answer(700)
	closed("her time had come long ago")
}

// A question that timed out holds its slot. While it does, nobody asks again, and nothing
// hides that.
func TestL9WhileAQuestionIsOwedItWaits(t *testing.T) {
	r, retry := newRig(t), DefaultBounds().RetryAfter
	r.Give(actor.Lagged{Topic: topics.Blocks.ID, N: 1})
	_, tips := steptest.WantAsk[chain.GetTips](r, "the tip")
	r.Fail(tips, actor.ErrTimeout)
	r.Advance(retry)
	r.WantNothing("the late answer holds the only slot")
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	_, rate := steptest.WantAsk[chain.GetPoolInfo](r, "the rate has a slot of its own")
	r.Late(tips)
	_, tips = steptest.WantAsk[chain.GetTips](r, "now the tip")
	r.Reply(tips, chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	round(r)
	_, sent := steptest.WantAsk[peer.Send](r, "the tip is news")
	r.Reply(sent, peer.Sent{})

	r.Fail(rate, actor.ErrTimeout)
	r.Advance(time.Hour)
	r.WantNothing("the late answer holds the only slot")
	r.Late(rate)
	steptest.WantAsk[chain.GetPoolInfo](r, "now the rate")
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
