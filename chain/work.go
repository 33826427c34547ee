package chain

import (
	"math/big"
	"math/bits"
)

// Work is how much work a chain has: an unsigned integer below 2^128. That is
// enough for any Bitcoin chain, for mainnet's is below 2^97. Work is a plain
// comparable value; a *big.Int would be a pointer into shared state.
type Work struct{ Hi, Lo uint64 }

// MaxWork is the largest Work.
var MaxWork = Work{Hi: ^uint64(0), Lo: ^uint64(0)}

// WorkFrom64 returns x.
func WorkFrom64(x uint64) Work { return Work{Lo: x} }

// WorkFromBig returns x, or the nearest Work when x does not fit.
func WorkFromBig(x *big.Int) Work {
	if x.Sign() <= 0 {
		return Work{}
	}
	if x.BitLen() > 128 {
		return MaxWork
	}
	var buf [16]byte
	x.FillBytes(buf[:])
	var v Work
	for i := range 8 {
		v.Hi = v.Hi<<8 | uint64(buf[i])
		v.Lo = v.Lo<<8 | uint64(buf[8+i])
	}
	return v
}

// Big returns a as a new big.Int.
func (a Work) Big() *big.Int {
	v := new(big.Int).SetUint64(a.Hi)
	return v.Or(v.Lsh(v, 64), new(big.Int).SetUint64(a.Lo))
}

// Add returns a+b, or MaxWork when the sum does not fit.
func (a Work) Add(b Work) Work {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, carry := bits.Add64(a.Hi, b.Hi, carry)
	if carry != 0 {
		return MaxWork
	}
	return Work{Hi: hi, Lo: lo}
}

// Cmp returns -1, 0 or +1: a is less than, equal to or greater than b.
func (a Work) Cmp(b Work) int {
	switch {
	case a == b:
		return 0
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	}
	return 1
}
