package simulator

import (
	"time"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

const (
	maxShift   = 24 * time.Hour
	reopenSlip = time.Hour // an opening may lie so long before the last document (sheet §5.2)
)

// shiftState is 0x20.
func shiftState(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	s := r.kept.FN.Shift
	reply := terminalfa.ShiftReply{Open: s.Open, Number: s.Number, Receipt: s.Receipts}
	if !s.Open && s.Number > 0 { // then the count is of documents, the reports included (sheet §15)
		reply.Receipt = uint16(s.LastFD - s.FirstFD + 1)
	}
	return reply, done
}

// shiftOverdue reports that the shift was opened more than 24 hours ago.
func (r *register) shiftOverdue() bool {
	s := r.kept.FN.Shift
	return s.Open && r.now().Sub(s.OpenedAt) > maxShift
}

// printing refuses a report that wants paper where there is none, at the command that carries the print byte. No byte
// means print (sheet §15).
func (r *register) printing(q terminalfa.Request, commit bool) refusal {
	if commit != r.printAtCommit || r.printer == PrinterReady {
		return done
	}
	if b, ok := q.(terminalfa.BeginShift); ok && b.Print == terminalfa.PrintNo {
		return done
	}
	return printerNotReady
}

// beginShiftOpen is 0x21.
func beginShiftOpen(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	if code := r.printing(q, false); code != done {
		return nil, code
	}
	if code := r.fnAllows(shiftOpening); code != done {
		return nil, code
	}
	r.doc.start(openShiftOpen)
	return terminalfa.Empty{}, done
}

// beginShiftClose is 0x29.
func beginShiftClose(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	if code := r.printing(q, false); code != done {
		return nil, code
	}
	if code := r.fnAllows(closing); code != done {
		return nil, code
	}
	r.doc.start(openShiftClose)
	return terminalfa.Empty{}, done
}

var cashierTags = []tagRule{
	{tag: 1021, shape: text, max: 64, need: true},
	{tag: 1203, shape: inn12},
}

// cashier is 0x2F.
func cashier(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f, d := &r.scratch, &r.doc
	if code := r.sift(q.(terminalfa.TLVRequest).List, cashierTags, f); code != done {
		return nil, code
	}
	d.attributes.cashier = d.keep(f.text(1021))
	d.attributes.cashierINN = d.keep(f.text(1203))
	d.cashierSent, d.data = true, true
	return terminalfa.Empty{}, done
}

// checkShiftOpen is what 0x22 may be refused for.
func checkShiftOpen(r *register, q terminalfa.Request) refusal {
	if code := r.printing(q, true); code != done {
		return code
	}
	return r.fnAllows(shiftOpening)
}

// checkShiftClose is what 0x2A may be refused for.
func checkShiftClose(r *register, q terminalfa.Request) refusal {
	if code := r.printing(q, true); code != done {
		return code
	}
	return r.fnAllows(closing)
}

// openShift is 0x22.
func openShift(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	g, _ := r.current()
	s := &r.kept.FN.Shift
	*s = shift{Open: true, Number: s.Number + 1, FirstFD: r.lastFD() + 1}
	d := r.begin(fiscal.KindShiftOpen, 0)
	s.OpenedAt = d.Time
	b := r.head(128, &d, &g, signReport)
	b = b.u32(1038, uint32(d.Shift))
	b = r.putCashier(b, 1021)
	b = r.putWarnings(b)
	b = b.ascii(1188, r.firmware())
	b = b.byte(1189, byte(r.ffd))
	b = r.putCashier(b, 1203)
	d.TLV = b.byte(1209, byte(r.ffd))
	made := r.add(d)
	return terminalfa.ShiftDocument{Shift: made.Shift, FD: made.FD, Sign: made.Sign}, done
}

// closeShift is 0x2A.
func closeShift(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	g, _ := r.current()
	s := &r.kept.FN.Shift
	d := r.begin(fiscal.KindShiftClose, 0)
	b := r.head(192, &d, &g, signReport)
	b = b.u32(1038, uint32(d.Shift))
	b = r.putCashier(b, 1021)
	b = r.putWarnings(b)
	b = r.putQueue(b)
	b = b.u32(1111, d.FD-s.FirstFD+1)
	b = b.u32(1118, uint32(s.Receipts))
	b = r.putCashier(b, 1203)
	d.TLV = b.byte(1209, byte(r.ffd))
	s.Open = false
	s.LastFD = d.FD
	made := r.add(d)
	return terminalfa.ShiftDocument{Shift: made.Shift, FD: made.FD, Sign: made.Sign}, done
}

// putCashier writes 1021 or 1203 when the cashier was named.
func (r *register) putCashier(b tlvs, tag uint16) tlvs {
	v := r.doc.attributes.cashier
	if tag == 1203 {
		v = r.doc.attributes.cashierINN
	}
	if len(v) == 0 {
		return b
	}
	return b.bytes(tag, v)
}

// putWarnings writes 1050 to 1053.
func (r *register) putWarnings(b tlvs) tlvs {
	w := r.warnings()
	b = b.flag(1050, w&warnResource != 0)
	b = b.flag(1051, w&warnReplaceNow != 0)
	b = b.flag(1052, w&warnMemory != 0)
	return b.flag(1053, w&warnOFD != 0)
}

// putQueue writes 1097 and 1098.
func (r *register) putQueue(b tlvs) tlvs {
	b = b.u32(1097, r.unconfirmed())
	if first := r.oldestUnconfirmed(); first != nil {
		b = b.unix(1098, first.Time)
	}
	return b
}

// beginReport is 0x27.
func beginReport(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	if code := r.fnAllows(closing); code != done {
		return nil, code
	}
	r.doc.start(openReport)
	return terminalfa.Empty{}, done
}

// makeReport is 0x28, the report on the state of settlements. Its count leaves the report itself out (sheet §15).
func makeReport(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	g, _ := r.current()
	d := r.begin(fiscal.KindSettlement, 0)
	d.Unconfirmed = r.unconfirmed()
	b := r.head(128, &d, &g, signReport)
	b = b.u32(1038, uint32(d.Shift))
	b = r.putQueue(b)
	if first := r.oldestUnconfirmed(); first != nil {
		d.First = first.Time
		b = b.u32(1116, first.FD)
	}
	d.TLV = b.byte(1209, byte(r.ffd))
	made := r.add(d)
	reply := terminalfa.ReportDocument{FD: made.FD, Sign: made.Sign, Unconfirmed: made.Unconfirmed}
	if !made.First.IsZero() {
		reply.First = dayOf(made.First)
	}
	return reply, done
}
