package relay

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// getpeerinfo shows when a peer last sent a transaction that was accepted.
func TestWhatIsKnownOfEachPeer(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: bob})
	r.Give(peer.Ready{Peer: alice})
	tx, id := aTx(1)
	deliver(r, bob, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "his transaction")
	r.Advance(time.Second)
	r.Reply(offered, chain.TxVerdict{ID: id, Fee: 1, VSize: 1})
	r.Give(accepted(r, id, bob))
	got := steptest.WantAnswer[Peers](r, r.Ask(GetPeers{}), "what is known").Peers
	want := []PeerStatus{{Peer: alice, Queued: 1}, {Peer: bob, LastTx: r.Now}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, want %+v", got, want)
	}
}
