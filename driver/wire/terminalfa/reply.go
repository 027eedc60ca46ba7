package terminalfa

import (
	"encoding/binary"
	"fmt"
)

// Reply is the DATA of a reply with RESULT 0. The types of the reply files are all there are; ParseReply returns them as
// values, not pointers.
type Reply interface {
	AppendData(dst []byte) ([]byte, error)
}

// AppendReply appends a whole frame with RESULT 0 to dst. dst is unchanged when it fails.
func AppendReply(dst []byte, r Reply) ([]byte, error) {
	out, err := appendFramed(dst, resultDone, r)
	if err != nil {
		return dst, fmt.Errorf("reply %T: %w", r, err)
	}
	return out, nil
}

// AppendRefusal appends a whole frame with RESULT 1 to dst.
func AppendRefusal(dst []byte, code ErrorCode) []byte {
	return sealFrame(append(openFrame(dst, resultRefused), byte(code)), len(dst))
}

// ParseReply reads the reply to c as a host does: a reply longer than known is accepted. RESULT 1 gives a *Refusal. Other
// errors: ErrDataLength for a reply shorter than its layout or a refusal that is not one byte, ErrTime, ErrTLV, ErrResult
// and ErrUnknownCommand. Slices in the reply alias f.Data.
func ParseReply(c Command, f Frame) (Reply, error) {
	switch f.Code {
	case resultDone:
		r, err := parseReply(c, f.Data)
		if err != nil {
			return nil, fmt.Errorf("reply to %s: %w", c, err)
		}
		return r, nil
	case resultRefused:
		// Only what is certainly a refusal may be taken for one: "nothing was made" can hang on it.
		if len(f.Data) != 1 {
			return nil, fmt.Errorf("refusal of %s: %w: %d bytes, not 1", c, ErrDataLength, len(f.Data))
		}
		return nil, &Refusal{ErrorCode(f.Data[0])}
	default:
		return nil, fmt.Errorf("reply to %s: %w: %d", c, ErrResult, f.Code)
	}
}

func parseReply(c Command, b []byte) (Reply, error) {
	switch specs[c].reply {
	case repEmpty:
		return Empty{}, nil
	case repText:
		return Text{fixedText(b)}, nil
	case repOpaque:
		return Text{text(b)}, nil
	case repSerial:
		return atLeast(b, serialSize, func(b []byte) (Reply, error) { return Text{fixedText(b[:serialSize])}, nil })
	case repFN:
		return atLeast(b, fnSize, func(b []byte) (Reply, error) { return Text{fixedText(b[:fnSize])}, nil })
	case repStatus:
		return atLeast(b, 21, parseStatus)
	case repFNExpiry:
		return atLeast(b, 5, parseFNExpiry)
	case repFNStatus:
		return atLeast(b, 30, parseFNStatus)
	case repRegistration:
		return atLeast(b, 35, parseRegistration)
	case repNetwork:
		return atLeast(b, 12, parseNetwork)
	case repFFD:
		return atLeast(b, 2, func(b []byte) (Reply, error) { return FFDReply{b[0], b[1]}, nil })
	case repShift:
		return atLeast(b, 5, parseShift)
	case repOFD:
		return atLeast(b, 13, parseOFD)
	case repShiftDocument:
		return atLeast(b, 10, parseShiftDocument)
	case repReceipt:
		return atLeast(b, 10, parseReceiptDocument)
	case repCorrection:
		return atLeast(b, 10, func(b []byte) (Reply, error) { return parseReceiptDocument(b[:10]) })
	case repPlain:
		return atLeast(b, 8, parsePlainDocument)
	case repReport:
		return atLeast(b, 15, parseReportDocument)
	case repArchive:
		return atLeast(b, 2, parseArchive)
	case repActivation:
		return atLeast(b, 47, parseActivation)
	case repCount:
		return atLeast(b, 2, func(b []byte) (Reply, error) { return Count{binary.LittleEndian.Uint16(b)}, nil })
	case repSelected:
		return atLeast(b, 4, parseSelected)
	case repTLVs:
		list, err := ParseTLVs(b)
		return TLVReply{list, b}, err
	case repChunk:
		return Chunk{b}, nil
	default:
		return nil, ErrUnknownCommand
	}
}

// atLeast parses b if it has the bytes of the layout.
func atLeast(b []byte, least int, parse func([]byte) (Reply, error)) (Reply, error) {
	if len(b) < least {
		return nil, fmt.Errorf("%w: %d bytes, at least %d expected", ErrDataLength, len(b), least)
	}
	return parse(b)
}

// Empty is the reply that only says "done" (§4, "–").
type Empty struct{}

// AppendData appends nothing.
func (Empty) AppendData(dst []byte) ([]byte, error) { return dst, nil }

// Text is the reply to 02, 03, 04, 05, 06, 0B (§5.1), without padding, and to 09, whose bytes are opaque and complete: each
// is one character of CP866.
//
//	offset  size  meaning
//	0       n     STR; 12 for a serial number, 16 for an FN number
type Text struct{ Value string }

// AppendData appends the text as it is, without padding.
func (r Text) AppendData(dst []byte) ([]byte, error) { return appendText(dst, r.Value) }

// Count is the reply to 32.
//
//	offset  size  meaning (§5.7)
//	0       2     U16 documents without confirmation of the OFD
type Count struct{ N uint16 }

// AppendData appends the count.
func (r Count) AppendData(dst []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint16(dst, r.N), nil
}

// TLVReply is the reply to 3A, 3B, 73 and 77: a sequence of TLVs (§5.7, §5.8).
type TLVReply struct {
	List []TLV
	Raw  []byte // the same as bytes, set by ParseReply
}

// AppendData appends List, or Raw if there is no list.
func (r TLVReply) AppendData(dst []byte) ([]byte, error) {
	if r.List == nil {
		return append(dst, r.Raw...), nil
	}
	return AppendTLVs(dst, r.List...)
}

// Chunk is the reply to 36: a TLV or a part of one. Parts are joined until 4 + length bytes are there (§5.7).
type Chunk struct{ Bytes []byte }

// AppendData appends the bytes.
func (r Chunk) AppendData(dst []byte) ([]byte, error) { return append(dst, r.Bytes...), nil }

// Selected is the reply to 35.
//
//	offset  size  meaning (§5.7)
//	0       2     U16 form code (§6.15)
//	2       2     U16 length of the document
type Selected struct {
	Type   uint16
	Length uint16
}

// AppendData appends the layout above.
func (r Selected) AppendData(dst []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(dst, r.Type), r.Length), nil
}

func parseSelected(b []byte) (Reply, error) {
	return Selected{binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])}, nil
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}
