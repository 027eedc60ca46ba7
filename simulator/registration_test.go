package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestClockValues: §5.8 and §11.5, 0x72.
func TestClockValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data string
		want refusal
	}{
		"a minute on":            {tlv(30000, 26, 3, 14, 9, 6), done},
		"the last document's":    {tlv(30000, 26, 3, 14, 9, 5), done},
		"before the last one":    {tlv(30000, 26, 3, 14, 9, 4), badClock},
		"30 February":            {tlv(30000, 26, 2, 30, 9, 6), badClock},
		"month 13":               {tlv(30000, 26, 13, 1, 9, 6), badClock},
		"hour 24":                {tlv(30000, 26, 3, 14, 24, 0), badClock},
		"four bytes":             {tlv(30000, 26, 3, 14, 9), badClock},
		"another tag":            {tlv(30001, 1), incomplete},
		"years on, as a typo":    {tlv(30000, 36, 3, 14, 9, 6), done},
		"nothing":                {"", incomplete},
		"not a TLV":              {"30 75 05", badFormat},
		"a value beyond":         {"30 75 FF 00 1A", badFormat},
		"all zero, no time":      {tlv(30000, 0, 0, 0, 0, 0), badClock},
		"the last moment of DT5": {tlv(30000, 255, 12, 31, 23, 59), done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, clock := newRack(t, Options{})
			require.Equal(t, c.want, refusedWith(t, r, 0x72, c.data))
			if c.want != done {
				return
			}
			clock.move(90 * time.Second)
			got, set := must(t, r, 0x73, ""), unhex(t, c.data)
			set[8]++ // a minute and a half later, the seconds having begun at zero
			if set[8] == 60 {
				return // the next minute is in 2256, which DT5 does not have
			}
			assert.Equal(t, set, got)
		})
	}
}

// TestRegistrationValues: §5.6.
func TestRegistrationValues(t *testing.T) {
	t.Parallel()
	other := strings.Replace(registerForm, "30 31 31 37 32 32", "30 31 31 37 32 33", 1)
	ten := "35 35 34 34 33 33 32 32 31 39 20 20" + hexOf([]byte(makeRNM(1, "5544332219", "550199000001"))) + "20 20 20 20 02"
	for name, c := range map[string]struct {
		form string
		want refusal
	}{
		"as it should be":    {registerForm + "04", done},
		"reason 0":           {registerForm + "00", badFormat},
		"reason 5":           {registerForm + "05", badFormat},
		"the check of RNM":   {other + "04", badRNM},
		"no tax system":      {registerForm[:len(registerForm)-2] + "00 04", badFormat},
		"a seventh system":   {registerForm[:len(registerForm)-2] + "40 04", badFormat},
		"another taxpayer":   {ten + "04", wrongValue},
		"without the reason": {registerForm, badLength},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := inSituation(t, "registration data")
			assert.Equal(t, c.want, refusedWith(t, r, 0x13, c.form))
		})
	}
	t.Run("automatic whatever 9999 says", func(t *testing.T) {
		t.Parallel()
		for profile, want := range map[Profile]byte{TerminalFA: 0x24, KITOnlineF: 0x20} {
			r, _ := newRack(t, Options{Profile: profile})
			must(t, r, 0x12, "02")
			must(t, r, 0x16, tlv(1048, 'T')+tlv(1017, []byte("7709364346  ")...)+tlv(9999, 0x20))
			must(t, r, 0x13, registerForm+"04")
			assert.Equal(t, want, must(t, r, 0x0A, "")[32], profile)
		}
	})
	t.Run("incomplete data", func(t *testing.T) {
		t.Parallel()
		r := inSituation(t, "registration")
		ofd := tlv(1017, []byte("7709364346  ")...)
		assert.Equal(t, incomplete, refusedWith(t, r, 0x16, ofd+tlv(9999, 0x20)), "no user")
		assert.Equal(t, incomplete, refusedWith(t, r, 0x16, tlv(1048, 'T')+ofd), "no modes")
		assert.Equal(t, incomplete, refusedWith(t, r, 0x16, tlv(1048, 'T')+tlv(9999, 0x20)), "no OFD")
		assert.Equal(t, done, refusedWith(t, r, 0x16, tlv(1048, 'T')+tlv(9999, 0x02)), "autonomous needs none")
		must(t, r, 0x13, registerForm+"02")
		assert.Equal(t, []byte{0, 0}, must(t, r, 0x32, ""), "and queues nothing")
	})
	t.Run("vendor's RNM", func(t *testing.T) {
		t.Parallel()
		assert.True(t, validRNM("0000123456029024", "7704849611", "009130557"), "domain/ffd.md §8")
		assert.False(t, validRNM("0000123456029025", "7704849611", "009130557"))
		assert.True(t, validRNM("0000000001020662", "1234567894", "550199000001"), "terminal-fa.md §5.6")
	})
}
