package terminalfa

import (
	"context"
	"errors"
	"fmt"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// Register makes a receipt (§5.3, §8): see doc.go for what its errors prove.
func (d *Device) Register(ctx context.Context, r fiscal.Receipt, b fiscal.Baseline) (fiscal.Document, error) {
	const op = "Register"
	if !d.known {
		return fiscal.Document{}, &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Internal, Effect: fiscal.Nothing, Err: errors.New("the register was not identified")}
	}
	build, err := d.receiptCommands(&r, b.Marks)
	if errors.Is(err, errNoPlace) {
		// Another register may have its place in its registration.
		return fiscal.Document{}, &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Attention, Effect: fiscal.Nothing, Err: err}
	}
	if err != nil {
		return fiscal.Document{}, invalid(op, err)
	}
	total := r.Total()
	before := fiscal.DocumentRef{FN: b.FN, Last: b.LastFD}
	reply, err := d.make(ctx, op, before, build, wire.FormReceipt{Operation: byte(r.Operation), Total: uint64(total)})
	if err != nil {
		return fiscal.Document{}, err
	}
	made, ok := reply.(wire.ReceiptDocument)
	if !ok {
		return fiscal.Document{}, errReplyType(op)
	}
	if err := isNext(op, fiscal.DocNumber(made.FD), b.LastFD); err != nil {
		return fiscal.Document{}, err
	}
	doc := fiscal.Document{
		Kind: fiscal.KindReceipt, FN: b.FN, Number: fiscal.DocNumber(made.FD), Sign: fiscal.Sign(made.Sign),
		Time: made.Time, Shift: uint32(made.Shift), Receipt: uint32(made.Receipt),
		Operation: r.Operation, Total: total, Marks: b.Marks, Full: true,
	}
	if made.HasTime && made.HasShift {
		return doc, nil
	}
	return d.olderReply(ctx, doc)
}

// olderReply adds time and shift that configurations before 1.0.19 leave out of the answer to 0x24 (§5.3).
func (d *Device) olderReply(ctx context.Context, doc fiscal.Document) (fiscal.Document, error) {
	short, err := ask[wire.ArchiveDocument](ctx, d, "Register", wire.DocumentQuery{Cmd: wire.CmdFind, Number: uint32(doc.Number)})
	if err != nil {
		return doc, done("Register", err)
	}
	shift, err := ask[wire.ShiftReply](ctx, d, "Register", wire.Bare{Cmd: wire.CmdShift})
	if err != nil {
		return doc, done("Register", err)
	}
	doc.Time, doc.Shift = short.Time, uint32(shift.Number)
	return doc, nil
}

// receiptCommands are the commands between nothing and 0x24. marks are the receipt's own 1192 and 1084 with the stamp.
func (d *Device) receiptCommands(r *fiscal.Receipt, marks fiscal.Marks) ([]wire.Request, error) {
	ffd12 := d.identity.FFD == fiscal.FFD12
	build := make([]wire.Request, 0, len(r.Items)+5)
	build = append(build, wire.Bare{Cmd: wire.CmdBeginReceipt})
	for i := range r.Items {
		req, err := d.itemCommand(&r.Items[i], ffd12)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		build = append(build, req)
	}
	type part func(*fiscal.Receipt) (wire.Request, bool, error)
	parts := []part{d.agentCommand, d.placeCommand, func(r *fiscal.Receipt) (wire.Request, bool, error) { return d.paymentCommand(r, marks, ffd12) }}
	if ffd12 {
		parts = append(parts, d.receiptData12)
	}
	for _, p := range parts {
		req, needed, err := p(r)
		if err != nil {
			return nil, err
		}
		if needed {
			build = append(build, req)
		}
	}
	return build, nil
}

// itemCommand is 2B with everything inside one 1059 (§5.3), or 96 with the bare tags at FFD 1.2 (§8).
func (d *Device) itemCommand(it *fiscal.Item, ffd12 bool) (wire.Request, error) {
	var b tlvBuilder
	b.text(wire.TagItemName, it.Name)
	b.money(wire.TagPrice, it.Price)
	b.quantity(wire.TagQuantity, it.Quantity)
	b.byte(wire.TagVAT, byte(it.VAT))
	b.byte(wire.TagPaymentMethod, byte(it.Method))
	b.byte(wire.TagSubject, byte(it.Subject))
	if ffd12 {
		b.byte(wire.TagMeasure, byte(it.Measure))
	} else {
		b.text(wire.TagUnit, it.Unit)
		b.text(wire.TagProductCode, it.ProductCode)
	}
	itemAgent(&b, it)
	if it.Excise != nil {
		b.money(wire.TagExcise, *it.Excise)
	}
	b.text(wire.TagCountry, it.CountryCode)
	b.text(wire.TagDeclaration, it.Declaration)
	b.text(wire.TagItemAttribute, it.UserData)
	if b.err != nil {
		return nil, b.err
	}
	if ffd12 {
		return wire.TLVRequest{Cmd: wire.CmdItem12, List: b.list}, nil
	}
	item := tlvBuilder{}
	item.nest(wire.TagItem, b)
	return wire.TLVRequest{Cmd: wire.CmdItem, List: item.list}, item.err
}

