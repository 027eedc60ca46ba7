package simulator

import (
	"math/bits"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// beginReceipt is 0x23.
func beginReceipt(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	if code := r.fnAllows(anyDocument); code != done {
		return nil, code
	}
	r.doc.start(openReceipt)
	return terminalfa.Empty{}, done
}

var agentDataTags = []tagRule{
	{tag: 1057, shape: oneByte, need: true},
	{tag: 1073, shape: text, max: 20, repeat: true},
	{tag: 1044, shape: text, max: 32},
	{tag: 1074, shape: text, max: 20, repeat: true},
	{tag: 1026, shape: text, max: 47},
	{tag: 1016, shape: inn12},
	{tag: 1005, shape: text, max: 95},
	{tag: 1075, shape: text, max: 20, repeat: true},
	{tag: 1171, shape: text, max: 20, repeat: true},
}

// agentData is 0x2C.
func agentData(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f, d := &r.scratch, &r.doc
	if code := r.sift(q.(terminalfa.TLVRequest).List, agentDataTags, f); code != done {
		return nil, code
	}
	g, _ := r.current()
	agent := f.byte(1057)
	if agent != 0 && (bits.OnesCount8(agent) != 1 || agent&g.Agents == 0) {
		return nil, badAgent
	}
	if agent != 0 {
		d.agentTLV = f.carry(d.agentTLV[:0], 1057, 1075, 1044, 1073, 1074, 1026, 1005, 1016, 1171)
	}
	d.agentSent, d.data = true, true
	return terminalfa.Empty{}, done
}

var placeTags = []tagRule{
	{tag: 1009, shape: text, max: 256},
	{tag: 1187, shape: text, max: 256},
	{tag: 1036, shape: text, max: 21},
}

// automat is 0x1F and 0x3F.
func automat(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f, d := &r.scratch, &r.doc
	if code := r.sift(q.(terminalfa.TLVRequest).List, placeTags, f); code != done {
		return nil, code
	}
	d.place = placeData{d.keep(f.text(1009)), d.keep(f.text(1187)), d.keep(f.text(1036))}
	if !d.place.complete() {
		d.place = placeData{}
		return nil, incomplete
	}
	d.placeSent, d.data = true, true
	return terminalfa.Empty{}, done
}

// attributeTags are the optional attributes of 0x2D.
var attributeTags = []tagRule{
	{tag: 1021, shape: text, max: 64},
	{tag: 1203, shape: inn12},
	{tag: 1008, shape: text, max: 64},
	{tag: 1227, shape: text, max: 256},
	{tag: 1228, shape: inn},
	{tag: 1192, shape: text, max: 16},
	{tag: 1085, shape: text, max: 64},
	{tag: 1086, shape: text, max: 256},
	{tag: 1117, shape: text, max: 64},
}

var moneyTags = []tagRule{
	{tag: 1055, shape: oneByte},
	{tag: 1031, shape: money, need: true},
	{tag: 1081, shape: money, need: true},
	{tag: 1215, shape: money, need: true},
	{tag: 1216, shape: money, need: true},
	{tag: 1217, shape: money, need: true},
}

var paymentDataTags = joinRules(moneyTags, attributeTags)

// paymentData is 0x2D.
func paymentData(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f, d := &r.scratch, &r.doc
	if code := r.sift(q.(terminalfa.TLVRequest).List, paymentDataTags, f); code != done {
		return nil, code
	}
	if (len(f.text(1085)) == 0) != (len(f.text(1086)) == 0) {
		return nil, incomplete
	}
	if code := r.takePayments(f); code != done {
		return nil, code
	}
	a := &d.attributes
	a.contact = d.keep(f.text(1008))
	a.cashier = d.keep(f.text(1021))
	a.cashierINN = d.keep(f.text(1203))
	a.buyer = d.keep(f.text(1227))
	a.buyerINN = d.keep(f.text(1228))
	a.checkProps = d.keep(f.text(1192))
	a.propName = d.keep(f.text(1085))
	a.propValue = d.keep(f.text(1086))
	a.sender = d.keep(f.text(1117))
	d.data = true
	return terminalfa.Empty{}, done
}

// takePayments reads the tax system and the five amounts.
func (r *register) takePayments(f *fields) refusal {
	if _, sent := f.get(1055); !sent {
		return noTaxSystem
	}
	g, _ := r.current()
	tax := f.byte(1055)
	if bits.OnesCount8(tax) != 1 || tax&g.Tax == 0 {
		return badTax
	}
	r.doc.paid = payments{sent: true, tax: tax}
	for i, tag := range paymentTags {
		r.doc.paid.sums[i] = f.number(tag)
	}
	return done
}

var receiptDataTags = joinRules(placeTags, []tagRule{
	{tag: 1021, shape: text, max: 64},
	{tag: 1203, shape: inn12},
	{tag: 1008, shape: text, max: 64},
	{tag: 1256, shape: block},
	{tag: 1178, shape: four},
	{tag: 1179, shape: text, max: 32},
	{tag: 1173, shape: oneByte},
	{tag: 1125, shape: oneByte},
})

var buyerTags = []tagRule{
	{tag: 1227, shape: text, max: 256},
	{tag: 1228, shape: inn},
	{tag: 1243, shape: text, max: 10},
	{tag: 1244, shape: text, max: 3},
	{tag: 1245, shape: text, max: 2},
	{tag: 1246, shape: text, max: 64},
	{tag: 1254, shape: text, max: 256},
}

// receiptData is 0x98, FFD 1.2.
func receiptData(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f, d := &r.scratch, &r.doc
	list := q.(terminalfa.TLVRequest).List
	for _, t := range list {
		if t.Tag != 1256 {
			continue
		}
		buyer, err := t.Nested()
		if err != nil {
			return nil, badFormat
		}
		if code := r.sift(buyer, buyerTags, f); code != done {
			return nil, code
		}
	}
	if code := r.sift(list, receiptDataTags, f); code != done {
		return nil, code
	}
	switch {
	case f.byte(1125) > 1, f.byte(1173) > 1:
		return nil, badFormat
	case d.open == openCorrection && len(f.text(1178)) == 0:
		return nil, incomplete
	}
	d.place = placeData{d.keep(f.text(1009)), d.keep(f.text(1187)), d.keep(f.text(1036))}
	a := &d.attributes
	a.contact = d.over(a.contact, f.text(1008))
	a.cashier = d.over(a.cashier, f.text(1021))
	a.cashierINN = d.over(a.cashierINN, f.text(1203))
	a.buyerBlock = d.keep(f.text(1256))
	d.internet = d.keep(f.text(1125))
	d.basis = basis{kind: f.byte(1173), date: d.keep(f.text(1178)), number: d.keep(f.text(1179))}
	d.extraSent, d.data = true, true
	return terminalfa.Empty{}, done
}

// checkReceipt is what 0x24 may be refused for (sheet §11.5).
func checkReceipt(r *register, q terminalfa.Request) refusal {
	form, d := q.(terminalfa.FormReceipt), &r.doc
	switch {
	case form.Operation < 1 || form.Operation > 4:
		return badOperation
	case form.Total > maxMoney:
		return totalDigits
	case form.Total/100 != d.itemSum/100:
		return totalNotItems
	case d.paid.total()-d.paid.sums[0] > form.Total:
		return tooMuchNonCash
	case d.paid.total() != form.Total:
		return badPayments
	}
	if code := r.placeKnown(); code != done {
		return code
	}
	return r.fnAllows(anyDocument)
}

// placeKnown checks that the place of settlement came from somewhere.
func (r *register) placeKnown() refusal {
	g, _ := r.current()
	switch {
	case g.placed(), r.doc.place.complete():
		return done
	case r.newForm():
		return noPlace
	default:
		return incomplete
	}
}

// makeReceipt is 0x24.
func makeReceipt(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	form := q.(terminalfa.FormReceipt)
	g, _ := r.current()
	d := r.beginReceiptRecord(fiscal.KindReceipt, form.Operation, form.Total)
	b := r.head(len(r.doc.itemTLV)+512, &d, &g, signReceipt)
	b = r.receiptHead(b, &d)
	b = append(b, r.doc.itemTLV...)
	b = append(b, r.doc.agentTLV...)
	b = r.putPlace(b, &g)
	b = b.byte(1055, r.doc.paid.tax)
	b = r.putPayments(b)
	b = r.putAttributes(b, true)
	b = b.ascii(1060, fnsSite)
	b = putVAT(b, &r.doc.itemGross)
	b = r.putInternet(b, &g)
	d.TLV = b.byte(1209, byte(r.ffd))
	r.kept.FN.Shift.Receipts++
	made := r.add(d)
	return terminalfa.ReceiptDocument{
		Receipt: made.Receipt, FD: made.FD, Sign: made.Sign,
		Time: made.Time, HasTime: true, Shift: made.Shift, HasShift: true,
	}, done
}

// fnsSite is tag 1060 as a live register has it (sheet §5.7).
const fnsSite = "www.nalog.ru"

func (r *register) beginReceiptRecord(kind fiscal.DocumentKind, operation byte, total uint64) record {
	d := r.begin(kind, total)
	d.Receipt = r.kept.FN.Shift.Receipts + 1
	d.Operation = operation
	return d
}

// receiptHead is what follows the common head in receipts and corrections.
func (r *register) receiptHead(b tlvs, d *record) tlvs {
	b = b.u32(1038, uint32(d.Shift))
	b = b.u32(1042, uint32(d.Receipt))
	b = b.byte(1054, d.Operation)
	return b.vln(1020, d.Total)
}

// putPlace writes the place of settlement: the whole of it when the receipt brought it or FFD 1.2 wants it, else only
// the automatic device's number, as seen live.
func (r *register) putPlace(b tlvs, g *registration) tlvs {
	p := r.doc.place
	whole := r.newForm() || p.complete()
	part := func(tag uint16, sent, registered []byte, wanted bool) {
		switch {
		case len(sent) > 0:
			b = b.bytes(tag, sent)
		case len(registered) > 0 && wanted:
			b = b.bytes(tag, registered)
		}
	}
	part(1009, p.address, g.Address, whole)
	part(1187, p.place, g.Place, whole)
	part(1036, p.automat, g.Automat, true)
	return b
}

func (r *register) putPayments(b tlvs) tlvs {
	for i, tag := range paymentTags {
		b = b.vln(tag, r.doc.paid.sums[i])
	}
	return b
}

// putAttributes writes the optional attributes between 1217 and 1060 (sheet §15). Corrections have their cashier
// elsewhere.
func (r *register) putAttributes(b tlvs, cashier bool) tlvs {
	a := &r.doc.attributes
	optional := func(tag uint16, v []byte) {
		if len(v) > 0 {
			b = b.bytes(tag, v)
		}
	}
	optional(1008, a.contact)
	if cashier {
		optional(1021, a.cashier)
		optional(1203, a.cashierINN)
	}
	optional(1227, a.buyer)
	optional(1228, a.buyerINN)
	optional(1256, a.buyerBlock)
	optional(1192, a.checkProps)
	if len(a.propName) > 0 {
		var mark int
		b, mark = b.open(1084)
		b = b.bytes(1085, a.propName)
		b = b.bytes(1086, a.propValue)
		b = b.shut(mark)
	}
	optional(1117, a.sender)
	return b
}

// putInternet writes tag 1125: as sent at FFD 1.2, below it from the registration (sheet §15).
func (r *register) putInternet(b tlvs, g *registration) tlvs {
	switch {
	case len(r.doc.internet) > 0:
		return b.byte(1125, r.doc.internet[0])
	case !r.newForm() && g.Modes&modeInternet != 0:
		return b.byte(1125, 1)
	}
	return b
}
