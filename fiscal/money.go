package fiscal

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Money is an amount in kopecks.
type Money int64

// Quantity is an amount of goods in millionths of its measure: 1.5 kg is 1_500_000.
type Quantity int64

const (
	moneyDigits    = 2
	quantityDigits = 6

	// OnePiece is the quantity 1.
	OnePiece Quantity = 1_000_000

	// MaxMoney is the largest total an FN can hold in its five-byte short record, in kopecks, rounded down to what one
	// register accepts (domain/ffd.md §4.1 rule 12).
	MaxMoney Money = 1_000_000_000_000

	// MaxQuantity is the portable limit of five integer and three decimal digits widened to eight integer digits
	// (protocols/atol-online.md §3.2, quantity).
	MaxQuantity Quantity = 99_999_999_000_000
)

// Errors of ParseMoney and ParseQuantity.
var (
	ErrNotDecimal = errors.New("not a decimal number")
	ErrTooPrecise = errors.New("too many decimal places")
	ErrTooLarge   = errors.New("number too large")
)

// ParseMoney reads decimal roubles ("150", "150.00", "1.5e2") exactly into kopecks.
// It fails with ErrNotDecimal, ErrTooPrecise (more than two significant decimals) or ErrTooLarge.
func ParseMoney(s string) (Money, error) {
	n, err := parseDecimal(s, moneyDigits)
	return Money(n), err
}

// ParseQuantity reads a decimal quantity exactly into millionths. It fails as ParseMoney does, with six decimals.
func ParseQuantity(s string) (Quantity, error) {
	n, err := parseDecimal(s, quantityDigits)
	return Quantity(n), err
}

// String writes roubles with exactly two decimals: "150.00".
func (m Money) String() string { return formatDecimal(int64(m), moneyDigits, moneyDigits) }

// MarshalJSON writes a JSON number of roubles with two decimals.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a JSON number of roubles.
func (m *Money) UnmarshalJSON(b []byte) error {
	v, err := ParseMoney(string(b))
	if err != nil {
		return fmt.Errorf("amount of roubles %s: %w", b, err)
	}
	*m = v
	return nil
}

// String writes the quantity without trailing zeros: "1", "0.2", "1.234567".
func (q Quantity) String() string { return formatDecimal(int64(q), quantityDigits, 0) }

// MarshalJSON writes a JSON number.
func (q Quantity) MarshalJSON() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalJSON reads a JSON number.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	v, err := ParseQuantity(string(b))
	if err != nil {
		return fmt.Errorf("quantity %s: %w", b, err)
	}
	*q = v
	return nil
}

// Cost is price × quantity rounded half up to a kopeck (FFD tag 1043, domain/ffd.md §4.1 rule 2).
// ok is false when the result does not fit or an argument is negative.
func Cost(price Money, q Quantity) (cost Money, ok bool) {
	if price < 0 || q < 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(price), uint64(q))
	lo, carry := bits.Add64(lo, uint64(OnePiece)/2, 0)
	hi += carry
	if hi >= uint64(OnePiece) {
		return 0, false
	}
	n, _ := bits.Div64(hi, lo, uint64(OnePiece))
	if n > uint64(MaxMoney)*100 {
		return 0, false
	}
	return Money(n), true
}

// parseDecimal reads a JSON number or the same text without a float: sign, digits, fraction, exponent.
func parseDecimal(s string, scale int) (int64, error) {
	neg := strings.HasPrefix(s, "-")
	mantissa, exp := strings.TrimPrefix(s, "-"), 0
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		var ok bool
		if exp, ok = parseExponent(mantissa[i+1:]); !ok {
			return 0, ErrNotDecimal
		}
		mantissa = mantissa[:i]
	}
	whole, frac, dot := strings.Cut(mantissa, ".")
	if whole == "" || (dot && frac == "") || !digits(whole) || !digits(frac) {
		return 0, ErrNotDecimal
	}
	all := strings.TrimLeft(whole+frac, "0")
	if all == "" {
		return 0, nil
	}
	shift := scale + exp - len(frac)
	for ; shift < 0; shift++ {
		if all[len(all)-1] != '0' {
			return 0, ErrTooPrecise
		}
		all = all[:len(all)-1] // never empty: it begins with another digit
	}
	if len(all)+shift > 18 {
		return 0, ErrTooLarge
	}
	n, err := strconv.ParseInt(all+strings.Repeat("0", shift), 10, 64)
	if err != nil {
		return 0, ErrTooLarge
	}
	if neg {
		n = -n
	}
	return n, nil
}

// parseExponent reads what stands behind the e. An exponent no amount needs is cut to one that fails just the same.
func parseExponent(s string) (exp int, ok bool) {
	sign, number := 1, s
	switch {
	case strings.HasPrefix(s, "-"):
		sign, number = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		number = s[1:]
	}
	if number == "" || !digits(number) {
		return 0, false
	}
	n, err := strconv.Atoi(number)
	if err != nil || n > 1<<30 {
		n = 1 << 30
	}
	return sign * n, true
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// formatDecimal writes n / 10^scale with at least minFrac decimals.
func formatDecimal(n int64, scale, minFrac int) string {
	sign, u := "", uint64(n)
	if n < 0 {
		sign, u = "-", uint64(-n)
	}
	s := strconv.FormatUint(u, 10)
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	whole, frac := s[:len(s)-scale], s[len(s)-scale:]
	for len(frac) > minFrac && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	if frac == "" {
		return sign + whole
	}
	return sign + whole + "." + frac
}
