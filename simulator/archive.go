package simulator

import (
	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// findDocument is 0x30: the short form.
func findDocument(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	d := r.find(q.(terminalfa.DocumentQuery).Number)
	if d == nil {
		return nil, noData
	}
	r.ofd.catchUp(r)
	reply := terminalfa.ArchiveDocument{
		Type:      byte(d.Kind),
		Confirmed: d.FD <= r.kept.FN.Confirmed,
		Time:      d.Time,
		FD:        d.FD,
		Sign:      d.Sign,
	}
	switch d.Kind {
	case fiscal.KindRegistration, fiscal.KindReRegistration:
		g := r.kept.FN.Registrations[d.Report-1]
		reply.INN, reply.RNM, reply.TaxSystems, reply.Modes, reply.Reason = g.INN, g.RNM, g.Tax, g.Modes, g.Reason
	case fiscal.KindFNClose:
		g, _ := r.current()
		reply.INN, reply.RNM = g.INN, g.RNM
	case fiscal.KindSettlement:
		reply.Unconfirmed, reply.First = d.Unconfirmed, d.First
	case fiscal.KindShiftOpen, fiscal.KindShiftClose:
		reply.Shift = d.Shift
	case fiscal.KindReceipt, fiscal.KindCorrection, fiscal.KindBSO, fiscal.KindBSOCorrection:
		reply.Operation, reply.Total = d.Operation, d.Total
	}
	return reply, done
}

// unconfirmedCount is 0x32.
func unconfirmedCount(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	return terminalfa.Count{N: uint16(min(r.unconfirmed(), 0xFFFF))}, done
}

// selectDocument is 0x35; 0x36 reads what it selected.
func selectDocument(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	d := r.find(q.(terminalfa.DocumentQuery).Number)
	if d == nil || !r.readable(d) {
		return nil, noData
	}
	r.cursor, r.split = d.TLV, 0
	return terminalfa.Selected{Type: uint16(d.Kind), Length: uint16(len(d.TLV))}, done
}

// chunkSize is the most of one TLV that 0x36 hands out at once. The sheet says only that long ones may be split (§5.7).
const chunkSize = 256

// readTLV is 0x36: the next top-level TLV, or a part of a long one. The end of the document is 0x08.
func readTLV(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	if len(r.cursor) == 0 {
		return nil, noData
	}
	if r.split == 0 {
		_, _, r.split = tlvs(r.cursor).next()
	}
	n := min(r.split, chunkSize)
	chunk := r.cursor[:n]
	r.cursor, r.split = r.cursor[n:], r.split-n
	return terminalfa.Chunk{Bytes: chunk}, done
}

// wholeDocument is 0x3A.
func wholeDocument(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	return r.whole(r.find(q.(terminalfa.DocumentQuery).Number))
}

// registrationReport is 0x3B.
func registrationReport(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	g := r.report(q.(terminalfa.ReportQuery).Number)
	if g == nil {
		return nil, noData
	}
	return r.whole(r.find(g.FD))
}

// whole hands out a document that fits one frame (sheet §15).
func (r *register) whole(d *record) (terminalfa.Reply, refusal) {
	switch {
	case d == nil || !r.readable(d):
		return nil, noData
	case len(d.TLV) > terminalfa.MaxData:
		return nil, tlvTooLarge
	}
	return terminalfa.TLVReply{Raw: d.TLV}, done
}

// report is a registration by its number from 1, nil when there is none.
func (r *register) report(n byte) *registration {
	list := r.kept.FN.Registrations
	if n < 1 || int(n) > len(list) {
		return nil
	}
	return &list[n-1]
}
