package rpc

import (
	"testing"

	"acyclic/chain"
)

// A proposal is judged and not submitted, on any network and with no peer. The answer is null
// or Core's word.
func TestProposal(t *testing.T) {
	r := newRig(t, 1, Config{})
	verdict := chain.Verdict{Code: chain.OK}
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		if q.Hash != best.BlockHash() || decoded(t, q.Payload).BlockHash() != q.Hash || !q.Test {
			t.Errorf("asked %+v", q)
		}
		return verdict, nil
	})
	const mode = `{"mode":"proposal","data":"`
	params := "[" + mode + hexOf(best) + `"}]`
	r.want("getblocktemplate", params, "null")
	for _, c := range []struct {
		v    chain.Verdict
		want string
	}{
		{chain.Verdict{Code: chain.Duplicate, Reason: "duplicate-inconclusive"}, `"duplicate-inconclusive"`},
		{chain.Verdict{Code: chain.Orphan, Reason: "inconclusive-not-best-prevblk"}, `"inconclusive-not-best-prevblk"`},
		{chain.Verdict{Code: chain.Invalid, Reason: "bad-cb-amount"}, `"bad-cb-amount"`},
		{chain.Verdict{Code: chain.Mutated}, `"mutated"`},
	} {
		verdict = c.v
		r.want("getblocktemplate", params, c.want)
	}
	verdict = chain.Verdict{Code: chain.Fatal, Reason: "disk full"}
	r.wantError("getblocktemplate", params, "-25 disk full")
	r.wantError("getblocktemplate", "["+mode+hexOf(best)+`00"}]`, "-22 Block decode failed")
}
