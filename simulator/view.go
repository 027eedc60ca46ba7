package simulator

import (
	"strconv"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// Device is one register as people and tests see it.
type Device struct {
	N            int               `json:"n"`
	Address      string            `json:"address"` // "" when it does not listen
	Profile      Profile           `json:"profile"`
	Model        string            `json:"model"`
	Serial       string            `json:"serial"`
	FN           string            `json:"fn"` // "" when it is taken out
	Phase        fiscal.Phase      `json:"phase"`
	RNM          string            `json:"rnm"`
	INN          fiscal.INN        `json:"inn"`
	FFD          fiscal.FFD        `json:"ffd"`
	Shift        Shift             `json:"shift"`
	Documents    uint32            `json:"documents"` // made on this FN: the last FD number
	Unconfirmed  uint32            `json:"unconfirmed"`
	OpenDocument byte              `json:"open_document"` // as 0x08 shows it; 0 none
	Warnings     byte              `json:"warnings"`
	Clock        fiscal.DeviceTime `json:"clock"`
	ClockOffset  string            `json:"clock_offset"`
	Temperature  int               `json:"temperature"`
	Power        bool              `json:"power"`
	Printer      Printer           `json:"printer"`
	OFD          bool              `json:"ofd"`
	Critical     bool              `json:"critical"`
	ServiceTime  string            `json:"service_time"`
	Exchanges    uint64            `json:"exchanges"` // requests received since the start
	Remarks      uint64            `json:"remarks"`   // tags and bytes the sheet does not list, let through
	Faults       []Fault           `json:"faults"`
	Random       RandomFaults      `json:"random_faults"`
}

// Shift is the open or the last shift.
type Shift struct {
	Open     bool              `json:"open"`
	Number   int               `json:"number"`
	Receipts int               `json:"receipts"`
	OpenedAt fiscal.DeviceTime `json:"opened_at"`
}

// Document is one document of an archive.
type Document struct {
	FD        fiscal.DocNumber    `json:"fd"`
	Kind      fiscal.DocumentKind `json:"kind"`
	FP        string              `json:"fp"` // decimal, no padding
	Datetime  fiscal.DeviceTime   `json:"datetime"`
	Shift     int                 `json:"shift_number,omitempty"`
	Receipt   int                 `json:"receipt_number,omitempty"`
	Operation fiscal.Operation    `json:"operation,omitempty"`
	Total     fiscal.Money        `json:"total"`
	TaxSystem fiscal.TaxSystem    `json:"tax_system,omitempty"`
	Items     []Item              `json:"items,omitempty"`
	Payments  *fiscal.Payments    `json:"payments,omitempty"`
	Contact   string              `json:"contact,omitempty"`

	// Stamp is where a host puts its own mark: the value of a user attribute named "frpoold", else tag 1192, else the
	// value of any user attribute.
	Stamp      string            `json:"stamp,omitempty"`
	CheckProps string            `json:"check_props,omitempty"` // 1192
	UserProps  *fiscal.UserProps `json:"user_props,omitempty"`  // 1084

	Confirmed bool            `json:"confirmed"` // by the OFD
	TLV       fiscal.HexBytes `json:"tlv"`
}

// Item is one position of a document.
type Item struct {
	Name     string               `json:"name"`
	Price    fiscal.Money         `json:"price"`
	Quantity string               `json:"quantity"` // decimal
	Sum      fiscal.Money         `json:"sum"`
	VAT      fiscal.VAT           `json:"vat"`
	Method   fiscal.PaymentMethod `json:"payment_method"`
	Subject  string               `json:"subject,omitempty"` // the word, or "subject(30)" where there is none
}

// Devices shows every register.
func (r *Rack) Devices() []Device {
	list := make([]Device, 0, len(r.devices))
	for _, d := range r.devices {
		list = append(list, d.view())
	}
	return list
}

// Device shows register n.
func (r *Rack) Device(n int) (Device, error) {
	d, err := r.device(n)
	if err != nil {
		return Device{}, err
	}
	return d.view(), nil
}

func (d *device) view() Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &d.reg
	v := Device{
		N: d.n, Address: d.address, Profile: r.profile, Model: r.model(), Serial: r.kept.Serial, FFD: r.ffd,
		OpenDocument: r.doc.open, Clock: r.now(), ClockOffset: r.kept.ClockOffset.String(),
		Temperature: int(r.thermal.celsius(r.hostNow())), Power: d.powered, Printer: r.printer, OFD: r.ofd.on,
		Critical: r.critical, ServiceTime: d.service.String(), Exchanges: d.exchanges, Remarks: r.remarks,
		Faults: append([]Fault{}, d.faults...), Random: d.random,
	}
	if fn := r.kept.FN; fn != nil {
		v.FN, v.Documents, v.Unconfirmed = fn.Number, r.lastFD(), r.unconfirmed()
		v.Phase, v.Warnings = fn.Phase, r.warnings()
		v.Shift = Shift{Open: fn.Shift.Open, Number: int(fn.Shift.Number), Receipts: int(fn.Shift.Receipts), OpenedAt: fn.Shift.OpenedAt}
	}
	if g, ok := r.current(); ok {
		v.RNM, v.INN = g.RNM, fiscal.INN(g.INN)
	}
	return v
}

