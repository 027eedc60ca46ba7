package simulator

import (
	"frpoold/driver/wire/terminalfa"
)

// shape is how a tag's value must look.
type shape uint8

const (
	anything shape = iota
	text           // CP866, at most max bytes; empty means not sent
	inn12          // 12 bytes, digits padded with spaces; empty means not sent
	inn            // the same, padding optional
	oneByte
	money  // VLN, kopecks
	amount // FVLN
	four   // four bytes
	block  // STLV
)

// tagRule is one row of a command's table.
type tagRule struct {
	tag    uint16
	shape  shape
	max    int // of a text
	need   bool
	repeat bool
}

// fields are the TLVs of one command that passed its rules.
type fields struct {
	list []terminalfa.TLV
}

func (f *fields) get(tag uint16) ([]byte, bool) {
	for i := range f.list {
		if uint16(f.list[i].Tag) == tag {
			return f.list[i].Value, true
		}
	}
	return nil, false
}

// text is the value, or nil when the tag was not sent.
func (f *fields) text(tag uint16) []byte {
	v, _ := f.get(tag)
	return v
}

// copy is the value on its own memory, for what outlives the request.
func (f *fields) copy(tag uint16) []byte {
	v, _ := f.get(tag)
	if len(v) == 0 {
		return nil
	}
	return append([]byte(nil), v...)
}

// byte is the value of a one-byte tag, 0 when it was not sent.
func (f *fields) byte(tag uint16) byte {
	v, _ := f.get(tag)
	if len(v) == 0 {
		return 0
	}
	return v[0]
}

func (f *fields) number(tag uint16) uint64 {
	v, _ := f.get(tag)
	return number(v)
}

const (
	maxVLN   = 8         // bytes; longer than minimal is accepted (sheet §3)
	maxMoney = 1<<40 - 1 // kopecks, what the five bytes of a total hold
)

// sift checks the TLVs of a command against its rules, in the order they came, and leaves the good ones in out. Tags
// without a rule are dropped with a remark, or refused when the register is strict.
func (r *register) sift(list []terminalfa.TLV, rules []tagRule, out *fields) refusal {
	out.list = out.list[:0]
	for _, t := range list {
		rule := findRule(rules, uint16(t.Tag))
		if rule == nil {
			if r.strict {
				return badFormat
			}
			r.remark("tag is not one of this command's", "tag", uint16(t.Tag))
			continue
		}
		if len(t.Value) == 0 && (rule.shape == text || rule.shape == inn12 || rule.shape == inn) {
			continue
		}
		if code := rule.fits(t.Value); code != done {
			return code
		}
		if _, twice := out.get(rule.tag); twice && !rule.repeat {
			if r.newForm() {
				return duplicateData
			}
			return badFormat
		}
		out.list = append(out.list, t)
	}
	for i := range rules {
		if !rules[i].need {
			continue
		}
		if _, ok := out.get(rules[i].tag); !ok {
			return incomplete
		}
	}
	return done
}

func findRule(rules []tagRule, tag uint16) *tagRule {
	for i := range rules {
		if rules[i].tag == tag {
			return &rules[i]
		}
	}
	return nil
}

func (t *tagRule) fits(v []byte) refusal {
	switch t.shape {
	case text:
		if len(v) > t.max {
			return badFormat
		}
	case inn12:
		if len(v) != 12 || !innText(v) {
			return badFormat
		}
	case inn:
		if len(v) > 12 || !innText(v) {
			return badFormat
		}
	case oneByte:
		if len(v) != 1 {
			return badFormat
		}
	case money:
		if len(v) == 0 || len(v) > maxVLN {
			return badFormat
		}
		if number(v) > maxMoney {
			return moneyDigits
		}
	case amount:
		if len(v) < 2 || len(v) > maxVLN || v[0] > 6 || number(v[1:]) == 0 {
			return badFormat
		}
	case four:
		if len(v) != 4 {
			return badFormat
		}
	case anything, block:
	}
	return done
}

// innText reports digits with spaces behind them.
func innText(v []byte) bool {
	n := 0
	for n < len(v) && v[n] >= '0' && v[n] <= '9' {
		n++
	}
	for _, c := range v[n:] {
		if c != ' ' {
			return false
		}
	}
	return n == 10 || n == 12
}
