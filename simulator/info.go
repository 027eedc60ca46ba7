package simulator

import (
	"slices"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// newForm reports the FFD 1.2 set of commands (sheet §8).
func (r *register) newForm() bool { return r.ffd == fiscal.FFD12 }

// firmware and the like are the texts of sheet §11.6.
func (r *register) firmware() string { return "FA 01.05" }

func (r *register) model() string {
	if r.profile == KITOnlineF {
		return "KIT Online-F"
	}
	return "Terminal-FA"
}

func (r *register) configuration() string {
	if r.newForm() {
		return "1.2.0"
	}
	return "1.0.32"
}

const fnFirmware = "fn_v_1_1_2"

// textReply makes the handler of a command that answers with one text.
func textReply(value func(r *register) string) handlerFunc {
	return func(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
		return terminalfa.Text{Value: value(r)}, done
	}
}

// status is 0x01. The pkfa12 profile adds its temperature as a signed byte at offset 22 (design.md §6).
func status(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	reply := terminalfa.StatusReply{
		Serial:          r.kept.Serial,
		Clock:           r.now(),
		Critical:        r.critical,
		Printer:         printerCodes[r.printer],
		HasPrinterModel: true,
	}
	if fn := r.kept.FN; fn != nil {
		r.ofd.catchUp(r)
		reply.FNPresent, reply.Phase = true, byte(fn.Phase)
	}
	if r.profile == PKFA12 {
		reply.Tail = []byte{byte(r.thermal.celsius(r.hostNow()))}
	}
	return reply, done
}

// fnExpiry is 0x07.
func fnExpiry(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	left, made := r.kept.FN.registrationsLeft()
	return terminalfa.FNExpiryReply{Expires: r.kept.FN.Expires, RegistrationsLeft: left, RegistrationsDone: made}, done
}

// fnStatus is 0x08.
func fnStatus(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	r.ofd.catchUp(r)
	fn := r.kept.FN
	return terminalfa.FNStatusReply{
		Phase:     byte(fn.Phase),
		Document:  r.doc.open,
		HasData:   r.doc.data,
		ShiftOpen: fn.Shift.Open,
		Warnings:  r.warnings(),
		LastTime:  r.lastTime(),
		FN:        fn.Number,
		LastFD:    r.lastFD(),
	}, done
}

// registrationParameters is 0x0A: modes before tax systems, unlike 0x30 and 0x33 (sheet §12).
func registrationParameters(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	g, _ := r.current()
	return terminalfa.RegistrationReply{RNM: g.RNM, INN: g.INN, Modes: g.Modes, TaxSystems: g.Tax, Agents: g.Agents}, done
}

// networkState is 0x0E, in network order (sheet §5.1).
func networkState(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	return terminalfa.NetworkReply{IP: [4]byte(r.network[0:4]), Mask: [4]byte(r.network[4:8]), Gateway: [4]byte(r.network[8:12])}, done
}

// ffdVersions is 0x0F, which FFD 1.2 firmware knows.
func ffdVersions(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	reply := terminalfa.FFDReply{Highest: byte(fiscal.FFD12)}
	if _, registered := r.current(); registered {
		reply.Current = byte(r.ffd)
	}
	return reply, done
}

// activation is 0x33: a registration, the first one when no number is given.
func activation(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	query := q.(terminalfa.ReportQuery)
	n := byte(1)
	if query.Present {
		n = query.Number
	}
	g := r.report(n)
	if g == nil {
		return nil, noData
	}
	return terminalfa.Activation{
		Time: g.Time, INN: g.INN, RNM: g.RNM, TaxSystems: g.Tax, Modes: g.Modes,
		HasReason: query.Present, Reason: g.Reason, FD: g.FD, Sign: g.Sign,
	}, done
}

// ofdStatus is 0x50: bit 0 connected, bit 1 documents waiting (sheet §11.6).
func ofdStatus(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	var reply terminalfa.OFDReply
	if r.ofd.on {
		reply.State |= 0x01
	}
	if first := r.oldestUnconfirmed(); first != nil {
		reply.State |= 0x02
		reply.Count = uint16(min(r.unconfirmed(), 0xFFFF))
		reply.FirstFD, reply.First = first.FD, first.Time
	}
	return reply, done
}

var clockTags = []tagRule{{tag: 30000, shape: anything, need: true}}

// setClock is 0x72.
func setClock(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f := &r.scratch
	if code := r.sift(q.(terminalfa.TLVRequest).List, clockTags, f); code != done {
		return nil, code
	}
	v := f.text(30000)
	if len(v) != 5 {
		return nil, badClock
	}
	t, ok := fiscal.NewDeviceTime(2000+int(v[0]), int(v[1]), int(v[2]), int(v[3]), int(v[4]))
	if !ok || r.kept.FN != nil && t.Sub(r.lastTime()) < 0 {
		return nil, badClock
	}
	r.setClock(t)
	r.commit(nil)
	return terminalfa.Empty{}, done
}

// getClock is 0x73.
func getClock(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	now := dt5(r.now())
	return terminalfa.TLVReply{Raw: tlvs(nil).bytes(30000, now[:])}, done
}

// cancel is 0x10.
func cancel(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	if r.doc.open == 0 && r.strict {
		return nil, badState
	}
	r.doc.reset()
	return terminalfa.Empty{}, done
}

// restart is 0xEF: answered, then the device goes away for a while.
func restart(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	r.restart = true
	return terminalfa.Empty{}, done
}

// clearMarks is 0x95; there is never a mark to clear.
func clearMarks(*register, terminalfa.Request) (terminalfa.Reply, refusal) {
	return terminalfa.Empty{}, done
}

var ofdTags = []tagRule{
	{tag: 30040, shape: text, max: 128, need: true},
	{tag: 30005, shape: text, max: 15},
	{tag: 30006, shape: anything},
	{tag: 30009, shape: anything},
}

// setOFD is 0x76; the settings are kept and change nothing else.
func setOFD(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f := &r.scratch
	if code := r.sift(q.(terminalfa.TLVRequest).List, ofdTags, f); code != done {
		return nil, code
	}
	for _, tag := range []uint16{30006, 30009} {
		if v, sent := f.get(tag); sent && len(v) != 2 {
			return nil, badFormat
		}
	}
	r.kept.OFDSettings = slices.Clone(f.carry(nil, 30040, 30005, 30006, 30009))
	r.commit(nil)
	return terminalfa.Empty{}, done
}

// getOFD is 0x77.
func getOFD(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	return terminalfa.TLVReply{Raw: r.kept.OFDSettings}, done
}
