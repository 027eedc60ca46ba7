package terminalfa

import (
	"encoding/binary"
	"fmt"

	"frpoold/fiscal"
)

// StatusReply is the reply to 01.
//
//	offset  size  meaning (§5.1)
//	0       12    serial number, padded
//	12      5     DT5 clock
//	17      1     critical error: 0 no, 1 yes
//	18      1     printer status (§6.8)
//	19      1     FN present: 1 yes, 0 no
//	20      1     FN phase (§6.1)
//	21      0, 1  printer model (§6.9); not in the manual, in every live capture (§12)
//	22      n     unknown
type StatusReply struct {
	Serial          string
	Clock           fiscal.DeviceTime
	Critical        bool
	Printer         byte
	FNPresent       bool
	Phase           byte
	HasPrinterModel bool
	PrinterModel    byte
	Tail            []byte // offset 22 and on
}

// AppendData appends the layout above. A tail cannot stand without the printer model (ErrValue).
func (r StatusReply) AppendData(dst []byte) ([]byte, error) {
	if len(r.Tail) > 0 && !r.HasPrinterModel {
		return dst, fmt.Errorf("%w: a tail without the printer model before it", ErrValue)
	}
	out, err := appendPadded(dst, r.Serial, serialSize)
	if err != nil {
		return dst, fmt.Errorf("serial: %w", err)
	}
	if out, err = appendDT5(out, r.Clock); err != nil {
		return dst, fmt.Errorf("clock: %w", err)
	}
	out = append(out, flag(r.Critical), r.Printer, flag(r.FNPresent), r.Phase)
	if r.HasPrinterModel {
		out = append(out, r.PrinterModel)
	}
	return append(out, r.Tail...), nil
}

func parseStatus(b []byte) (Reply, error) {
	clock, err := deviceTime(b[12:17])
	if err != nil {
		return nil, fmt.Errorf("clock: %w", err)
	}
	r := StatusReply{
		Serial: fixedText(b[:12]), Clock: clock,
		Critical: b[17] != 0, Printer: b[18], FNPresent: b[19] != 0, Phase: b[20],
	}
	if len(b) > 21 {
		r.HasPrinterModel, r.PrinterModel = true, b[21]
	}
	if len(b) > 22 {
		r.Tail = b[22:]
	}
	return r, nil
}

// FNExpiryReply is the reply to 07.
//
//	offset  size  meaning (§5.1)
//	0       3     DT3 expiry date
//	3       1     registrations still available
//	4       1     registrations done
type FNExpiryReply struct {
	Expires           fiscal.DeviceTime // at 00:00
	RegistrationsLeft byte
	RegistrationsDone byte
}

// AppendData appends the layout above.
func (r FNExpiryReply) AppendData(dst []byte) ([]byte, error) {
	out, err := appendDT3(dst, r.Expires)
	if err != nil {
		return dst, err
	}
	return append(out, r.RegistrationsLeft, r.RegistrationsDone), nil
}

func parseFNExpiry(b []byte) (Reply, error) {
	expires, err := deviceTime(b[:3])
	if err != nil {
		return nil, fmt.Errorf("expiry: %w", err)
	}
	return FNExpiryReply{expires, b[3], b[4]}, nil
}

// FNStatusReply is the reply to 08.
//
//	offset  size  meaning (§5.1)
//	0       1     FN phase (§6.1)
//	1       1     open document (§6.2), 0 none
//	2       1     document data: 0 none, 1 received
//	3       1     shift: 0 closed, 1 open
//	4       1     warning flags (§6.3)
//	5       5     DT5 of the last document, all zero if none
//	10      16    FN number
//	26      4     U32 number of the last fiscal document
type FNStatusReply struct {
	Phase     byte
	Document  byte
	HasData   bool
	ShiftOpen bool
	Warnings  byte
	LastTime  fiscal.DeviceTime
	FN        string
	LastFD    uint32
}

// AppendData appends the layout above.
func (r FNStatusReply) AppendData(dst []byte) ([]byte, error) {
	out, err := appendDT5(append(dst, r.Phase, r.Document, flag(r.HasData), flag(r.ShiftOpen), r.Warnings), r.LastTime)
	if err != nil {
		return dst, err
	}
	if out, err = appendPadded(out, r.FN, fnSize); err != nil {
		return dst, fmt.Errorf("FN: %w", err)
	}
	return binary.LittleEndian.AppendUint32(out, r.LastFD), nil
}

func parseFNStatus(b []byte) (Reply, error) {
	last, err := deviceTime(b[5:10])
	if err != nil {
		return nil, fmt.Errorf("last document: %w", err)
	}
	return FNStatusReply{
		Phase: b[0], Document: b[1], HasData: b[2] != 0, ShiftOpen: b[3] != 0, Warnings: b[4],
		LastTime: last, FN: fixedText(b[10:26]), LastFD: binary.LittleEndian.Uint32(b[26:]),
	}, nil
}

