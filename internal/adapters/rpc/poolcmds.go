package rpc

import (
	"slices"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/relay"
)

// The shapes of commands about the pool, with the fields in Core's order.
type (
	poolInfo struct {
		Loaded      bool   `json:"loaded"`
		Size        int    `json:"size"`
		Bytes       int64  `json:"bytes"`
		Usage       int64  `json:"usage"`
		TotalFee    amount `json:"total_fee"`
		MaxMempool  int64  `json:"maxmempool"`
		MinFee      amount `json:"mempoolminfee"`
		MinRelayFee amount `json:"minrelaytxfee"`
		Incremental amount `json:"incrementalrelayfee"`
		Unbroadcast int    `json:"unbroadcastcount"`
		FullRBF     bool   `json:"fullrbf"`
	}

	poolEntry struct {
		VSize           int64    `json:"vsize"`
		Weight          int64    `json:"weight"`
		Time            int64    `json:"time"`
		Height          int32    `json:"height"`
		DescendantCount int      `json:"descendantcount"`
		DescendantSize  int64    `json:"descendantsize"`
		AncestorCount   int      `json:"ancestorcount"`
		AncestorSize    int64    `json:"ancestorsize"`
		WTxID           string   `json:"wtxid"`
		Fees            poolFees `json:"fees"`
		Depends         []string `json:"depends"`
		SpentBy         []string `json:"spentby"`
		Replaceable     bool     `json:"bip125-replaceable"`
		Unbroadcast     bool     `json:"unbroadcast"`
	}

	poolFees struct {
		Base       amount `json:"base"`
		Modified   amount `json:"modified"`
		Ancestor   amount `json:"ancestor"`
		Descendant amount `json:"descendant"`
	}

	poolIDs struct {
		TxIDs    []string `json:"txids"`
		Sequence uint64   `json:"mempool_sequence"`
	}
)

func getMempoolInfo(c *call, _ arguments) (any, error) {
	i, err := ask(c, c.Ports.PoolInfo, chain.GetPoolInfo{})
	if err != nil {
		return nil, err
	}
	r, err := ask(c, c.Ports.RelayStatus, relay.GetStatus{})
	if err != nil {
		return nil, err
	}
	return poolInfo{
		Loaded: i.Loaded, Size: i.Txs, Bytes: i.VBytes, Usage: i.Usage, TotalFee: amount(i.Fees),
		MaxMempool: i.MaxUsage, MinFee: amount(max(i.MinFee, i.MinRelayFee)), MinRelayFee: amount(i.MinRelayFee),
		Incremental: incrementalFee, Unbroadcast: r.Unbroadcast, FullRBF: true,
	}, nil
}

func getRawMempool(c *call, a arguments) (any, error) {
	verbose, sequence := a.flag(0, false), a.flag(1, false)
	switch {
	case verbose && sequence:
		return nil, fail(codeInvalidParameter, "Verbose results cannot contain mempool sequence values.")
	case verbose:
		all, err := ask(c, c.Ports.Entries, chain.GetPoolEntries{Which: chain.AllEntries})
		if err != nil {
			return nil, err
		}
		return entriesByID(c, all.Entries)
	}
	pool, err := ask(c, c.Ports.Pool, chain.GetPool{})
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, tx := range pool.Txs {
		ids = append(ids, tx.ID.TxID.String())
	}
	if sequence {
		return poolIDs{ids, pool.Sequence}, nil
	}
	return ids, nil
}

// poolEntries asks for a set of entries about the transaction that the call names.
func poolEntries(c *call, a arguments, which chain.Which) ([]chain.PoolEntry, error) {
	txid, err := a.hash(0, "txid")
	if err != nil {
		return nil, err
	}
	found, err := ask(c, c.Ports.Entries, chain.GetPoolEntries{TxID: txid, Which: which})
	if err == nil && !found.Known {
		err = fail(codeNotFound, "Transaction not in mempool")
	}
	return found.Entries, err
}