// Documents shows the archive of the FN in register n, oldest first, whatever the register itself would still read out.
func (r *Rack) Documents(n int) ([]Document, error) {
	d, err := r.device(n)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	if d.reg.kept.FN == nil {
		d.mu.Unlock()
		return []Document{}, nil
	}
	d.reg.ofd.catchUp(&d.reg)
	confirmed := d.reg.kept.FN.Confirmed
	archive := d.reg.archive[:len(d.reg.archive):len(d.reg.archive)] // records are never changed
	d.mu.Unlock()
	list := make([]Document, 0, len(archive))
	for i := range archive {
		list = append(list, archive[i].view(archive[i].FD <= confirmed))
	}
	return list, nil
}

func (d *record) view(confirmed bool) Document {
	v := Document{
		FD: fiscal.DocNumber(d.FD), Kind: d.Kind, FP: strconv.FormatUint(uint64(d.Sign), 10), Datetime: d.Time,
		Shift: int(d.Shift), Receipt: int(d.Receipt), Operation: fiscal.Operation(d.Operation), Total: fiscal.Money(d.Total),
		Confirmed: confirmed, TLV: fiscal.HexBytes(d.TLV),
	}
	if d.Operation == 0 {
		return v
	}
	v.Payments = &fiscal.Payments{}
	for b := d.TLV; len(b) > 0; {
		tag, value, size := b.next()
		v.take(tag, value)
		b = b[size:]
	}
	switch {
	case v.UserProps != nil && v.UserProps.Name == fiscal.StampName:
		v.Stamp = v.UserProps.Value
	case v.CheckProps != "":
		v.Stamp = v.CheckProps
	case v.UserProps != nil:
		v.Stamp = v.UserProps.Value
	}
	return v
}

// take reads one tag of a receipt or correction.
func (v *Document) take(tag uint16, value []byte) {
	sum := fiscal.Money(number(value))
	switch tag {
	case 1008:
		v.Contact = decode(value)
	case 1031:
		v.Payments.Cash = sum
	case 1055:
		v.TaxSystem = fiscal.TaxSystem(sum)
	case 1059:
		v.Items = append(v.Items, readItem(value))
	case 1081:
		v.Payments.Electronic = sum
	case 1084:
		name, _ := tlvs(value).find(1085)
		text, _ := tlvs(value).find(1086)
		v.UserProps = &fiscal.UserProps{Name: decode(name), Value: decode(text)}
	case 1192:
		v.CheckProps = decode(value)
	case 1215:
		v.Payments.Advance = sum
	case 1216:
		v.Payments.Credit = sum
	case 1217:
		v.Payments.Other = sum
	}
}

func readItem(b tlvs) Item {
	var it Item
	for len(b) > 0 {
		tag, value, size := b.next()
		n := number(value)
		switch tag {
		case 1030:
			it.Name = decode(value)
		case 1079:
			it.Price = fiscal.Money(n)
		case 1023:
			it.Quantity = decimal(number(value[1:]), int(value[0]))
		case 1043:
			it.Sum = fiscal.Money(n)
		case 1199:
			it.VAT = fiscal.VAT(n)
		case 1214:
			it.Method = fiscal.PaymentMethod(n)
		case 1212:
			it.Subject = fiscal.Subject(n).String()
		}
		b = b[size:]
	}
	return it
}

// decode reads CP866.
func decode(v []byte) string { return terminalfa.TLV{Value: v}.Text() }

// decimal writes n / 10^places without trailing zeros.
func decimal(n uint64, places int) string {
	s := strconv.FormatUint(n, 10)
	for len(s) <= places {
		s = "0" + s
	}
	end := len(s)
	for end > len(s)-places && s[end-1] == '0' {
		end--
	}
	whole := s[:len(s)-places]
	if end == len(whole) {
		return whole
	}
	return whole + "." + s[len(whole):end]
}
