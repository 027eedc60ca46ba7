package simulator

import (
	"errors"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// handlerFunc answers one request, or says why not.
type handlerFunc func(r *register, q terminalfa.Request) (terminalfa.Reply, refusal)

// phases says in which life phases of the FN a command is allowed.
type phases uint8

const (
	noStorage   phases = iota // the FN is not asked
	everyPhase                // reads
	fiscalPhase               // documents
	reportPhase               // settlement report: post-fiscal too
	enrolPhase                // registration: before and in fiscal mode
)

// formats says at which FFD versions a command exists.
type formats uint8

const (
	everyFormat formats = iota
	oldFormat           // up to 1.1; at 1.2 0x0A (sheet §15)
	newFormat           // 1.2; below it 0xC0
	newFirmware         // 1.2; older firmware does not know the command
)

// handler is one row of the state table (sheet §11.4).
type handler struct {
	phases  phases
	formats formats
	state   func(r *register) refusal                       // nil: any state
	check   func(r *register, q terminalfa.Request) refusal // document-making commands: values, before the FN works
	do      handlerFunc
}

var handlers = [256]handler{
	0x01: {do: status},
	0x02: {do: textReply(func(r *register) string { return r.kept.Serial })},
	0x03: {do: textReply((*register).firmware)},
	0x04: {do: textReply((*register).model)},
	0x05: {phases: everyPhase, do: textReply(func(r *register) string { return r.kept.FN.Number })},
	0x06: {phases: everyPhase, do: textReply(func(*register) string { return fnFirmware })},
	0x07: {phases: everyPhase, do: fnExpiry},
	0x08: {phases: everyPhase, do: fnStatus},
	0x09: {phases: everyPhase, do: textReply(func(*register) string { return "" })},
	0x0A: {phases: everyPhase, do: registrationParameters},
	0x0B: {do: textReply((*register).configuration)},
	0x0E: {do: networkState},
	0x0F: {phases: everyPhase, formats: newFirmware, do: ffdVersions},
	0x10: {do: cancel},
	0x12: {phases: enrolPhase, formats: oldFormat, state: betweenShifts, do: beginRegistration},
	0x13: {phases: enrolPhase, formats: oldFormat, state: afterData(openRegistration, openReRegNewFN, openReRegistration), check: checkRegistration, do: makeRegistration},
	0x14: {phases: fiscalPhase, state: beforeFNClose, do: beginFNClose},
	0x15: {phases: fiscalPhase, state: afterData(openFNClose), check: checkFNClose, do: closeFN},
	0x16: {phases: enrolPhase, formats: oldFormat, state: building(openRegistration, openReRegNewFN, openReRegistration), do: registrationData},
	0x17: {phases: fiscalPhase, state: building(openFNClose), do: fnCloseData},
	0x1F: {phases: fiscalPhase, formats: oldFormat, state: placeState(openReceipt), do: automat},
	0x20: {phases: everyPhase, do: shiftState},
	0x21: {phases: fiscalPhase, state: betweenShifts, do: beginShiftOpen},
	0x22: {phases: fiscalPhase, state: shiftReport(openShiftOpen), check: checkShiftOpen, do: openShift},
	0x23: {phases: fiscalPhase, state: inShift, do: beginReceipt},
	0x24: {phases: fiscalPhase, state: receiptComplete, check: checkReceipt, do: makeReceipt},
	0x25: {phases: fiscalPhase, state: inShift, do: beginCorrection},
	0x26: {phases: fiscalPhase, state: correctionComplete, check: checkCorrection, do: makeCorrection},
	0x27: {phases: reportPhase, state: idle, do: beginReport},
	0x28: {phases: reportPhase, state: building(openReport), check: checkReport, do: makeReport},
	0x29: {phases: fiscalPhase, state: shiftOpenIdle, do: beginShiftClose},
	0x2A: {phases: fiscalPhase, state: shiftReport(openShiftClose), check: checkShiftClose, do: closeShift},
	0x2B: {phases: fiscalPhase, formats: oldFormat, state: itemState, do: oldItem},
	0x2C: {phases: fiscalPhase, state: agentState, do: agentData},
	0x2D: {phases: fiscalPhase, state: paymentState, do: paymentData},
	0x2E: {phases: fiscalPhase, formats: oldFormat, state: correctionState, do: correctionData},
	0x2F: {phases: reportPhase, state: building(openShiftOpen, openShiftClose, openReport), do: cashier},
	0x30: {phases: everyPhase, do: findDocument},
	0x32: {phases: everyPhase, do: unconfirmedCount},
	0x33: {phases: everyPhase, do: activation},
	0x35: {phases: everyPhase, do: selectDocument},
	0x36: {phases: everyPhase, do: readTLV},
	0x3A: {phases: everyPhase, do: wholeDocument},
	0x3B: {phases: everyPhase, do: registrationReport},
	0x3F: {phases: fiscalPhase, formats: oldFormat, state: placeState(openCorrection), do: automat},
	0x50: {phases: everyPhase, do: ofdStatus},
	0x72: {do: setClock},
	0x73: {do: getClock},
	0x76: {do: setOFD},
	0x77: {do: getOFD},
	0x95: {phases: everyPhase, formats: newFirmware, do: clearMarks},
	0x96: {phases: fiscalPhase, formats: newFormat, state: itemState, do: newItem},
	0x98: {phases: fiscalPhase, formats: newFormat, state: receiptDataState, do: receiptData},
	0xE1: {phases: enrolPhase, formats: newFirmware, state: betweenShifts, do: beginRegistration},
	0xE2: {phases: enrolPhase, formats: newFirmware, state: building(openRegistration, openReRegNewFN, openReRegistration), do: registrationData},
	0xE3: {phases: enrolPhase, formats: newFirmware, state: afterData(openRegistration, openReRegNewFN, openReRegistration), check: checkRegistration, do: makeRegistration},
	0xEF: {do: restart},
}

// parse reads a request. The firmware of the sheet's §5.2 that refuses the print byte on 0x21 and 0x29 takes it on 0x22
// and 0x2A.
func (r *register) parse(f terminalfa.Frame) (terminalfa.Request, error) {
	if r.printAtCommit {
		if q, ok := terminalfa.ParsePrintOnCommit(f); ok {
			return q, nil
		}
	}
	return terminalfa.ParseRequest(f)
}

// execute answers one request whole. work is called, without effect so far, when the FN has to make a document; it
// returns false when that never came to an end, and then nothing was done and execute returns false.
func (r *register) execute(f terminalfa.Frame, work func() bool) (reply terminalfa.Reply, code refusal, alive bool) {
	q, err := r.parse(f)
	h := &handlers[f.Code]
	try := func() refusal {
		if code := r.admit(f.Code, f.Data, err); code != done {
			return code
		}
		if h.check != nil {
			return h.check(r, q)
		}
		return done
	}
	if code = try(); code != done {
		return nil, code, true
	}
	if h.check != nil {
		if !work() {
			return nil, done, false
		}
		if code = try(); code != done { // hands may have been laid on the register meanwhile
			return nil, code, true
		}
	}
	reply, code = h.do(r, q)
	return reply, code, true
}

// makesDocument is the register's own list of the commands that make a document.
func makesDocument(command byte) bool { return handlers[command].check != nil }

// admit is everything before the values, in the order of the sheet's §11.3: known, length, FN, phase, format, state, TLV.
// parse is what the codec said of the frame's data.
func (r *register) admit(command byte, data []byte, parse error) refusal {
	h := &handlers[command]
	if h.do == nil || errors.Is(parse, terminalfa.ErrUnknownCommand) || h.formats == newFirmware && !r.newForm() {
		return unknownCommand
	}
	if errors.Is(parse, terminalfa.ErrDataLength) {
		return badLength
	}
	if r.printAtCommit && len(data) > 0 && (command == 0x21 || command == 0x29) {
		return badCommandFormat
	}
	if h.phases != noStorage {
		if r.kept.FN == nil {
			return noFN
		}
		r.ofd.catchUp(r)
		if code := h.phases.allow(r.kept.FN.Phase); code != done {
			return code
		}
	}
	switch {
	case h.formats == oldFormat && r.newForm():
		return notInThisFFD
	case h.formats == newFormat && !r.newForm():
		return onlyFFD12
	}
	if h.state != nil {
		if code := h.state(r); code != done {
			return code
		}
	}
	if parse != nil {
		return badFormat
	}
	return done
}

func (p phases) allow(phase fiscal.Phase) refusal {
	switch p {
	case noStorage, everyPhase:
		return done
	case enrolPhase:
		if phase == fiscal.PhaseReady {
			return done
		}
	case reportPhase:
		if phase == fiscal.PhasePostFiscal {
			return done
		}
	case fiscalPhase:
	}
	switch {
	case phase == fiscal.PhaseFiscal:
		return done
	case phase < fiscal.PhaseFiscal:
		return fnNotActivated
	default:
		return fnClosed
	}
}

// nothing is the reply without data, unless there is a refusal.
func nothing(code refusal) (terminalfa.Reply, refusal) { return terminalfa.Empty{}, code }
