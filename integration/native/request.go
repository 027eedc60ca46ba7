package native

import (
	"fmt"
	"strings"
	"time"

	"frpoold/fiscal"
)

// keptItems is how many items are read: one more than a receipt may hold. The rest is only counted.
const keptItems = 101

// decoder is a request while it is read.
type decoder struct {
	externalID      string
	externalIDGiven bool
	callbackURL     string
	deadline        time.Time
	total           fiscal.Money
	totalGiven      bool
	receipt         fiscal.Receipt
}

// request reads the body. The table below is the API's list of members; docs and openapi.yaml repeat it.
func (d *decoder) request(r *reader, v value) {
	c := &d.receipt
	r.object("", v,
		field{name: "external_id", read: d.readExternalID(r), required: true},
		field{name: "operation", read: word(r, &c.Operation)},
		field{name: "tax_system", read: word(r, &c.TaxSystem)},
		field{name: "customer", read: r.customer(&c.Customer)},
		field{name: "items", read: r.items(&c.Items)},
		field{name: "payments", read: r.payments(&c.Payments)},
		field{name: "total", read: d.readTotal(r)},
		field{name: "callback_url", read: r.trimmed(&d.callbackURL)},
		field{name: "deadline", read: d.readDeadline(r)},
		field{name: "internet", read: r.flag(&c.Internet)},
		field{name: "sender_email", read: r.text(&c.SenderEmail)},
		field{name: "location", read: r.text(&c.Address)},
		field{name: "payment_address", read: r.text(&c.Place)},
		field{name: "device_number", read: r.text(&c.DeviceNumber)},
		field{name: "cashier", read: r.text(&c.Cashier)},
		field{name: "cashier_inn", read: r.inn(&c.CashierINN)},
		field{name: "additional_check_props", read: r.text(&c.CheckProps)},
		field{name: "additional_user_props", read: r.userProps(&c.UserProps)},
		field{name: "agent_info", read: r.agent(&c.Agent)},
		field{name: "supplier_info", read: r.supplier(&c.Supplier)},
		field{name: "correction_info", read: r.correctionInfo},
	)
}

// readExternalID keeps the text exactly as it came: it is compared exactly.
func (d *decoder) readExternalID(r *reader) readFunc {
	return func(path string, v value) {
		d.externalIDGiven = true
		r.text(&d.externalID)(path, v)
	}
}

func (d *decoder) readTotal(r *reader) readFunc {
	return func(path string, v value) {
		before := len(r.content)
		r.money(&d.total)(path, v)
		d.totalGiven = len(r.content) == before
	}
}

func (d *decoder) readDeadline(r *reader) readFunc {
	return func(path string, v value) {
		var text string
		r.trimmed(&text)(path, v)
		if text == "" {
			return
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			r.broken(path, RuleBadTime, "deadline %q is not a time in RFC 3339: give one such as 2026-03-14T18:00:00+03:00", excerpt(text))
			return
		}
		d.deadline = t.UTC()
	}
}

func (r *reader) trimmed(to *string) readFunc {
	return func(path string, v value) {
		r.text(to)(path, v)
		*to = strings.TrimSpace(*to)
	}
}

func (r *reader) correctionInfo(path string, v value) {
	if r.is(path, v, kindObject) {
		r.broken(path, fiscal.RuleNotAllowed,
			"correction_info belongs to the correction operations, and this version makes no correction receipts: leave it out")
	}
}

func (r *reader) customer(to *fiscal.Customer) readFunc {
	return func(path string, v value) {
		r.object(path, v,
			field{name: "contact", read: r.text(&to.Contact)},
			field{name: "name", read: r.text(&to.Name)},
			field{name: "inn", read: r.inn(&to.INN)},
		)
	}
}

func (r *reader) payments(to *fiscal.Payments) readFunc {
	return func(path string, v value) {
		r.object(path, v,
			field{name: "cash", read: r.money(&to.Cash)},
			field{name: "electronic", read: r.money(&to.Electronic)},
			field{name: "advance", read: r.money(&to.Advance)},
			field{name: "credit", read: r.money(&to.Credit)},
			field{name: "other", read: r.money(&to.Other)},
		)
	}
}

func (r *reader) userProps(to **fiscal.UserProps) readFunc {
	return func(path string, v value) {
		p := &fiscal.UserProps{}
		*to = p
		r.object(path, v,
			field{name: "name", read: r.text(&p.Name)},
			field{name: "value", read: r.text(&p.Value)},
		)
	}
}

func (r *reader) items(to *[]fiscal.Item) readFunc {
	return func(path string, v value) {
		if !r.is(path, v, kindArray) {
			return
		}
		n := 0
		v.elements(func(i int, element value) {
			n++
			if n <= keptItems {
				*to = append(*to, r.item(fmt.Sprintf("%s[%d]", path, i), element))
			}
		})
		if n > keptItems {
			r.broken(path, fiscal.RuleTooMany, "items holds %d: split the purchase, a receipt has at most %d", n, keptItems-1)
		}
	}
}
