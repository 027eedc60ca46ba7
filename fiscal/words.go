package fiscal

import "fmt"

// word pairs a code of the fiscal data format with its JSON word.
type word[T comparable] struct {
	code T
	text string
}

// words is a closed set of codes; the order is the order errors list them in.
type words[T comparable] []word[T]

func (w words[T]) text(code T) (string, bool) {
	for _, e := range w {
		if e.code == code {
			return e.text, true
		}
	}
	return "", false
}

func (w words[T]) string(kind string, code T) string {
	if s, ok := w.text(code); ok {
		return s
	}
	return fmt.Sprintf("%s(%v)", kind, code)
}

func (w words[T]) marshal(kind string, code T) ([]byte, error) {
	if s, ok := w.text(code); ok {
		return []byte(s), nil
	}
	return nil, fmt.Errorf("%s has no word for %v", kind, code)
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
