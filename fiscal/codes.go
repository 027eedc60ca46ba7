package fiscal

// Operation is the calculation type, FFD tag 1054 (domain/ffd.md §2.1).
type Operation uint8

// Operations.
const (
	Sell       Operation = 1 // приход
	SellRefund Operation = 2 // возврат прихода
	Buy        Operation = 3 // расход
	BuyRefund  Operation = 4 // возврат расхода
)

var operationWords = words[Operation]{{Sell, "sell"}, {SellRefund, "sell_refund"}, {Buy, "buy"}, {BuyRefund, "buy_refund"}}

func (o Operation) String() string { return operationWords.string("operation", o) }

// MarshalText writes the word; a code without one, read from an archive, as "operation(7)".
func (o Operation) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText writes and fails with *WordError.
func (o *Operation) UnmarshalText(b []byte) error {
	return operationWords.unmarshalReported("operation", b, o)
}

// TaxSystem is a bit of tags 1055 / 1062 (domain/ffd.md §2.2). A receipt carries exactly one bit.
type TaxSystem uint8

// Tax systems.
const (
	TaxOSN              TaxSystem = 0x01
	TaxUSNIncome        TaxSystem = 0x02
	TaxUSNIncomeOutcome TaxSystem = 0x04
	TaxENVD             TaxSystem = 0x08
	TaxESN              TaxSystem = 0x10
	TaxPatent           TaxSystem = 0x20
)

var taxWords = words[TaxSystem]{
	{TaxOSN, "osn"},
	{TaxUSNIncome, "usn_income"},
	{TaxUSNIncomeOutcome, "usn_income_outcome"},
	{TaxENVD, "envd"},
	{TaxESN, "esn"},
	{TaxPatent, "patent"},
}

func (t TaxSystem) String() string { return taxWords.string("tax_system", t) }

// MarshalText writes the word of one bit, and a register's mask (tag 1062) as words with commas between: "osn,patent".
func (t TaxSystem) MarshalText() ([]byte, error) { return taxWords.marshalMask(t), nil }

// UnmarshalText reads what MarshalText writes, so it takes more than one word; Check refuses a receipt with more than
// one. It fails with *WordError.
func (t *TaxSystem) UnmarshalText(b []byte) error { return taxWords.unmarshalMask("tax_system", b, t) }

// Names lists the words of every bit set, for a register's mask (tag 1062).
func (t TaxSystem) Names() []string { return taxWords.names(t) }

// VAT is the rate code of tag 1199 (domain/ffd.md §2.3).
type VAT uint8

// VAT rates. The names say the rate, the values are the format's.
const (
	VAT20   VAT = 1
	VAT10   VAT = 2
	VAT120  VAT = 3 // 20/120
	VAT110  VAT = 4 // 10/110
	VAT0    VAT = 5
	VATNone VAT = 6
	VAT5    VAT = 7
	VAT7    VAT = 8
	VAT105  VAT = 9  // 5/105
	VAT107  VAT = 10 // 7/107
	VAT22   VAT = 11
	VAT122  VAT = 12 // 22/122
)

var vatWords = words[VAT]{
	{VATNone, "none"},
	{VAT0, "vat0"},
	{VAT5, "vat5"},
	{VAT7, "vat7"},
	{VAT10, "vat10"},
	{VAT20, "vat20"},
	{VAT22, "vat22"},
	{VAT105, "vat105"},
	{VAT107, "vat107"},
	{VAT110, "vat110"},
	{VAT120, "vat120"},
	{VAT122, "vat122"},
}

func (v VAT) String() string               { return vatWords.string("vat", v) }
func (v VAT) MarshalText() ([]byte, error) { return vatWords.marshal("vat", v) }

// UnmarshalText fails with *WordError.
func (v *VAT) UnmarshalText(b []byte) error { return vatWords.unmarshal("vat", b, v) }

// VATSet is a set of rates: bit n stands for code n.
type VATSet uint16

// VATsUpTo is the set of codes 1…last: what a firmware knows is a prefix of the order's table.
func VATsUpTo(last VAT) VATSet { return VATSet(1<<(last+1) - 2) }

