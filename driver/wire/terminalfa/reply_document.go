package terminalfa

import (
	"encoding/binary"
	"fmt"

	"frpoold/fiscal"
)

// ShiftDocument is the reply to 22 and 2A.
//
//	offset  size  meaning (§5.2)
//	0       2     U16 shift number
//	2       4     U32 number of the fiscal document
//	6       4     U32 fiscal sign
type ShiftDocument struct {
	Shift uint16
	FD    uint32
	Sign  uint32
}

// AppendData appends the layout above.
func (r ShiftDocument) AppendData(dst []byte) ([]byte, error) {
	return appendU32s(binary.LittleEndian.AppendUint16(dst, r.Shift), r.FD, r.Sign), nil
}

func parseShiftDocument(b []byte) (Reply, error) {
	return ShiftDocument{binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint32(b[2:]), binary.LittleEndian.Uint32(b[6:])}, nil
}

// ReceiptDocument is the reply to 24, and without its optional part to 26.
//
//	offset  size  meaning (§5.3, §5.4)
//	0       2     U16 number of the receipt within the shift
//	2       4     U32 number of the fiscal document
//	6       4     U32 fiscal sign
//	10      0, 5  DT5, from configuration 1.0.18
//	15      0, 2  U16 shift number, from configuration 1.0.19
type ReceiptDocument struct {
	Receipt  uint16
	FD       uint32
	Sign     uint32
	Time     fiscal.DeviceTime
	HasTime  bool
	Shift    uint16
	HasShift bool
}

// AppendData appends the layout above. A shift number cannot stand without the time (ErrValue).
func (r ReceiptDocument) AppendData(dst []byte) ([]byte, error) {
	if r.HasShift && !r.HasTime {
		return dst, fmt.Errorf("%w: a shift number without the time before it", ErrValue)
	}
	out := appendU32s(binary.LittleEndian.AppendUint16(dst, r.Receipt), r.FD, r.Sign)
	if r.HasTime {
		var err error
		if out, err = appendDT5(out, r.Time); err != nil {
			return dst, err
		}
	}
	if r.HasShift {
		out = binary.LittleEndian.AppendUint16(out, r.Shift)
	}
	return out, nil
}

func parseReceiptDocument(b []byte) (Reply, error) {
	r := ReceiptDocument{
		Receipt: binary.LittleEndian.Uint16(b), FD: binary.LittleEndian.Uint32(b[2:]), Sign: binary.LittleEndian.Uint32(b[6:]),
	}
	if len(b) >= 15 {
		t, err := deviceTime(b[10:15])
		if err != nil {
			return nil, err
		}
		r.Time, r.HasTime = t, true
	}
	if len(b) >= 17 {
		r.Shift, r.HasShift = binary.LittleEndian.Uint16(b[15:]), true
	}
	return r, nil
}

// PlainDocument is the reply to 13, 15 and E3.
//
//	offset  size  meaning (§5.6)
//	0       4     U32 number of the fiscal document
//	4       4     U32 fiscal sign
type PlainDocument struct {
	FD   uint32
	Sign uint32
}

// AppendData appends the layout above.
func (r PlainDocument) AppendData(dst []byte) ([]byte, error) {
	return appendU32s(dst, r.FD, r.Sign), nil
}

func parsePlainDocument(b []byte) (Reply, error) {
	return PlainDocument{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}, nil
}

// ReportDocument is the reply to 28.
//
//	offset  size  meaning (§5.5)
//	0       4     U32 number of the fiscal document
//	4       4     U32 fiscal sign
//	8       4     U32 documents without confirmation
//	12      3     DT3 of the first of them; not a DT5 as in 30
type ReportDocument struct {
	FD          uint32
	Sign        uint32
	Unconfirmed uint32
	First       fiscal.DeviceTime // at 00:00
}

// AppendData appends the layout above.
func (r ReportDocument) AppendData(dst []byte) ([]byte, error) {
	out, err := appendDT3(appendU32s(dst, r.FD, r.Sign, r.Unconfirmed), r.First)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func parseReportDocument(b []byte) (Reply, error) {
	first, err := deviceTime(b[12:15])
	if err != nil {
		return nil, fmt.Errorf("first document: %w", err)
	}
	return ReportDocument{
		binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), first,
	}, nil
}

func appendU32s(dst []byte, list ...uint32) []byte {
	for _, v := range list {
		dst = binary.LittleEndian.AppendUint32(dst, v)
	}
	return dst
}
