package fiscal

import (
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseMoney(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Money{
		"0": 0, "-0": 0, "0.00": 0, "0e99": 0, "0.000e-5": 0, "150": 15000, "150.0": 15000, "150.00": 15000, "150.000": 15000,
		"1.5e2": 15000, "1.5E+2": 15000, "15000e-2": 15000, "0.01": 1, "10": 1000, "10.0": 1000, "1e1": 1000,
		"-0.01": -1, "42949672.95": 4294967295, "10000000000.00": MaxMoney, "1000000000000e-2": MaxMoney,
		"9999999999999999.99": 999999999999999999, "0000000000000000000000000001": 100,
	} {
		got, err := ParseMoney(text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, got, text)
		}
	}
	for text, want := range map[string]error{
		"": ErrNotDecimal, "-": ErrNotDecimal, ".": ErrNotDecimal, "1.": ErrNotDecimal, ".5": ErrNotDecimal, "+1": ErrNotDecimal,
		"--1": ErrNotDecimal, "1e": ErrNotDecimal, "1e+": ErrNotDecimal, "1e1.5": ErrNotDecimal, "1e--2": ErrNotDecimal,
		"1,50": ErrNotDecimal, "1_000": ErrNotDecimal, "0x10": ErrNotDecimal, "NaN": ErrNotDecimal, "Infinity": ErrNotDecimal,
		"null": ErrNotDecimal, `"1"`: ErrNotDecimal, " 1": ErrNotDecimal, "١": ErrNotDecimal, "e5": ErrNotDecimal,
		"0.001": ErrTooPrecise, "1e-3": ErrTooPrecise, "1e-99": ErrTooPrecise, "1e-99999999999999999999": ErrTooPrecise,
		"1e17": ErrTooLarge, "1e99": ErrTooLarge, "1e99999999999999999999": ErrTooLarge, "99999999999999999.99": ErrTooLarge,
	} {
		_, err := ParseMoney(text)
		assert.ErrorIs(t, err, want, text)
	}
}

func TestParseQuantity(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Quantity{
		"1": OnePiece, "0.2": 200_000, "1.234567": 1_234_567, "0.000001": 1, "99999.999": 99_999_999_000, "1e-6": 1,
	} {
		got, err := ParseQuantity(text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, got, text)
		}
	}
	_, err := ParseQuantity("0.0000001")
	assert.ErrorIs(t, err, ErrTooPrecise)
	for q, want := range map[Quantity]string{OnePiece: "1", 200_000: "0.2", 1: "0.000001", 1_234_567: "1.234567", -1_500_000: "-1.5"} {
		assert.Equal(t, want, q.String())
	}
}

func TestMoneyText(t *testing.T) {
	t.Parallel()
	for m, want := range map[Money]string{
		0: "0.00", 1: "0.01", 10: "0.10", 15000: "150.00", -1: "-0.01", -15000: "-150.00",
		math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08",
	} {
		assert.Equal(t, want, m.String())
	}
	var v struct {
		Sum      Money
		Quantity Quantity
	}
	require.NoError(t, json.Unmarshal([]byte(`{"Sum":150.5,"Quantity":1.50}`), &v))
	out, err := json.Marshal(v)
	require.NoError(t, err)
	assert.JSONEq(t, `{"Sum":150.50,"Quantity":1.5}`, string(out))
	assert.Contains(t, string(out), "150.50", "two decimals always")
	for _, bad := range []string{`{"Sum":"150.00"}`, `{"Sum":1.001}`, `{"Quantity":true}`, `{"Quantity":1e-7}`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &v), bad)
	}
}

func TestCost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		price    string
		quantity string
		want     string // empty: does not fit
	}{
		{"150.00", "1", "150.00"},
		{"150.00", "2", "300.00"},
		{"1290.50", "2", "2581.00"},
		{"0.01", "0.5", "0.01"}, // half a kopeck goes up
		{"0.01", "0.499999", "0.00"},
		{"0.03", "0.5", "0.02"}, // to even would be the same
		{"0.05", "0.5", "0.03"}, // to even would be 0.02
		{"33.33", "0.333", "11.10"},
		{"99.99", "0.001", "0.10"},
		{"1.00", "0.000001", "0.00"},
		{"10000000000.00", "1", "10000000000.00"},
		{"10000000000.00", "100", "1000000000000.00"},
		{"10000000000.00", "101", ""},
		{"10000000000.00", "99999999", ""},
		{"-1", "1", ""},
		{"1", "-1", ""},
	} {
		price, err := ParseMoney(tt.price)
		require.NoError(t, err)
		quantity, err := ParseQuantity(tt.quantity)
		require.NoError(t, err)
		cost, ok := Cost(price, quantity)
		if tt.want == "" {
			assert.False(t, ok, "%s x %s", tt.price, tt.quantity)
			continue
		}
		assert.True(t, ok, "%s x %s", tt.price, tt.quantity)
		assert.Equal(t, tt.want, cost.String(), "%s x %s", tt.price, tt.quantity)
	}
	_, ok := Cost(math.MaxInt64, math.MaxInt64)
	assert.False(t, ok)
}

// jsonNumber is the grammar of RFC 8259 §6 with leading zeros allowed, which ParseMoney also reads.
var jsonNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// FuzzParseMoney compares with exact rationals of math/big.
func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{"0", "150.00", "1.5e2", "-0.01", "0.001", "1e17", "1e-3", "10000000000.00", "1e", "", "0.0e5", "12e-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseMoney(s)
		if !jsonNumber.MatchString(s) {
			assert.ErrorIs(t, err, ErrNotDecimal, "%q", s)
			return
		}
		if i := strings.IndexAny(s, "eE"); i >= 0 && len(s)-i > 5 {
			return // math/big would write all the zeros down
		}
		want, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Skip("math/big does not read it")
		}
		want.Mul(want, big.NewRat(100, 1))
		switch {
		case err == nil:
			assert.True(t, want.IsInt() && want.Num().IsInt64() && want.Num().Int64() == int64(got), "%q became %d", s, got)
		case !want.IsInt():
			assert.ErrorIs(t, err, ErrTooPrecise, "%q", s)
		default:
			assert.ErrorIs(t, err, ErrTooLarge, "%q", s)
			assert.Equal(t, 1, new(big.Int).Abs(want.Num()).Cmp(big.NewInt(999_999_999_999_999_999)), "%q was refused and fits", s)
		}
		if err == nil {
			again, err := ParseMoney(got.String())
			assert.NoError(t, err)
			assert.Equal(t, got, again)
		}
	})
}

// FuzzCost compares with math/big.
func FuzzCost(f *testing.F) {
	f.Add(int64(15000), int64(1_000_000))
	f.Add(int64(1), int64(500_000))
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, price, quantity int64) {
		got, ok := Cost(Money(price), Quantity(quantity))
		if price < 0 || quantity < 0 {
			assert.False(t, ok)
			return
		}
		want := new(big.Int).Mul(big.NewInt(price), big.NewInt(quantity))
		want.Add(want, big.NewInt(int64(OnePiece)/2)).Div(want, big.NewInt(int64(OnePiece)))
		fits := want.Cmp(big.NewInt(int64(MaxMoney)*100)) <= 0
		assert.Equal(t, fits, ok)
		if ok {
			assert.Equal(t, want.Int64(), int64(got))
		}
	})
}
