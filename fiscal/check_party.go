package fiscal

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// Limits of agent data (domain/ffd.md §1.1, 1005…1075, 1171, 1225).
const (
	maxPhone          = 19
	minPhoneDigits    = 7 // country code and the shortest national number in use
	maxPhones         = 40
	maxAgentOperation = 24
	maxTransferName   = 64
	maxAddress        = 256
)

const (
	bankAgents   = BankPayingAgent | BankPayingSubagent
	payingAgents = bankAgents | PayingAgent | PayingSubagent
)

// customer: a receipt for a settlement on the internet goes to the buyer by e-mail or phone and by no other way, so the
// contact is always required (domain/ffd.md §9 rule 1, §4.2 rule 11).
func (c *checker) customer(u *Customer) {
	const contact = "customer.contact"
	if c.exact(contact, &u.Contact, maxContact) {
		switch {
		case u.Contact == "":
			c.fail(contact, RuleRequired, "contact is missing or empty: give the buyer's e-mail, or phone as + and digits")
		case strings.HasPrefix(u.Contact, "+"):
			c.phone(contact, u.Contact)
		case strings.Contains(u.Contact, "@"):
			if !validEmail(u.Contact) {
				c.fail(contact, RuleBadEmail, "contact is not an e-mail address: give one such as buyer@example.com")
			}
		default:
			c.fail(contact, RuleBadContact,
				"contact is neither an e-mail address nor a phone: give buyer@example.com or +79161234567")
		}
	}
	c.text("customer.name", &u.Name, maxPartyName)
	c.inn("customer.inn", &u.INN, true)
}

// inn checks an optional number; foreign allows twelve zeros.
func (c *checker) inn(path string, n *INN, foreign bool) {
	if !c.trimINN(path, n) || *n == "" || n.Valid() || (foreign && *n == NoINN) {
		return
	}
	hint := "give 10 or 12 digits with right check digits"
	if foreign {
		hint += ", or 000000000000 for a party without a Russian INN"
	}
	c.spoil(path, RuleBadINN, "%s %q is not an INN: %s", last(path), excerpt(string(*n)), hint)
}

// cashierINN: the tag belongs to a person, so only the long form fits (1203).
func (c *checker) cashierINN(n *INN) {
	if c.trimINN("cashier_inn", n) && *n != "" && (len(*n) != 12 || !n.Valid()) {
		c.spoil("cashier_inn", RuleBadINN, "cashier_inn %q is not the INN of a person: give 12 digits with right check digits",
			excerpt(string(*n)))
	}
}

func (c *checker) trimINN(path string, n *INN) bool {
	if !c.usable(path) {
		return false
	}
	*n = INN(strings.TrimSpace(string(*n)))
	return true
}

// agents checks agent and supplier data on the receipt and on its items. A register takes them in one place only: the
// receipt at FFD up to 1.1, or the items (protocols/terminal-fa.md, error 3F).
func (c *checker) agents(r *Receipt) {
	c.agent("agent_info", r.Agent)
	c.supplier("", r.Agent, r.Supplier)
	twice := -1
	for i := range r.Items[:min(len(r.Items), maxItems)] {
		it := &r.Items[i]
		p := fmt.Sprintf("items[%d].", i)
		c.agent(p+"agent_info", it.Agent)
		c.supplier(p, it.Agent, it.Supplier)
		if it.Agent != nil && twice < 0 {
			twice = i
		}
	}
	if r.Agent != nil && twice >= 0 {
		c.fail("agent_info", RuleAgentTwice,
			"agent_info stands on the receipt and on items[%d]: give it on the items or on the receipt, not on both", twice)
	}
}

