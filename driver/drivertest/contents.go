package drivertest

import (
	"fmt"
	"strings"

	"frpoold/fiscal"
)

// sale is the smallest receipt: one item of 150.00, paid electronically.
func (s *stage) sale() fiscal.Receipt {
	r := fiscal.Receipt{
		Operation: fiscal.Sell,
		TaxSystem: s.taxSystem(),
		Customer:  fiscal.Customer{Contact: "buyer@example.com"},
		Items:     []fiscal.Item{s.item("Кофе 0.2 л", 150_00)},
	}
	s.place(&r)
	return paid(r)
}

// place adds the place of settlement where the register has none.
func (s *stage) place(r *fiscal.Receipt) {
	if s.Limits.NeedsPlace {
		r.Address, r.Place, r.DeviceNumber = "г. Тест, ул. Старая, 2", "https://автомат.example", "A-000012"
	}
}

// taxSystem is the first the register is registered for.
func (s *stage) taxSystem() fiscal.TaxSystem { return s.id.TaxSystems & -s.id.TaxSystems }

func (s *stage) item(name string, price fiscal.Money) fiscal.Item {
	return fiscal.Item{
		Name: name, Price: price, Quantity: fiscal.OnePiece, Sum: price,
		VAT: fiscal.VATNone, Method: fiscal.FullPayment, Subject: fiscal.SubjectCommodity,
	}
}

// paid pays a receipt electronically in full.
func paid(r fiscal.Receipt) fiscal.Receipt {
	r.Payments = fiscal.Payments{Electronic: r.Total()}
	return r
}

// many is a receipt of n items with the longest names, so that its document fits no single answer.
func (s *stage) many(n int) fiscal.Receipt {
	r := s.sale()
	r.Items = nil
	for i := range n {
		name := []rune(fmt.Sprintf("Позиция %d ", i+1) + strings.Repeat("Щ", 128))
		r.Items = append(r.Items, s.item(string(name[:128]), fiscal.Money(100+i)))
	}
	return paid(r)
}

// one is a receipt of one item, changed.
func (s *stage) one(change func(*fiscal.Item)) fiscal.Receipt {
	r := s.sale()
	change(&r.Items[0])
	return paid(r)
}

// agent is the whole data of an agent of this type: what its type must give and nothing else.
func agent(t fiscal.AgentType, name, address int) *fiscal.AgentInfo {
	a := &fiscal.AgentInfo{Type: t}
	if t&(fiscal.BankPayingAgent|fiscal.BankPayingSubagent|fiscal.PayingAgent|fiscal.PayingSubagent) != 0 {
		a.PayingAgent = &fiscal.PayingAgentInfo{Operation: "Приём платежей", Phones: []string{"+79161234567", "+79167654321"}}
		a.Receiver = &fiscal.PhonesInfo{Phones: []string{"+74951234567"}}
	}
	if t&(fiscal.BankPayingAgent|fiscal.BankPayingSubagent) != 0 {
		a.MoneyTransfer = &fiscal.TransferOperatorInfo{
			Phones: []string{"+78001234567"}, Name: strings.Repeat("П", name), Address: strings.Repeat("у", address), INN: "7704849611",
		}
	}
	return a
}

// agentTypes are the single types of a mask.
func agentTypes(mask fiscal.AgentType) []fiscal.AgentType {
	var list []fiscal.AgentType
	for bit := fiscal.BankPayingAgent; bit <= fiscal.AnotherAgent; bit <<= 1 {
		if mask&bit != 0 {
			list = append(list, bit)
		}
	}
	return list
}