// With adds a rate.
func (s VATSet) With(v VAT) VATSet { return s | 1<<v }

// Contains reports whether every rate of t is in s.
func (s VATSet) Contains(t VATSet) bool { return s&t == t }

// PaymentMethod is tag 1214 (domain/ffd.md §2.4).
type PaymentMethod uint8

// Payment methods.
const (
	FullPrepayment PaymentMethod = 1
	Prepayment     PaymentMethod = 2
	Advance        PaymentMethod = 3
	FullPayment    PaymentMethod = 4
	PartialPayment PaymentMethod = 5
	Credit         PaymentMethod = 6
	CreditPayment  PaymentMethod = 7
)

var methodWords = words[PaymentMethod]{
	{FullPrepayment, "full_prepayment"},
	{Prepayment, "prepayment"},
	{Advance, "advance"},
	{FullPayment, "full_payment"},
	{PartialPayment, "partial_payment"},
	{Credit, "credit"},
	{CreditPayment, "credit_payment"},
}

func (p PaymentMethod) String() string               { return methodWords.string("payment_method", p) }
func (p PaymentMethod) MarshalText() ([]byte, error) { return methodWords.marshal("payment_method", p) }

// UnmarshalText fails with *WordError.
func (p *PaymentMethod) UnmarshalText(b []byte) error {
	return methodWords.unmarshal("payment_method", b, p)
}

// Subject is tag 1212 (domain/ffd.md §2.5). 27 and 30…33 have no word in ATOL Online v4 and wait for marking.
type Subject uint8

// Subjects that rules name; the table below has them all.
const (
	SubjectCommodity     Subject = 1
	SubjectExcise        Subject = 2
	SubjectService       Subject = 4
	SubjectNonOperating  Subject = 15
	SubjectTaxReducing   Subject = 16
	SubjectCasinoPayment Subject = 26
)

var subjectWords = words[Subject]{
	{1, "commodity"},
	{2, "excise"},
	{3, "job"},
	{4, "service"},
	{5, "gambling_bet"},
	{6, "gambling_prize"},
	{7, "lottery"},
	{8, "lottery_prize"},
	{9, "intellectual_activity"},
	{10, "payment"},
	{11, "agent_commission"},
	{12, "award"},
	{13, "another"},
	{14, "property_right"},
	{15, "non-operating_gain"},
	{16, "insurance_premium"},
	{17, "sales_tax"},
	{18, "resort_fee"},
	{19, "deposit"},
	{20, "expense"},
	{21, "pension_insurance_ip"},
	{22, "pension_insurance"},
	{23, "medical_insurance_ip"},
	{24, "medical_insurance"},
	{25, "social_insurance"},
	{26, "casino_payment"},
	{12, "composite"}, // obsolete, still sent (protocols/atol-online.md §3.4); reads as 12, written as "award"
}

func (s Subject) String() string               { return subjectWords.string("subject", s) }
func (s Subject) MarshalText() ([]byte, error) { return subjectWords.marshal("subject", s) }

// UnmarshalText fails with *WordError.
func (s *Subject) UnmarshalText(b []byte) error { return subjectWords.unmarshal("subject", b, s) }

// AgentType is a bit of tags 1057 / 1222 (domain/ffd.md §2.6); 0 means no agent.
type AgentType uint8

// Agent types.
const (
	BankPayingAgent    AgentType = 0x01
	BankPayingSubagent AgentType = 0x02
	PayingAgent        AgentType = 0x04
	PayingSubagent     AgentType = 0x08
	Attorney           AgentType = 0x10
	CommissionAgent    AgentType = 0x20
	AnotherAgent       AgentType = 0x40
)

var agentWords = words[AgentType]{
	{BankPayingAgent, "bank_paying_agent"},
	{BankPayingSubagent, "bank_paying_subagent"},
	{PayingAgent, "paying_agent"},
	{PayingSubagent, "paying_subagent"},
	{Attorney, "attorney"},
	{CommissionAgent, "commission_agent"},
	{AnotherAgent, "another"},
}

func (a AgentType) String() string { return agentWords.string("agent type", a) }

