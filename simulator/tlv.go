package simulator

import (
	"encoding/binary"

	"frpoold/fiscal"
)

// tlvs is a TLV sequence being written for the archive. Written here and not with the codec's builders on purpose: what
// a host reads back must not come from the same lines of code as what it reads with.
type tlvs []byte

func (b tlvs) bytes(tag uint16, v []byte) tlvs {
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(v)))
	return append(b, v...)
}

func (b tlvs) ascii(tag uint16, s string) tlvs {
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// padded writes s filled with spaces to width (sheet §3).
func (b tlvs) padded(tag uint16, s string, width int) tlvs {
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = binary.LittleEndian.AppendUint16(b, uint16(width))
	b = append(b, s...)
	for range width - len(s) {
		b = append(b, ' ')
	}
	return b
}

func (b tlvs) byte(tag uint16, v byte) tlvs {
	b = binary.LittleEndian.AppendUint16(b, tag)
	return append(b, 1, 0, v)
}

func (b tlvs) flag(tag uint16, v bool) tlvs {
	if v {
		return b.byte(tag, 1)
	}
	return b.byte(tag, 0)
}

func (b tlvs) u32(tag uint16, v uint32) tlvs {
	b = binary.LittleEndian.AppendUint16(b, tag)
	b = append(b, 4, 0)
	return binary.LittleEndian.AppendUint32(b, v)
}

// vln writes v in as few bytes as it needs, zero as one.
func (b tlvs) vln(tag uint16, v uint64) tlvs {
	b = binary.LittleEndian.AppendUint16(b, tag)
	at := len(b)
	b = append(b, 0, 0)
	for {
		b = append(b, byte(v))
		if v >>= 8; v == 0 {
			break
		}
	}
	b[at] = byte(len(b) - at - 2)
	return b
}

// unix writes local wall time as if it were UTC (sheet §3).
func (b tlvs) unix(tag uint16, t fiscal.DeviceTime) tlvs {
	return b.u32(tag, unixSeconds(t))
}

// sign writes tag 1077: two service bytes and the sign big-endian.
func (b tlvs) sign(service [2]byte, sign uint32) tlvs {
	b = binary.LittleEndian.AppendUint16(b, 1077)
	b = append(b, 6, 0, service[0], service[1])
	return binary.BigEndian.AppendUint32(b, sign)
}

// open begins an STLV and returns where its length stands, for shut.
func (b tlvs) open(tag uint16) (out tlvs, mark int) {
	b = binary.LittleEndian.AppendUint16(b, tag)
	return append(b, 0, 0), len(b)
}

func (b tlvs) shut(mark int) tlvs {
	binary.LittleEndian.PutUint16(b[mark:], uint16(len(b)-mark-2))
	return b
}

// next splits the first TLV off b; size is 0 when b is empty. The archive is ours, so it is never malformed.
func (b tlvs) next() (tag uint16, value []byte, size int) {
	if len(b) < 4 {
		return 0, nil, 0
	}
	size = 4 + int(binary.LittleEndian.Uint16(b[2:]))
	return binary.LittleEndian.Uint16(b), b[4:size], size
}

// find returns the value of the first TLV with the tag at the top level.
func (b tlvs) find(tag uint16) ([]byte, bool) {
	for len(b) > 0 {
		t, v, size := b.next()
		if t == tag {
			return v, true
		}
		b = b[size:]
	}
	return nil, false
}

// number reads a VLN or any other little-endian unsigned value.
func number(v []byte) uint64 {
	var n uint64
	for i := len(v) - 1; i >= 0; i-- {
		n = n<<8 | uint64(v[i])
	}
	return n
}
