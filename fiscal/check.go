package fiscal

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Rules name what a receipt breaks: the code of a ContentError. The path says where.
const (
	RuleRequired          = "required"            // a member is missing or empty
	RuleNotAllowed        = "not_allowed"         // a member that has no meaning here
	RuleUnknownWord       = "unknown_word"        // not in the list of words or codes
	RuleTooPrecise        = "too_precise"         // more decimal places than the format has
	RuleTooSmall          = "too_small"           // zero or negative
	RuleTooLarge          = "too_large"           // an amount, a quantity, an estimated size
	RuleTooLong           = "too_long"            // a text
	RuleTooMany           = "too_many"            // a list
	RuleBadText           = "bad_text"            // a character outside CP866
	RuleBadFormat         = "bad_format"          // digits, hex, a country code
	RuleBadINN            = "bad_inn"             // length or check digits
	RuleBadPhone          = "bad_phone"           //
	RuleBadEmail          = "bad_email"           //
	RuleBadContact        = "bad_contact"         // neither e-mail nor phone
	RuleNotSite           = "not_a_site"          // the place of an internet settlement is a site
	RuleSumMismatch       = "sum_mismatch"        // item: price × quantity
	RuleTotalMismatch     = "total_mismatch"      // a stated total and the items
	RulePaymentsMismatch  = "payments_mismatch"   // payments and the items
	RuleCashlessExcess    = "cashless_excess"     // non-cash payments above the total
	RuleAloneOnReceipt    = "alone_on_receipt"    // a credit payment beside other items
	RuleAgentTwice        = "agent_twice"         // on the receipt and on items
	RuleSupplierWithAgent = "supplier_with_agent" // a supplier without an agent
)

// Limits of the format (domain/ffd.md §1.1) and of registers (§3.4, §4.1).
const (
	maxItems       = 100
	maxName        = 128
	maxContact     = 64
	maxPartyName   = 256
	maxCashier     = 64
	maxPlace       = 256
	maxDeviceNo    = 20
	maxCheckProps  = 16
	maxPropName    = 64
	maxUserData    = 64
	maxUnit        = 16
	maxDeclaration = 32
	maxProductCode = 32 // bytes, two hex digits each

	// The format gives 256 characters to the value of 1086; one device library stops at 234 and the whole of 1084 must
	// stay within 320 bytes (domain/ffd.md §1.6). 200 passes everywhere.
	maxPropValue = 200
)

// Check normalises the receipt's texts in place and returns every rule it breaks, in the order of the members; none
// when a register can be asked to make it. Paths use the member names of the native API ("items[0].sum").
//
// The rules are those of domain/ffd.md §4.2 that need no device. What a device decides is left to it: whether its
// registration has the tax system, whether its firmware knows a rate, whether it may sell excise goods. Which rate a
// merchant may use at which date is the merchant's policy. Marking and corrections have no words yet.
func Check(r *Receipt) []ContentError { return CheckRest(r, nil) }

// CheckRest is Check for a receipt some of whose members could not be read. unread says which and why; they come first
// in the result. A rule that needs one of them is skipped: it would report a zero the client never sent.
func CheckRest(r *Receipt, unread []ContentError) []ContentError {
	c := checker{errs: unread, spoiled: map[string]bool{}}
	for _, e := range unread {
		c.spoiled[e.Path] = true
	}
	c.receipt(r)
	return c.errs
}

// checker collects broken rules.
type checker struct {
	errs    []ContentError
	spoiled map[string]bool // paths whose value means nothing, for the rules that would compute with it
}

func (c *checker) fail(path, rule, format string, args ...any) {
	c.errs = append(c.errs, ContentError{Path: path, Code: rule, Message: fmt.Sprintf(format, args...)})
}

// spoil fails a path whose value no other rule may use.
func (c *checker) spoil(path, rule, format string, args ...any) {
	c.fail(path, rule, format, args...)
	c.spoiled[path] = true
}

func (c *checker) usable(paths ...string) bool {
	for _, p := range paths {
		if c.spoiled[p] {
			return false
		}
	}
	return true
}

