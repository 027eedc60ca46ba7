package native

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"frpoold/fiscal"
)

// Codes of a body that cannot be read, beside those of package fiscal for one that breaks rules.
const (
	CodeMalformedJSON   = "malformed_json"
	CodeUnknownMember   = "unknown_member"
	CodeDuplicateMember = "duplicate_member"
	CodeWrongType       = "wrong_type"
	CodeTooDeep         = "too_deep"
)

// maxShapeErrors bounds the list for a body that is something else altogether.
const maxShapeErrors = 100

// reader takes values apart and collects what is wrong with them.
type reader struct {
	shape   []fiscal.ContentError // the body cannot be read
	content []fiscal.ContentError // a value was read and means nothing
}

func (r *reader) misshapen(path, code, format string, args ...any) {
	if len(r.shape) < maxShapeErrors {
		r.shape = append(r.shape, fiscal.ContentError{Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
	}
}

func (r *reader) broken(path, rule, format string, args ...any) {
	r.content = append(r.content, fiscal.ContentError{Path: path, Code: rule, Message: fmt.Sprintf(format, args...)})
}

// readFunc reads one value that is not null.
type readFunc func(path string, v value)

// field is a member an object may have.
type field struct {
	name     string
	read     readFunc
	required bool // absence is reported here; where absence is an empty value, fiscal.Check reports it
}

// object reads an object's members by name. Anything that is not in fields is refused.
func (r *reader) object(path string, v value, fields ...field) {
	if !r.is(path, v, kindObject) {
		return
	}
	seen, given := make([]bool, len(fields)), make([]bool, len(fields)) // null is seen and gives nothing
	v.members(func(name string, member value) {
		at := join(path, excerpt(name))
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		switch {
		case i < 0:
			r.misshapen(at, CodeUnknownMember, "unknown member %s: %s", at, hint(name, fields))
		case seen[i]:
			r.misshapen(at, CodeDuplicateMember, "member %s is given twice: keep one", at)
		default:
			seen[i] = true
			if member.kind() != kindNull {
				given[i] = true
				fields[i].read(at, member)
			}
		}
	})
	for i, f := range fields {
		if f.required && !given[i] {
			r.broken(join(path, f.name), fiscal.RuleRequired, "%s is missing: a receipt must have it", f.name)
		}
	}
}

// is reports a value of a wrong type.
func (r *reader) is(path string, v value, want kind) bool {
	got := v.kind()
	if got == want {
		return true
	}
	if path == "" {
		r.misshapen("", CodeWrongType, "the body must be %s, it is %s", want, got)
		return false
	}
	advice := ""
	if want == kindNumber && got == kindText {
		advice = ", write it without quotes"
	}
	r.misshapen(path, CodeWrongType, "member %s must be %s, it is %s%s", path, want, got, advice)
	return false
}

func (r *reader) text(to *string) readFunc {
	return func(path string, v value) {
		if r.is(path, v, kindText) {
			*to = v.text()
		}
	}
}

func (r *reader) inn(to *fiscal.INN) readFunc { return r.text((*string)(to)) }

func (r *reader) flag(to *bool) readFunc {
	return func(path string, v value) {
		if r.is(path, v, kindBool) {
			*to = v[0] == 't'
		}
	}
}

func (r *reader) money(to *fiscal.Money) readFunc {
	return func(path string, v value) {
		if r.is(path, v, kindNumber) {
			m, err := fiscal.ParseMoney(string(v))
			r.number(path, v, err, 2)
			*to = m
		}
	}
}

func (r *reader) quantity(to *fiscal.Quantity) readFunc {
	return func(path string, v value) {
		if r.is(path, v, kindNumber) {
			q, err := fiscal.ParseQuantity(string(v))
			r.number(path, v, err, 6)
			*to = q
		}
	}
}

// number reports what keeps a JSON number from being an amount.
func (r *reader) number(path string, v value, err error, decimals int) {
	name := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case err == nil:
	case errors.Is(err, fiscal.ErrTooPrecise):
		r.broken(path, fiscal.RuleTooPrecise, "%s %s has more than %d decimals: round it", name, excerpt(string(v)), decimals)
	default:
		r.broken(path, fiscal.RuleTooLarge, "%s %s is far too large: give roubles, or a number of pieces", name, excerpt(string(v)))
	}
}

// word reads one of the words of a code.
func word[T interface{ UnmarshalText([]byte) error }](r *reader, to T) readFunc {
	return func(path string, v value) {
		if !r.is(path, v, kindText) {
			return
		}
		text := strings.TrimSpace(v.text())
		if text == "" {
			return
		}
		var unknown *fiscal.WordError
		if err := to.UnmarshalText([]byte(text)); errors.As(err, &unknown) {
			r.broken(path, fiscal.RuleUnknownWord, "%s %q is not known: give one of %s",
				unknown.Kind, excerpt(text), strings.Join(unknown.Known, ", "))
		}
	}
}

func (r *reader) texts(to *[]string) readFunc {
	return func(path string, v value) {
		if !r.is(path, v, kindArray) {
			return
		}
		v.elements(func(i int, element value) {
			at := fmt.Sprintf("%s[%d]", path, i)
			if r.is(at, element, kindText) {
				*to = append(*to, element.text())
			}
		})
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// excerpt keeps what a client sent short enough for a sentence.
func excerpt(s string) string {
	const most = 64
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
