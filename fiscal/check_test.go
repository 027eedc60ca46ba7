package fiscal

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// good is a receipt without a fault; each test takes its own.
func good() *Receipt {
	return &Receipt{
		Operation: Sell,
		TaxSystem: TaxUSNIncome,
		Customer:  Customer{Contact: "buyer@example.com"},
		Items: []Item{{
			Name: "Кофе 0.2 л", Price: 15000, Quantity: OnePiece, Sum: 15000, VAT: VATNone, Method: FullPayment,
			Subject: SubjectCommodity,
		}},
		Payments: Payments{Electronic: 15000},
	}
}

func bankAgent() *AgentInfo {
	return &AgentInfo{
		Type:        BankPayingAgent,
		PayingAgent: &PayingAgentInfo{Operation: "Перевод", Phones: []string{"+79161234567"}},
		Receiver:    &PhonesInfo{Phones: []string{"+79161234568"}},
		MoneyTransfer: &TransferOperatorInfo{
			Phones: []string{"+79161234569"}, Name: "Оператор", Address: "Москва", INN: "7704849611",
		},
	}
}

func supplier() *SupplierInfo {
	return &SupplierInfo{Phones: []string{"+79161234560"}, Name: "ООО Ромашка", INN: "7714731464"}
}

func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Receipt){
		"as it is":        func(*Receipt) {},
		"every operation": func(r *Receipt) { r.Operation = BuyRefund },
		"phone":           func(r *Receipt) { r.Customer.Contact = "+79161234567" },
		"cyrillic e-mail": func(r *Receipt) { r.Customer.Contact = "покупатель@почта.рф" },
		"buyer":           func(r *Receipt) { r.Customer.Name, r.Customer.INN = "ООО «Ромашка»", "7709364346" },
		"buyer from afar": func(r *Receipt) { r.Customer.INN = NoINN },
		"longest name":    func(r *Receipt) { r.Items[0].Name = strings.Repeat("ж", 128) },
		"three decimals":  func(r *Receipt) { r.Items[0].Quantity, r.Items[0].Price = 200_000, 75000 },
		"six decimals":    func(r *Receipt) { r.Items[0].Quantity, r.Items[0].Price, r.Items[0].Measure = 1_000_001, 15000, 11 },
		"largest quantity": func(r *Receipt) {
			r.Items[0].Quantity, r.Items[0].Price = 99_999_999_000, 1
			r.Items[0].Sum, r.Payments.Electronic = 100_000, 100_000
		},
		"rounded half up": func(r *Receipt) { r.Items[0].Quantity, r.Items[0].Price = 500_000, 29999 },
		"split payment":   func(r *Receipt) { r.Payments = Payments{1000, 2000, 3000, 4000, 5000} },
		"largest sum": func(r *Receipt) {
			r.Items[0].Price, r.Items[0].Sum, r.Payments.Electronic = MaxMoney, MaxMoney, MaxMoney
		},
		"credit payment": func(r *Receipt) { r.Items[0].Method = CreditPayment },
		"subject 15":     func(r *Receipt) { r.Items[0].Subject, r.Items[0].Name = SubjectNonOperating, "25" },
		"subject 16":     func(r *Receipt) { r.Items[0].Subject, r.Items[0].Name = SubjectTaxReducing, "26" },
		"excise of zero": func(r *Receipt) { r.Items[0].Excise = new(Money) },
		"customs":        func(r *Receipt) { r.Items[0].CountryCode, r.Items[0].Declaration = "643", "10702020/060520/0013422" },
		"product code":   func(r *Receipt) { r.Items[0].ProductCode = strings.Repeat("0a ", 32) },
		"attributes": func(r *Receipt) {
			r.CheckProps = strings.Repeat("1", 16)
			r.UserProps = &UserProps{"заказ", strings.Repeat("1", 200)}
		},
		"cashier":          func(r *Receipt) { r.Cashier, r.CashierINN = "Иванова И. И.", "771901532574" },
		"internet":         func(r *Receipt) { r.Internet, r.Place = true, "https://shop.example/" },
		"internet, host":   func(r *Receipt) { r.Internet, r.Place = true, "магазин.рф" },
		"internet, device": func(r *Receipt) { r.Internet = true },
		"place": func(r *Receipt) {
			r.Place, r.Address, r.DeviceNumber = "Торговый зал", "г. Москва, ул. Ленина, 1", "A-17"
		},
		"agent on item": func(r *Receipt) { r.Items[0].Agent, r.Items[0].Supplier = bankAgent(), supplier() },
		"foreign supplier": func(r *Receipt) {
			r.Items[0].Agent, r.Items[0].Supplier = &AgentInfo{Type: CommissionAgent}, supplier()
			r.Items[0].Supplier.INN = NoINN
		},
		"agent on receipt": func(r *Receipt) {
			r.Agent, r.Supplier = bankAgent(), &SupplierInfo{Phones: []string{"+79161234560"}}
		},
		"a hundred items": func(r *Receipt) {
			for len(r.Items) < 100 {
				r.Items = append(r.Items, r.Items[0])
			}
			r.Payments.Electronic *= 100
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := good()
			change(r)
			assert.Empty(t, Check(r))
		})
	}
}