// agent checks the data an agent of this type must give (domain/ffd.md §2.6). Data it need not give is checked for form.
func (c *checker) agent(p string, a *AgentInfo) {
	if a == nil {
		return
	}
	if path := p + ".type"; c.usable(path) {
		if _, ok := agentWords.text(a.Type); !ok {
			c.code(path, a.Type == 0, agentWords.list())
		}
	}
	paying, bank := a.Type&payingAgents != 0, a.Type&bankAgents != 0

	var pa PayingAgentInfo
	if a.PayingAgent != nil {
		pa = *a.PayingAgent
	}
	c.blockText(p+".paying_agent.operation", &pa.Operation, maxAgentOperation, paying, a.Type)
	c.phones(p+".paying_agent.phones", pa.Phones, paying, a.Type)
	if a.PayingAgent != nil {
		*a.PayingAgent = pa
	}

	var receiver PhonesInfo
	if a.Receiver != nil {
		receiver = *a.Receiver
	}
	c.phones(p+".receive_payments_operator.phones", receiver.Phones, paying, a.Type)

	var t TransferOperatorInfo
	if a.MoneyTransfer != nil {
		t = *a.MoneyTransfer
	}
	at := p + ".money_transfer_operator"
	c.phones(at+".phones", t.Phones, bank, a.Type)
	c.blockText(at+".name", &t.Name, maxTransferName, bank, a.Type)
	c.blockText(at+".address", &t.Address, maxAddress, bank, a.Type)
	c.inn(at+".inn", &t.INN, false)
	if bank && t.INN == "" && c.usable(at+".inn") {
		c.fail(at+".inn", RuleRequired, "inn of the transfer operator is missing: an agent of type %s must give it", a.Type)
	}
	if a.MoneyTransfer != nil {
		*a.MoneyTransfer = t
	}
}

// blockText is a text that agents of some types must give.
func (c *checker) blockText(path string, s *string, limit int, needed bool, agent AgentType) {
	if c.text(path, s, limit) && needed && *s == "" {
		c.fail(path, RuleRequired, "%s is missing or empty: an agent of type %s must give it", last(path), agent)
	}
}

// supplier checks whose goods an agent sells. Items carry name, INN and phones (1224, 1226); at the receipt's own level
// the format has only the phones (1171).
func (c *checker) supplier(p string, a *AgentInfo, s *SupplierInfo) {
	at := p + "supplier_info"
	if a == nil {
		if s != nil {
			c.fail(at, RuleSupplierWithAgent, "supplier_info has no agent_info beside it: a supplier is named only in an agent's sale")
		}
		return
	}
	var v SupplierInfo
	if s != nil {
		v = *s
	}
	agent := a.Type
	c.phones(at+".phones", v.Phones, agent != 0, agent)
	if p == "" {
		if v.Name != "" {
			c.fail(at+".name", RuleNotAllowed, "the receipt's own supplier_info has phones only: give name on the items")
		}
		if v.INN != "" {
			c.fail(at+".inn", RuleNotAllowed, "the receipt's own supplier_info has phones only: give inn on the items")
		}
		return
	}
	c.blockText(at+".name", &v.Name, maxPartyName, agent != 0, agent)
	c.inn(at+".inn", &v.INN, true)
	if agent != 0 && v.INN == "" && c.usable(at+".inn") {
		c.fail(at+".inn", RuleRequired, "inn of the supplier is missing: give it, or 000000000000 when it has no Russian INN")
	}
	if s != nil {
		*s = v
	}
}

// phones trims the list in place.
func (c *checker) phones(path string, list []string, needed bool, agent AgentType) {
	if !c.usable(path) {
		return
	}
	if len(list) == 0 && needed {
		c.fail(path, RuleRequired, "phones is missing or empty: an agent of type %s must give at least one", agent)
	}
	if len(list) > maxPhones {
		c.fail(path, RuleTooMany, "phones holds %d numbers: at most %d are allowed", len(list), maxPhones)
		return
	}
	for i := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if c.exact(at, &list[i], maxPhone) {
			c.phone(at, list[i])
		}
	}
}

func (c *checker) phone(path, s string) {
	number := strings.TrimPrefix(s, "+")
	if len(number) == len(s) || !digits(number) || len(number) < minPhoneDigits || len(s) > maxPhone {
		c.fail(path, RuleBadPhone, "a phone is + and %d to %d digits without blanks or brackets, such as +79161234567",
			minPhoneDigits, maxPhone-1)
	}
}

// validEmail asks whether mail could be delivered there, not whether the address is grammatical to the last comma.
// Cyrillic names and domains are real, so letters are not only Latin.
func validEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || strings.ContainsAny(s, " ,;:<>()[]\"\\") || strings.Count(s, "@") != 1 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	return validHost(domain)
}

// validHost asks for a name with at least two labels, the last of them not a number.
func validHost(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-") || strings.IndexFunc(l, notHostRune) >= 0 {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len([]rune(top)) >= 2 && !digits(top)
}

func notHostRune(r rune) bool { return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// validSite takes an address of a site with or without its scheme.
func validSite(s string) bool {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && !strings.ContainsRune(s, ' ') && validHost(u.Hostname())
}
