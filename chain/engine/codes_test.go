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
