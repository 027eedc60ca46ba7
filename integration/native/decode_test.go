package native

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// example is the body of design.md §4.
const example = `{
  "external_id": "order-1001",
  "operation": "sell",
  "tax_system": "usn_income",
  "customer": {"contact": "buyer@example.com"},
  "items": [
    {"name": "Кофе 0.2 л", "price": 150.00, "quantity": 1, "sum": 150.00,
     "vat": "none", "payment_method": "full_payment", "subject": "commodity"}
  ],
  "payments": {"electronic": 150.00},
  "callback_url": "https://shop.example/fiscal"
}`

func decode(t *testing.T, body string) Request {
	t.Helper()
	req, err := Decode([]byte(body), Options{})
	require.NoError(t, err, "%s", details(err))
	return req
}

// details prints what a refusal lists, a line each.
func details(err error) string {
	e, ok := err.(*fiscal.UserError) //nolint:errorlint // Decode promises the type itself
	if !ok {
		return ""
	}
	class := map[fiscal.Class]string{fiscal.ClassMalformed: "malformed", fiscal.ClassContent: "content"}[e.Class]
	lines := []string{class + " " + e.Code}
	for _, c := range e.Details["errors"].([]fiscal.ContentError) {
		lines = append(lines, strings.TrimSpace(c.Path+" "+c.Code)+": "+c.Message)
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestDecodeExample(t *testing.T) {
	t.Parallel()
	req := decode(t, example)
	assert.Len(t, req.Digest, 64)
	req.Digest = ""
	assert.Equal(t, Request{
		ExternalID: "order-1001", CallbackURL: "https://shop.example/fiscal",
		Receipt: fiscal.Receipt{
			Operation: fiscal.Sell, TaxSystem: fiscal.TaxUSNIncome, Customer: fiscal.Customer{Contact: "buyer@example.com"},
			Items: []fiscal.Item{{
				Name: "Кофе 0.2 л", Price: 15000, Quantity: fiscal.OnePiece, Sum: 15000, VAT: fiscal.VATNone,
				Method: fiscal.FullPayment, Subject: fiscal.SubjectCommodity,
			}},
			Payments: fiscal.Payments{Electronic: 15000},
		},
	}, req)
}

// full has every member the API knows.
const full = `{
  "external_id": " order/№1 ", "operation": "buy_refund", "tax_system": "patent",
  "customer": {"contact": "+79161234567", "name": "ООО «Ромашка»", "inn": "7709364346"},
  "items": [
    {"name": "Сахар", "price": 1e2, "quantity": 0.333333, "sum": 33.33, "vat": "vat122", "payment_method": "advance",
     "subject": "excise", "measure": 11, "measurement_unit": "кг", "user_data": "полка 5", "excise": 0.50,
     "country_code": "643", "declaration_number": "10702020/060520/0013422", "nomenclature_code": "44 4d 01",
     "agent_info": {"type": "bank_paying_agent",
       "paying_agent": {"operation": "Перевод", "phones": ["+79161234561", "+79161234562"]},
       "receive_payments_operator": {"phones": ["+79161234563"]},
       "money_transfer_operator": {"phones": ["+79161234564"], "name": "Оператор", "address": "Москва", "inn": "7704849611"}},
     "supplier_info": {"phones": ["+79161234565"], "name": "Поставщик", "inn": "000000000000"}},
    {"name": "\u0427\u0430\u0439 \"\\\/", "price": 10, "quantity": 2.50, "sum": 25.0, "vat": "none", "payment_method": "full_payment",
     "subject": "composite", "measurement_unit": "", "user_data": null, "excise": null, "agent_info": null}
  ],
  "payments": {"cash": 10, "electronic": 20.00, "advance": 15.33, "credit": 3, "other": 10.0}, "total": 58.330,
  "callback_url": "http://shop.example:8080/a?b=c", "deadline": "2026-03-14T18:00:00.5+03:00", "internet": true,
  "sender_email": "shop@example.com", "location": "Склад 1", "payment_address": "shop.example", "device_number": "17",
  "cashier": "Иванова И. И.", "cashier_inn": "771901532574",
  "additional_check_props": "1234567890123456", "additional_user_props": {"name": "Заказ", "value": "1001"},
  "correction_info": null
}`

func TestDecodeFull(t *testing.T) {
	t.Parallel()
	req := decode(t, full)
	excise := fiscal.Money(50)
	want := Request{
		ExternalID: " order/№1 ", CallbackURL: "http://shop.example:8080/a?b=c",
		Deadline: time.Date(2026, 3, 14, 15, 0, 0, 500_000_000, time.UTC), Digest: req.Digest,
		Receipt: fiscal.Receipt{
			Operation: fiscal.BuyRefund, TaxSystem: fiscal.TaxPatent,
			Customer: fiscal.Customer{Contact: "+79161234567", Name: `ООО "Ромашка"`, INN: "7709364346"},
			Items: []fiscal.Item{
				{
					Name: "Сахар", Price: 10000, Quantity: 333_333, Sum: 3333, VAT: fiscal.VAT122, Method: fiscal.Advance,
					Subject: fiscal.SubjectExcise, Measure: 11, Unit: "кг", UserData: "полка 5", Excise: &excise, CountryCode: "643",
					Declaration: "10702020/060520/0013422", ProductCode: "444D01",
					Agent: &fiscal.AgentInfo{
						Type:        fiscal.BankPayingAgent,
						PayingAgent: &fiscal.PayingAgentInfo{Operation: "Перевод", Phones: []string{"+79161234561", "+79161234562"}},
						Receiver:    &fiscal.PhonesInfo{Phones: []string{"+79161234563"}},
						MoneyTransfer: &fiscal.TransferOperatorInfo{
							Phones: []string{"+79161234564"}, Name: "Оператор", Address: "Москва", INN: "7704849611",
						},
					},
					Supplier: &fiscal.SupplierInfo{Phones: []string{"+79161234565"}, Name: "Поставщик", INN: fiscal.NoINN},
				},
				{
					Name: `Чай "\/`, Price: 1000, Quantity: 2_500_000, Sum: 2500, VAT: fiscal.VATNone, Method: fiscal.FullPayment, Subject: 12,
				},
			},
			Payments:    fiscal.Payments{Cash: 1000, Electronic: 2000, Advance: 1533, Credit: 300, Other: 1000},
			Cashier:     "Иванова И. И.",
			CashierINN:  "771901532574",
			SenderEmail: "shop@example.com", Internet: true, Address: "Склад 1", Place: "shop.example", DeviceNumber: "17",
			CheckProps: "1234567890123456", UserProps: &fiscal.UserProps{Name: "Заказ", Value: "1001"},
		},
	}
	assert.Equal(t, want, req)
}

// An agent of the whole receipt is the one block that cannot stand beside agents of items.
func TestDecodeReceiptAgent(t *testing.T) {
	t.Parallel()
	req := decode(t, strings.Replace(example, `"callback_url"`,
		`"agent_info": {"type": "attorney"}, "supplier_info": {"phones": ["+79161234567"]}, "callback_url"`, 1))
	assert.Equal(t, &fiscal.AgentInfo{Type: fiscal.Attorney}, req.Receipt.Agent)
	assert.Equal(t, &fiscal.SupplierInfo{Phones: []string{"+79161234567"}}, req.Receipt.Supplier)
}

// Each testdata/bad/NAME.json is refused with exactly what NAME.txt says: class and code, then every fault.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			want, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".txt")
			require.NoError(t, err)
			_, err = Decode(body, Options{})
			require.Error(t, err)
			assert.Equal(t, string(want), details(err))
			assert.NotEmpty(t, err.Error())
		})
	}
}

