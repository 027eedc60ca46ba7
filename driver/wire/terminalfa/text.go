package terminalfa

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// padding is what fixed-width text is filled with: spaces by the manual, NUL by some firmware (§3).
const padding = " \x00"

// appendText appends s in CP866, the encoding of all text in both directions (§3). It fails with ErrText, which names
// the first character CP866 lacks.
func appendText(dst []byte, s string) ([]byte, error) {
	for i, r := range s {
		b := byte(r)
		if r >= utf8.RuneSelf {
			var ok bool
			if b, ok = charmap.CodePage866.EncodeRune(r); !ok || r == utf8.RuneError {
				return dst, fmt.Errorf("%w: %q at byte %d", ErrText, r, i)
			}
		}
		dst = append(dst, b)
	}
	return dst, nil
}

// appendPadded appends s in CP866, filled with spaces to width bytes. It fails with ErrText or ErrTooLong.
func appendPadded(dst []byte, s string, width int) ([]byte, error) {
	begin := len(dst)
	out, err := appendText(dst, s)
	if err != nil {
		return dst, err
	}
	if n := len(out) - begin; n > width {
		return dst, fmt.Errorf("%w: %d characters in a field of %d", ErrTooLong, n, width)
	}
	for len(out)-begin < width {
		out = append(out, ' ')
	}
	return out, nil
}

// text decodes CP866. Every byte is a character, so decoding never fails and loses nothing.
func text(b []byte) string {
	var s strings.Builder
	s.Grow(len(b))
	for _, c := range b {
		if c < utf8.RuneSelf {
			s.WriteByte(c)
		} else {
			s.WriteRune(charmap.CodePage866.DecodeByte(c))
		}
	}
	return s.String()
}

// fixedText decodes fixed-width text without its padding.
func fixedText(b []byte) string { return strings.Trim(text(b), padding) }
