package terminalfa

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"frpoold/fiscal"
)

// Tag names a TLV: a tag of the fiscal data format, or a setting of the register (30000 and up, 9998, 9999).
type Tag uint16

// TLV is one tag with its value as it stands on the wire (§3):
//
//	offset  size  meaning
//	0       2     tag, little-endian
//	2       2     length of the value, little-endian
//	4       n     value
type TLV struct {
	Tag   Tag
	Value []byte
}

const (
	tlvHead     = 4
	maxTLVValue = 0xFFFF
)

// AppendTLVs appends the list. It fails with ErrTooLong, and then dst is unchanged.
func AppendTLVs(dst []byte, list ...TLV) ([]byte, error) {
	out := dst
	for _, t := range list {
		if len(t.Value) > maxTLVValue {
			return dst, fmt.Errorf("tag %d: %w: %d bytes", t.Tag, ErrTooLong, len(t.Value))
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(t.Tag))
		out = binary.LittleEndian.AppendUint16(out, uint16(len(t.Value)))
		out = append(out, t.Value...)
	}
	return out, nil
}

// ParseTLVs reads a sequence of TLVs that fills b exactly. The values alias b. It fails with ErrTLV.
func ParseTLVs(b []byte) ([]TLV, error) {
	n, err := countTLVs(b)
	if err != nil || n == 0 {
		return nil, err
	}
	list := make([]TLV, 0, n)
	for len(b) > 0 {
		end := tlvHead + int(binary.LittleEndian.Uint16(b[2:]))
		list = append(list, TLV{Tag: Tag(binary.LittleEndian.Uint16(b)), Value: b[tlvHead:end:end]})
		b = b[end:]
	}
	return list, nil
}

// countTLVs checks the headers and counts them, so that ParseTLVs allocates once.
func countTLVs(b []byte) (n int, err error) {
	for at := 0; at < len(b); n++ {
		left := len(b) - at
		if left < tlvHead {
			return 0, fmt.Errorf("%w: %d bytes of a header at offset %d", ErrTLV, left, at)
		}
		size := int(binary.LittleEndian.Uint16(b[at+2:]))
		if size > left-tlvHead {
			return 0, fmt.Errorf("%w: tag %d at offset %d wants %d bytes, %d are there",
				ErrTLV, binary.LittleEndian.Uint16(b[at:]), at, size, left-tlvHead)
		}
		at += tlvHead + size
	}
	return n, nil
}

// String is a text tag in CP866. It fails with ErrText, naming the first character CP866 lacks.
func String(tag Tag, s string) (TLV, error) {
	v, err := appendText(make([]byte, 0, len(s)), s)
	if err != nil {
		return TLV{Tag: tag}, err
	}
	return TLV{tag, v}, nil
}

// Padded is a text tag of fixed width, filled with spaces on the right. It fails with ErrText or ErrTooLong.
func Padded(tag Tag, s string, width int) (TLV, error) {
	v, err := appendPadded(make([]byte, 0, width), s, width)
	if err != nil {
		return TLV{Tag: tag}, err
	}
	return TLV{tag, v}, nil
}

// Byte is a BYTE tag.
func Byte(tag Tag, v byte) TLV { return TLV{tag, []byte{v}} }

// Uint16 is a U16 tag.
func Uint16(tag Tag, v uint16) TLV { return TLV{tag, binary.LittleEndian.AppendUint16(nil, v)} }

// Uint32 is a U32 tag.
func Uint32(tag Tag, v uint32) TLV { return TLV{tag, binary.LittleEndian.AppendUint32(nil, v)} }

// VLN is an integer tag of as few bytes as v needs: 0 is one byte.
func VLN(tag Tag, v uint64) TLV { return TLV{tag, appendVLN(nil, v)} }

// FVLN is a decimal tag: v divided by 10 to the power of decimals (0…255). It is written as given: 1.230 as v=1230,
// decimals=3 stays so.
func FVLN(tag Tag, v uint64, decimals int) TLV {
	return TLV{tag, appendVLN([]byte{byte(decimals)}, v)}
}

