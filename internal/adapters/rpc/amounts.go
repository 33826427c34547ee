package rpc

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/v2"
)

// feeRate is a fee in satoshi for 1,000 virtual bytes.
type feeRate int64

// fee is what vsize bytes cost at this rate, rounded up as in Core.
func (r feeRate) fee(vsize int64) int64 { return (int64(r)*vsize + 999) / 1000 }

// defaultMaxFeeRate is Core's: 0.10 BTC for 1,000 virtual bytes. Whoever pays more has
// made a mistake, most likely.
const defaultMaxFeeRate feeRate = btcutil.SatoshiPerBitcoin / 10

// feeRate reads a rate in BTC for 1,000 virtual bytes.
func (a arguments) feeRate(i int, standard feeRate) (feeRate, error) {
	n, err := a.amount(i, amount(standard))
	if err == nil && n >= btcutil.SatoshiPerBitcoin {
		err = fail(codeInvalidParameter, "Fee rates larger than or equal to 1BTC/kvB are not accepted")
	}
	return feeRate(n), err
}

// amount reads an amount in BTC, a number or a string. It is exact: no float is made
// of it.
func (a arguments) amount(i int, standard amount) (amount, error) {
	if !a.has(i) {
		return standard, nil
	}
	number := string(a[i])
	if kind(a[i]) == text {
		number = a.text(i)
	}
	n, ok := parseAmount(number)
	switch {
	case !ok:
		return 0, fail(codeType, "Invalid amount")
	case n < 0 || n > btcutil.MaxSatoshi:
		return 0, fail(codeType, "Amount out of range")
	}
	return n, nil
}

// amountDigits is how many decimals an amount in BTC has.
const amountDigits = 8

// parseAmount reads a decimal number as JSON writes it, with an exponent perhaps. It
// fails if the number is no whole number of satoshi.
func parseAmount(s string) (amount, bool) {
	if !json.Valid([]byte(s)) { // or "+1", "01", ".1" would be numbers; what is none fails below
		return 0, false
	}
	mantissa, power, _ := strings.Cut(strings.ToLower(s), "e")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent < -amountDigits || exponent > 2*amountDigits {
			return 0, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	fraction = strings.TrimRight(fraction, "0")
	zeros := amountDigits + exponent - len(fraction)
	if zeros < 0 {
		return 0, trimmed(whole+fraction) == ""
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", zeros), 10, 64)
	return amount(n), err == nil
}

// trimmed is a number without its sign and leading zeros.
func trimmed(digits string) string { return strings.TrimLeft(digits, "-0") }