// RegistrationReply is the reply to 0A: the last registration.
//
//	offset  size  meaning (§5.1)
//	0       20    RNM, padded
//	20      12    INN, padded
//	32      1     work modes (§6.5); 30 and 33 have these two the other way round (§12)
//	33      1     tax systems (§6.4)
//	34      1     agents (§6.6)
type RegistrationReply struct {
	RNM        string
	INN        string
	Modes      byte
	TaxSystems byte
	Agents     byte
}

// AppendData appends the layout above.
func (r RegistrationReply) AppendData(dst []byte) ([]byte, error) {
	out, err := appendPadded(dst, r.RNM, rnmSize)
	if err != nil {
		return dst, fmt.Errorf("RNM: %w", err)
	}
	if out, err = appendPadded(out, r.INN, innSize); err != nil {
		return dst, fmt.Errorf("INN: %w", err)
	}
	return append(out, r.Modes, r.TaxSystems, r.Agents), nil
}

func parseRegistration(b []byte) (Reply, error) {
	return RegistrationReply{
		RNM: fixedText(b[:20]), INN: fixedText(b[20:32]), Modes: b[32], TaxSystems: b[33], Agents: b[34],
	}, nil
}

// NetworkReply is the reply to 0E. The manual says U32 LE, live registers send network order (§5.1), which is written;
// both are read.
//
//	offset  size  meaning (§5.1)
//	0       4     IP
//	4       4     mask
//	8       4     gateway
type NetworkReply struct{ IP, Mask, Gateway [4]byte }

// AppendData appends the layout above.
func (r NetworkReply) AppendData(dst []byte) ([]byte, error) {
	return append(append(append(dst, r.IP[:]...), r.Mask[:]...), r.Gateway[:]...), nil
}

func parseNetwork(b []byte) (Reply, error) {
	r := NetworkReply{[4]byte(b), [4]byte(b[4:]), [4]byte(b[8:])}
	if r.Mask[0] != 255 && r.Mask[3] == 255 {
		r = NetworkReply{reversed(r.IP), reversed(r.Mask), reversed(r.Gateway)}
	}
	return r, nil
}

func reversed(b [4]byte) [4]byte { return [4]byte{b[3], b[2], b[1], b[0]} }

// FFDReply is the reply to 0F. Codes as tag 1209 (§6.10).
//
//	offset  size  meaning (§5.1)
//	0       1     FFD of the registration, 0 not registered
//	1       1     highest FFD supported
type FFDReply struct{ Current, Highest byte }

// AppendData appends the layout above.
func (r FFDReply) AppendData(dst []byte) ([]byte, error) {
	return append(dst, r.Current, r.Highest), nil
}

// ShiftReply is the reply to 20.
//
//	offset  size  meaning (§5.1)
//	0       1     1 open
//	1       2     U16 shift number, current or last closed
//	3       2     U16 last receipt of an open shift; number of documents of a closed one
type ShiftReply struct {
	Open    bool
	Number  uint16
	Receipt uint16
}

// AppendData appends the layout above.
func (r ShiftReply) AppendData(dst []byte) ([]byte, error) {
	out := binary.LittleEndian.AppendUint16(append(dst, flag(r.Open)), r.Number)
	return binary.LittleEndian.AppendUint16(out, r.Receipt), nil
}

func parseShift(b []byte) (Reply, error) {
	return ShiftReply{b[0] != 0, binary.LittleEndian.Uint16(b[1:]), binary.LittleEndian.Uint16(b[3:])}, nil
}

// OFDReply is the reply to 50.
//
//	offset  size  meaning (§5.1)
//	0       1     exchange state, the FN's own bits
//	1       1     reading of a message in progress
//	2       2     U16 documents waiting
//	4       4     U32 number of the first
//	8       5     DT5 of the first, all zero if none
type OFDReply struct {
	State   byte
	Reading byte
	Count   uint16
	FirstFD uint32
	First   fiscal.DeviceTime
}

// AppendData appends the layout above.
func (r OFDReply) AppendData(dst []byte) ([]byte, error) {
	out := binary.LittleEndian.AppendUint16(append(dst, r.State, r.Reading), r.Count)
	out, err := appendDT5(binary.LittleEndian.AppendUint32(out, r.FirstFD), r.First)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func parseOFD(b []byte) (Reply, error) {
	first, err := deviceTime(b[8:13])
	if err != nil {
		return nil, fmt.Errorf("first document: %w", err)
	}
	return OFDReply{b[0], b[1], binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:]), first}, nil
}
