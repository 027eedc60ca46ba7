package simulator

import (
	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// beginCorrection is 0x25.
func beginCorrection(r *register, _ terminalfa.Request) (terminalfa.Reply, refusal) {
	if code := r.fnAllows(anyDocument); code != done {
		return nil, code
	}
	r.doc.start(openCorrection)
	return terminalfa.Empty{}, done
}

// vatAmountTags are the amounts of 0x2E by rate: gross, not VAT (sheet §5.4).
var vatAmountTags = [6]struct {
	tag uint16
	vat fiscal.VAT
}{
	{1102, fiscal.VAT20}, {1103, fiscal.VAT10}, {1104, fiscal.VAT0}, {1105, fiscal.VATNone}, {1106, fiscal.VAT120}, {1107, fiscal.VAT110},
}

var correctionDataTags = joinRules(moneyTags, []tagRule{
	{tag: 1021, shape: text, max: 63},
	{tag: 1203, shape: inn12},
	{tag: 1173, shape: oneByte, need: true},
	{tag: 1102, shape: money, need: true},
	{tag: 1103, shape: money, need: true},
	{tag: 1104, shape: money, need: true},
	{tag: 1105, shape: money, need: true},
	{tag: 1106, shape: money, need: true},
	{tag: 1107, shape: money, need: true},
	{tag: 1174, shape: block, need: true},
})

var basisTags = []tagRule{
	{tag: 1177, shape: text, max: 255, need: true},
	{tag: 1178, shape: four, need: true},
	{tag: 1179, shape: text, max: 32, need: true},
}

// correctionData is 0x2E, FFD up to 1.1.
func correctionData(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	f, d := &r.scratch, &r.doc
	list := q.(terminalfa.TLVRequest).List
	var why basis
	for _, t := range list {
		if t.Tag != 1174 {
			continue
		}
		nested, err := t.Nested()
		if err != nil {
			return nil, badFormat
		}
		if code := r.sift(nested, basisTags, f); code != done {
			return nil, code
		}
		why = basis{name: d.keep(f.text(1177)), date: d.keep(f.text(1178)), number: d.keep(f.text(1179))}
	}
	if code := r.sift(list, correctionDataTags, f); code != done {
		return nil, code
	}
	if why.kind = f.byte(1173); why.kind > 1 {
		return nil, badFormat
	}
	if code := r.takePayments(f); code != done {
		return nil, code
	}
	d.basis = why
	d.gross = [13]uint64{}
	for _, a := range vatAmountTags {
		d.gross[a.vat] = f.number(a.tag)
	}
	d.attributes.cashier = d.keep(f.text(1021))
	d.attributes.cashierINN = d.keep(f.text(1203))
	d.basisSent, d.data = true, true
	return terminalfa.Empty{}, done
}

// checkCorrection is what 0x26 may be refused for (sheet §5.4, §11.5).
func checkCorrection(r *register, q terminalfa.Request) refusal {
	form, d := q.(terminalfa.FormCorrection), &r.doc
	switch {
	case r.ffd <= fiscal.FFD105 && form.Operation != 1 && form.Operation != 3:
		return badCorrection
	case form.Operation < 1 || form.Operation > 4:
		return badOperation
	case form.Total > maxMoney:
		return totalDigits
	}
	paid := d.paid.total()
	if !r.newForm() {
		var byRate uint64
		for _, v := range d.gross {
			byRate += v
		}
		switch byRate {
		case 0:
			return noVATAmount
		case paid:
		default:
			return paymentsNotVAT
		}
	}
	switch {
	case paid != form.Total:
		return paymentsNotSum
	case d.items > 0 && form.Total/100 != d.itemSum/100:
		return totalNotItems
	}
	if code := r.placeKnown(); code != done {
		return code
	}
	return r.fnAllows(anyDocument)
}

// makeCorrection is 0x26.
func makeCorrection(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	form := q.(terminalfa.FormCorrection)
	g, _ := r.current()
	d := r.beginReceiptRecord(fiscal.KindCorrection, form.Operation, form.Total)
	b := r.head(len(r.doc.itemTLV)+512, &d, &g, signCorrection)
	b = r.receiptHead(b, &d)
	b = append(b, r.doc.itemTLV...)
	b = r.putBasis(b)
	b = b.byte(1055, r.doc.paid.tax)
	if a := &r.doc.attributes; len(a.cashier) > 0 {
		b = b.bytes(1021, a.cashier)
		if len(a.cashierINN) > 0 {
			b = b.bytes(1203, a.cashierINN)
		}
	}
	b = r.putPayments(b)
	b = r.putAttributes(b, false)
	if r.newForm() {
		b = putVAT(b, &r.doc.itemGross)
	} else {
		b = putCorrectionVAT(b, &r.doc.gross)
	}
	b = r.putInternet(b, &g)
	b = b.byte(1209, byte(r.ffd))
	d.TLV = r.putPlace(b, &g)
	r.kept.FN.Shift.Receipts++
	made := r.add(d)
	return terminalfa.ReceiptDocument{Receipt: made.Receipt, FD: made.FD, Sign: made.Sign}, done
}

// putBasis writes 1174 and 1173.
func (r *register) putBasis(b tlvs) tlvs {
	why := &r.doc.basis
	b, mark := b.open(1174)
	if len(why.name) > 0 {
		b = b.bytes(1177, why.name)
	}
	if len(why.date) > 0 {
		b = b.bytes(1178, why.date)
	}
	if len(why.number) > 0 {
		b = b.bytes(1179, why.number)
	}
	b = b.shut(mark)
	return b.byte(1173, why.kind)
}
