package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"frpoold/fiscal"
)

// maxBody is the most bytes a request's body may have (design.md §3).
const maxBody = 1 << 20

// readBody reads a JSON body whole. An empty one needs no content type.
func (c *call) readBody() ([]byte, error) {
	tooLarge := &fiscal.UserError{Class: fiscal.ClassTooLarge, Code: "body_too_large",
		Message: "The body is larger than 1 MiB: send less at once.", Details: map[string]any{"limit": maxBody}}
	if c.r.ContentLength > maxBody {
		return nil, tooLarge
	}
	// The bare writer: MaxBytesReader must reach the connection to close it.
	body, err := io.ReadAll(http.MaxBytesReader(c.w.ResponseWriter, c.r.Body, maxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, malformed("body_unreadable", "The body did not arrive whole: send it again.", nil)
	case len(body) == 0:
		return nil, nil
	}
	return body, c.checkContentType()
}

// formType is what curl -d says of a body when nothing else is asked for. The operator's first tool must work as it is typed,
// and the body is read as strict JSON whatever it is called; pages of other sites are refused by their origin (observe.go).
const formType = "application/x-www-form-urlencoded"

func (c *call) checkContentType() error {
	if given := c.r.Header.Get("Content-Encoding"); given != "" && !strings.EqualFold(given, "identity") {
		return &statusError{http.StatusUnsupportedMediaType, "unsupported_content_encoding",
			fmt.Sprintf("The content encoding %q is not accepted: send the body as it is.", clip(given, 64)), nil}
	}
	given := c.r.Header.Get("Content-Type")
	if given == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(given)
	charset := params["charset"]
	if err != nil || media != "application/json" && media != formType || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return &statusError{http.StatusUnsupportedMediaType, "unsupported_content_type",
			fmt.Sprintf("The content type %q is not accepted: send JSON with the header \"Content-Type: application/json\".", clip(given, 64)), nil}
	}
	return nil
}

// member is one thing a body may say.
type member struct {
	name     string
	required bool
	want     string // what its value must be, for the message
	set      func(raw json.RawMessage) bool
}

// must makes a member required.
func (m member) must() member {
	m.required = true
	return m
}

func textMember(name string, into *string) member {
	return member{name: name, want: "a string", set: func(raw json.RawMessage) bool {
		return raw[0] == '"' && json.Unmarshal(raw, into) == nil
	}}
}

func numberMember(name string, into **fiscal.DocNumber) member {
	return member{name: name, want: "a whole number from 0 to 4294967295", set: func(raw json.RawMessage) bool {
		n, err := strconv.ParseUint(string(raw), 10, 32)
		number := fiscal.DocNumber(n)
		*into = &number
		return err == nil
	}}
}

// decode reads a body that must have the given members.
func (c *call) decode(members ...member) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	if body == nil {
		return malformed(codeMalformedJSON, "The body is empty: send a JSON object with "+names(members)+".", nil)
	}
	return decodeObject(body, members)
}

// decodeOptional reads a body that may be left out.
func (c *call) decodeOptional(members ...member) error {
	body, err := c.readBody()
	if err != nil || body == nil {
		return err
	}
	return decodeObject(body, members)
}

// Codes of bodies that cannot be read, the same as in package native.
const (
	codeMalformedJSON   = "malformed_json"
	codeUnknownMember   = "unknown_member"
	codeDuplicateMember = "duplicate_member"
	codeWrongType       = "wrong_type"
)

// decodeObject reads one JSON object strictly: known members, each once, each of its type, no text behind it. Names are
// compared exactly, null is no value.
func decodeObject(body []byte, members []member) error {
	if !utf8.Valid(body) {
		return malformed(codeMalformedJSON, "The body is not UTF-8 text.", nil)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	open, err := d.Token()
	if err != nil {
		return badSyntax(err, d)
	}
	if open != json.Delim('{') {
		return malformed(codeWrongType, "The body must be a JSON object with "+names(members)+".", nil)
	}
	seen := map[string]bool{}
	for d.More() {
		if err := decodeMember(d, members, seen); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return badSyntax(err, d)
	}
	end := d.InputOffset()
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed(codeMalformedJSON, fmt.Sprintf("There is text behind the JSON object, from byte %d on: send the object alone.", end), nil)
	}
	var missing []fiscal.ContentError
	for _, m := range members {
		if m.required && !seen[m.name] {
			missing = append(missing, fiscal.ContentError{Path: m.name, Code: fiscal.RuleRequired,
				Message: fmt.Sprintf("The member %q is missing: it must be %s.", m.name, m.want)})
		}
	}
	if len(missing) > 0 {
		return contentErrors(missing...)
	}
	return nil
}

func decodeMember(d *json.Decoder, members []member, seen map[string]bool) error {
	token, err := d.Token()
	if err != nil {
		return badSyntax(err, d)
	}
	name, _ := token.(string) // the decoder gives nothing else here
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return badSyntax(err, d)
	}
	if seen[name] {
		return memberError(codeDuplicateMember, name, fmt.Sprintf("The member %q stands there twice: keep one.", clip(name, 64)))
	}
	seen[name] = true
	for _, m := range members {
		if m.name != name {
			continue
		}
		if !m.set(raw) {
			return memberError(codeWrongType, name, fmt.Sprintf("The member %q must be %s.", name, m.want))
		}
		return nil
	}
	return memberError(codeUnknownMember, name, fmt.Sprintf("The member %q is unknown here: the body may have %s.", clip(name, 64), names(members)))
}

func badSyntax(err error, d *json.Decoder) error {
	offset, why := d.InputOffset(), "it ends too early"
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		why = syntax.Error()
	}
	return malformed(codeMalformedJSON, fmt.Sprintf("The body is not JSON near byte %d: %s.", offset, why), nil)
}

// memberError lists its one fault where package native lists all.
func memberError(code, name, message string) error {
	return malformed(code, message, map[string]any{"errors": []fiscal.ContentError{{Path: clip(name, 64), Code: code, Message: message}}})
}

func names(members []member) string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = strconv.Quote(m.name)
	}
	return strings.Join(list, ", ")
}

// decodeReason reads the optional {"reason": "…"} of a change, for the audit log.
func (c *call) decodeReason() (string, error) {
	var reason string
	if err := c.decodeOptional(textMember("reason", &reason)); err != nil {
		return "", err
	}
	if n := utf8.RuneCountInString(reason); n > maxReason {
		return "", contentErrors(fiscal.ContentError{Path: "reason", Code: fiscal.RuleTooLong,
			Message: fmt.Sprintf("The reason has %d characters, at most %d are kept.", n, maxReason)})
	}
	return reason, nil
}

const maxReason = 1000 // characters

// contentErrors turns a body down whose content breaks rules.
func contentErrors(errs ...fiscal.ContentError) error {
	message := errs[0].Message
	if len(errs) > 1 {
		message = fmt.Sprintf("The body breaks %d rules: see details.errors.", len(errs))
	}
	return &fiscal.UserError{Class: fiscal.ClassContent, Code: "invalid_content", Message: message, Details: map[string]any{"errors": errs}}
}
