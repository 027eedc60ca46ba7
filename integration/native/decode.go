package native

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"frpoold/fiscal"
	"frpoold/integration/callback"
)

// Options say how strict the door is.
type Options struct {
	// AllowPrivateCallbacks admits callback addresses of private networks, for a shop beside the rack.
	AllowPrivateCallbacks bool
}

// Request is a decoded body: a receipt that passed fiscal.Check and what belongs to its job.
type Request struct {
	ExternalID  string
	CallbackURL string
	Deadline    time.Time // UTC; zero: the daemon's default
	Receipt     fiscal.Receipt

	// Digest is the SHA-256 of the content, in hex: the receipt after decoding, defaults and normalisation, and the
	// callback address. The deadline is left out: a client that repeats a request it got no answer to counts its
	// deadline anew, and a conflict would tempt it to sell again under another id.
	Digest string
}

// Codes of UserErrors and content errors that only this package gives.
const (
	CodeReceiptInvalid   = "receipt_invalid"
	CodeNoCorrections    = "corrections_unsupported"
	RuleBadTime          = "bad_time"
	RuleBadExternalID    = "bad_external_id"
	maxExternalID        = 128
	noCorrectionsMessage = "operation %s is not supported: this version makes no correction receipts"
)

// Decode reads the body of a receipt request. It fails with *fiscal.UserError: ClassMalformed with the Code… of the first
// fault, or ClassContent with CodeReceiptInvalid or CodeNoCorrections. Details["errors"] is a []fiscal.ContentError with
// every fault of that class.
func Decode(body []byte, o Options) (Request, error) {
	v, err := parse(body)
	if err != nil {
		return Request{}, malformed([]fiscal.ContentError{{Code: CodeMalformedJSON, Message: err.Error()}})
	}
	if v.depth() > maxDepth {
		return Request{}, malformed([]fiscal.ContentError{{Code: CodeTooDeep,
			Message: fmt.Sprintf("the body nests objects and arrays more than %d deep: no receipt does", maxDepth)}})
	}
	if op := correction(v); op != "" {
		e := fiscal.ContentError{Path: "operation", Code: CodeNoCorrections, Message: fmt.Sprintf(noCorrectionsMessage, op)}
		return Request{}, content(CodeNoCorrections, []fiscal.ContentError{e})
	}
	r, d := &reader{}, decoder{}
	d.request(r, v)
	if len(r.shape) > 0 {
		return Request{}, malformed(r.shape)
	}
	d.checkJob(r, o)
	if all := d.checkReceipt(r); len(all) > 0 {
		return Request{}, content(CodeReceiptInvalid, all)
	}
	req := Request{ExternalID: d.externalID, CallbackURL: d.callbackURL, Deadline: d.deadline, Receipt: d.receipt}
	req.Digest = digest(&req)
	return req, nil
}

// correction is the operation when it is one of the four this version refuses. They are told apart before anything else:
// their bodies have members of their own, and a list of unknown members would only mislead.
func correction(v value) string {
	found := ""
	if v.kind() == kindObject {
		v.members(func(name string, member value) {
			if name != "operation" || member.kind() != kindText {
				return
			}
			switch op := member.text(); op {
			case "sell_correction", "buy_correction", "sell_refund_correction", "buy_refund_correction":
				found = op
			}
		})
	}
	return found
}

// checkJob checks what is not the receipt's.
func (d *decoder) checkJob(r *reader, o Options) {
	switch n := utf8.RuneCountInString(d.externalID); {
	case n > maxExternalID:
		r.broken("external_id", fiscal.RuleTooLong, "external_id has %d characters: at most %d are allowed", n, maxExternalID)
	case n == 0 && d.externalIDGiven:
		r.broken("external_id", fiscal.RuleRequired, "external_id is empty: give the order's own id, 1 to %d characters", maxExternalID)
	}
	for _, c := range d.externalID {
		if unicode.IsControl(c) || c == utf8.RuneError {
			r.broken("external_id", RuleBadExternalID, "external_id holds %U: use characters that can be printed", c)
			break
		}
	}
	if d.callbackURL != "" {
		var bad *callback.AddressError
		if err := callback.CheckURL(d.callbackURL, o.AllowPrivateCallbacks); errors.As(err, &bad) {
			r.broken("callback_url", bad.Rule, "%s", bad.Reason)
		}
	}
}

// checkReceipt joins what could not be read with what fiscal.Check finds in the rest.
func (d *decoder) checkReceipt(r *reader) []fiscal.ContentError {
	sums := d.knowsSums(r)
	all := fiscal.CheckRest(&d.receipt, r.content)
	if total := d.receipt.Total(); d.totalGiven && sums && d.total != total {
		all = append(all, fiscal.ContentError{Path: "total", Code: fiscal.RuleTotalMismatch,
			Message: fmt.Sprintf("total %s is not the sum of the items, %s: correct it or leave it out", d.total, total)})
	}
	return all
}

// knowsSums reports that every item said what it costs, within reason, so that the items add up to something.
func (d *decoder) knowsSums(r *reader) bool {
	for _, e := range r.content {
		if e.Path == "items" || isItemSum(e.Path) {
			return false
		}
	}
	for i := range d.receipt.Items {
		if sum := d.receipt.Items[i].Sum; sum < 0 || sum > fiscal.MaxMoney {
			return false
		}
	}
	return len(d.receipt.Items) > 0
}

// digest is over the JSON of the content. Members added to fiscal.Receipt later must be left out when empty, or a repeat
// across an upgrade would look like a clash.
func digest(req *Request) string {
	b, err := json.Marshal(struct {
		Receipt     *fiscal.Receipt `json:"receipt"`
		CallbackURL string          `json:"callback_url"`
	}{&req.Receipt, req.CallbackURL})
	if err != nil {
		panic("native: a checked receipt must have a JSON form: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func malformed(list []fiscal.ContentError) *fiscal.UserError {
	return &fiscal.UserError{Class: fiscal.ClassMalformed, Code: list[0].Code, Message: more(list[0].Message, len(list)),
		Details: map[string]any{"errors": list}}
}

func content(code string, list []fiscal.ContentError) *fiscal.UserError {
	first := list[0].Message
	if list[0].Path != "" && code == CodeReceiptInvalid {
		first = list[0].Path + ": " + first
	}
	return &fiscal.UserError{Class: fiscal.ClassContent, Code: code, Message: more(first, len(list)),
		Details: map[string]any{"errors": list}}
}

func more(first string, n int) string {
	if n == 1 {
		return first
	}
	return first + " (" + strconv.Itoa(n-1) + " more in details.errors)"
}