// itemAgent writes an item's agent and supplier data, flat as §5.3 lists them.
func itemAgent(b *tlvBuilder, it *fiscal.Item) {
	if a := it.Agent; a != nil {
		b.byte(wire.TagItemAgent, byte(a.Type))
		agentData(b, a)
	}
	if s := it.Supplier; s != nil {
		b.texts(wire.TagSupplierPhone, s.Phones)
		b.text(wire.TagSupplierName, s.Name)
		b.padded(wire.TagSupplierINN, string(s.INN), 12)
	}
}

func agentData(b *tlvBuilder, a *fiscal.AgentInfo) {
	if p := a.PayingAgent; p != nil {
		b.text(wire.TagAgentOperation, p.Operation)
		b.texts(wire.TagAgentPhone, p.Phones)
	}
	if p := a.Receiver; p != nil {
		b.texts(wire.TagReceiverPhone, p.Phones)
	}
	if t := a.MoneyTransfer; t != nil {
		b.texts(wire.TagTransferPhone, t.Phones)
		b.text(wire.TagTransferName, t.Name)
		b.text(wire.TagTransferAddress, t.Address)
		b.padded(wire.TagTransferINN, string(t.INN), 12)
	}
}

// agentCommand is 2C: the whole receipt's agent data, or, on a register registered as an agent, the statement that this
// receipt is none (§5.3). Items that carry agent data exclude it.
func (d *Device) agentCommand(r *fiscal.Receipt) (wire.Request, bool, error) {
	var b tlvBuilder
	for i := range r.Items {
		if r.Items[i].Agent != nil {
			return nil, false, nil
		}
	}
	switch {
	case r.Agent != nil:
		b.byte(wire.TagAgent, byte(r.Agent.Type))
		agentData(&b, r.Agent)
		if r.Supplier != nil {
			b.texts(wire.TagSupplierPhone, r.Supplier.Phones)
		}
	case d.identity.Agents != 0:
		b.byte(wire.TagAgent, 0)
	default:
		return nil, false, nil
	}
	return wire.TLVRequest{Cmd: wire.CmdAgent, List: b.list}, true, b.err
}

// errNoPlace is about this register as much as about the receipt.
var errNoPlace = errors.New("the register has no place of settlement in its registration: send location, payment_address and device_number")

// placeCommand is 1F, for a register registered without a place of settlement; with one it would be refused (§5.3).
// FFD 1.2 carries the place in 98 instead (§8).
func (d *Device) placeCommand(r *fiscal.Receipt) (wire.Request, bool, error) {
	registered := d.identity.Address != "" && d.identity.Place != ""
	if d.identity.FFD == fiscal.FFD12 || registered || d.placeUnknown {
		return nil, false, nil
	}
	var b tlvBuilder
	b.text(wire.TagAddress, r.Address)
	b.text(wire.TagPlace, r.Place)
	b.text(wire.TagDeviceNumber, r.DeviceNumber)
	if len(b.list) == 0 {
		return nil, false, errNoPlace
	}
	return wire.TLVRequest{Cmd: wire.CmdAutomat, List: b.list}, true, b.err
}

// paymentCommand is 2D: tax system, the five payments (always all), buyer and marks (§5.3).
func (d *Device) paymentCommand(r *fiscal.Receipt, marks fiscal.Marks, ffd12 bool) (wire.Request, bool, error) {
	var b tlvBuilder
	b.byte(wire.TagTaxSystem, byte(r.TaxSystem))
	b.money(wire.TagCash, r.Payments.Cash)
	b.money(wire.TagElectronic, r.Payments.Electronic)
	b.money(wire.TagAdvance, r.Payments.Advance)
	b.money(wire.TagCredit, r.Payments.Credit)
	b.money(wire.TagOther, r.Payments.Other)
	b.text(wire.TagCheckProps, marks.CheckProps)
	if p := marks.UserProps; p != nil {
		b.text(wire.TagUserPropName, p.Name)
		b.text(wire.TagUserPropValue, p.Value)
	}
	b.text(wire.TagSenderEmail, r.SenderEmail)
	if !ffd12 {
		b.text(wire.TagCashier, r.Cashier)
		b.padded(wire.TagCashierINN, string(r.CashierINN), 12)
		b.text(wire.TagContact, r.Customer.Contact)
		b.text(wire.TagBuyer, r.Customer.Name)
		b.padded(wire.TagBuyerINN, string(r.Customer.INN), 12)
	}
	return wire.TLVRequest{Cmd: wire.CmdPayment, List: b.list}, true, b.err
}

// receiptData12 is 98: place, cashier, buyer and the internet flag of FFD 1.2 (§8).
func (d *Device) receiptData12(r *fiscal.Receipt) (wire.Request, bool, error) {
	var b tlvBuilder
	b.text(wire.TagAddress, first(d.identity.Address, r.Address))
	b.text(wire.TagPlace, first(r.Place, d.identity.Place))
	b.text(wire.TagDeviceNumber, first(d.identity.DeviceNumber, r.DeviceNumber))
	b.text(wire.TagCashier, r.Cashier)
	b.padded(wire.TagCashierINN, string(r.CashierINN), 12)
	b.text(wire.TagContact, r.Customer.Contact)
	if r.Customer.Name != "" || r.Customer.INN != "" {
		var buyer tlvBuilder
		buyer.text(wire.TagBuyer, r.Customer.Name)
		buyer.padded(wire.TagBuyerINN, string(r.Customer.INN), 12)
		b.nest(wire.TagBuyerInfo, buyer)
	}
	if r.Internet {
		b.byte(wire.TagInternet, 1)
	}
	return wire.TLVRequest{Cmd: wire.CmdReceiptData12, List: b.list}, true, b.err
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
