package rpc

import (
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/server"
)

// The shapes of getblocktemplate (BIP22, BIP23, BIP145), with the fields in Core's order.
type (
	templateResult struct {
		Capabilities []string          `json:"capabilities"`
		Version      int32             `json:"version"`
		Rules        []string          `json:"rules"`
		Available    map[string]int    `json:"vbavailable"`
		Required     int               `json:"vbrequired"`
		Previous     string            `json:"previousblockhash"`
		Transactions []templateTx      `json:"transactions"`
		CoinbaseAux  map[string]string `json:"coinbaseaux"`
		Value        int64             `json:"coinbasevalue"` // in satoshi
		LongPollID   string            `json:"longpollid"`
		Target       string            `json:"target"`
		MinTime      int64             `json:"mintime"`
		Mutable      []string          `json:"mutable"`
		NonceRange   string            `json:"noncerange"`
		SigOpLimit   int               `json:"sigoplimit"`
		SizeLimit    int               `json:"sizelimit"`
		WeightLimit  int               `json:"weightlimit"`
		CurTime      int64             `json:"curtime"`
		Bits         string            `json:"bits"`
		Height       int32             `json:"height"`
		Challenge    string            `json:"signet_challenge,omitempty"`
		Commitment   string            `json:"default_witness_commitment"`
	}

	templateTx struct {
		Data    string `json:"data"`
		TxID    string `json:"txid"`
		Hash    string `json:"hash"`
		Depends []int  `json:"depends"` // counted from 1
		Fee     int64  `json:"fee"`     // in satoshi
		SigOps  int64  `json:"sigops"`
		Weight  int64  `json:"weight"`
	}
)

// templateRequest is getblocktemplate's argument.
type templateRequest struct {
	rules []string
	// since is the long poll: nil is none.
	since *pollID
	// proposal is a block in hex (BIP23): nil is none.
	proposal *string
}

func getBlockTemplate(c *call, a arguments) (any, error) {
	req, err := parseTemplateRequest(a[0])
	switch {
	case err != nil:
		return nil, err
	case req.proposal != nil:
		return propose(c, *req.proposal)
	}
	if err := connected(c); err != nil {
		return nil, err
	}
	if req.since != nil {
		if err := awaitNews(c, *req.since); err != nil {
			return nil, err
		}
	}
	if err := req.check(c.Params); err != nil {
		return nil, err
	}
	// The pool's sequence is asked first. If the pool changes before the template is
	// made, the next long poll ends early and nothing is missed.
	pool, err := ask(c, c.Ports.PoolInfo, chain.GetPoolInfo{})
	if err != nil {
		return nil, err
	}
	t, err := ask(c, c.Ports.Template, chain.GetTemplate{Time: c.now(), Txs: true})
	if err != nil {
		return nil, err
	}
	return newTemplate(c, t, pool.Sequence), nil
}

// parseTemplateRequest reads the request. Of a proposal only the block matters.
func parseTemplateRequest(raw json.RawMessage) (r templateRequest, err error) {
	f, ok := fields(raw)
	if !ok {
		return r, fail(codeInvalidParameter, "A template_request of more than %d fields", maxMembers)
	}
	args := arguments{f["mode"], f["longpollid"], f["data"]}
	switch {
	case !args.has(0) || args.text(0) == "template":
	case args.text(0) != "proposal":
		return r, fail(codeInvalidParameter, "Invalid mode")
	case kind(f["data"]) != text:
		return r, fail(codeType, "Missing data String key for proposal")
	default:
		data := args.text(2)
		return templateRequest{proposal: &data}, nil
	}
	if kind(f["rules"]) == array {
		if json.Unmarshal(f["rules"], &r.rules) != nil {
			return r, fail(codeType, "rules must be an array of strings")
		}
	}
	if args.has(1) {
		r.since, err = parsePollID(args, 1)
	}
	return r, err
}

// check fails if the request does not name the rules that a miner must know.
func (r templateRequest) check(p *chaincfg.Params) error {
	if isSignet(p) && !slices.Contains(r.rules, "signet") {
		return fail(codeInvalidParameter, `getblocktemplate must be called with the signet rule set (call with {"rules": ["segwit", "signet"]})`)
	}
	if !slices.Contains(r.rules, "segwit") {
		return fail(codeInvalidParameter, `getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})`)
	}
	return nil
}

func isSignet(p *chaincfg.Params) bool { return p.Net == chaincfg.SigNetParams.Net }

// connected fails where a block mined now would be lost: on the main network without
// peers, or while the node is still syncing.
func connected(c *call) error {
	if c.Params.Net != wire.MainNet {
		return nil
	}
	peers, err := ask(c, c.Ports.Connections, server.GetPeers{})
	if err != nil {
		return err
	}
	if len(peers.Peers) == 0 {
		return fail(codeNotRunning, "Acyclic is not connected!")
	}
	tips, err := ask(c, c.Ports.Tips, chain.GetTips{})
	if err == nil && c.now().Sub(tips.Block.Time) > maxTipAge {
		err = fail(codeInitialSync, "Acyclic is in initial sync and waiting for blocks...")
	}
	return err
}

func newTemplate(c *call, t chain.Template, sequence uint64) templateResult {
	r := templateResult{
		Capabilities: []string{"proposal"}, Version: t.Version, Rules: []string{"csv", "!segwit", "taproot"},
		Available: map[string]int{}, Previous: t.Prev.Hash.String(), Transactions: []templateTx{},
		CoinbaseAux: map[string]string{}, Value: reward(t), LongPollID: pollID{t.Prev.Hash, sequence}.String(),
		Target: target(t.Bits), MinTime: t.MinTime.Unix(), Mutable: []string{"time", "transactions", "prevblock"},
		NonceRange: "00000000ffffffff", SigOpLimit: blockchain.MaxBlockSigOpsCost,
		SizeLimit: wire.MaxBlockPayload, WeightLimit: blockchain.MaxBlockWeight,
		CurTime: earliest(t, c.now()).Unix(), Bits: hexBits(t.Bits), Height: t.Prev.Height + 1,
	}
	if isSignet(c.Params) {
		r.Rules = append(r.Rules, "!signet")
		r.Challenge = hex.EncodeToString(chaincfg.DefaultSignetChallenge)
	}
	var txs []*wire.MsgTx
	for _, tx := range t.Txs {
		txs = append(txs, tx.Tx)
		depends := []int{}
		for _, i := range tx.Depends {
			depends = append(depends, i+1)
		}
		r.Transactions = append(r.Transactions, templateTx{
			hexOf(tx.Tx), tx.ID.TxID.String(), tx.ID.WTxID.String(), depends, tx.Fee, tx.SigOps, tx.Weight,
		})
	}
	r.Commitment = hex.EncodeToString(witnessCommitment(txs))
	return r
}
