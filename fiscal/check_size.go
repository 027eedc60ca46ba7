package fiscal

import (
	"fmt"
	"unicode/utf8"
)

// A document is a list of TLVs. A register refuses one that grows too large only when all of it has been sent, so its
// size is estimated here, a little high (domain/ffd.md §3.4, §4.2 rule 4).
const (
	maxItemTLV     = 1024      // content of 1059
	maxDocumentTLV = 28 * 1024 // of the 30 KB an FN holds; the rest is for what the register adds itself

	tlvHeader = 4
	tlvByte   = tlvHeader + 1
	tlvMoney  = tlvHeader + 6
	tlvINN    = tlvHeader + 12
	// stampTLV is the larger of the two places a stamp may travel in: 1084 with 1085 "frpoold" and 16 characters.
	stampTLV = 3*tlvHeader + len(StampName) + 16
	// fixedTLV holds 1054, 1055, 1125, five payments, 1020, six VAT sums and six entries of 1115.
	fixedTLV = 3*tlvByte + 12*tlvMoney + tlvHeader + 6*(tlvHeader+tlvByte+tlvMoney)
)

func (c *checker) size(r *Receipt) {
	if !c.usable("items") {
		return
	}
	document := fixedTLV + stampTLV +
		tlvText(r.Customer.Contact) + tlvText(r.Customer.Name) + tlvText(string(r.Customer.INN)) +
		tlvText(r.Cashier) + tlvText(string(r.CashierINN)) + tlvText(r.SenderEmail) +
		tlvText(r.Address) + tlvText(r.Place) + tlvText(r.DeviceNumber) + tlvText(r.CheckProps)
	if p := r.UserProps; p != nil {
		document += tlvHeader + tlvText(p.Name) + tlvText(p.Value)
	}
	document += agentTLV(r.Agent) + supplierTLV(r.Supplier)
	for i := range r.Items {
		n := itemTLV(&r.Items[i])
		document += tlvHeader + n
		if n > maxItemTLV {
			c.fail(fmt.Sprintf("items[%d]", i), RuleTooLarge,
				"the item takes about %d bytes of the document: at most %d are allowed, shorten its texts or lists of phones", n, maxItemTLV)
		}
	}
	if document > maxDocumentTLV {
		c.fail("items", RuleTooLarge,
			"the receipt takes about %d bytes in the fiscal storage: at most %d are allowed, shorten the texts or split it",
			document, maxDocumentTLV)
	}
}

// itemTLV is the estimated content of 1059: name, price, quantity, sum, VAT sum and the codes of rate, method, subject
// and measure are always counted.
func itemTLV(it *Item) int {
	n := tlvText(it.Name) + 3*tlvMoney + tlvHeader + 8 + 4*tlvByte +
		tlvText(it.Unit) + tlvText(it.UserData) + tlvText(it.CountryCode) + tlvText(it.Declaration)
	if it.Excise != nil {
		n += tlvMoney
	}
	if it.ProductCode != "" {
		n += tlvHeader + len(it.ProductCode)/2
	}
	return n + agentTLV(it.Agent) + supplierTLV(it.Supplier)
}

// agentTLV counts 1222 and 1223.
func agentTLV(a *AgentInfo) int {
	if a == nil {
		return 0
	}
	n := tlvByte + tlvHeader
	if p := a.PayingAgent; p != nil {
		n += tlvText(p.Operation) + tlvTexts(p.Phones)
	}
	if p := a.Receiver; p != nil {
		n += tlvTexts(p.Phones)
	}
	if p := a.MoneyTransfer; p != nil {
		n += tlvTexts(p.Phones) + tlvText(p.Name) + tlvText(p.Address) + tlvINN
	}
	return n
}

// supplierTLV counts 1224 and 1226.
func supplierTLV(s *SupplierInfo) int {
	if s == nil {
		return 0
	}
	return tlvHeader + tlvTexts(s.Phones) + tlvText(s.Name) + tlvINN
}

func tlvTexts(list []string) int {
	n := 0
	for _, s := range list {
		n += tlvText(s)
	}
	return n
}

// tlvText is 0 for an empty text: its tag is not sent.
func tlvText(s string) int {
	if s == "" {
		return 0
	}
	return tlvHeader + utf8.RuneCountInString(s)
}
