package terminalfa

import (
	"encoding/binary"
	"fmt"

	"frpoold/fiscal"
)

// Form codes of documents (§6.15).
const (
	formRegistration   = 1
	formShiftOpen      = 2
	formReceipt        = 3
	formBSO            = 4
	formShiftClose     = 5
	formFNClose        = 6
	formReRegistration = 11
	formSettlement     = 21
	formCorrection     = 31
	formBSOCorrection  = 41
)

// decoration are the bits an FN of FFD 1.1 or 1.2 adds to a form code: 83 and C3 are receipts, 41 is a registration
// (domain/ffd.md §0.1).
const decoration = 0xC0

// ArchiveDocument is the reply to 30: an FN's short record of a document.
//
//	offset  size  meaning (§5.7)
//	0       1     form code (§6.15), possibly decorated
//	1       1     confirmed by the OFD: 1 yes, 0 no
//	2       5     DT5
//	7       4     U32 number of the fiscal document
//	11      4     U32 fiscal sign
//	15      n     by form:
//
//	registration 1       INN 12, RNM 20, tax systems 1, work modes 1
//	re-registration 11   as 1, and reason 1
//	receipt, BSO 3 4, correction 31 41   calculation type 1, U40 total
//	shift open 2, close 5   U16 shift number
//	FN closing 6         INN 12, RNM 20
//	settlement report 21 U32 unconfirmed, DT5 of the first of them, or DT3
//	any other            unknown
//
// What follows is Tail. Decorated registrations are longer in an unknown way (§5.7), so all of theirs is Tail.
type ArchiveDocument struct {
	Type        byte // form code without decoration
	RawType     byte // as sent; AppendData writes it, or Type when it is 0
	Confirmed   bool
	Time        fiscal.DeviceTime
	FD          uint32
	Sign        uint32
	Operation   byte
	Total       uint64 // kopecks
	Shift       uint16
	INN         string
	RNM         string
	TaxSystems  byte
	Modes       byte
	Reason      byte
	Unconfirmed uint32
	First       fiscal.DeviceTime // at 00:00 when FirstIsDate
	FirstIsDate bool              // First came, or goes, as DT3
	Tail        []byte
}

const archiveHead = 15 // offset of what depends on the form

// formOf strips the decoration where what remains is a form that is stored with one.
func formOf(raw byte) byte {
	plain := raw &^ decoration
	if raw == plain || !isForm(plain) {
		return raw
	}
	return plain
}

func isForm(b byte) bool {
	switch b {
	case formRegistration, formShiftOpen, formReceipt, formBSO, formShiftClose, formFNClose, formReRegistration,
		formSettlement, formCorrection, formBSOCorrection:
		return true
	default:
		return false
	}
}

// form is the layout of a record: the form code, 0 when only the head is known.
func (r *ArchiveDocument) form() byte {
	decorated := r.RawType != 0 && r.RawType != r.Type
	if decorated && (r.Type == formRegistration || r.Type == formReRegistration) || !isForm(r.Type) {
		return 0
	}
	return r.Type
}

// AppendData appends the layout above.
func (r ArchiveDocument) AppendData(dst []byte) ([]byte, error) {
	raw := r.RawType
	if raw == 0 {
		raw = r.Type
	}
	out, err := appendDT5(append(dst, raw, flag(r.Confirmed)), r.Time)
	if err != nil {
		return dst, err
	}
	if out, err = r.appendForm(appendU32s(out, r.FD, r.Sign)); err != nil {
		return dst, err
	}
	return append(out, r.Tail...), nil
}

func (r *ArchiveDocument) appendForm(dst []byte) ([]byte, error) {
	switch r.form() {
	case formRegistration, formReRegistration:
		out, err := r.appendOwner(dst)
		out = append(out, r.TaxSystems, r.Modes)
		if r.Type == formReRegistration {
			out = append(out, r.Reason)
		}
		return out, err
	case formFNClose:
		return r.appendOwner(dst)
	case formReceipt, formBSO, formCorrection, formBSOCorrection:
		return appendU40(append(dst, r.Operation), r.Total)
	case formShiftOpen, formShiftClose:
		return binary.LittleEndian.AppendUint16(dst, r.Shift), nil
	case formSettlement:
		out := appendU32s(dst, r.Unconfirmed)
		if r.FirstIsDate {
			return appendDT3(out, r.First)
		}
		return appendDT5(out, r.First)
	default:
		return dst, nil
	}
}

func (r *ArchiveDocument) appendOwner(dst []byte) ([]byte, error) {
	out, err := appendPadded(dst, r.INN, innSize)
	if err != nil {
		return dst, fmt.Errorf("INN: %w", err)
	}
	if out, err = appendPadded(out, r.RNM, rnmSize); err != nil {
		return dst, fmt.Errorf("RNM: %w", err)
	}
	return out, nil
}