// contents are the receipts that a register must put on paper whole: every code and every member it takes.
func (s *stage) contents() map[string]fiscal.Receipt {
	all := map[string]fiscal.Receipt{
		"one item":            s.sale(),
		"twenty items":        s.many(min(20, s.Limits.Items)),
		"as many items as go": s.many(s.Limits.Items),
		"fraction": s.one(func(it *fiscal.Item) {
			it.Price, it.Quantity, it.Sum, it.Measure, it.Unit = 99_99, 1_234_000, 123_39, 11, "кг" // 99.99 × 1.234 = 123.387…
		}),
		"one kopeck": s.one(func(it *fiscal.Item) { it.Price, it.Sum = 1, 1 }),
		"largest sum": s.one(func(it *fiscal.Item) {
			it.Price, it.Sum = fiscal.MaxMoney, fiscal.MaxMoney
		}),
		"credit payment": s.one(func(it *fiscal.Item) { it.Method, it.Subject = fiscal.CreditPayment, 10 }),
	}
	for _, op := range []fiscal.Operation{fiscal.Sell, fiscal.SellRefund, fiscal.Buy, fiscal.BuyRefund} {
		r := s.sale()
		r.Operation = op
		all["operation "+op.String()] = r
	}
	for v := fiscal.VAT20; v <= fiscal.VAT122; v++ {
		if s.id.VATs.Contains(fiscal.VATSet(0).With(v)) {
			all["rate "+v.String()] = s.one(func(it *fiscal.Item) { it.VAT = v })
		}
	}
	for m := fiscal.FullPrepayment; m < fiscal.CreditPayment; m++ {
		all["method "+m.String()] = s.one(func(it *fiscal.Item) { it.Method = m })
	}
	for _, code := range s.Limits.Subjects {
		all["subject "+code.String()] = s.one(func(it *fiscal.Item) {
			it.Subject = code
			switch code {
			case fiscal.SubjectNonOperating:
				it.Name = "1"
			case fiscal.SubjectTaxReducing:
				it.Name = "26"
			}
		})
	}
	for bit := fiscal.TaxOSN; bit <= fiscal.TaxPatent; bit <<= 1 {
		if s.id.TaxSystems&bit != 0 {
			r := s.sale()
			r.TaxSystem = bit
			all["tax "+bit.String()] = r
		}
	}
	s.payments(all)
	s.agents(all)
	s.texts(all)
	return all
}

func (s *stage) payments(all map[string]fiscal.Receipt) {
	for name, p := range map[string]fiscal.Payments{
		"cash": {Cash: 150_00}, "electronic": {Electronic: 150_00}, "advance": {Advance: 150_00}, "credit": {Credit: 150_00},
		"other": {Other: 150_00}, "of every kind": {Cash: 1, Electronic: 2_00, Advance: 30_00, Credit: 101_99, Other: 16_00},
	} {
		r := s.sale()
		r.Payments = p
		all["payment "+name] = r
	}
}

func (s *stage) agents(all map[string]fiscal.Receipt) {
	for _, t := range agentTypes(s.Limits.ItemAgents) {
		r := s.sale()
		r.Items = append(r.Items, s.item("Своё", 1_00))
		r.Items[0].Agent = agent(t, s.Limits.TransferName, s.Limits.Address)
		r.Items[0].Supplier = &fiscal.SupplierInfo{
			Phones: []string{"+79031234567", "+79037654321"}, Name: strings.Repeat("С", s.Limits.SupplierName), INN: "7704849611",
		}
		all["item of "+t.String()] = paid(r)
	}
	for _, t := range agentTypes(s.Limits.ReceiptAgents) {
		r := s.sale()
		r.Agent = agent(t, 40, 90)
		r.Supplier = &fiscal.SupplierInfo{Phones: []string{"+79031234567"}}
		all["receipt of "+t.String()] = r
	}
}

// texts are receipts with every optional member, the longest that pass the door.
func (s *stage) texts(all map[string]fiscal.Receipt) {
	excise := fiscal.Money(12_34)
	r := s.one(func(it *fiscal.Item) {
		it.Name = strings.Repeat("Ж", 128)
		it.Unit, it.UserData = strings.Repeat("м", 16), strings.Repeat("Д", 64)
		it.Excise, it.CountryCode, it.Declaration = &excise, "643", strings.Repeat("7", 32)
		it.ProductCode = strings.Repeat("A1", 32)
	})
	r.Customer = fiscal.Customer{
		Contact: strings.Repeat("b", 64-len("@example.com")) + "@example.com", Name: strings.Repeat("Ы", 256), INN: "500100732259",
	}
	r.Cashier, r.CashierINN = strings.Repeat("К", 64), "500100732259"
	r.SenderEmail = strings.Repeat("s", 64-len("@example.com")) + "@example.com"
	r.Internet = true
	r.UserProps = &fiscal.UserProps{Name: strings.Repeat("И", 64), Value: strings.Repeat("З", 200)}
	all["every text at its limit"] = r

	r = s.sale()
	r.Customer.Contact = "+79161234567"
	r.Customer.INN = "7704849611"
	all["phone and an organisation"] = r

	r = s.sale()
	r.CheckProps = strings.Repeat("1", 16)
	all["own 1192"] = r
	r.UserProps = &fiscal.UserProps{Name: "заказ", Value: "А-17"}
	all["own 1192 and 1084"] = r

	r = s.one(func(it *fiscal.Item) { it.Name = "Ёё Єє Її Ўў №°·¤ \"!?%" })
	all["the odd characters of CP866"] = r
}
