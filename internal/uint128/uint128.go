// Package uint128 holds an unsigned 128-bit integer as a plain comparable
// value: enough for the work of any Bitcoin chain (mainnet's is below 2^97),
// where a *big.Int would be a pointer into somebody else's state.
package uint128

import (
	"math/big"
	"math/bits"
)

// Int is an unsigned integer below 2^128. The zero value is 0.
type Int struct{ Hi, Lo uint64 }

// Max is the largest Int.
var Max = Int{Hi: ^uint64(0), Lo: ^uint64(0)}

// From64 returns x.
func From64(x uint64) Int { return Int{Lo: x} }

// FromBig returns x, or Max when x does not fit.
func FromBig(x *big.Int) Int {
	if x.Sign() <= 0 {
		return Int{}
	}
	if x.BitLen() > 128 {
		return Max
	}
	var buf [16]byte
	x.FillBytes(buf[:])
	var v Int
	for i := range 8 {
		v.Hi = v.Hi<<8 | uint64(buf[i])
		v.Lo = v.Lo<<8 | uint64(buf[8+i])
	}
	return v
}

// Big returns a as a new big.Int.
func (a Int) Big() *big.Int {
	v := new(big.Int).SetUint64(a.Hi)
	return v.Or(v.Lsh(v, 64), new(big.Int).SetUint64(a.Lo))
}

// Add returns a+b, or Max when that does not fit.
func (a Int) Add(b Int) Int {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, carry := bits.Add64(a.Hi, b.Hi, carry)
	if carry != 0 {
		return Max
	}
	return Int{Hi: hi, Lo: lo}
}

// Sub returns a-b, or 0 when b is larger.
func (a Int) Sub(b Int) Int {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, borrow := bits.Sub64(a.Hi, b.Hi, borrow)
	if borrow != 0 {
		return Int{}
	}
	return Int{Hi: hi, Lo: lo}
}

// Cmp is -1, 0 or +1 as a is less than, equal to or greater than b.
func (a Int) Cmp(b Int) int {
	switch {
	case a == b:
		return 0
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	}
	return 1
}

// IsZero says whether a is 0.
func (a Int) IsZero() bool { return a == Int{} }
