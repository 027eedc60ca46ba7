package terminalfa

import (
	"slices"
	"strconv"
	"strings"

	"frpoold/fiscal"
)

// personal are the tags whose values leave no trace (style.md §8): what the buyer is called and reached by.
var personal = []Tag{TagContact, TagSenderEmail, TagBuyer, TagBuyerINN}

const masked = "***"

// line collects words of the form name=value.
type line struct {
	b    strings.Builder
	mask bool
}

func (l *line) String() string { return l.b.String() }

func (l *line) word(name, value string) {
	if n := l.b.Len(); n > 0 && l.b.String()[n-1] != '{' {
		l.b.WriteByte(' ')
	}
	l.b.WriteString(name)
	l.b.WriteByte('=')
	l.b.WriteString(value)
}

func (l *line) quoted(name, value string)          { l.word(name, strconv.Quote(value)) }
func (l *line) uint(name string, v uint64)         { l.word(name, strconv.FormatUint(v, 10)) }
func (l *line) hex(name string, v byte)            { l.word(name, "0x"+fiscal.HexBytes{v}.String()) }
func (l *line) bytes(name string, b []byte)        { l.word(name, "["+fiscal.HexBytes(b).String()+"]") }
func (l *line) money(name string, v uint64)        { l.word(name, decimal(v, 2, 2)) }
func (l *line) time(n string, t fiscal.DeviceTime) { l.word(n, timeWord(t, "2006-01-02T15:04")) }
func (l *line) date(n string, t fiscal.DeviceTime) { l.word(n, timeWord(t, "2006-01-02")) }

func (l *line) flag(name string, v bool) {
	if v {
		l.word(name, "yes")
	} else {
		l.word(name, "no")
	}
}

func (l *line) tail(b []byte) {
	if len(b) > 0 {
		l.bytes("tail", b)
	}
}

func timeWord(t fiscal.DeviceTime, layout string) string {
	if t.IsZero() {
		return "none"
	}
	return t.Format(layout)
}

// decimal writes v divided by 10 to the power of scale, with at least least decimals.
func decimal(v uint64, scale, least int) string {
	s := strconv.FormatUint(v, 10)
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	whole, fraction := s[:len(s)-scale], s[len(s)-scale:]
	for len(fraction) > least && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// chunk describes a piece of a document: as tags if it is whole, by its size if a TLV is split.
func (l *line) chunk(b []byte) {
	list, err := ParseTLVs(b)
	if err != nil {
		l.uint("piece", uint64(len(b)))
		return
	}
	l.tlvs(list)
}

func (l *line) tlvs(list []TLV) {
	if len(list) == 0 && l.b.Len() == 0 {
		l.b.WriteString("no tags")
	}
	for _, t := range list {
		l.tlv(t)
	}
}

// tlv writes a tag by its kind, and as bytes when its value is not of that kind.
func (l *line) tlv(t TLV) {
	info, known := tags[t.Tag]
	name := info.name
	if !known {
		name = strconv.Itoa(int(t.Tag))
	}
	if l.mask && slices.Contains(personal, t.Tag) {
		l.word(name, masked)
		return
	}
	switch {
	case l.typed(name, info.kind, t):
	case l.mask && t.Tag == TagBuyerInfo: // malformed, but still the buyer's
		l.word(name, masked)
	default:
		l.bytes(name, t.Value)
	}
}

// typed writes a value of its kind; false if it is not.
func (l *line) typed(name string, k kind, t TLV) bool {
	switch k {
	case kindText, kindPadded:
		l.quoted(name, t.Text())
		return true
	case kindByte:
		v, ok := t.Byte()
		return ok && l.number(name, uint64(v))
	case kindU16:
		v, ok := t.Uint16()
		return ok && l.number(name, uint64(v))
	case kindU32:
		v, ok := t.Uint32()
		return ok && l.number(name, uint64(v))
	case kindSign:
		v, ok := t.FiscalSign()
		return ok && l.number(name, uint64(v))
	case kindMoney:
		v, ok := t.VLN()
		if ok {
			l.money(name, v)
		}
		return ok
	case kindDecimal:
		v, decimals, ok := t.FVLN()
		if ok {
			l.word(name, decimal(v, decimals, 0))
		}
		return ok
	case kindUnix:
		v, ok := t.Unix()
		if ok {
			l.time(name, v)
		}
		return ok
	case kindDT5:
		v, ok := t.DT5()
		if ok {
			l.time(name, v)
		}
		return ok
	case kindSTLV:
		return l.nested(name, t)
	case kindBytes:
		return false
	default:
		return false
	}
}

func (l *line) number(name string, v uint64) bool {
	l.uint(name, v)
	return true
}

func (l *line) nested(name string, t TLV) bool {
	list, err := t.Nested()
	if err != nil {
		return false
	}
	l.word(name, "{")
	for _, inner := range list {
		l.tlv(inner)
	}
	l.b.WriteByte('}')
	return true
}