// MarshalText writes the word of one bit, and a mask (tag 1057) as words with commas between; no agent is an empty text.
func (a AgentType) MarshalText() ([]byte, error) { return agentWords.marshalMask(a), nil }

// UnmarshalText reads what MarshalText writes. It fails with *WordError.
func (a *AgentType) UnmarshalText(b []byte) error {
	return agentWords.unmarshalMask("agent type", b, a)
}

// Measure is the unit code of tag 2108 (domain/ffd.md §2.7).
type Measure uint8

// MeasurePiece is the default measure.
const MeasurePiece Measure = 0

// Valid reports whether the code is in the order's table.
func (m Measure) Valid() bool {
	switch m {
	case 0, 10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 70, 71, 72, 73, 80, 81, 82, 83, 255:
		return true
	}
	return false
}

// FFD is a version of the fiscal data format, tags 1189 / 1190 / 1209 (domain/ffd.md §2.9).
type FFD uint8

// FFD versions.
const (
	FFDUnknown FFD = 0
	FFD10      FFD = 1
	FFD105     FFD = 2
	FFD11      FFD = 3
	FFD12      FFD = 4
)

var ffdWords = words[FFD]{{FFDUnknown, ""}, {FFD10, "1.0"}, {FFD105, "1.05"}, {FFD11, "1.1"}, {FFD12, "1.2"}}

func (f FFD) String() string { return ffdWords.string("ffd", f) }

// MarshalText writes the version; a code newer than the table as "ffd(5)".
func (f FFD) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what MarshalText writes and fails with *WordError.
func (f *FFD) UnmarshalText(b []byte) error { return ffdWords.unmarshalReported("ffd", b, f) }

// Phase is the life phase of a fiscal storage (domain/ffd.md §3.1). It is a bit set and is shown as its number.
type Phase uint8

// Phases.
const (
	PhaseSetup      Phase = 0
	PhaseReady      Phase = 1 // ready for registration
	PhaseFiscal     Phase = 3
	PhasePostFiscal Phase = 7
	PhaseArchive    Phase = 15
)

// DocumentKind is the form code of a fiscal document (domain/ffd.md §0.1).
type DocumentKind uint8

// Document kinds.
const (
	KindRegistration   DocumentKind = 1
	KindShiftOpen      DocumentKind = 2
	KindReceipt        DocumentKind = 3
	KindBSO            DocumentKind = 4
	KindShiftClose     DocumentKind = 5
	KindFNClose        DocumentKind = 6
	KindReRegistration DocumentKind = 11
	KindSettlement     DocumentKind = 21
	KindCorrection     DocumentKind = 31
	KindBSOCorrection  DocumentKind = 41
)

var kindWords = words[DocumentKind]{
	{KindRegistration, "registration"},
	{KindShiftOpen, "shift_open"},
	{KindReceipt, "receipt"},
	{KindBSO, "bso"},
	{KindShiftClose, "shift_close"},
	{KindFNClose, "fn_close"},
	{KindReRegistration, "re_registration"},
	{KindSettlement, "settlement_report"},
	{KindCorrection, "correction"},
	{KindBSOCorrection, "bso_correction"},
}

func (k DocumentKind) String() string { return kindWords.string("kind", k) }

// MarshalText writes the word; a code without one as "kind(99)".
func (k DocumentKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText writes and fails with *WordError.
func (k *DocumentKind) UnmarshalText(b []byte) error {
	return kindWords.unmarshalReported("kind", b, k)
}

// HoldsNoReceipt reports a form that certainly is no receipt and carries no marks. A code that the order does not list may be
// anything: registers of later formats decorate their codes (domain/ffd.md §0.1).
func (k DocumentKind) HoldsNoReceipt() bool {
	switch k {
	case KindRegistration, KindReRegistration, KindShiftOpen, KindShiftClose, KindFNClose, KindSettlement:
		return true
	case KindReceipt, KindBSO, KindCorrection, KindBSOCorrection:
	}
	return false
}

// MayBeReceipt reports a receipt, or a form nobody knows.
func (k DocumentKind) MayBeReceipt() bool {
	return !k.HoldsNoReceipt() && k != KindCorrection && k != KindBSOCorrection
}
