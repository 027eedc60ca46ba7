package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxDepth is the deepest a request goes: body, items, item, agent_info, paying_agent, phones.
const maxDepth = 6

// value is the text of one JSON value. Its syntax was checked with the whole body, so the functions below only look for
// where things end.
type value []byte

// kind is what a value is, in the words of an error.
type kind string

const (
	kindObject kind = "an object"
	kindArray  kind = "an array"
	kindText   kind = "a text"
	kindNumber kind = "a number"
	kindBool   kind = "true or false"
	kindNull   kind = "null"
)

func (v value) kind() kind {
	switch v[0] {
	case '{':
		return kindObject
	case '[':
		return kindArray
	case '"':
		return kindText
	case 't', 'f':
		return kindBool
	case 'n':
		return kindNull
	default:
		return kindNumber
	}
}

// text is the content of a text value.
func (v value) text() string {
	if s := v[1 : len(v)-1]; bytes.IndexByte(s, '\\') < 0 {
		return string(s)
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		panic("native: text that passed the syntax check: " + err.Error())
	}
	return s
}

// members calls f with each member of an object, in order, repeated ones included.
func (v value) members(f func(name string, member value)) {
	for i := skipSpace(v, 1); v[i] != '}'; {
		if v[i] == ',' {
			i = skipSpace(v, i+1)
		}
		end := i + v[i:].end()
		name := v[i:end].text()
		i = skipSpace(v, skipSpace(v, end)+1) // over the colon
		end = i + v[i:].end()
		f(name, v[i:end])
		i = skipSpace(v, end)
	}
}

// elements calls f with each element of an array, in order.
func (v value) elements(f func(i int, element value)) {
	n := 0
	for i := skipSpace(v, 1); v[i] != ']'; {
		if v[i] == ',' {
			i = skipSpace(v, i+1)
		}
		end := i + v[i:].end()
		f(n, v[i:end])
		n++
		i = skipSpace(v, end)
	}
}

// end is where the value at the beginning of v ends.
func (v value) end() int {
	switch v[0] {
	case '"':
		return v.endOfText()
	case '{', '[':
		depth := 0
		for i := 0; ; i++ {
			switch v[i] {
			case '"':
				i += v[i:].endOfText() - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	default:
		if i := bytes.IndexAny(v, ",]} \t\r\n"); i >= 0 {
			return i
		}
		return len(v)
	}
}

func (v value) endOfText() int {
	for i := 1; ; i++ {
		switch v[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

func skipSpace(v value, i int) int {
	for i < len(v) && (v[i] == ' ' || v[i] == '\t' || v[i] == '\r' || v[i] == '\n') {
		i++
	}
	return i
}

// depth is how deep objects and arrays nest.
func (v value) depth() int {
	deepest, depth := 0, 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '"':
			i += v[i:].endOfText() - 1
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// parse checks the syntax of a whole body: one JSON value in UTF-8 with nothing behind it.
func parse(body []byte) (value, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, errors.New("the body is empty: send a receipt as a JSON object")
	}
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8: send JSON in UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(body[:syntax.Offset], []byte("\n"))
			return nil, fmt.Errorf("the body is not JSON: line %d, byte %d: %w", line, syntax.Offset, syntax)
		}
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	}
	return value(bytes.TrimSpace(raw)), nil
}
