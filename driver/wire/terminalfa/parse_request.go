package terminalfa

import (
	"encoding/binary"
	"fmt"
)

// ParseRequest reads a request as a register does: every byte must have its place. It fails with ErrUnknownCommand,
// ErrDataLength, ErrTLV, or ErrValue for a print byte or a total that means nothing.
//
// Surplus bytes are accepted on 23, 25, 30 and 3B, because published clients send them (§11.3), and are dropped. Values
// such as a calculation type of 9 are no business of the codec and come through as they are.
func ParseRequest(f Frame) (Request, error) {
	c := Command(f.Code)
	r, err := parseRequest(c, f.Data)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", c, err)
	}
	return r, nil
}

func parseRequest(c Command, b []byte) (Request, error) {
	switch specs[c].request {
	case reqBare, reqShiftCommit:
		return exact(b, 0, 0, func([]byte) (Request, error) { return Bare{c}, nil })
	case reqBareLoose:
		return Bare{c}, nil
	case reqTLVs:
		return parseTLVRequest(c, b)
	case reqShiftBegin:
		return exact(b, 0, 1, func(b []byte) (Request, error) { return parseBeginShift(c, b) })
	case reqReceipt:
		return exact(b, 6, 6+maxExtraText, parseFormReceipt)
	case reqCorrection:
		return exact(b, 2, MaxData, parseFormCorrection)
	case reqDocument:
		return exact(b, 4, 4, func(b []byte) (Request, error) { return parseDocumentQuery(c, b) })
	case reqDocumentLoose:
		return exact(b, 4, MaxData, func(b []byte) (Request, error) { return parseDocumentQuery(c, b) })
	case reqReport:
		return exact(b, 0, 1, func(b []byte) (Request, error) { return parseReportQuery(c, b) })
	case reqReportLoose:
		return exact(b, 1, MaxData, func(b []byte) (Request, error) { return parseReportQuery(c, b) })
	case reqRegistrationType:
		return exact(b, 1, 1, func(b []byte) (Request, error) { return BeginRegistration{c, b[0]}, nil })
	case reqRegistrationForm:
		return exact(b, 33, 34, func(b []byte) (Request, error) { return parseFormRegistration(c, b) })
	default:
		return nil, ErrUnknownCommand
	}
}

// exact parses b if its length lies between least and most.
func exact(b []byte, least, most int, parse func([]byte) (Request, error)) (Request, error) {
	if len(b) < least || len(b) > most {
		if least == most {
			return nil, fmt.Errorf("%w: %d bytes, not %d", ErrDataLength, len(b), least)
		}
		return nil, fmt.Errorf("%w: %d bytes, not %d to %d", ErrDataLength, len(b), least, most)
	}
	return parse(b)
}

// parseTLVRequest checks the tags of a request and inside those it knows to be nested.
func parseTLVRequest(c Command, b []byte) (Request, error) {
	list, err := ParseTLVs(b)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if tags[t.Tag].kind == kindSTLV {
			if _, err := t.Nested(); err != nil {
				return nil, err
			}
		}
	}
	return TLVRequest{c, list}, nil
}

func parseBeginShift(c Command, b []byte) (BeginShift, error) {
	if len(b) == 0 {
		return BeginShift{c, PrintUnset}, nil
	}
	switch b[0] {
	case 0:
		return BeginShift{c, PrintYes}, nil
	case 1:
		return BeginShift{c, PrintNo}, nil
	default:
		return BeginShift{}, fmt.Errorf("%w: print byte %02X", ErrValue, b[0])
	}
}

// ParsePrintOnCommit reads 22 or 2A with the print byte that ParseRequest refuses there, as the firmware of §5.2 does
// that does not take it on 21 and 29. ok is false for every other frame.
func ParsePrintOnCommit(f Frame) (r BeginShift, ok bool) {
	c := Command(f.Code)
	if specs[c].request != reqShiftCommit || len(f.Data) != 1 {
		return BeginShift{}, false
	}
	r, err := parseBeginShift(c, f.Data)
	return r, err == nil
}

func parseFormReceipt(b []byte) (Request, error) {
	return FormReceipt{Operation: b[0], Total: u40(b[1:]), Text: text(b[6:])}, nil
}

func parseFormCorrection(b []byte) (Request, error) {
	total, ok := vln(b[1:])
	if !ok {
		return nil, fmt.Errorf("%w: total of %d bytes", ErrValue, len(b)-1)
	}
	return FormCorrection{Operation: b[0], Total: total, Wide: len(b) == 6}, nil
}

func parseDocumentQuery(c Command, b []byte) (Request, error) {
	return DocumentQuery{c, binary.LittleEndian.Uint32(b)}, nil
}

func parseReportQuery(c Command, b []byte) (Request, error) {
	if len(b) == 0 {
		return ReportQuery{Cmd: c}, nil
	}
	return ReportQuery{Cmd: c, Number: b[0], Present: true}, nil
}

func parseFormRegistration(c Command, b []byte) (Request, error) {
	r := FormRegistration{Cmd: c, INN: fixedText(b[:12]), RNM: fixedText(b[12:32]), TaxSystems: b[32]}
	if len(b) > 33 {
		r.Reason, r.HasReason = b[33], true
	}
	return r, nil
}
