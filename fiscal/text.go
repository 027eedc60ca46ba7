package fiscal

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// LookAlike is one row of the table of characters that CP866 lacks and that a plain character can stand for.
type LookAlike struct {
	Runes string // each of them
	With  string // becomes this; empty: it is left out
}

// lookAlikes is the whole table. Only characters a reader would not miss are in it: typographic quotes, dashes and
// spaces, invisible marks that come along with text copied from a page, and letters drawn the same. A character that
// means something of its own (₽, ™, €, an emoji) is not: dropping or rewriting it would change what the document says,
// so it is refused and the client decides.
var lookAlikes = []LookAlike{
	{"«»“”„‟″", `"`},
	{"‘’‚‛‹›′ʼ", `'`},
	{"‐‑‒–—―−", "-"},
	{"…", "..."},
	{"•", "·"},
	{"×", "x"},
	{"І", "I"}, // U+0406, Cyrillic
	{"і", "i"}, // U+0456, Cyrillic
	// No-break, en, em, thin, figure and the other spaces.
	{"\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "},
	// Soft hyphen, zero-width spaces and joiners, direction marks, byte order mark.
	{"\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""},
}

var replacements = func() map[rune]string {
	m := map[rune]string{}
	for _, row := range lookAlikes {
		for _, r := range row.Runes {
			m[r] = row.With
		}
	}
	return m
}()

// LookAlikes is the table NormalizeText works by, for documentation.
func LookAlikes() []LookAlike { return slices.Clone(lookAlikes) }

// TextError says which character of a text a register cannot print.
type TextError struct {
	Rune     rune
	Position int // in characters of the text as it was given, from 1
}

func (e *TextError) Error() string {
	switch {
	case e.Rune < 0x20 || e.Rune == 0x7f:
		return fmt.Sprintf("character %d is U+%04X, a control character: leave it out", e.Position, e.Rune)
	case e.Rune == utf8.RuneError:
		return fmt.Sprintf("character %d is U+FFFD, the mark of text in a broken encoding: send UTF-8", e.Position)
	default:
		return fmt.Sprintf("character %d is %#U, which the code page of registers (CP866) does not have: replace it",
			e.Position, e.Rune)
	}
}

// NormalizeText brings a text into the form it has on a document: letters composed (a Mac sends й as two characters),
// look-alikes replaced by the table, blanks around it dropped. What is left can be written in CP866, one byte for each
// character, so its length is utf8.RuneCountInString. It fails with *TextError on any other character and on control
// characters (domain/ffd.md §0.2, string).
func NormalizeText(s string) (string, error) {
	if trimmed := strings.TrimSpace(s); strings.IndexFunc(trimmed, unprintable) < 0 {
		return trimmed, nil
	}
	body := strings.TrimLeftFunc(s, unicode.IsSpace)
	skipped := len(s) - len(body)
	body = strings.TrimRightFunc(body, unicode.IsSpace)
	var b strings.Builder
	var it norm.Iter
	it.InitString(norm.NFC, body)
	for !it.Done() {
		at := skipped + it.Pos()
		for _, r := range string(it.Next()) {
			with, found := replacements[r]
			switch {
			case found:
				b.WriteString(with)
			case unprintable(r):
				return "", &TextError{Rune: r, Position: utf8.RuneCountInString(s[:at]) + 1}
			default:
				b.WriteRune(r)
			}
		}
	}
	return strings.TrimSpace(b.String()), nil
}

// unprintable reports that a register cannot print r as it is. The no-break space exists in CP866 and is still no
// character for a document: two texts that look alike would differ.
func unprintable(r rune) bool {
	if r < 0x20 || r == 0x7f || r == 0xa0 {
		return true
	}
	_, ok := charmap.CodePage866.EncodeRune(r)
	return !ok
}
