package engine

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/fixture"
)

// stuck is a block that takes its time, under btcd's chain lock.
type stuck struct{ begun, end chan struct{} }

func (s *stuck) Init(*blockchain.BlockChain, <-chan struct{}) error { return nil }
func (s *stuck) DisconnectBlock(database.Tx, *btcutil.Block, []blockchain.SpentTxOut) error {
	return nil
}

func (s *stuck) ConnectBlock(_ database.Tx, b *btcutil.Block, _ []blockchain.SpentTxOut) error {
	if b.Height() == 21 {
		close(s.begun)
		<-s.end
	}
	return nil
}

// TestL1NoReaderWaitsForABlock: every read is answered while a block is being
// processed that does not come to an end before they are.
func TestL1NoReaderWaitsForABlock(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(30, time.Minute)
	s := &stuck{begun: make(chan struct{}), end: make(chan struct{})}
	e := open(t, Config{Params: b.params, hook: s})
	giveHeaders(t, e, b.blocks[1:]...)
	give(t, e, b.blocks[1:21]...)

	processed := make(chan chain.BlockApplied, 1)
	go func() {
		q := chain.ApplyBlock{Payload: fixture.Payload(b.blocks[21])}
		processed <- e.Worker().Handle(context.Background(), actor.Input{Body: q}).(chain.BlockApplied)
	}()
	<-s.begun
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		e.Tips()
		ask[chain.Locator](t, e, chain.GetLocator{})
		ask[chain.Path](t, e, chain.GetPath{Max: 5})
		ask[chain.Forks](t, e, chain.GetForks{Hashes: hashes(b.blocks[5])})
		if h := ask[chain.Headers](t, e, chain.GetHeaders{Locator: []*chainhash.Hash{{1}}}); len(h.Headers) != 20 {
			t.Errorf("%d headers", len(h.Headers))
		}
		ask[chain.Hashes](t, e, chain.GetHashes{Locator: []*chainhash.Hash{{1}}})
		if bl := ask[chain.Block](t, e, chain.GetBlock{Hash: b.blocks[3].BlockHash()}); bl.Payload == nil {
			t.Error("no block")
		}
		ask[chain.HashAt](t, e, chain.GetHash{Height: 3})
		ask[chain.HeaderInfo](t, e, chain.GetHeader{Hash: b.blocks[3].BlockHash()})
	}()
	select {
	case <-answered:
	case <-time.After(time.Minute):
		t.Error("a reader waits for the block")
	}
	close(s.end)
	<-answered
	if a := <-processed; a.Verdict.Code != chain.OK || a.Tips.Block.Height != 21 {
		t.Errorf("the block: %+v", a.Verdict)
	}
}

// Readers see a chain that is a chain, however often it is reorganised.
func TestReadersDuringReorganisations(t *testing.T) {
	main := newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(20, time.Minute)
	e := open(t, Config{Params: main.params})
	give(t, e, main.blocks[1:]...)
	over := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				h := ask[chain.Headers](t, e, chain.GetHeaders{Locator: []*chainhash.Hash{main.params.GenesisHash}}).Headers
				last := *main.params.GenesisHash
				for _, x := range h {
					if x.PrevBlock != last {
						t.Error("the headers are no chain")
					}
					last = x.BlockHash()
				}
				l := ask[chain.Locator](t, e, chain.GetLocator{})
				if *l.Hashes[len(l.Hashes)-1] != *main.params.GenesisHash || *l.Hashes[0] != l.Tip.Hash {
					t.Error("the locator is none")
				}
				ask[chain.Path](t, e, chain.GetPath{To: main.tip().BlockHash(), Max: 20})
				ask[chain.Forks](t, e, chain.GetForks{Hashes: hashes(main.blocks[7], main.tip())})
			}
		})
	}
	tip := main
	for tag := byte(1); tag < 12; tag++ {
		rival := tip.fork(tip.height()-8, tag)
		rival.mine(10, time.Minute)
		give(t, e, rival.blocks[tip.height()-7:]...)
		tip = rival
	}
	close(over)
	readers.Wait()
	if got := e.Tips().Block; got.Hash != tip.tip().BlockHash() {
		t.Errorf("the tip is %+v", got)
	}
}
