package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"frpoold/fiscal"
)

// goods are what demo and load sell.
var goods = []struct {
	name    string
	kopecks fiscal.Money
	subject fiscal.Subject
}{
	{"Кофе 0.2 л", 15000, fiscal.SubjectCommodity},
	{"Чайник эмалированный", 129050, fiscal.SubjectCommodity},
	{"Книга «Касса и закон»", 54900, fiscal.SubjectCommodity},
	{"Доставка курьером", 30000, fiscal.SubjectService},
	{"Билет в планетарий", 70000, fiscal.SubjectService},
	{"Яблоки", 8990, fiscal.SubjectCommodity},
}

// sampleReceipt is a body for POST /int/{id}/receipts with n items.
func sampleReceipt(r *rand.Rand, externalID string, tax fiscal.TaxSystem, items int) map[string]any {
	list := make([]map[string]any, items)
	var total fiscal.Money
	for i := range list {
		g := goods[r.IntN(len(goods))]
		quantity := 1 + r.IntN(3)
		sum := g.kopecks * fiscal.Money(quantity)
		total += sum
		list[i] = map[string]any{
			"name": g.name, "price": g.kopecks, "quantity": quantity, "sum": sum,
			"vat": fiscal.VATNone, "payment_method": fiscal.FullPayment, "subject": g.subject,
		}
	}
	return map[string]any{
		"external_id": externalID,
		"operation":   fiscal.Sell,
		"tax_system":  tax,
		"customer":    map[string]any{"contact": "buyer@example.com"},
		"items":       list,
		"payments":    map[string]any{"electronic": total},
	}
}

// job is what demo and load read of a receipt.
type job struct {
	ID         fiscal.JobID       `json:"id"`
	ExternalID string             `json:"external_id"`
	Status     fiscal.JobState    `json:"status"`
	Error      *fiscal.Failure    `json:"error"`
	Fiscal     *fiscal.FiscalData `json:"fiscal"`
}

func (j job) String() string {
	if j.Error != nil {
		return fmt.Sprintf("%s %s: %s", j.ID, j.Status, j.Error.Message)
	}
	return fmt.Sprintf("%s %s", j.ID, j.Status)
}

// pretty is v as indented JSON, with & and the like as they are: a QR text is to be copied.
func pretty(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
