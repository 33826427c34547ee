package relay

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// TestL9WhatFailedIsAskedAgainAfterAWhile: a read that failed, however it did, is
// tried again by the clock and not before. A read for a peer is given up after
// ReadAttempts.
func TestL9WhatFailedIsAskedAgainAfterAWhile(t *testing.T) {
	for _, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
		t.Run("headers, "+err.Error(), func(t *testing.T) {
			readFails[chain.GetHeaders](t, err, peer.HeadersWanted{Peer: alice})
		})
		t.Run("hashes, "+err.Error(), func(t *testing.T) {
			readFails[chain.GetHashes](t, err, peer.BlocksWanted{Peer: alice})
		})
		t.Run("a block, "+err.Error(), func(t *testing.T) {
			readFails[chain.GetBlock](t, err, peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 1)})
		})
		t.Run("the tip, "+err.Error(), func(t *testing.T) {
			r := newRig(t)
			r.Give(actor.Lagged{N: 3})
			for range 2 * DefaultBounds().ReadAttempts {
				steptest.WantRetry[chain.GetTips](r, err, DefaultBounds().RetryAfter, DefaultBounds().RetryAfter, "relay never gives the tip up")
			}
		})
	}
}

func readFails[Q any](t *testing.T, err error, wanted any) {
	r := newRig(t, alice)
	b := DefaultBounds()
	r.Give(wanted)
	for range b.ReadAttempts - 1 {
		steptest.WantRetry[Q](r, err, b.RetryAfter, b.RetryAfter, "a peer waits for it")
	}
	steptest.WantRetry[Q](r, err, 0, 0, "a reader that fails so often is not merely busy")
}

// TestL9AMessageIsSentAgainToABusyPeer: a peer whose cell is busy is sent the same
// later. One that is gone, or does not take it, is sent nothing more.
func TestL9AMessageIsSentAgainToABusyPeer(t *testing.T) {
	for _, err := range []error{actor.ErrBusy, actor.ErrTimeout, actor.ErrGone} {
		r := newRig(t, alice)
		r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeTx, 0, 1)})
		if err == actor.ErrBusy {
			wait := DefaultBounds().RetryAfter
			steptest.WantRetry[peer.Send](r, err, wait, wait, "what was not found")
			steptest.WantRetry[peer.Send](r, err, wait, wait, "it does not grow: the peer waits")
			continue
		}
		steptest.WantRetry[peer.Send](r, err, 0, 0, "what was not found")
	}
}
