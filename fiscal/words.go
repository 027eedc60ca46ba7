package fiscal

import (
	"fmt"
	"strconv"
	"strings"
)

// word pairs a code of the fiscal data format with its JSON word.
type word[T ~uint8] struct {
	code T
	text string
}

// words is a closed set of codes; the order is the order errors list them in.
type words[T ~uint8] []word[T]

func (w words[T]) text(code T) (string, bool) {
	for _, e := range w {
		if e.code == code {
			return e.text, true
		}
	}
	return "", false
}

// string prints a code without a word as its number: %v would call the code's own String, which calls this.
func (w words[T]) string(kind string, code T) string {
	if s, ok := w.text(code); ok {
		return s
	}
	return fmt.Sprintf("%s(%d)", kind, uint8(code))
}

func (w words[T]) marshal(kind string, code T) ([]byte, error) {
	if s, ok := w.text(code); ok {
		return []byte(s), nil
	}
	return nil, fmt.Errorf("%s has no word for %d", kind, uint8(code))
}

func (w words[T]) unmarshal(kind string, b []byte, code *T) error {
	for _, e := range w {
		if e.text == string(b) {
			*code = e.code
			return nil
		}
	}
	return &WordError{Kind: kind, Word: string(b), Known: w.list()}
}

// unmarshalReported is unmarshal for codes that registers report. One without a word is evidence: what string wrote is
// read back, so that a record with it can still be stored and opened. A code that has a word is never read as a number.
func (w words[T]) unmarshalReported(kind string, b []byte, code *T) error {
	number, _ := strings.CutPrefix(string(b), kind+"(")
	n, err := strconv.ParseUint(strings.TrimSuffix(number, ")"), 10, 8)
	if err == nil && w.string(kind, T(n)) == string(b) {
		*code = T(n)
		return nil
	}
	return w.unmarshal(kind, b, code)
}

// names lists the words of the bits set.
func (w words[T]) names(mask T) []string {
	out := []string{}
	for _, e := range w {
		if mask&e.code != 0 {
			out = append(out, e.text)
		}
	}
	return out
}

// marshalMask writes a set of bits as words with commas between, nothing for the empty set, and bits without a word as
// one hex number: "osn,patent,0x40".
func (w words[T]) marshalMask(mask T) []byte {
	rest := mask
	for _, e := range w {
		rest &^= e.code
	}
	out := w.names(mask)
	if rest != 0 {
		out = append(out, fmt.Sprintf("0x%02x", uint8(rest)))
	}
	return []byte(strings.Join(out, ","))
}

// unmarshalMask reads exactly what marshalMask writes. One word is a set too.
func (w words[T]) unmarshalMask(kind string, b []byte, mask *T) error {
	var set T
	for _, text := range strings.Split(string(b), ",") {
		var bit T
		if err := w.unmarshal(kind, []byte(text), &bit); err != nil {
			n, _ := strconv.ParseUint(text, 0, 8) // 0 when it is none: then the comparison below fails
			bit = T(n)
		}
		set |= bit
	}
	if string(w.marshalMask(set)) != string(b) {
		return &WordError{Kind: kind, Word: string(b), Known: w.list()}
	}
	*mask = set
	return nil
}

func (w words[T]) list() []string {
	out := make([]string, len(w))
	for i, e := range w {
		out[i] = e.text
	}
	return out
}

// WordError says that a text is not in a closed set of words.
type WordError struct {
	Kind  string   // what the word names: "vat", "tax_system", …
	Word  string   // what came
	Known []string // what would have been accepted
}

func (e *WordError) Error() string {
	return fmt.Sprintf("unknown %s %q, known: %v", e.Kind, e.Word, e.Known)
}
