package terminalfa

import (
	"context"
	"time"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

const statusTail = 22 // offset of the first byte behind the known part of the 0x01 reply (§5.1)

// shiftSearch is how many documents before the expected one are looked at for the opening report of a shift. Reports
// made within the shift are what moves it; a rack makes few.
const shiftSearch = 32

// Status reads 0x01, 0x08, 0x20 and 0x50, and once per shift the opening report.
func (d *Device) Status(ctx context.Context) (fiscal.Status, error) {
	state, err := ask[wire.StatusReply](ctx, d, "Status", wire.Bare{Cmd: wire.CmdStatus})
	if err != nil {
		return fiscal.Status{}, err
	}
	readAt := time.Now()
	s := fiscal.Status{
		Clock:       state.Clock,
		ReadAt:      readAt,
		FNPresent:   state.FNPresent,
		Critical:    state.Critical,
		Phase:       fiscal.Phase(state.Phase),
		Printer:     state.Printer,
		Temperature: d.temperature(state),
	}
	if !s.FNPresent {
		return s, nil
	}
	fn, err := ask[wire.FNStatusReply](ctx, d, "Status", wire.Bare{Cmd: wire.CmdFNStatus})
	if err != nil {
		return fiscal.Status{}, err
	}
	s.Phase, s.Warnings, s.LastTime = fiscal.Phase(fn.Phase), fn.Warnings, fn.LastTime
	s.Document = documentRef(fn)
	shift, err := ask[wire.ShiftReply](ctx, d, "Status", wire.Bare{Cmd: wire.CmdShift})
	if _, refused := refusal(err); err != nil && !refused {
		return fiscal.Status{}, err
	}
	s.Shift = fiscal.ShiftState{Open: fn.ShiftOpen, Number: uint32(shift.Number), Receipt: uint32(shift.Receipt)}
	if s.Shift.Open {
		if s.Shift.OpenedAt, err = d.shiftOpenedAt(ctx, s.Document, s.Shift); err != nil {
			return fiscal.Status{}, err
		}
	}
	ofd, err := ask[wire.OFDReply](ctx, d, "Status", wire.Bare{Cmd: wire.CmdOFDStatus})
	if _, refused := refusal(err); err != nil && !refused {
		return fiscal.Status{}, err
	}
	s.OFD = fiscal.OFDQueue{Count: uint32(ofd.Count), First: fiscal.DocNumber(ofd.FirstFD), FirstTime: ofd.First}
	return s, nil
}

// LastDocument reads 0x08.
func (d *Device) LastDocument(ctx context.Context) (fiscal.DocumentRef, error) {
	fn, err := ask[wire.FNStatusReply](ctx, d, "LastDocument", wire.Bare{Cmd: wire.CmdFNStatus})
	if err != nil {
		return fiscal.DocumentRef{}, err
	}
	return documentRef(fn), nil
}

func documentRef(r wire.FNStatusReply) fiscal.DocumentRef {
	return fiscal.DocumentRef{FN: r.FN, Last: fiscal.DocNumber(r.LastFD), Open: r.Document, ShiftOpen: r.ShiftOpen}
}

// temperature reads the signed byte of design.md §6; no public document names it (protocols/terminal-fa.md §14.9).
func (d *Device) temperature(s wire.StatusReply) *int {
	at := d.opts.Temperature.Offset - statusTail
	if !d.opts.Temperature.StatusTail || at < 0 || at >= len(s.Tail) {
		return nil
	}
	celsius := int(int8(s.Tail[at]))
	return &celsius
}

// shiftOpenedAt finds the opening report of the open shift. It lies at most as many documents back as the shift has
// receipts, plus the reports made in between. A report that cannot be found leaves the time unknown, which is no error:
// the register itself refuses work after 24 hours.
func (d *Device) shiftOpenedAt(ctx context.Context, at fiscal.DocumentRef, shift fiscal.ShiftState) (fiscal.DeviceTime, error) {
	if d.shift.fn == at.FN && d.shift.number == shift.Number {
		return d.shift.openedAt, nil
	}
	n := int64(at.Last) - int64(shift.Receipt)
	for tries := 0; n > 0 && tries < shiftSearch; n, tries = n-1, tries+1 {
		doc, err := ask[wire.ArchiveDocument](ctx, d, "Status", wire.DocumentQuery{Cmd: wire.CmdFind, Number: uint32(n)})
		if _, refused := refusal(err); refused {
			break
		}
		if err != nil {
			return fiscal.DeviceTime{}, err
		}
		if fiscal.DocumentKind(doc.Type) == fiscal.KindShiftOpen && uint32(doc.Shift) == shift.Number {
			d.shift = shiftCache{at.FN, shift.Number, doc.Time}
			return doc.Time, nil
		}
	}
	d.shift = shiftCache{fn: at.FN, number: shift.Number}
	return fiscal.DeviceTime{}, nil
}
