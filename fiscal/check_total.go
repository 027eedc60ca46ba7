package fiscal

import "fmt"

// payments checks tags 1031, 1081, 1215, 1216 and 1217 against the items (domain/ffd.md §4.1 rules 4 to 6). The rule
// that lets a total be rounded down to roubles is not offered: what the buyer pays is what the items cost.
func (c *checker) payments(r *Receipt) {
	p := &r.Payments
	for _, kind := range []struct {
		path  string
		value Money
	}{
		{"payments.cash", p.Cash},
		{"payments.electronic", p.Electronic},
		{"payments.advance", p.Advance},
		{"payments.credit", p.Credit},
		{"payments.other", p.Other},
	} {
		if c.usable(kind.path) {
			c.amount(kind.path, kind.value, true)
		}
	}
	total, known := c.total(r)
	paid := c.usable("payments", "payments.cash", "payments.electronic", "payments.advance", "payments.credit", "payments.other")
	if !paid {
		return
	}
	if p.Total() == 0 {
		c.fail("payments", RuleRequired,
			"payments is missing or zero: say how the receipt was paid, in cash, electronic, advance, credit or other")
		return
	}
	cashless := p.Total() - p.Cash
	switch {
	case !known:
	case cashless > total:
		c.fail("payments", RuleCashlessExcess,
			"payments other than cash are %s, the items cost %s: only cash may be handed over in excess, take %s away",
			cashless, total, cashless-total)
	case p.Total() != total:
		c.fail("payments", RulePaymentsMismatch,
			"payments add up to %s, the items to %s: make them equal (cash is what was kept, without the change)",
			p.Total(), total)
	}
}

// total is the sum of the items as they state it; known is false when some item states none.
func (c *checker) total(r *Receipt) (total Money, known bool) {
	if !c.usable("items") {
		return 0, false
	}
	for i := range r.Items {
		if !c.usable(fmt.Sprintf("items[%d].sum", i)) {
			return 0, false
		}
	}
	total = r.Total()
	if total > MaxMoney {
		c.fail("items", RuleTooLarge, "the items add up to %s: a receipt holds at most %s, split it", total, MaxMoney)
		return 0, false
	}
	return total, true
}
