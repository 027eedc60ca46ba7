package native

import (
	"strconv"
	"strings"

	"frpoold/fiscal"
)

// item reads one position, defaults filled in.
func (r *reader) item(path string, v value) fiscal.Item {
	it := fiscal.Item{Subject: fiscal.SubjectCommodity, Measure: fiscal.MeasurePiece}
	r.object(path, v,
		field{name: "name", read: r.text(&it.Name)},
		field{name: "price", read: r.money(&it.Price), required: true},
		field{name: "quantity", read: r.quantity(&it.Quantity), required: true},
		field{name: "sum", read: r.money(&it.Sum), required: true},
		field{name: "vat", read: word(r, &it.VAT)},
		field{name: "payment_method", read: word(r, &it.Method)},
		field{name: "subject", read: word(r, &it.Subject)},
		field{name: "measure", read: r.measure(&it.Measure)},
		field{name: "measurement_unit", read: r.text(&it.Unit)},
		field{name: "user_data", read: r.text(&it.UserData)},
		field{name: "excise", read: r.optionalMoney(&it.Excise)},
		field{name: "country_code", read: r.text(&it.CountryCode)},
		field{name: "declaration_number", read: r.text(&it.Declaration)},
		field{name: "nomenclature_code", read: r.text(&it.ProductCode)},
		field{name: "agent_info", read: r.agent(&it.Agent)},
		field{name: "supplier_info", read: r.supplier(&it.Supplier)},
	)
	return it
}

// isItemSum reports that a path is that of an item's sum.
func isItemSum(path string) bool {
	return strings.HasPrefix(path, "items[") && strings.HasSuffix(path, "].sum")
}

func (r *reader) optionalMoney(to **fiscal.Money) readFunc {
	return func(path string, v value) {
		m := new(fiscal.Money)
		*to = m
		r.money(m)(path, v)
	}
}

// measure reads a unit code, a whole number of one byte. fiscal.Check knows the table.
func (r *reader) measure(to *fiscal.Measure) readFunc {
	return func(path string, v value) {
		if !r.is(path, v, kindNumber) {
			return
		}
		n, err := strconv.ParseUint(string(v), 10, 8)
		if err != nil {
			r.broken(path, fiscal.RuleUnknownWord,
				"measure %s is not in the table of units: 0 is a piece, 11 a kilogram, 41 a litre, 255 anything else", excerpt(string(v)))
			return
		}
		*to = fiscal.Measure(n)
	}
}

func (r *reader) agent(to **fiscal.AgentInfo) readFunc {
	return func(path string, v value) {
		a := &fiscal.AgentInfo{}
		*to = a
		r.object(path, v,
			field{name: "type", read: word(r, &a.Type)},
			field{name: "paying_agent", read: func(path string, v value) {
				a.PayingAgent = &fiscal.PayingAgentInfo{}
				r.object(path, v,
					field{name: "operation", read: r.text(&a.PayingAgent.Operation)},
					field{name: "phones", read: r.texts(&a.PayingAgent.Phones)},
				)
			}},
			field{name: "receive_payments_operator", read: func(path string, v value) {
				a.Receiver = &fiscal.PhonesInfo{}
				r.object(path, v, field{name: "phones", read: r.texts(&a.Receiver.Phones)})
			}},
			field{name: "money_transfer_operator", read: func(path string, v value) {
				t := &fiscal.TransferOperatorInfo{}
				a.MoneyTransfer = t
				r.object(path, v,
					field{name: "phones", read: r.texts(&t.Phones)},
					field{name: "name", read: r.text(&t.Name)},
					field{name: "address", read: r.text(&t.Address)},
					field{name: "inn", read: r.inn(&t.INN)},
				)
			}},
		)
	}
}

func (r *reader) supplier(to **fiscal.SupplierInfo) readFunc {
	return func(path string, v value) {
		s := &fiscal.SupplierInfo{}
		*to = s
		r.object(path, v,
			field{name: "phones", read: r.texts(&s.Phones)},
			field{name: "name", read: r.text(&s.Name)},
			field{name: "inn", read: r.inn(&s.INN)},
		)
	}
}
