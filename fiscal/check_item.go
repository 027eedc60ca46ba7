package fiscal

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

const (
	// thousandth is the finest step of a quantity that every register takes.
	thousandth = OnePiece / 1000
	// quantityBound is above every quantity that every register takes: five integer digits.
	quantityBound = 100_000 * OnePiece
)

func (c *checker) items(r *Receipt) {
	n := len(r.Items)
	switch {
	case !c.usable("items"):
	case n == 0:
		c.spoil("items", RuleRequired, "items is missing or empty: a receipt has 1 to %d items", maxItems)
	case n > maxItems:
		c.spoil("items", RuleTooMany, "items holds %d: split the purchase, a receipt has at most %d", n, maxItems)
	}
	n = min(n, maxItems)
	for i := range r.Items[:n] {
		c.item(fmt.Sprintf("items[%d]", i), &r.Items[i])
	}
	if n > 1 {
		c.alone(r.Items[:n])
	}
}

// alone refuses a credit payment beside other items (domain/ffd.md §2.4). One entry says it all.
func (c *checker) alone(items []Item) {
	for i := range items {
		if items[i].Method == CreditPayment {
			c.fail(fmt.Sprintf("items[%d].payment_method", i), RuleAloneOnReceipt,
				"payment_method credit_payment must be alone on its receipt, here are %d items: make a receipt of its own for it",
				len(items))
			return
		}
	}
}

func (c *checker) item(p string, it *Item) {
	named := c.needText(p+".name", &it.Name, maxName)
	c.arithmetic(p, it)
	if path := p + ".vat"; c.usable(path) {
		if _, ok := vatWords.text(it.VAT); !ok {
			c.code(path, it.VAT == 0, vatWords.list())
		}
	}
	if path := p + ".payment_method"; c.usable(path) {
		if _, ok := methodWords.text(it.Method); !ok {
			c.code(path, it.Method == 0, methodWords.list())
		}
	}
	if path := p + ".subject"; c.usable(path) {
		if _, ok := subjectWords.text(it.Subject); !ok {
			c.code(path, it.Subject == 0, subjectWords.list())
		} else if named {
			c.nameCode(p, it)
		}
	}
	if path := p + ".measure"; c.usable(path) && !it.Measure.Valid() {
		c.spoil(path, RuleUnknownWord,
			"measure %d is not in the table of units: 0 is a piece, 11 a kilogram, 41 a litre, 255 anything else", it.Measure)
	}
	c.text(p+".measurement_unit", &it.Unit, maxUnit)
	c.text(p+".user_data", &it.UserData, maxUserData)
	if path := p + ".excise"; it.Excise != nil && c.usable(path) {
		c.amount(path, *it.Excise, true)
	}
	if path := p + ".country_code"; c.exact(path, &it.CountryCode, 3) && it.CountryCode != "" &&
		(len(it.CountryCode) != 3 || !digits(it.CountryCode)) {
		c.fail(path, RuleBadFormat, "country_code %q is not three digits: give the numeric code, Russia is 643", it.CountryCode)
	}
	c.text(p+".declaration_number", &it.Declaration, maxDeclaration)
	c.productCode(p+".nomenclature_code", &it.ProductCode)
}

// arithmetic checks price, quantity and sum.
//
// The sum must be price × quantity rounded half up to the kopeck, exactly. Registers that are told a sum forgive one
// kopeck (domain/ffd.md §4.1 rule 2), but others are told none: they multiply for themselves and compare the whole
// roubles of the total (protocols/terminal-fa.md §11.5). A forgiven kopeck would then be a document with another sum
// than the shop booked, or a refusal after the device was chosen, depending on which device it was.
//
// A quantity has at most three decimals, as every register takes them (rule 11). An item with a measure other than the
// piece goes to the registers of FFD 1.2, which take six. Both stay below 100 000.
func (c *checker) arithmetic(p string, it *Item) {
	price, quantity, sum := p+".price", p+".quantity", p+".sum"
	if c.usable(price) {
		c.amount(price, it.Price, false)
	}
	if c.usable(quantity) {
		switch {
		case it.Quantity <= 0:
			c.spoil(quantity, RuleTooSmall, "quantity is %s: it must be above zero", it.Quantity)
		case it.Quantity >= quantityBound:
			c.spoil(quantity, RuleTooLarge, "quantity is %s: it must be below 100000, split the item or use a larger measure",
				it.Quantity)
		case it.Measure == MeasurePiece && it.Quantity%thousandth != 0 && c.usable(p+".measure"):
			c.fail(quantity, RuleTooPrecise,
				"quantity %s has more than 3 decimals: round it, or give the item's measure if it is measured (then 6 are allowed)",
				it.Quantity)
		}
	}
	if c.usable(sum) {
		c.amount(sum, it.Sum, false)
	}
	if !c.usable(price, quantity, sum) {
		return
	}
	cost, ok := Cost(it.Price, it.Quantity)
	switch {
	case !ok || cost > MaxMoney:
		c.fail(sum, RuleTooLarge, "price %s x quantity %s is more than the %s an item may cost: split it",
			it.Price, it.Quantity, MaxMoney)
	case cost != it.Sum:
		c.fail(sum, RuleSumMismatch, "item sum %s is not price %s x quantity %s = %s", it.Sum, it.Price, it.Quantity, cost)
	}
}

// amount checks the limits of money. Older firmware refuses lines without a price (domain/ffd.md §4.1 rule 13), and no
// register can be asked beforehand.
func (c *checker) amount(path string, m Money, zero bool) {
	switch {
	case m < 0:
		c.spoil(path, RuleTooSmall, "%s is %s: an amount is never negative", last(path), m)
	case m == 0 && !zero:
		c.spoil(path, RuleTooSmall, "%s is 0.00: registers refuse free lines, leave the item out or give it a price", last(path))
	case m > MaxMoney:
		c.spoil(path, RuleTooLarge, "%s is %s: at most %s is allowed", last(path), m, MaxMoney)
	}
}

// nameCode: subjects 15 and 16 are named by a number of the order's list (domain/ffd.md §2.5).
func (c *checker) nameCode(p string, it *Item) {
	low, high := 1, 25
	switch it.Subject {
	case SubjectNonOperating:
	case SubjectTaxReducing:
		low, high = 26, 31
	default:
		return
	}
	n, err := strconv.Atoi(it.Name)
	if err != nil || n < low || n > high || strconv.Itoa(n) != it.Name {
		c.fail(p+".name", RuleBadFormat, "name %q must be a number from %d to %d of the order's list when subject is %s",
			it.Name, low, high, it.Subject)
	}
}

// productCode packs the hex digits of tag 1162, which clients like to write in pairs with spaces.
func (c *checker) productCode(path string, code *string) {
	if !c.usable(path) || *code == "" {
		return
	}
	packed := strings.ToUpper(strings.Join(strings.Fields(*code), ""))
	raw, err := hex.DecodeString(packed)
	switch {
	case err != nil:
		c.spoil(path, RuleBadFormat, "nomenclature_code must be pairs of hex digits, such as 44 4D 01 A2")
	case len(raw) > maxProductCode:
		c.spoil(path, RuleTooLong, "nomenclature_code has %d bytes: at most %d are allowed", len(raw), maxProductCode)
	default:
		*code = packed
	}
}