// Unix is a UNIX tag: the register's local time written as if it were UTC (§3). The zero time is 0.
func Unix(tag Tag, t fiscal.DeviceTime) TLV {
	if t.IsZero() {
		return Uint32(tag, 0)
	}
	return Uint32(tag, uint32(t.In(time.UTC).Unix()))
}

// DT5 is a DT5 tag. A time without a year between 2000 and 2255, the zero time among them, is five zero bytes, which no
// register takes for a time.
func DT5(tag Tag, t fiscal.DeviceTime) TLV {
	v, err := appendDT5(nil, t)
	if err != nil {
		v = make([]byte, dt5Size)
	}
	return TLV{tag, v}
}

// STLV is a tag whose value is a sequence of tags. It fails with ErrTooLong.
func STLV(tag Tag, list ...TLV) (TLV, error) {
	v, err := AppendTLVs(nil, list...)
	if err != nil {
		return TLV{Tag: tag}, err
	}
	return TLV{tag, v}, nil
}

// FiscalSign is tag 1077: two service bytes and the sign, big-endian (§3). Seen: 21 04 reports, 31 04 receipts, 33 04
// corrections.
func FiscalSign(service [2]byte, sign uint32) TLV {
	return TLV{TagFiscalSign, binary.BigEndian.AppendUint32(service[:], sign)}
}

// Clone is t with a value of its own, for keeping it longer than the frame it came in.
func (t TLV) Clone() TLV { return TLV{t.Tag, slices.Clone(t.Value)} }

// Text decodes CP866. Tags of fixed width lose their padding; all others are exact, because a receipt is recognised by
// the text it carries.
func (t TLV) Text() string {
	if tags[t.Tag].kind == kindPadded {
		return fixedText(t.Value)
	}
	return text(t.Value)
}

// Byte reads a BYTE tag.
func (t TLV) Byte() (byte, bool) {
	if len(t.Value) != 1 {
		return 0, false
	}
	return t.Value[0], true
}

// Uint16 reads a U16 tag.
func (t TLV) Uint16() (uint16, bool) {
	if len(t.Value) != 2 {
		return 0, false
	}
	return binary.LittleEndian.Uint16(t.Value), true
}

// Uint32 reads a U32 tag.
func (t TLV) Uint32() (uint32, bool) {
	if len(t.Value) != 4 {
		return 0, false
	}
	return binary.LittleEndian.Uint32(t.Value), true
}

// VLN reads an integer tag, with surplus zero bytes too. ok is false when it is empty or exceeds 64 bits.
func (t TLV) VLN() (uint64, bool) { return vln(t.Value) }

// FVLN reads a decimal tag: v divided by 10 to the power of decimals.
func (t TLV) FVLN() (v uint64, decimals int, ok bool) {
	if len(t.Value) == 0 {
		return 0, 0, false
	}
	v, ok = vln(t.Value[1:])
	return v, int(t.Value[0]), ok
}

// Nested reads the tags inside. It fails with ErrTLV.
func (t TLV) Nested() ([]TLV, error) {
	list, err := ParseTLVs(t.Value)
	if err != nil {
		return nil, fmt.Errorf("inside tag %d: %w", t.Tag, err)
	}
	return list, nil
}

// Unix reads a UNIX tag to the minute; 0 is the zero time.
func (t TLV) Unix() (fiscal.DeviceTime, bool) {
	s, ok := t.Uint32()
	if !ok || s == 0 {
		return fiscal.DeviceTime{}, ok
	}
	return fiscal.DeviceTimeAt(time.Unix(int64(s), 0), time.UTC), true
}

// DT5 reads a DT5 tag. ok is false for an impossible time; all zero is the zero time.
func (t TLV) DT5() (fiscal.DeviceTime, bool) {
	if len(t.Value) != dt5Size {
		return fiscal.DeviceTime{}, false
	}
	v, err := deviceTime(t.Value)
	return v, err == nil
}

// FiscalSign reads the sign of tag 1077.
func (t TLV) FiscalSign() (uint32, bool) {
	if t.Tag != TagFiscalSign || len(t.Value) != 6 {
		return 0, false
	}
	return binary.BigEndian.Uint32(t.Value[2:]), true
}