// Every code the format knows passes, so a new code cannot be forgotten in a check.
func TestCheckKnowsEveryCode(t *testing.T) {
	t.Parallel()
	pass := func(name string, change func(*Receipt)) {
		r := good()
		change(r)
		assert.Empty(t, Check(r), name)
	}
	for _, w := range operationWords {
		pass(w.text, func(r *Receipt) { r.Operation = w.code })
	}
	for _, w := range taxWords {
		pass(w.text, func(r *Receipt) { r.TaxSystem = w.code })
	}
	for _, w := range vatWords {
		pass(w.text, func(r *Receipt) { r.Items[0].VAT = w.code })
	}
	for _, w := range methodWords {
		pass(w.text, func(r *Receipt) { r.Items[0].Method = w.code })
	}
	for _, w := range subjectWords {
		pass(w.text, func(r *Receipt) {
			r.Items[0].Subject = w.code
			switch w.code {
			case SubjectNonOperating:
				r.Items[0].Name = "1"
			case SubjectTaxReducing:
				r.Items[0].Name = "31"
			}
		})
	}
	for _, w := range agentWords {
		pass(w.text, func(r *Receipt) {
			r.Items[0].Agent, r.Items[0].Supplier = bankAgent(), supplier()
			r.Items[0].Agent.Type = w.code
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("я", n) }
	item := func(change func(*Item)) func(*Receipt) { return func(r *Receipt) { change(&r.Items[0]) } }
	agent := func(change func(*AgentInfo, *SupplierInfo)) func(*Receipt) {
		return func(r *Receipt) {
			r.Items[0].Agent, r.Items[0].Supplier = bankAgent(), supplier()
			change(r.Items[0].Agent, r.Items[0].Supplier)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*Receipt)
		want   []string // "path code", or "path code: message"
	}{
		{"no operation", func(r *Receipt) { r.Operation = 0 }, []string{
			"operation required: operation is missing: give one of sell, sell_refund, buy, buy_refund"}},
		{"operation 5", func(r *Receipt) { r.Operation = 5 }, []string{"operation unknown_word"}},
		{"no tax system", func(r *Receipt) { r.TaxSystem = 0 }, []string{"tax_system required"}},
		{"two tax systems", func(r *Receipt) { r.TaxSystem = TaxOSN | TaxPatent }, []string{"tax_system unknown_word"}},
		{"tax bit 64", func(r *Receipt) { r.TaxSystem = 64 }, []string{"tax_system unknown_word"}},

		{"no contact", func(r *Receipt) { r.Customer.Contact = "  " }, []string{"customer.contact required"}},
		{"contact", func(r *Receipt) { r.Customer.Contact = "Вася" }, []string{"customer.contact bad_contact"}},
		{"e-mail without a dot", func(r *Receipt) { r.Customer.Contact = "buyer@localhost" }, []string{"customer.contact bad_email"}},
		{"e-mail twice", func(r *Receipt) { r.Customer.Contact = "a@b.ru,c@d.ru" }, []string{"customer.contact bad_email"}},
		{"two at signs", func(r *Receipt) { r.Customer.Contact = "a@b@example.com" }, []string{"customer.contact bad_email"}},
		{"phone with blanks", func(r *Receipt) { r.Customer.Contact = "+7 916 1234567" }, []string{"customer.contact bad_phone"}},
		{"short phone", func(r *Receipt) { r.Customer.Contact = "+79161" }, []string{"customer.contact bad_phone"}},
		{"long phone", func(r *Receipt) { r.Customer.Contact = "+" + strings.Repeat("1", 19) }, []string{"customer.contact bad_phone"}},
		{"long contact", func(r *Receipt) { r.Customer.Contact = strings.Repeat("a", 53) + "@example.com" }, []string{
			"customer.contact too_long: contact has 65 characters: at most 64 are allowed"}},
		{"a dash in the address", func(r *Receipt) { r.Customer.Contact = "buyer@my–shop.ru" }, []string{"customer.contact bad_text"}},
		{"customer name", func(r *Receipt) { r.Customer.Name = long(257) }, []string{"customer.name too_long"}},
		{"customer INN", func(r *Receipt) { r.Customer.INN = "7722345678" }, []string{"customer.inn bad_inn"}},
		{"endless INN", func(r *Receipt) { r.Customer.INN = INN(strings.Repeat("1", 9999)) }, []string{
			`customer.inn bad_inn: inn "` + strings.Repeat("1", 32) + `..." is not an INN: give 10 or 12 digits with right check digits, ` +
				`or 000000000000 for a party without a Russian INN`}},

		{"no items", func(r *Receipt) { r.Items = nil }, []string{"items required"}},
		{"101 items", func(r *Receipt) {
			for len(r.Items) < 101 {
				r.Items = append(r.Items, r.Items[0])
			}
		}, []string{"items too_many: items holds 101: split the purchase, a receipt has at most 100"}},
		{"no name", item(func(it *Item) { it.Name = " \u00a0 " }), []string{"items[0].name required"}},
		{"long name", item(func(it *Item) { it.Name = long(129) }), []string{
			"items[0].name too_long: name has 129 characters: at most 128 are allowed"}},
		{"long only after replacing", item(func(it *Item) { it.Name = long(126) + "…" }), []string{"items[0].name too_long"}},
		{"emoji", item(func(it *Item) { it.Name = "Кофе ☕" }), []string{
			"items[0].name bad_text: name: character 6 is U+2615 '☕', which the code page of registers (CP866) does not have: replace it"}},
		{"free", item(func(it *Item) { it.Price, it.Sum = 0, 0 }), []string{
			"items[0].price too_small: price is 0.00: registers refuse free lines, leave the item out or give it a price",
			"items[0].sum too_small"}},
		{"negative price", item(func(it *Item) { it.Price = -1 }), []string{
			"items[0].price too_small: price is -0.01: an amount is never negative"}},
		{"price", item(func(it *Item) { it.Price = MaxMoney + 1 }), []string{
			"items[0].price too_large: price is 10000000000.01: at most 10000000000.00 is allowed"}},
		{"no quantity", item(func(it *Item) { it.Quantity = 0 }), []string{"items[0].quantity too_small"}},
		{"quantity", item(func(it *Item) { it.Quantity = 100_000 * OnePiece }), []string{"items[0].quantity too_large"}},
		{"four decimals", item(func(it *Item) { it.Quantity, it.Price = 1_000_100, 14999 }), []string{
			"items[0].quantity too_precise: quantity 1.0001 has more than 3 decimals: round it, " +
				"or give the item's measure if it is measured (then 6 are allowed)"}},
		{"sum", item(func(it *Item) { it.Quantity = 2 * OnePiece }), []string{
			"items[0].sum sum_mismatch: item sum 150.00 is not price 150.00 x quantity 2 = 300.00"}},
		{"a kopeck off", item(func(it *Item) { it.Price = 15001 }), []string{"items[0].sum sum_mismatch"}},
		{"dear", func(r *Receipt) {
			r.Items[0].Price, r.Items[0].Quantity, r.Items[0].Sum = MaxMoney, 99_999*OnePiece, MaxMoney
			r.Payments.Electronic = MaxMoney
		}, []string{"items[0].sum too_large"}},
		{"no vat", item(func(it *Item) { it.VAT = 0 }), []string{"items[0].vat required"}},
		{"vat 13", item(func(it *Item) { it.VAT = 13 }), []string{"items[0].vat unknown_word"}},
		{"method 8", item(func(it *Item) { it.Method = 8 }), []string{"items[0].payment_method unknown_word"}},
		{"no subject", item(func(it *Item) { it.Subject = 0 }), []string{"items[0].subject required"}},
		{"marked", item(func(it *Item) { it.Subject = 33 }), []string{"items[0].subject unknown_word"}},
		{"credit payment beside another", func(r *Receipt) {
			r.Items = append(r.Items, r.Items[0])
			r.Items[1].Method = CreditPayment
			r.Payments.Electronic *= 2
		}, []string{"items[1].payment_method alone_on_receipt"}},
		{"subject 15 in words", item(func(it *Item) { it.Subject = 15 }), []string{
			`items[0].name bad_format: name "Кофе 0.2 л" must be a number from 1 to 25 of the order's list when subject is non-operating_gain`}},
		{"subject 15, 26", item(func(it *Item) { it.Subject, it.Name = 15, "26" }), []string{"items[0].name bad_format"}},
		{"subject 16, 25", item(func(it *Item) { it.Subject, it.Name = 16, "25" }), []string{"items[0].name bad_format"}},
		{"subject 16, +27", item(func(it *Item) { it.Subject, it.Name = 16, "+27" }), []string{"items[0].name bad_format"}},
		{"measure", item(func(it *Item) { it.Measure = 1 }), []string{"items[0].measure unknown_word"}},
		{"unit", item(func(it *Item) { it.Unit = long(17) }), []string{"items[0].measurement_unit too_long"}},
		{"user data", item(func(it *Item) { it.UserData = long(65) }), []string{"items[0].user_data too_long"}},
		{"excise", item(func(it *Item) { m := Money(-1); it.Excise = &m }), []string{"items[0].excise too_small"}},
		{"country", item(func(it *Item) { it.CountryCode = "RU" }), []string{"items[0].country_code bad_format"}},
		{"long country", item(func(it *Item) { it.CountryCode = "6433" }), []string{"items[0].country_code too_long"}},
		{"declaration", item(func(it *Item) { it.Declaration = long(33) }), []string{"items[0].declaration_number too_long"}},
		{"product code", item(func(it *Item) { it.ProductCode = "44 4" }), []string{"items[0].nomenclature_code bad_format"}},
		{"long product code", item(func(it *Item) { it.ProductCode = strings.Repeat("00", 33) }), []string{"items[0].nomenclature_code too_long"}},
		{"item size", agent(func(a *AgentInfo, _ *SupplierInfo) {
			for range 39 {
				a.Receiver.Phones = append(a.Receiver.Phones, "+791612345678901234")
			}
		}), []string{"items[0] too_large"}},

		{"no payment", func(r *Receipt) { r.Payments = Payments{} }, []string{"payments required"}},
		{"too little", func(r *Receipt) { r.Payments.Electronic = 14999 }, []string{
			"payments payments_mismatch: payments add up to 149.99, the items to 150.00: make them equal (cash is what was kept, without the change)"}},
		{"change not taken off", func(r *Receipt) { r.Payments = Payments{Cash: 20000} }, []string{"payments payments_mismatch"}},
		{"card overpaid", func(r *Receipt) { r.Payments.Electronic = 15001 }, []string{
			"payments cashless_excess: payments other than cash are 150.01, the items cost 150.00: " +
				"only cash may be handed over in excess, take 0.01 away"}},
		{"negative payments", func(r *Receipt) { r.Payments = Payments{-1, -1, -1, -1, -1} }, []string{
			"payments.cash too_small", "payments.electronic too_small", "payments.advance too_small", "payments.credit too_small",
			"payments.other too_small"}},
		{"enormous payment", func(r *Receipt) { r.Payments.Other = MaxMoney + 1 }, []string{"payments.other too_large"}},
		{"enormous total", func(r *Receipt) {
			r.Items[0].Price, r.Items[0].Sum = MaxMoney, MaxMoney
			r.Items = append(r.Items, r.Items[0])
			r.Payments = Payments{Cash: MaxMoney, Electronic: MaxMoney}
		}, []string{"items too_large"}},

		{"cashier", func(r *Receipt) { r.Cashier = long(65) }, []string{"cashier too_long"}},
		{"cashier INN of a firm", func(r *Receipt) { r.CashierINN = "7704849611" }, []string{"cashier_inn bad_inn"}},
		{"sender", func(r *Receipt) { r.SenderEmail = "shop" }, []string{"sender_email bad_email"}},
		{"location", func(r *Receipt) { r.Address = long(257) }, []string{"location too_long"}},
		{"place", func(r *Receipt) { r.Place = long(257) }, []string{"payment_address too_long"}},
		{"internet at an address", func(r *Receipt) { r.Internet, r.Place = true, "г. Москва" }, []string{"payment_address not_a_site"}},
		{"device number", func(r *Receipt) { r.DeviceNumber = long(21) }, []string{"device_number too_long"}},
		{"1192", func(r *Receipt) { r.CheckProps = long(17) }, []string{"additional_check_props too_long"}},
		{"1084, halves", func(r *Receipt) { r.UserProps = &UserProps{} }, []string{
			"additional_user_props.name required", "additional_user_props.value required"}},
		{"1084, long", func(r *Receipt) { r.UserProps = &UserProps{long(65), long(201)} }, []string{
			"additional_user_props.name too_long", "additional_user_props.value too_long"}},

		{"agent without a type", agent(func(a *AgentInfo, _ *SupplierInfo) { a.Type = 0 }), []string{"items[0].agent_info.type required"}},
		{"two agent types", agent(func(a *AgentInfo, _ *SupplierInfo) { a.Type = 3 }), []string{"items[0].agent_info.type unknown_word"}},
		{"bank agent with nothing", func(r *Receipt) { r.Items[0].Agent = &AgentInfo{Type: BankPayingSubagent} }, []string{
			"items[0].agent_info.paying_agent.operation required: operation is missing or empty: an agent of type bank_paying_subagent must give it",
			"items[0].agent_info.paying_agent.phones required",
			"items[0].agent_info.receive_payments_operator.phones required",
			"items[0].agent_info.money_transfer_operator.phones required",
			"items[0].agent_info.money_transfer_operator.name required",
			"items[0].agent_info.money_transfer_operator.address required",
			"items[0].agent_info.money_transfer_operator.inn required",
			"items[0].supplier_info.phones required",
			"items[0].supplier_info.name required",
			"items[0].supplier_info.inn required"}},
		{"paying agent with nothing", func(r *Receipt) {
			r.Items[0].Agent, r.Items[0].Supplier = &AgentInfo{Type: PayingSubagent}, supplier()
		}, []string{
			"items[0].agent_info.paying_agent.operation required",
			"items[0].agent_info.paying_agent.phones required",
			"items[0].agent_info.receive_payments_operator.phones required"}},
		{"transfer operator's INN", agent(func(a *AgentInfo, _ *SupplierInfo) { a.MoneyTransfer.INN = NoINN }), []string{
			"items[0].agent_info.money_transfer_operator.inn bad_inn"}},
		{"agent texts", agent(func(a *AgentInfo, s *SupplierInfo) {
			a.PayingAgent.Operation, a.MoneyTransfer.Name, a.MoneyTransfer.Address, s.Name = long(25), long(65), long(257), long(257)
		}), []string{
			"items[0].agent_info.paying_agent.operation too_long",
			"items[0].agent_info.money_transfer_operator.name too_long",
			"items[0].agent_info.money_transfer_operator.address too_long",
			"items[0].supplier_info.name too_long"}},
		{"agent phones", agent(func(a *AgentInfo, s *SupplierInfo) {
			a.PayingAgent.Phones = []string{"+79161234567", "89161234567"}
			s.Phones = []string{"+7(916)1234567", "+" + strings.Repeat("7", 19)}
		}), []string{
			"items[0].agent_info.paying_agent.phones[1] bad_phone: a phone is + and 7 to 18 digits without blanks or brackets, such as +79161234567",
			"items[0].supplier_info.phones[0] bad_phone",
			"items[0].supplier_info.phones[1] too_long"}},
		{"too many phones", agent(func(a *AgentInfo, _ *SupplierInfo) { a.Receiver.Phones = make([]string, 41) }), []string{
			"items[0].agent_info.receive_payments_operator.phones too_many"}},
		{"supplier's INN", agent(func(_ *AgentInfo, s *SupplierInfo) { s.INN = "331122667723" }), []string{"items[0].supplier_info.inn bad_inn"}},
		{"supplier alone", item(func(it *Item) { it.Supplier = supplier() }), []string{"items[0].supplier_info supplier_with_agent"}},
		{"supplier alone on the receipt", func(r *Receipt) { r.Supplier = supplier() }, []string{"supplier_info supplier_with_agent"}},
		{"agent on the receipt without supplier", func(r *Receipt) { r.Agent = &AgentInfo{Type: Attorney} }, []string{"supplier_info.phones required"}},
		{"named supplier on the receipt", func(r *Receipt) { r.Agent, r.Supplier = bankAgent(), supplier() }, []string{
			"supplier_info.name not_allowed", "supplier_info.inn not_allowed"}},
		{"agent twice", func(r *Receipt) {
			r.Agent, r.Supplier = bankAgent(), &SupplierInfo{Phones: []string{"+79161234560"}}
			r.Items[0].Agent, r.Items[0].Supplier = bankAgent(), supplier()
		}, []string{"agent_info agent_twice: agent_info stands on the receipt and on items[0]: " +
			"give it on the items or on the receipt, not on both"}},

		{"document size", func(r *Receipt) {
			r.Items[0].Name, r.Items[0].UserData, r.Items[0].Declaration = long(128), long(64), long(32)
			for len(r.Items) < 100 {
				r.Items = append(r.Items, r.Items[0])
			}
			r.Payments.Electronic *= 100
		}, []string{"items too_large"}},
		{"all at once", func(r *Receipt) {
			r.Operation, r.Customer.Contact, r.Items[0].Name, r.Items[0].VAT, r.Payments.Electronic = 0, "", "", 0, 0
		}, []string{"operation required", "customer.contact required", "items[0].name required", "items[0].vat required", "payments required"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := good()
			tt.change(r)
			got := Check(r)
			require.Len(t, got, len(tt.want), "%v", got)
			for i, e := range got {
				line := fmt.Sprintf("%s %s", e.Path, e.Code)
				if strings.Contains(tt.want[i], ": ") {
					line += ": " + e.Message
				}
				assert.Equal(t, tt.want[i], line)
				assert.NotEmpty(t, e.Message)
			}
		})
	}
}

func TestCheckNormalises(t *testing.T) {
	t.Parallel()
	r := good()
	r.Customer = Customer{Contact: " buyer@example.com ", Name: "ООО «Ромашка»", INN: " 7709364346 "}
	r.Items[0].Name, r.Items[0].ProductCode, r.Items[0].Unit = "«Кофе» ", "44 4d", " шт "
	r.UserProps = &UserProps{"№ заказа ", "a–b"}
	r.Items[0].Agent, r.Items[0].Supplier = bankAgent(), supplier()
	r.Items[0].Agent.PayingAgent.Phones[0] = " +79161234567"
	r.Items[0].Agent.MoneyTransfer.Address = "«Дом»"
	r.Items[0].Supplier.Name = "“Ромашка”"
	require.Empty(t, Check(r))
	assert.Equal(t, Customer{"buyer@example.com", `ООО "Ромашка"`, "7709364346"}, r.Customer)
	assert.Equal(t, `"Кофе"`, r.Items[0].Name)
	assert.Equal(t, "444D", r.Items[0].ProductCode)
	assert.Equal(t, "шт", r.Items[0].Unit)
	assert.Equal(t, &UserProps{"№ заказа", "a-b"}, r.UserProps)
	assert.Equal(t, "+79161234567", r.Items[0].Agent.PayingAgent.Phones[0])
	assert.Equal(t, `"Дом"`, r.Items[0].Agent.MoneyTransfer.Address)
	assert.Equal(t, `"Ромашка"`, r.Items[0].Supplier.Name)
	before := *r
	require.Empty(t, Check(r), "a second look finds nothing new")
	assert.Equal(t, before, *r)
}

// A rule must not complain about a value that was never read.
func TestCheckRest(t *testing.T) {
	t.Parallel()
	r := good()
	r.Items[0].Price, r.Items[0].VAT, r.Payments.Electronic = 0, 0, 0
	unread := []ContentError{
		{"items[0].price", RuleTooPrecise, "three decimals"},
		{"items[0].vat", RuleUnknownWord, "vat18"},
		{"payments.electronic", RuleTooPrecise, "three decimals"},
	}
	assert.Equal(t, unread, CheckRest(r, unread))

	r = good()
	r.Items[0].Sum, r.Items[0].Name = 0, ""
	unread = []ContentError{{"items[0].sum", RuleRequired, "missing"}}
	got := CheckRest(r, unread)
	require.Len(t, got, 2, "%v", got)
	assert.Equal(t, "items[0].name", got[1].Path)
}

func TestTLVSizes(t *testing.T) {
	t.Parallel()
	it := good().Items[0]
	// 1030 4+10, 1079 1043 1200 4+6 each, 1023 4+8, 1199 1214 1212 2108 4+1 each
	assert.Equal(t, 14+30+12+20, itemTLV(&it))
	it.Agent, it.Supplier, it.ProductCode = bankAgent(), supplier(), "444D"
	// 1162 4+2; 1222 5, 1223 4, 1044 4+7, four phones 4+12, 1026 4+8, 1005 4+6, 1016 16; 1224 4, 1225 4+11, 1226 16
	assert.Equal(t, 76+6+9+11+4*16+12+10+16+4+15+16, itemTLV(&it))
}

func BenchmarkCheck(b *testing.B) {
	r := good()
	b.ReportAllocs()
	for b.Loop() {
		if Check(r) != nil {
			b.Fatal("refused")
		}
	}
}
