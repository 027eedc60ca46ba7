package simulator

import (
	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// Types of registration, 0x12 and 0xE1.
const (
	firstRegistration byte = 0
	registrationNewFN byte = 1
	reRegistration    byte = 2
)

// beginRegistration is 0x12 and 0xE1.
func beginRegistration(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	kind := q.(terminalfa.BeginRegistration).Type
	fresh := r.kept.FN.Phase == fiscal.PhaseReady
	open := openRegistration
	switch kind {
	case firstRegistration:
		if !fresh {
			return nil, badState
		}
	case registrationNewFN:
		if !fresh || r.kept.Former == nil {
			return nil, badState
		}
		open = openReRegNewFN
	case reRegistration:
		if fresh {
			return nil, badState
		}
		open = openReRegistration
	default:
		return nil, badFormat
	}
	if len(r.kept.FN.Registrations) >= maxRegistrations {
		return nil, archiveFull
	}
	if code := r.fnAllows(anyDocument); code != done {
		return nil, code
	}
	r.doc.start(open)
	r.doc.kind = kind
	return terminalfa.Empty{}, done
}

var registrationTags = []tagRule{
	{tag: 1048, shape: text, max: 256, need: true},
	{tag: 1009, shape: text, max: 256},
	{tag: 1187, shape: text, max: 256},
	{tag: 1021, shape: text, max: 64},
	{tag: 1203, shape: inn12},
	{tag: 1017, shape: inn12},
	{tag: 1046, shape: text, max: 256},
	{tag: 1117, shape: text, max: 64},
	{tag: 1036, shape: text, max: 21},
	{tag: 9999, shape: oneByte, need: true},
}

var (
	oldRegistrationTags = joinRules(registrationTags, []tagRule{{tag: 1057, shape: oneByte}})
	newRegistrationTags = joinRules(registrationTags, []tagRule{{tag: 9998, shape: oneByte}})
)

// registrationData is 0x16 and 0xE2.
func registrationData(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	rules := oldRegistrationTags
	if r.newForm() {
		rules = newRegistrationTags
	}
	f := &r.scratch
	if code := r.sift(q.(terminalfa.TLVRequest).List, rules, f); code != done {
		return nil, code
	}
	g := registration{
		Modes: f.byte(9999), ModesExt: f.byte(9998), Agents: f.byte(1057),
		User: f.copy(1048), Address: f.copy(1009), Place: f.copy(1187), Automat: f.copy(1036),
		Person: f.copy(1021), PersonINN: f.copy(1203),
	}
	if r.profile != KITOnlineF {
		g.Modes |= modeAutomatic // whatever 9999 says (sheet §5.6)
	}
	if g.Modes&modeAutonomous == 0 { // else these are ignored
		g.OFDINN, g.OFDName, g.Sender = f.copy(1017), f.copy(1046), f.copy(1117)
		if len(g.OFDINN) == 0 {
			return nil, incomplete
		}
	}
	r.doc.registration = g
	r.doc.dataSent, r.doc.data = true, true
	return terminalfa.Empty{}, done
}

// checkRegistration is what 0x13 and 0xE3 may be refused for.
func checkRegistration(r *register, q terminalfa.Request) refusal {
	form := q.(terminalfa.FormRegistration)
	again := r.doc.kind != firstRegistration
	switch {
	case form.HasReason != again:
		return badLength
	case again && (form.Reason < 1 || form.Reason > 4), form.TaxSystems == 0 || form.TaxSystems > 0x3F:
		return badFormat
	case !validRNM(form.RNM, form.INN, r.kept.Serial):
		return badRNM
	}
	if g, ok := r.current(); ok && (g.INN != form.INN || g.RNM != form.RNM) {
		return wrongValue // a re-registration changes neither (domain/ffd.md §7.1)
	}
	return r.fnAllows(anyDocument)
}

// makeRegistration is 0x13 and 0xE3.
func makeRegistration(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	form := q.(terminalfa.FormRegistration)
	g := r.doc.registration
	g.INN, g.RNM, g.Tax, g.Reason = form.INN, form.RNM, form.TaxSystems, form.Reason
	made := r.enrol(g)
	return terminalfa.PlainDocument{FD: made.FD, Sign: made.Sign}, done
}

// enrol makes the registration report and puts the FN into fiscal mode.
func (r *register) enrol(g registration) *record {
	fn := r.kept.FN
	kind := fiscal.KindRegistration
	if g.Reason != 0 {
		kind = fiscal.KindReRegistration
	}
	d := r.begin(kind, 0)
	d.Shift = 0
	d.Report = byte(len(fn.Registrations) + 1)
	g.FD, g.Time, g.Sign = d.FD, d.Time, d.Sign
	d.TLV = r.registrationBody(&d, &g)
	fn.Registrations = append(fn.Registrations, g)
	fn.Phase = fiscal.PhaseFiscal
	return r.add(d)
}

// registrationBody is the report's TLV in the order seen live, with 1057 and 1036 in their places.
func (r *register) registrationBody(d *record, g *registration) tlvs {
	b := r.head(512, d, g, signReport)
	if g.Reason != 0 {
		if r.ffd == fiscal.FFD105 {
			b = b.byte(1101, g.Reason)
		} else {
			b = b.u32(1205, changeBits[g.Reason])
		}
	}
	mode := func(tag uint16, bit byte) { b = b.flag(tag, g.Modes&bit != 0) }
	optional := func(tag uint16, v []byte) {
		if len(v) > 0 {
			b = b.bytes(tag, v)
		}
	}
	mode(1056, modeEncryption)
	mode(1002, modeAutonomous)
	mode(1001, modeAutomatic)
	if r.newForm() {
		b = b.u32(1290, g.usage())
	} else {
		mode(1109, modeServices)
		mode(1110, modeBSO)
		mode(1108, modeInternet)
	}
	b = b.byte(1062, g.Tax)
	if g.Agents != 0 {
		b = b.byte(1057, g.Agents)
	}
	optional(1048, g.User)
	optional(1009, g.Address)
	optional(1187, g.Place)
	optional(1036, g.Automat)
	optional(1021, g.Person)
	optional(1203, g.PersonINN)
	if !r.newForm() {
		b = b.byte(1221, 0)
	}
	optional(1017, g.OFDINN)
	optional(1046, g.OFDName)
	optional(1117, g.Sender)
	b = b.ascii(1060, fnsSite)
	b = b.byte(1209, byte(r.ffd))
	b = b.byte(1189, byte(r.ffd))
	b = b.ascii(1188, r.firmware())
	return b.ascii(1013, r.kept.Serial)
}

// changeBits are tag 1205 by the reason of sheet §6.14 (domain/ffd.md §7.2): FN, OFD, user's data, settings.
var changeBits = [5]uint32{1: 1 << 0, 2: 1 << 1, 3: 1 << 2, 4: 1 << 31}

// usage is tag 1290 (sheet §6.5).
func (g *registration) usage() uint32 {
	var u uint32
	for _, m := range []struct {
		set bool
		bit uint32
	}{
		{g.ModesExt&0x08 != 0, 0x0002},
		{g.Modes&modeBSO != 0, 0x0004},
		{g.Modes&modeInternet != 0, 0x0020},
		{g.ModesExt&0x01 != 0, 0x0040},
		{g.ModesExt&0x10 != 0, 0x0100},
		{g.Modes&modeServices != 0, 0x0200},
		{g.ModesExt&0x02 != 0, 0x0400},
		{g.ModesExt&0x04 != 0, 0x0800},
		{g.ModesExt&0x20 != 0, 0x1000},
		{g.ModesExt&0x40 != 0, 0x2000},
	} {
		if m.set {
			u |= m.bit
		}
	}
	return u
}

// beginFNClose is 0x14.
func beginFNClose(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	if code := r.fnAllows(closing); code != done {
		return nil, code
	}
	r.doc.start(openFNClose)
	return terminalfa.Empty{}, done
}

// fnCloseData is 0x17.
func fnCloseData(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	reply, code := cashier(r, q)
	if code == done {
		r.doc.dataSent = true
	}
	return reply, code
}

// checkFNClose is what 0x15 may be refused for.
func checkFNClose(r *register, _ terminalfa.Request) refusal { return r.fnAllows(closing) }

// closeFN is 0x15. The FN goes on sending to the OFD and then only reads.
func closeFN(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	g, _ := r.current()
	d := r.begin(fiscal.KindFNClose, 0)
	b := r.head(128, &d, &g, signReport)
	b = b.u32(1038, uint32(d.Shift))
	b = r.putCashier(b, 1021)
	b = r.putCashier(b, 1203)
	d.TLV = b.byte(1209, byte(r.ffd))
	r.kept.FN.Phase = fiscal.PhasePostFiscal
	made := r.add(d)
	return terminalfa.PlainDocument{FD: made.FD, Sign: made.Sign}, done
}
