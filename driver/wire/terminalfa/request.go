package terminalfa

import (
	"encoding/binary"
	"fmt"
)

// Request is a command with its DATA. The types of this file are all there are; they are written as given, and only what
// their fields cannot hold is refused (ErrValue, ErrTooLong, ErrText).
type Request interface {
	Command() Command
	AppendData(dst []byte) ([]byte, error)
}

// AppendRequest appends the whole frame of r to dst. dst is unchanged when it fails.
func AppendRequest(dst []byte, r Request) ([]byte, error) {
	out, err := appendFramed(dst, byte(r.Command()), r)
	if err != nil {
		return dst, fmt.Errorf("request %s: %w", r.Command(), err)
	}
	return out, nil
}

// Bare is a command without DATA.
type Bare struct{ Cmd Command }

// Command is the code.
func (r Bare) Command() Command { return r.Cmd }

// AppendData appends nothing.
func (r Bare) AppendData(dst []byte) ([]byte, error) { return dst, nil }

// PrintFlag asks for a shift report on paper or without.
type PrintFlag uint8

// Print flags. The wire has 0 for print and 1 for do not print (§5.2).
const (
	PrintUnset PrintFlag = iota // no byte: the register prints
	PrintYes
	PrintNo
)

// BeginShift is 21 or 29; some firmware takes the byte on 22 or 2A instead (§5.2).
//
//	offset  size  meaning (§5.2)
//	0       0, 1  0 print the report, 1 do not; absent: print
type BeginShift struct {
	Cmd   Command
	Print PrintFlag
}

// Command is the code.
func (r BeginShift) Command() Command { return r.Cmd }

// AppendData appends the print byte, if any.
func (r BeginShift) AppendData(dst []byte) ([]byte, error) {
	switch r.Print {
	case PrintUnset:
		return dst, nil
	case PrintYes:
		return append(dst, 0), nil
	case PrintNo:
		return append(dst, 1), nil
	default:
		return dst, fmt.Errorf("%w: print flag %d", ErrValue, r.Print)
	}
}

// maxExtraText is the longest text 24 takes, in characters (§5.3).
const maxExtraText = 512

// FormReceipt is 24, which makes the receipt.
//
//	offset  size     meaning (§5.3)
//	0       1        calculation type 1…4
//	1       5        U40 total, kopecks
//	6       0…512    STR extra text to print
type FormReceipt struct {
	Operation byte
	Total     uint64 // kopecks
	Text      string
}

// Command is 24.
func (r FormReceipt) Command() Command { return CmdFormReceipt }

// AppendData appends the layout above.
func (r FormReceipt) AppendData(dst []byte) ([]byte, error) {
	out, err := appendU40(append(dst, r.Operation), r.Total)
	if err != nil {
		return dst, err
	}
	begin := len(out)
	if out, err = appendText(out, r.Text); err != nil {
		return dst, err
	}
	if n := len(out) - begin; n > maxExtraText {
		return dst, fmt.Errorf("%w: %d characters of extra text, the register takes %d", ErrTooLong, n, maxExtraText)
	}
	return out, nil
}

// FormCorrection is 26, which makes the correction.
//
//	offset  size  meaning (§5.4)
//	0       1     calculation type 1 or 3
//	1       1…8   total, kopecks: VLN up to FFD 1.1, U40 at FFD 1.2; registers take both
type FormCorrection struct {
	Operation byte
	Total     uint64 // kopecks
	Wide      bool   // the total takes exactly five bytes
}

// Command is 26.
func (r FormCorrection) Command() Command { return CmdFormCorrection }

// AppendData appends the layout above.
func (r FormCorrection) AppendData(dst []byte) ([]byte, error) {
	out := append(dst, r.Operation)
	if !r.Wide {
		return appendVLN(out, r.Total), nil
	}
	out, err := appendU40(out, r.Total)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// DocumentQuery is 30, 35 or 3A.
//
//	offset  size  meaning (§5.7)
//	0       4     U32 number of the fiscal document
type DocumentQuery struct {
	Cmd    Command
	Number uint32
}

// Command is the code.
func (r DocumentQuery) Command() Command { return r.Cmd }

// AppendData appends the number.
func (r DocumentQuery) AppendData(dst []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint32(dst, r.Number), nil
}

// ReportQuery is 33 or 3B.
//
//	offset  size  meaning (§5.7)
//	0       0, 1  number of the registration report, 1 the first; only 33 may leave it out
type ReportQuery struct {
	Cmd     Command
	Number  byte
	Present bool // the number is sent
}

// Command is the code.
func (r ReportQuery) Command() Command { return r.Cmd }

// AppendData appends the number, if present.
func (r ReportQuery) AppendData(dst []byte) ([]byte, error) {
	if !r.Present {
		return dst, nil
	}
	return append(dst, r.Number), nil
}

// BeginRegistration is 12 or E1.
//
//	offset  size  meaning (§5.6)
//	0       1     0 first registration, 1 with change of FN, 2 without
type BeginRegistration struct {
	Cmd  Command
	Type byte
}

// Command is the code.
func (r BeginRegistration) Command() Command { return r.Cmd }

// AppendData appends the type.
func (r BeginRegistration) AppendData(dst []byte) ([]byte, error) { return append(dst, r.Type), nil }

const (
	innSize    = 12
	rnmSize    = 20
	serialSize = 12
	fnSize     = 16
)

// FormRegistration is 13 or E3, which makes the registration report.
//
//	offset  size  meaning (§5.6)
//	0       12    INN, padded
//	12      20    RNM, padded
//	32      1     tax systems, mask of §6.4
//	33      0, 1  reason of re-registration (§6.14), absent at the first registration
type FormRegistration struct {
	Cmd        Command
	INN        string
	RNM        string
	TaxSystems byte
	Reason     byte
	HasReason  bool
}

// Command is the code.
func (r FormRegistration) Command() Command { return r.Cmd }

// AppendData appends the layout above.
func (r FormRegistration) AppendData(dst []byte) ([]byte, error) {
	out, err := appendPadded(dst, r.INN, innSize)
	if err != nil {
		return dst, fmt.Errorf("INN: %w", err)
	}
	if out, err = appendPadded(out, r.RNM, rnmSize); err != nil {
		return dst, fmt.Errorf("RNM: %w", err)
	}
	out = append(out, r.TaxSystems)
	if r.HasReason {
		out = append(out, r.Reason)
	}
	return out, nil
}

// TLVRequest is a command whose DATA is a sequence of TLVs in any order (§3): 16 17 1F 2B 2C 2D 2E 2F 3F 72 76 96 98 E2.
type TLVRequest struct {
	Cmd  Command
	List []TLV
}

// Command is the code.
func (r TLVRequest) Command() Command { return r.Cmd }

// AppendData appends the list.
func (r TLVRequest) AppendData(dst []byte) ([]byte, error) { return AppendTLVs(dst, r.List...) }
