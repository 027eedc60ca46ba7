package simulator

import (
	"encoding/hex"
	"math/bits"
	"strconv"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

const (
	maxItems    = 100   // project choice (sheet §14.6)
	maxItemTLV  = 1024  // FFD tag 1059
	maxContents = 30000 // of the items of one document, what an FN takes (domain/ffd.md §3.4)
)

// agentTags are the agent's and supplier's data of an item (sheet §5.3).
var agentTags = []tagRule{
	{tag: 1075, shape: text, max: 20, repeat: true},
	{tag: 1044, shape: text, max: 63},
	{tag: 1073, shape: text, max: 20, repeat: true},
	{tag: 1074, shape: text, max: 20, repeat: true},
	{tag: 1026, shape: text, max: 127},
	{tag: 1005, shape: text, max: 164},
	{tag: 1016, shape: inn12},
	{tag: 1171, shape: text, max: 20, repeat: true},
	{tag: 1225, shape: text, max: 64},
	{tag: 1226, shape: inn12},
}

var itemTags = []tagRule{
	{tag: 1030, shape: text, max: 128, need: true},
	{tag: 1079, shape: money, need: true},
	{tag: 1023, shape: amount, need: true},
	{tag: 1199, shape: oneByte, need: true},
	{tag: 1214, shape: oneByte, need: true},
	{tag: 1212, shape: oneByte},
	{tag: 1222, shape: oneByte},
	{tag: 1229, shape: money},
	{tag: 1231, shape: text, max: 32},
	{tag: 1230, shape: text, max: 3},
	{tag: 1191, shape: text, max: 64},
	{tag: 2108, shape: oneByte},
}

// The two item forms: 0x2B inside tag 1059 up to FFD 1.1, 0x96 bare at FFD 1.2.
var (
	oldItemTags = joinRules(itemTags, agentTags, []tagRule{
		{tag: 1162, shape: text, max: 64},
		{tag: 1197, shape: text, max: 16},
	})
	newItemTags = joinRules(itemTags, agentTags, []tagRule{
		{tag: 2000, shape: text, max: 256},
		{tag: 1260, shape: block, repeat: true},
	})
)

func joinRules(parts ...[]tagRule) []tagRule {
	var all []tagRule
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// oldItem is 0x2B: one STLV 1059.
func oldItem(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	var item []terminalfa.TLV
	found := false
	for _, t := range q.(terminalfa.TLVRequest).List {
		if t.Tag != 1059 {
			if r.strict {
				return nil, badFormat
			}
			r.remark("tag is not one of this command's", "command", "2B", "tag", uint16(t.Tag))
			continue
		}
		if found {
			return nil, badFormat
		}
		var err error
		if item, err = t.Nested(); err != nil {
			return nil, badFormat
		}
		found = true
	}
	if !found {
		return nil, incomplete
	}
	return nothing(r.addItem(item, oldItemTags))
}

// newItem is 0x96.
func newItem(r *register, q terminalfa.Request) (terminalfa.Reply, refusal) {
	return nothing(r.addItem(q.(terminalfa.TLVRequest).List, newItemTags))
}

// markExpected is the refusal of a marked item sent as an unmarked one: use 0x97.
const markExpected refusal = 0xD2

// addItem checks one item by the sheet's §11.5 and puts it into the document in the archive's form.
func (r *register) addItem(list []terminalfa.TLV, rules []tagRule) refusal {
	f := &r.scratch
	if code := r.sift(list, rules, f); code != done {
		return code
	}
	d := &r.doc
	if d.items >= maxItems {
		return tooManyItems
	}
	vat, method, subject := f.byte(1199), f.byte(1214), f.byte(1212)
	_, subjectSent := f.get(1212)
	switch {
	case vat < 1 || vat > r.lastVAT,
		method < 1 || method > 7,
		subjectSent && !r.validSubject(subject),
		(subject == 15 || subject == 16) && !listCode(f.text(1030)):
		return badFormat
	case len(f.text(2000)) > 0:
		return markExpected
	}
	isCredit := fiscal.PaymentMethod(method) == fiscal.CreditPayment
	if d.items > 0 && isCredit != d.credit {
		return onlyCredit
	}
	hasAgent, code := r.itemAgent(f)
	if code != done {
		return code
	}
	quantity := f.text(1023)
	cost, ok := itemCost(f.number(1079), number(quantity[1:]), quantity[0])
	if !ok || d.itemSum+cost > maxMoney {
		return moneyDigits
	}
	before := len(d.itemTLV)
	body, ok := itemBody(d.itemTLV, f, cost)
	switch {
	case !ok:
		d.itemTLV = body[:before]
		return badFormat
	case len(body)-before-4 > maxItemTLV, len(body) > maxContents:
		d.itemTLV = body[:before]
		return tlvTooLarge
	}
	d.itemTLV = body
	d.items++
	d.itemSum += cost
	d.itemGross[vat] += cost
	d.credit = isCredit
	d.itemAgents = d.itemAgents || hasAgent
	d.data = true
	return done
}

// validSubject is tag 1212 (sheet §6.12).
func (r *register) validSubject(v byte) bool {
	if v >= 1 && v <= 19 {
		return true
	}
	return r.newForm() && (v >= 20 && v <= 27 || v >= 30 && v <= 33)
}

// listCode reports a name that is one of the codes "1"…"31".
func listCode(name []byte) bool {
	n, err := strconv.Atoi(string(name))
	return err == nil && n >= 1 && n <= 31
}

// itemAgent checks the agent's part of an item.
func (r *register) itemAgent(f *fields) (has bool, code refusal) {
	agent := f.byte(1222)
	for i := range agentTags {
		_, sent := f.get(agentTags[i].tag)
		has = has || sent
	}
	if agent == 0 {
		if has {
			return has, badAgent
		}
		return false, done
	}
	g, _ := r.current()
	switch {
	case r.doc.agentSent:
		return true, agentTwice
	case bits.OnesCount8(agent) != 1 || agent > byte(fiscal.AnotherAgent):
		return true, badAgent
	case !r.newForm() && g.Agents == 0:
		return true, onlyForAgents
	case !r.newForm() && agent&g.Agents == 0:
		return true, badAgent
	}
	return true, done
}

// itemCost is price × quantity / 10^decimals, rounded half up to a kopeck.
func itemCost(price, quantity uint64, decimals byte) (uint64, bool) {
	divisor := uint64(1)
	for range decimals {
		divisor *= 10
	}
	hi, lo := bits.Mul64(price, quantity)
	lo, carry := bits.Add64(lo, divisor/2, 0)
	hi += carry
	if hi >= divisor {
		return 0, false
	}
	cost, _ := bits.Div64(hi, lo, divisor)
	return cost, cost <= maxMoney
}

// itemBody appends the item as tag 1059 in the order seen live, then the rest ascending. ok is false when the product
// code is no hex.
func itemBody(b tlvs, f *fields, cost uint64) (out tlvs, ok bool) {
	b, mark := b.open(1059)
	b = b.bytes(1030, f.text(1030))
	b = b.vln(1079, f.number(1079))
	b = b.bytes(1023, f.text(1023))
	b = b.vln(1043, cost)
	b = b.byte(1199, f.byte(1199))
	b = b.byte(1214, f.byte(1214))
	b = f.carry(b, 1212)
	b = f.carry(b, 1197)
	b = f.carry(b, 2108)
	if f.byte(1222) != 0 {
		b = f.carry(b, 1222)
		b = f.carryBlock(b, 1223, 1075, 1044, 1073, 1074, 1026, 1005, 1016)
		b = f.carryBlock(b, 1224, 1171, 1225)
		b = f.carry(b, 1226)
	}
	if code := f.text(1162); len(code) > 0 {
		raw := make([]byte, hex.DecodedLen(len(code)))
		if _, err := hex.Decode(raw, code); err != nil {
			return b, false
		}
		b = b.bytes(1162, raw)
	}
	b = f.carry(b, 1191, 1229, 1230, 1231, 1260)
	return b.shut(mark), true
}

// carry appends the tags as they came, those that came.
func (f *fields) carry(b tlvs, tags ...uint16) tlvs {
	for _, tag := range tags {
		for i := range f.list {
			if uint16(f.list[i].Tag) == tag {
				b = b.bytes(tag, f.list[i].Value)
			}
		}
	}
	return b
}

// carryBlock appends an STLV of the tags that came, or nothing when none did.
func (f *fields) carryBlock(b tlvs, block uint16, tags ...uint16) tlvs {
	start := len(b)
	b, mark := b.open(block)
	empty := len(b)
	b = f.carry(b, tags...)
	if len(b) == empty {
		return b[:start]
	}
	return b.shut(mark)
}
