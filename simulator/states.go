package simulator

import (
	"slices"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// The state column of the sheet's §11.4. Each says done when the command may come now.

// building: one of these documents is being built.
func building(open ...byte) func(r *register) refusal {
	return func(r *register) refusal {
		if !slices.Contains(open, r.doc.open) {
			return badState
		}
		return done
	}
}

// afterData: one of these is being built and its data was sent.
func afterData(open ...byte) func(r *register) refusal {
	begun := building(open...)
	return func(r *register) refusal {
		if code := begun(r); code != done {
			return code
		}
		if !r.doc.dataSent {
			return incomplete
		}
		return done
	}
}

// shiftReport: the report is begun, and a register that is not automatic knows its cashier.
func shiftReport(open byte) func(r *register) refusal {
	begun := building(open)
	return func(r *register) refusal {
		if code := begun(r); code != done {
			return code
		}
		if !r.doc.cashierSent && !r.automatic() {
			return noCashier
		}
		return done
	}
}

func idle(r *register) refusal {
	if r.doc.open != 0 {
		return badState
	}
	return done
}

func betweenShifts(r *register) refusal {
	if r.kept.FN.Shift.Open {
		return badState
	}
	return idle(r)
}

func shiftOpenIdle(r *register) refusal {
	if !r.kept.FN.Shift.Open {
		return badState
	}
	return idle(r)
}

// inShift: a receipt may begin.
func inShift(r *register) refusal {
	if code := shiftOpenIdle(r); code != done {
		return code
	}
	if r.shiftOverdue() {
		return shiftTooLong
	}
	return done
}

func beforeFNClose(r *register) refusal {
	if code := betweenShifts(r); code != done {
		return code
	}
	if r.unconfirmed() > 0 {
		return unsentDocuments
	}
	return done
}

func itemState(r *register) refusal {
	d := &r.doc
	switch {
	case d.open != openReceipt && (d.open != openCorrection || r.ffd < fiscal.FFD11):
		return noReceipt
	case d.paid.sent:
		return itemAfterTotals
	}
	return done
}

func agentState(r *register) refusal {
	g, _ := r.current()
	d := &r.doc
	switch {
	case d.open != openReceipt:
		return noReceipt
	case g.Agents == 0:
		return onlyForAgents
	case d.itemAgents:
		return agentTwice
	case d.agentSent:
		return alreadySent
	}
	return done
}

func placeState(open byte) func(r *register) refusal {
	return func(r *register) refusal {
		g, _ := r.current()
		switch {
		case r.doc.open != open:
			return noReceipt
		case g.placed():
			return placeNotAllowed
		case r.doc.placeSent:
			return alreadySent
		}
		return done
	}
}

func paymentState(r *register) refusal {
	d := &r.doc
	switch {
	case d.open != openReceipt && (d.open != openCorrection || !r.newForm()):
		return noReceipt
	case d.paid.sent:
		return alreadySent
	}
	return done
}

func receiptDataState(r *register) refusal {
	d := &r.doc
	switch {
	case d.open != openReceipt && d.open != openCorrection, !d.paid.sent:
		return badOrder
	case d.extraSent:
		return alreadySent
	}
	return done
}

func receiptComplete(r *register) refusal {
	d := &r.doc
	switch {
	case d.open != openReceipt:
		return noReceipt
	case r.shiftOverdue():
		return shiftTooLong
	case d.items == 0, !d.paid.sent, r.newForm() && !d.extraSent:
		return incomplete
	}
	return done
}

func correctionState(r *register) refusal {
	switch {
	case r.doc.open != openCorrection:
		return noReceipt
	case r.doc.basisSent:
		return alreadySent
	}
	return done
}

func correctionComplete(r *register) refusal {
	d := &r.doc
	switch {
	case d.open != openCorrection:
		return noReceipt
	case r.shiftOverdue():
		return shiftTooLong
	case r.newForm() && (d.items == 0 || !d.paid.sent || !d.extraSent), !r.newForm() && !d.basisSent:
		return incomplete
	}
	return done
}

func checkReport(r *register, _ terminalfa.Request) refusal { return r.fnAllows(closing) }