func getMempoolEntry(c *call, a arguments) (any, error) {
	entries, err := poolEntries(c, a, chain.OneEntry)
	if err != nil {
		return nil, err
	}
	unbroadcast, err := askUnbroadcast(c)
	if err != nil {
		return nil, err
	}
	return newPoolEntry(entries[0], unbroadcast), nil
}

func getMempoolAncestors(c *call, a arguments) (any, error) {
	return relatives(c, a, chain.AncestorEntries)
}

func getMempoolDescendants(c *call, a arguments) (any, error) {
	return relatives(c, a, chain.DescendantEntries)
}

func relatives(c *call, a arguments, which chain.Which) (any, error) {
	entries, err := poolEntries(c, a, which)
	if err != nil {
		return nil, err
	}
	if a.flag(1, false) {
		return entriesByID(c, entries)
	}
	ids := []string{}
	for _, e := range entries {
		ids = append(ids, e.ID.TxID.String())
	}
	return ids, nil
}

func entriesByID(c *call, entries []chain.PoolEntry) (any, error) {
	unbroadcast, err := askUnbroadcast(c)
	if err != nil {
		return nil, err
	}
	all := make(map[string]poolEntry, len(entries))
	for _, e := range entries {
		all[e.ID.TxID.String()] = newPoolEntry(e, unbroadcast)
	}
	return all, nil
}

// askUnbroadcast asks the relay what no peer has asked for yet.
func askUnbroadcast(c *call) (map[chainhash.Hash]bool, error) {
	a, err := ask(c, c.Ports.Unbroadcast, relay.GetUnbroadcast{})
	set := make(map[chainhash.Hash]bool, len(a.TxIDs))
	for _, txid := range a.TxIDs {
		set[txid] = true
	}
	return set, err
}

func newPoolEntry(e chain.PoolEntry, unbroadcast map[chainhash.Hash]bool) poolEntry {
	return poolEntry{
		VSize: e.VSize, Weight: e.Weight, Time: e.Added.Unix(), Height: e.Height,
		DescendantCount: e.DescendantCount, DescendantSize: e.DescendantSize,
		AncestorCount: e.AncestorCount, AncestorSize: e.AncestorSize, WTxID: e.ID.WTxID.String(),
		Fees:    poolFees{amount(e.Fee), amount(e.Modified), amount(e.AncestorFees), amount(e.DescendantFees)},
		Depends: sortedIDs(e.Depends), SpentBy: sortedIDs(e.SpentBy), Replaceable: e.Replaceable,
		Unbroadcast: unbroadcast[e.ID.TxID],
	}
}

func sortedIDs(hashes []chainhash.Hash) []string {
	ids := []string{}
	for _, h := range hashes {
		ids = append(ids, h.String())
	}
	slices.Sort(ids)
	return ids
}

// maxDelta bounds what is added to a fee: all the money there is.
const maxDelta = btcutil.MaxSatoshi

// prioritiseTransaction changes the fee that a transaction counts with.
func prioritiseTransaction(c *call, a arguments) (any, error) {
	txid, err := a.hash(0, "txid")
	if err != nil {
		return nil, err
	}
	if a.has(1) && !isZero(a[1]) {
		return nil, fail(codeInvalidParameter, "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.")
	}
	delta, err := a.integer(2, 0, -maxDelta, maxDelta)
	if err != nil {
		return nil, err
	}
	_, err = ask(c, c.Ports.Prioritise, chain.Prioritise{TxID: txid, Delta: delta})
	return true, err
}

type savedResult struct {
	Filename string `json:"filename"`
}

// saveMempool writes mempool.dat. One that is not loaded yet would lose what is still in
// the file.
func saveMempool(c *call, _ arguments) (any, error) {
	info, err := ask(c, c.Ports.PoolInfo, chain.GetPoolInfo{})
	if err != nil {
		return nil, err
	}
	if !info.Loaded {
		return nil, fail(codeMisc, "The mempool was not loaded yet")
	}
	saved, err := ask(c, c.Ports.SavePool, chain.SavePool{})
	switch {
	case err != nil:
		return nil, err
	case saved.Error != "":
		return nil, fail(codeMisc, "Unable to dump mempool to disk: %s", saved.Error)
	}
	return savedResult{saved.Path}, nil
}
