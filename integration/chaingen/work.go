package chaingen

import (
	"math/big"
	"time"

	"github.com/btcsuite/btcd/blockchain"
)

// MineSlow adds n blocks, each 20 minutes and a second after the one before.
// They come so late that testnet3's rule allows them the lowest difficulty.
func (c *Chain) MineSlow(n int) *Chain {
	for range n {
		stamp := c.tip().Timestamp.Add(c.opts.Params.MinDiffReductionTime + time.Second)
		c.Add(c.next(c.Spends(), 0, stamp))
	}
	return c
}

// WorkAfter is the work of the blocks above a height.
func (c *Chain) WorkAfter(height int32) *big.Int {
	sum := new(big.Int)
	for _, block := range c.blocks[height+1:] {
		sum.Add(sum, blockchain.CalcWork(block.Header.Bits))
	}
	return sum
}

// bits is the difficulty that the next block must have at that time. On regtest
// it is always the lowest; elsewhere testnet3's rules give it.
func (c *Chain) bits(stamp time.Time) uint32 {
	p, height := c.opts.Params, c.Height()+1
	if p.PoWNoRetargeting {
		return p.PowLimitBits
	}
	period := int32(p.TargetTimespan / p.TargetTimePerBlock)
	if height%period == 0 {
		return c.retarget(period)
	}
	if stamp.Sub(c.tip().Timestamp) > p.MinDiffReductionTime {
		return p.PowLimitBits
	}
	// The difficulty of the last block that did not use that exception.
	h := height - 1
	for h%period != 0 && c.blocks[h].Header.Bits == p.PowLimitBits {
		h--
	}
	return c.blocks[h].Header.Bits
}

// retarget is the difficulty of the first block of a period. It is that of the
// block before, even if that used the exception, scaled by the time that the
// period's blocks took.
func (c *Chain) retarget(period int32) uint32 {
	p, tip := c.opts.Params, c.tip()
	took := tip.Timestamp.Sub(c.blocks[c.Height()+1-period].Header.Timestamp)
	took = max(took, p.TargetTimespan/time.Duration(p.RetargetAdjustmentFactor))
	took = min(took, p.TargetTimespan*time.Duration(p.RetargetAdjustmentFactor))
	target := blockchain.CompactToBig(tip.Bits)
	target.Mul(target, big.NewInt(int64(took/time.Second)))
	target.Div(target, big.NewInt(int64(p.TargetTimespan/time.Second)))
	if target.Cmp(p.PowLimit) > 0 {
		target = p.PowLimit
	}
	return blockchain.BigToCompact(target)
}