func (c *checker) receipt(r *Receipt) {
	if c.usable("operation") {
		if _, ok := operationWords.text(r.Operation); !ok {
			c.code("operation", r.Operation == 0, operationWords.list())
		}
	}
	if c.usable("tax_system") {
		// Exactly one bit: a receipt has one tax system (domain/ffd.md §2.2), a mask is no word of the table.
		if _, ok := taxWords.text(r.TaxSystem); !ok {
			c.code("tax_system", r.TaxSystem == 0, taxWords.list())
		}
	}
	c.customer(&r.Customer)
	c.items(r)
	c.payments(r)
	c.header(r)
	c.agents(r)
	c.size(r)
}

// code fails a path that holds no known code.
func (c *checker) code(path string, missing bool, known []string) {
	if missing {
		c.spoil(path, RuleRequired, "%s is missing: give one of %s", last(path), strings.Join(known, ", "))
		return
	}
	c.spoil(path, RuleUnknownWord, "%s is not a known code: give one of %s", last(path), strings.Join(known, ", "))
}

// header checks what concerns the receipt as a whole.
func (c *checker) header(r *Receipt) {
	c.text("cashier", &r.Cashier, maxCashier)
	c.cashierINN(&r.CashierINN)
	if c.exact("sender_email", &r.SenderEmail, maxContact) && r.SenderEmail != "" && !validEmail(r.SenderEmail) {
		c.fail("sender_email", RuleBadEmail, "sender_email %q is not an e-mail address: give one such as shop@example.com",
			r.SenderEmail)
	}
	c.text("location", &r.Address, maxPlace)
	if c.text("payment_address", &r.Place, maxPlace) && r.Internet && r.Place != "" && !validSite(r.Place) {
		// Tag 1125 = 1 demands the site's address in 1187 (domain/ffd.md §1.5, §4.2 rule 12). Without payment_address
		// the register's own registration speaks, and only the register knows it.
		c.fail("payment_address", RuleNotSite,
			"payment_address %q is not a site: with internet set give the address of the shop's site, such as https://shop.example",
			r.Place)
	}
	c.text("device_number", &r.DeviceNumber, maxDeviceNo)
	c.text("additional_check_props", &r.CheckProps, maxCheckProps)
	if p := r.UserProps; p != nil {
		// With one part empty the attribute is dropped or the receipt refused (domain/ffd.md §1.6).
		c.needText("additional_user_props.name", &p.Name, maxPropName)
		c.needText("additional_user_props.value", &p.Value, maxPropValue)
	}
}

// text normalises an optional text and checks its length. It reports whether the text can be used further.
func (c *checker) text(path string, s *string, limit int) bool {
	if !c.usable(path) {
		return false
	}
	n, err := NormalizeText(*s)
	if err != nil {
		var bad *TextError
		if !errors.As(err, &bad) {
			bad = &TextError{Rune: utf8.RuneError}
		}
		c.spoil(path, RuleBadText, "%s: %s", last(path), bad.Error())
		return false
	}
	*s = n
	return c.length(path, n, limit)
}

// needText is text for one that must be there.
func (c *checker) needText(path string, s *string, limit int) bool {
	if !c.text(path, s, limit) {
		return false
	}
	if *s == "" {
		c.spoil(path, RuleRequired, "%s is missing or empty: give a text of 1 to %d characters", last(path), limit)
		return false
	}
	return true
}

// exact is text for addresses and numbers, where replacing a character would mean another address: blanks around it
// are dropped and nothing else is touched.
func (c *checker) exact(path string, s *string, limit int) bool {
	if !c.usable(path) {
		return false
	}
	*s = strings.TrimSpace(*s)
	position := 0
	for _, r := range *s {
		position++
		if unprintable(r) {
			c.spoil(path, RuleBadText, "%s: %s", last(path), (&TextError{Rune: r, Position: position}).Error())
			return false
		}
	}
	return c.length(path, *s, limit)
}

func (c *checker) length(path, s string, limit int) bool {
	if n := utf8.RuneCountInString(s); n > limit {
		c.spoil(path, RuleTooLong, "%s has %d characters: at most %d are allowed", last(path), n, limit)
		return false
	}
	return true
}

// excerpt keeps a wrong value short enough for a sentence.
func excerpt(s string) string {
	const most = 32
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// last is the member's own name, for sentences; the path stands beside them.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
