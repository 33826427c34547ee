package rpc

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func TestParseAmount(t *testing.T) {
	for s, want := range map[string]amount{
		"0": 0, "-0": 0, "1": 1e8, "0.00000001": 1, "20999999.9769": 2099999997690000, "0.1": 1e7, "1e-8": 1, "1E-7": 10,
		"0.00001e3": 1e6, "12.5e-1": 125e6, "0.1e-7": 1, "-0.5": -5e7, "1.000000000000": 1e8, "0e5": 0, "0.0000000000000000": 0,
		"1e2": 100e8, "1e+1": 10e8, "0.0000000000000001e16": 1e8, "0.00000001000000000000000000000000": 1,
	} {
		if got, ok := parseAmount(s); !ok || got != want {
			t.Errorf("%q: %d %v, want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{
		"", " 1", "1 ", "x", "0x1", "00", "1.", ".1", "+1", "1e", "1e-9", "0.000000001", "0.1e-8", "1e17", "1e999", "1e99999999999999999999",
		"99999999999999999999", "NaN", "true", `"1"`, "[1]", "1,5",
	} {
		if got, ok := parseAmount(s); ok {
			t.Errorf("%q is %d, want no amount", s, got)
		}
	}
}

// What the node writes it can read.
func TestAmountsThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := amount(rapid.Int64Range(-21e14, 21e14).Draw(t, "satoshi"))
		text, _ := json.Marshal(want)
		if got, ok := parseAmount(string(text)); !ok || got != want {
			t.Fatalf("%d is written %s and read %d %v", want, text, got, ok)
		}
	})
}

func TestFeeOfRate(t *testing.T) {
	for _, c := range []struct {
		rate        feeRate
		vsize, want int64
	}{{1000, 141, 141}, {1001, 141, 142}, {1, 1, 1}, {0, 500, 0}, {defaultMaxFeeRate, 141, 1_410_000}} {
		if got := c.rate.fee(c.vsize); got != c.want {
			t.Errorf("%d for %d bytes: %d, want %d", c.rate, c.vsize, got, c.want)
		}
	}
}