func parseArchive(b []byte) (Reply, error) {
	if len(b) < archiveHead {
		return nil, fmt.Errorf("%w: %d bytes, at least %d expected", ErrDataLength, len(b), archiveHead)
	}
	t, err := deviceTime(b[2:7])
	if err != nil {
		return nil, err
	}
	r := ArchiveDocument{
		Type: formOf(b[0]), RawType: b[0], Confirmed: b[1] != 0, Time: t,
		FD: binary.LittleEndian.Uint32(b[7:]), Sign: binary.LittleEndian.Uint32(b[11:]),
	}
	n, err := r.readForm(b[archiveHead:])
	if err != nil {
		return nil, fmt.Errorf("form %d: %w", r.Type, err)
	}
	if tail := b[archiveHead+n:]; len(tail) > 0 {
		r.Tail = tail
	}
	return r, nil
}

// formSize is how many bytes the part that depends on the form has at least.
func formSize(form byte) int {
	switch form {
	case formRegistration:
		return innSize + rnmSize + 2
	case formReRegistration:
		return innSize + rnmSize + 3
	case formFNClose:
		return innSize + rnmSize
	case formReceipt, formBSO, formCorrection, formBSOCorrection:
		return 1 + 5
	case formShiftOpen, formShiftClose:
		return 2
	case formSettlement:
		return 4 + dt3Size
	default:
		return 0
	}
}

// readForm reads the part that depends on the form and returns its size.
func (r *ArchiveDocument) readForm(b []byte) (n int, err error) {
	form := r.form()
	if n = formSize(form); len(b) < n {
		return 0, fmt.Errorf("%w: %d bytes, at least %d expected", ErrDataLength, archiveHead+len(b), archiveHead+n)
	}
	switch form {
	case formRegistration, formReRegistration:
		r.INN, r.RNM = fixedText(b[:12]), fixedText(b[12:32])
		r.TaxSystems, r.Modes = b[32], b[33]
		if form == formReRegistration {
			r.Reason = b[34]
		}
	case formFNClose:
		r.INN, r.RNM = fixedText(b[:12]), fixedText(b[12:32])
	case formReceipt, formBSO, formCorrection, formBSOCorrection:
		r.Operation, r.Total = b[0], u40(b[1:])
	case formShiftOpen, formShiftClose:
		r.Shift = binary.LittleEndian.Uint16(b)
	case formSettlement:
		r.Unconfirmed = binary.LittleEndian.Uint32(b)
		if r.FirstIsDate = len(b) < 4+dt5Size; !r.FirstIsDate {
			n = 4 + dt5Size
		}
		r.First, err = deviceTime(b[4:n])
	}
	return n, err
}

// Activation is the reply to 33. Tax systems come before work modes, unlike in 0A (§12).
//
//	offset  size  meaning (§5.7)
//	0       5     DT5
//	5       12    INN, padded
//	17      20    RNM, padded
//	37      1     tax systems (§6.4)
//	38      1     work modes (§6.5)
//	39      0, 1  reason (§6.14), 0 for the first registration; there when the request named a report: 48 bytes, not 47
//	39, 40  4     U32 number of the fiscal document
//	43, 44  4     U32 fiscal sign
type Activation struct {
	Time       fiscal.DeviceTime
	INN        string
	RNM        string
	TaxSystems byte
	Modes      byte
	Reason     byte
	HasReason  bool
	FD         uint32
	Sign       uint32
}

// AppendData appends the layout above.
func (r Activation) AppendData(dst []byte) ([]byte, error) {
	out, err := appendDT5(dst, r.Time)
	if err != nil {
		return dst, err
	}
	owner := ArchiveDocument{INN: r.INN, RNM: r.RNM}
	if out, err = owner.appendOwner(out); err != nil {
		return dst, err
	}
	out = append(out, r.TaxSystems, r.Modes)
	if r.HasReason {
		out = append(out, r.Reason)
	}
	return appendU32s(out, r.FD, r.Sign), nil
}

func parseActivation(b []byte) (Reply, error) {
	t, err := deviceTime(b[:5])
	if err != nil {
		return nil, err
	}
	r := Activation{Time: t, INN: fixedText(b[5:17]), RNM: fixedText(b[17:37]), TaxSystems: b[37], Modes: b[38]}
	rest := b[39:]
	if len(b) > 47 {
		r.Reason, r.HasReason = b[39], true
		rest = b[40:]
	}
	r.FD, r.Sign = binary.LittleEndian.Uint32(rest), binary.LittleEndian.Uint32(rest[4:])
	return r, nil
}
