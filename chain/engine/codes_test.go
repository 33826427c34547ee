package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/blockchain"

	"acyclic/chain"
)

// Every code of this version of btcd means something to us. The test fails when
// btcd gets a new one after the last that it has now.
func TestEveryRuleIsMapped(t *testing.T) {
	last := blockchain.ErrKnownInvalidBlock
	for code := blockchain.ErrorCode(0); code <= last; code++ {
		r, ok := rules[code]
		if !ok {
			t.Errorf("%v is not mapped", code)
			continue
		}
		if r.reason == "" || r.code == chain.OK || r.code == chain.Fatal {
			t.Errorf("%v is mapped to %v %q", code, r.code, r.reason)
		}
	}
	if len(rules) != int(last)+1 {
		t.Errorf("%d rules for %d codes", len(rules), last+1)
	}
	if name := (last + 1).String(); !strings.HasPrefix(name, "Unknown") {
		t.Errorf("btcd has a new rule, %s", name)
	}
}

// A peer at fault is banned, so the codes that are no fault are
// named here.
func TestWhatIsNoFault(t *testing.T) {
	innocent := map[blockchain.ErrorCode]bool{
		blockchain.ErrDuplicateBlock: true, blockchain.ErrPreviousBlockUnknown: true,
		blockchain.ErrPrevBlockNotBest: true, blockchain.ErrTimeTooNew: true,
	}
	for code, r := range rules {
		if r.code.Faulty() == innocent[code] {
			t.Errorf("%v: faulty is %v", code, r.code.Faulty())
		}
	}
}

// A mutated body says nothing about its header, so the header is not condemned. A
// rule of checkpoints is ours and not the network's. Any other fault is the block's.
func TestWhoseFaultItIs(t *testing.T) {
	special := map[blockchain.ErrorCode]chain.Code{
		blockchain.ErrBadMerkleRoot: chain.Mutated, blockchain.ErrDuplicateTx: chain.Mutated,
		blockchain.ErrUnexpectedWitness: chain.Mutated, blockchain.ErrInvalidWitnessCommitment: chain.Mutated,
		blockchain.ErrWitnessCommitmentMismatch: chain.Mutated,
		blockchain.ErrBadCheckpoint:             chain.Checkpoint, blockchain.ErrForkTooOld: chain.Checkpoint,
		blockchain.ErrCheckpointTimeTooOld: chain.Checkpoint, blockchain.ErrDifficultyTooLow: chain.Checkpoint,
		blockchain.ErrInvalidAncestorBlock: chain.BadAncestor,
	}
	for code, r := range rules {
		want, ok := special[code]
		if !ok {
			want = chain.Invalid
		}
		if r.code.Faulty() && r.code != want {
			t.Errorf("%v is %v, want %v", code, r.code, want)
		}
	}
}

func TestOnlyRulesAreRefusals(t *testing.T) {
	wrapped := fmt.Errorf("block 7: %w", blockchain.RuleError{ErrorCode: blockchain.ErrHighHash, Description: "too high"})
	if r, ok := asRefusal(wrapped); !ok || r.code != chain.Invalid || r.reason != "high-hash" || r.detail != "too high" {
		t.Errorf("a rule error is %+v, %v", r, ok)
	}
	for _, err := range []error{errors.New("disk full"), blockchain.AssertError("inconsistent view")} {
		if _, ok := asRefusal(err); ok {
			t.Errorf("%v blames the block", err)
		}
	}
}