func TestDecodeMessages(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a": 1}`:                               "unknown member a: known here are external_id, ",
		`{}`:                                     "external_id: external_id is missing: a receipt must have it (5 more in details.errors)",
		`{"operation": "buy_refund_correction"}`: "operation buy_refund_correction is not supported: this version makes no correction receipts",
		strings.Replace(example, "buyer@example.com", "x", 1): "customer.contact: contact is neither an e-mail address nor a phone: give buyer@example.com or +79161234567",
		"\xff": "the body is not UTF-8: send JSON in UTF-8",
		strings.Replace(example, "Кофе", "Ко\xffфе", 1):                                "the body is not UTF-8: send JSON in UTF-8",
		`{"` + strings.Repeat("x", 1000) + `": 1}`:                                     "unknown member " + strings.Repeat("x", 64) + "...: known",
		`{"items": ` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`: "the body is not JSON: line 1, byte ",
	} {
		_, err := Decode([]byte(body), Options{})
		require.Error(t, err)
		assert.True(t, strings.HasPrefix(err.Error(), want), "%s", err)
	}
}

// A body of another kind altogether is not answered with a list of its own size.
func TestDecodeBoundsShapeErrors(t *testing.T) {
	t.Parallel()
	_, err := Decode([]byte(`{"items": [`+strings.Repeat("1,", 5000)+`1], "phones": 1`+strings.Repeat(`, "x": 1`, 5000)+`}`), Options{})
	var e *fiscal.UserError
	require.ErrorAs(t, err, &e)
	assert.Len(t, e.Details["errors"], maxShapeErrors)
}

func TestDecodePrivateCallback(t *testing.T) {
	t.Parallel()
	body := strings.Replace(example, "https://shop.example/fiscal", "http://127.0.0.1:9000/cb", 1)
	_, err := Decode([]byte(body), Options{})
	require.Error(t, err)
	req, err := Decode([]byte(body), Options{AllowPrivateCallbacks: true})
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:9000/cb", req.CallbackURL)
}

func TestDigest(t *testing.T) {
	t.Parallel()
	want := decode(t, example).Digest
	swap := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(example) }
	for name, body := range map[string]string{
		"spacing":             strings.ReplaceAll(example, "\n", "\r\n\t"),
		"numbers":             swap("150.00", "1.5e2", `"quantity": 1`, `"quantity": 1.000`),
		"defaults":            swap(`, "subject": "commodity"`, ``, `"vat"`, `"measure": 0, "vat"`),
		"escapes":             swap("Кофе", `\u041a\u043e\u0444\u0435`, "https://shop.example/fiscal", `https:\/\/shop.example\/fiscal`),
		"order":               swap(`"operation": "sell",`, ``, `"payments"`, `"operation": "sell", "payments"`),
		"blanks":              swap("Кофе 0.2 л", " Кофе\u00a00.2 л ", "buyer@example.com", " buyer@example.com "),
		"null":                swap(`"payments"`, `"sender_email": null, "cashier": "", "internet": false, "payments"`),
		"stated total":        swap(`"payments"`, `"total": 150, "payments"`),
		"another deadline":    swap(`"payments"`, `"deadline": "2026-03-14T18:00:00Z", "payments"`),
		"another external id": swap("order-1001", "order-1002"),
	} {
		assert.Equal(t, want, decode(t, body).Digest, name)
	}
	for name, body := range map[string]string{
		"name":      swap("Кофе", "кофе"),
		"contact":   swap("buyer@", "Buyer@"),
		"operation": swap(`"sell"`, `"buy"`),
		"tax":       swap("usn_income", "osn"),
		"vat":       swap(`"none"`, `"vat0"`),
		"method":    swap("full_payment", "advance"),
		"subject":   swap("commodity", "service"),
		"payment":   swap("electronic", "cash"),
		"callback":  swap("/fiscal", "/fiscal2"),
		"split":     swap(`"price": 150.00, "quantity": 1,`, `"price": 75, "quantity": 2,`),
		"internet":  swap(`"payments"`, `"internet": true, "payments"`),
	} {
		assert.NotEqual(t, want, decode(t, body).Digest, name)
	}
}

// FuzzDecode: no body breaks the decoder, and what it takes it takes again, the same, from its own spelling.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(full))
	files, err := filepath.Glob("testdata/bad/*.json")
	require.NoError(f, err)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := Decode(body, Options{})
		if err != nil {
			var e *fiscal.UserError
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Details["errors"])
			require.NotEmpty(t, e.Message)
			return
		}
		require.True(t, json.Valid(body))
		again, err := json.Marshal(struct {
			ExternalID  string    `json:"external_id"`
			CallbackURL string    `json:"callback_url,omitempty"`
			Deadline    time.Time `json:"deadline,omitzero"`
			fiscal.Receipt
		}{req.ExternalID, req.CallbackURL, req.Deadline, req.Receipt})
		require.NoError(t, err)
		back, err := Decode(again, Options{})
		require.NoError(t, err, "%s\n%s", again, details(err))
		require.Equal(t, req.Digest, back.Digest)
		require.True(t, req.Deadline.Equal(back.Deadline))
		require.Equal(t, req.ExternalID, back.ExternalID)
		for i := range req.Receipt.Items {
			require.Equal(t, req.Receipt.Items[i].Sum, back.Receipt.Items[i].Sum)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode([]byte(example), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
