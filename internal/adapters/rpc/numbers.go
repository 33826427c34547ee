package rpc

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
)

// float is a number written with 16 digits, as in Core. A value that is no number,
// such as a rate over no time, is null.
type float float64

// MarshalJSON implements json.Marshaler.
func (f float) MarshalJSON() ([]byte, error) {
	if n := float64(f); math.IsInf(n, 0) || math.IsNaN(n) {
		return null, nil
	}
	return strconv.AppendFloat(nil, float64(f), 'g', 16, 64), nil
}

// seconds writes a duration in seconds, exact to the microsecond as in Core.
func seconds(d time.Duration) float { return float(float64(d/time.Microsecond) / 1e6) }

// amount is a number of satoshi, written in BTC with all eight decimals.
type amount int64

// MarshalJSON implements json.Marshaler.
func (a amount) MarshalJSON() ([]byte, error) {
	sign, n := "", int64(a)
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Appendf(nil, "%s%d.%08d", sign, n/1e8, n%1e8), nil
}

// difficulty is how many times harder than 1d00ffff a target is.
func difficulty(bits uint32) float {
	return float(math.Ldexp(0x0000ffff/float64(bits&0x00ffffff), 8*(29-int(bits>>24))))
}

// target is the highest hash that bits allow, 64 hex digits.
func target(bits uint32) string { return fmt.Sprintf("%064x", blockchain.CompactToBig(bits)) }

func chainWork(w chain.Work) string { return fmt.Sprintf("%032x%016x%016x", 0, w.Hi, w.Lo) }

// hashOrEmpty is for fields that are left out if there is no such block.
func hashOrEmpty(h chainhash.Hash) string {
	if h == (chainhash.Hash{}) {
		return ""
	}
	return h.String()
}

// unix is a time in seconds since 1970. The zero time is 0, Core's "never".
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func hexBits(bits uint32) string { return fmt.Sprintf("%08x", bits) }
