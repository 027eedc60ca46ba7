package fiscal

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"golang.org/x/text/encoding/charmap"
)

func TestNormalizeText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                 "",
		"  \t\n ":                          "",
		"Кофе 0.2 л":                       "Кофе 0.2 л",
		"\u00a0Кофе\u202f0.2\u2009л\u3000": "Кофе 0.2 л",
		"«Ёлка» — “набор” №1…":     `"Ёлка" - "набор" №1...`,
		"„a‟ ‹b› ‘c’ d′ 5″":        `"a" 'b' 'c' d' 5"`,
		"10×15 – 20−5":             "10x15 - 20-5",
		"\ufeffмо\u00adро\u200bко": "мороко",
		"и\u0306од е\u0308ж":       "йод ёж", // decomposed, as macOS writes
		"Їжак і Є":                 "Їжак i Є",
		"°·√■":                     "°·√■", // CP866 has them
		"a  b":                     "a  b",
	} {
		got, err := NormalizeText(in)
		if assert.NoError(t, err, "%q", in) {
			assert.Equal(t, want, got)
		}
	}
	for _, tt := range []struct {
		in       string
		rune     rune
		position int
		message  string
	}{
		{"Чай 5€", '€', 6, "character 6 is U+20AC '€', which the code page of registers (CP866) does not have: replace it"},
		{"  Чай €", '€', 7, "character 7 is U+20AC '€', which the code page of registers (CP866) does not have: replace it"},
		{"«x» 😀", '😀', 5, "character 5 is U+1F600 '😀', which the code page of registers (CP866) does not have: replace it"},
		{"a\tb", '\t', 2, "character 2 is U+0009, a control character: leave it out"},
		{"a\nb€", '\n', 2, "character 2 is U+000A, a control character: leave it out"},
		{"a\x7fb", 0x7f, 2, "character 2 is U+007F, a control character: leave it out"},
		{"ab\xff", utf8.RuneError, 3, "character 3 is U+FFFD, the mark of text in a broken encoding: send UTF-8"},
		{"e\u0301", 'é', 1, "character 1 is U+00E9 'é', which the code page of registers (CP866) does not have: replace it"},
	} {
		_, err := NormalizeText(tt.in)
		var bad *TextError
		if assert.ErrorAs(t, err, &bad, "%q", tt.in) {
			assert.Equal(t, TextError{tt.rune, tt.position}, *bad, "%q", tt.in)
			assert.EqualError(t, err, tt.message)
		}
	}
}

// The table may hold only what CP866 lacks and give only what it has.
func TestLookAlikes(t *testing.T) {
	t.Parallel()
	seen := map[rune]bool{}
	for _, row := range LookAlikes() {
		for _, r := range row.Runes {
			assert.False(t, seen[r], "%U stands twice", r)
			seen[r] = true
			if _, has := charmap.CodePage866.EncodeRune(r); has {
				assert.Equal(t, rune(0xa0), r, "CP866 has %U", r)
			}
			got, err := NormalizeText("a" + string(r) + "b")
			assert.NoError(t, err, "%U", r)
			assert.Equal(t, "a"+row.With+"b", got, "%U", r)
		}
	}
}

func FuzzNormalizeText(f *testing.F) {
	for _, s := range []string{"Кофе 0.2 л", "«a» — “b”", "и\u0306", "\u200b \u00a0", "a\x00", "\xff", "😀", " \ufeff х "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := NormalizeText(s)
		if err != nil {
			var bad *TextError
			if !errors.As(err, &bad) || bad.Position < 1 || bad.Position > utf8.RuneCountInString(s) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		b, err := charmap.CodePage866.NewEncoder().Bytes([]byte(got))
		assert.NoError(t, err, "%q became %q", s, got)
		assert.Len(t, b, utf8.RuneCountInString(got), "one byte for each character")
		assert.Equal(t, strings.TrimSpace(got), got)
		again, err := NormalizeText(got)
		assert.NoError(t, err)
		assert.Equal(t, got, again, "a normalised text stays as it is")
	})
}
