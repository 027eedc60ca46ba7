package fiscal

import (
	"encoding"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wordsHold checks one table both ways and that what is not in it fails in both directions.
func wordsHold[T ~uint8, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, kind string, table words[T], format map[string]T, absent T) {
	t.Helper()
	assert.Equal(t, len(format), len(table), "%s: the table of the format and ours have different sizes", kind)
	for word, code := range format {
		var got T
		require.NoError(t, P(&got).UnmarshalText([]byte(word)), "%s %s", kind, word)
		assert.Equal(t, code, got, "%s %s", kind, word)
		b, err := any(code).(encoding.TextMarshaler).MarshalText()
		require.NoError(t, err)
		if word != "composite" {
			assert.Equal(t, word, string(b))
		}
	}
	var got T
	err := P(&got).UnmarshalText([]byte("no such word"))
	var unknown *WordError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, kind, unknown.Kind)
	assert.Len(t, unknown.Known, len(table))
	assert.Contains(t, err.Error(), "no such word")
	_, found := table.text(absent)
	assert.False(t, found)
	assert.Equal(t, fmt.Sprintf("%s(%d)", kind, uint8(absent)), fmt.Sprint(absent), "a code without a word must print")
}

// The codes are those of the format, copied here by hand from domain/ffd.md §2 and protocols/atol-online.md §3.4, so
// that a slip in the table does not agree with itself.
func TestWords(t *testing.T) {
	t.Parallel()
	wordsHold[Operation, *Operation](t, "operation", operationWords, map[string]Operation{
		"sell": 1, "sell_refund": 2, "buy": 3, "buy_refund": 4,
	}, 0)
	wordsHold[TaxSystem, *TaxSystem](t, "tax_system", taxWords, map[string]TaxSystem{
		"osn": 1, "usn_income": 2, "usn_income_outcome": 4, "envd": 8, "esn": 16, "patent": 32,
	}, 3)
	wordsHold[VAT, *VAT](t, "vat", vatWords, map[string]VAT{
		"vat20": 1, "vat10": 2, "vat120": 3, "vat110": 4, "vat0": 5, "none": 6, "vat5": 7, "vat7": 8, "vat105": 9, "vat107": 10,
		"vat22": 11, "vat122": 12,
	}, 13)
	wordsHold[PaymentMethod, *PaymentMethod](t, "payment_method", methodWords, map[string]PaymentMethod{
		"full_prepayment": 1, "prepayment": 2, "advance": 3, "full_payment": 4, "partial_payment": 5, "credit": 6, "credit_payment": 7,
	}, 8)
	wordsHold[Subject, *Subject](t, "subject", subjectWords, map[string]Subject{
		"commodity": 1, "excise": 2, "job": 3, "service": 4, "gambling_bet": 5, "gambling_prize": 6, "lottery": 7, "lottery_prize": 8,
		"intellectual_activity": 9, "payment": 10, "agent_commission": 11, "award": 12, "another": 13, "property_right": 14,
		"non-operating_gain": 15, "insurance_premium": 16, "sales_tax": 17, "resort_fee": 18, "deposit": 19, "expense": 20,
		"pension_insurance_ip": 21, "pension_insurance": 22, "medical_insurance_ip": 23, "medical_insurance": 24,
		"social_insurance": 25, "casino_payment": 26, "composite": 12,
	}, 33)
	wordsHold[AgentType, *AgentType](t, "agent type", agentWords, map[string]AgentType{
		"bank_paying_agent": 1, "bank_paying_subagent": 2, "paying_agent": 4, "paying_subagent": 8, "attorney": 16,
		"commission_agent": 32, "another": 64,
	}, 3)
	wordsHold[FFD, *FFD](t, "ffd", ffdWords, map[string]FFD{"": 0, "1.0": 1, "1.05": 2, "1.1": 3, "1.2": 4}, 5)
	wordsHold[DocumentKind, *DocumentKind](t, "kind", kindWords, map[string]DocumentKind{
		"registration": 1, "shift_open": 2, "receipt": 3, "bso": 4, "shift_close": 5, "fn_close": 6, "re_registration": 11,
		"settlement_report": 21, "correction": 31, "bso_correction": 41,
	}, 7)
	wordsHold[JobState, *JobState](t, "status", jobStateWords, map[string]JobState{
		"queued": 1, "assigned": 2, "sending": 3, "made": 4, "refused": 5, "in_doubt": 6, "operator": 7, "canceled": 8, "expired": 9,
	}, 0)
	wordsHold[Effect, *Effect](t, "effect", effectWords, map[string]Effect{"unknown": 0, "nothing": 1, "done": 2}, 3)
	wordsHold[Kind, *Kind](t, "kind", errorKindWords, map[string]Kind{
		"other": 0, "invalid": 1, "refused": 2, "busy": 3, "attention": 4, "offline": 5, "link": 6, "protocol": 7, "canceled": 8,
		"internal": 9,
	}, 10)
}

func TestTaxSystemNames(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"osn", "patent"}, (TaxOSN | TaxPatent).Names())
	assert.Equal(t, []string{}, TaxSystem(0).Names())
}

func TestVATSet(t *testing.T) {
	t.Parallel()
	six := VATsUpTo(VATNone)
	assert.True(t, six.Contains(VATSet(0).With(VAT20).With(VATNone)))
	assert.False(t, six.Contains(VATSet(0).With(VAT5)))
	assert.Equal(t, VATSet(0b111_1110), six)
	assert.True(t, VATsUpTo(VAT122).Contains(VATSet(0).With(VAT122)))
	assert.True(t, six.Contains(0))
}

func TestMeasures(t *testing.T) {
	t.Parallel()
	known := 0
	for m := range 256 {
		if Measure(m).Valid() {
			known++
		}
	}
	assert.Equal(t, 24, known, "domain/ffd.md §2.7 has 24")
	assert.True(t, MeasurePiece.Valid())
	assert.False(t, Measure(1).Valid(), "a public library takes 1 for pieces; it is wrong")
}

func TestJobStates(t *testing.T) {
	t.Parallel()
	final := map[JobState]bool{JobMade: true, JobRefused: true, JobCanceled: true, JobExpired: true}
	for _, w := range jobStateWords {
		assert.Equal(t, final[w.code], w.code.Final(), w.text)
		assert.Equal(t, final[w.code] || w.code == JobOperator, w.code.AtRest(), w.text)
	}
}

// What a register reports is kept even where we have no word for it: the record must be stored and opened again.
func TestReportedCodesSurvive(t *testing.T) {
	t.Parallel()
	type record struct {
		Kind      DocumentKind
		Operation Operation
		FFD       FFD
		Taxes     TaxSystem
		Agents    AgentType
	}
	for want, text := range map[record]string{
		{99, 7, 5, 0, 0}:      `{"Kind":"kind(99)","Operation":"operation(7)","FFD":"ffd(5)","Taxes":"","Agents":""}`,
		{3, 1, 4, 0x21, 0x60}: `{"Kind":"receipt","Operation":"sell","FFD":"1.2","Taxes":"osn,patent","Agents":"commission_agent,another"}`,
		{0, 0, 0, 0xC2, 0x80}: `{"Kind":"kind(0)","Operation":"operation(0)","FFD":"","Taxes":"usn_income,0xc0","Agents":"0x80"}`,
	} {
		b, err := json.Marshal(want)
		require.NoError(t, err)
		assert.JSONEq(t, text, string(b))
		var got record
		require.NoError(t, json.Unmarshal(b, &got))
		assert.Equal(t, want, got)
	}
	for _, bad := range []string{`{"Kind":"kind(256)"}`, `{"Kind":"kind"}`, `{"Kind":"ffd(1)"}`, `{"Taxes":"osn,"}`, `{"Taxes":"osn,64"}`, `{"Taxes":"0x100"}`,
		`{"Operation":"operation(1)"}`, `{"FFD":"ffd(05)"}`, `{"Taxes":"osn,osn"}`, `{"Taxes":"patent,osn"}`, `{"Taxes":"0x01"}`, `{"Agents":"4"}`,
		`{"Taxes":"0x00"}`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &record{}), bad)
	}
	for _, code := range []interface{ MarshalText() ([]byte, error) }{VAT(0), PaymentMethod(0), Subject(0), JobState(0), Effect(9), Kind(99)} {
		_, err := code.MarshalText()
		assert.Error(t, err, "%T: our own codes always have a word", code)
	}
}

// A register may know several tax systems and agents; so may the needs of a job. Both are stored.
func TestMasksInRecords(t *testing.T) {
	t.Parallel()
	id := Identity{TaxSystems: TaxOSN | TaxUSNIncome, FFD: FFD105}
	b, err := json.Marshal(id)
	require.NoError(t, err)
	var back Identity
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, id, back)
}

func TestJobJSON(t *testing.T) {
	t.Parallel()
	j := Job{ID: "0123456789abcdef", State: JobInDoubt, Operation: Sell, Total: 15000, Needs: Needs{TaxSystem: TaxOSN, Agents: Attorney | AnotherAgent}, Attempts: []Attempt{{
		Device: "10.0.0.1:7777", Kind: Link, Effect: Unknown, Code: 0x16,
		Baseline: &Baseline{FN: "9999078900000001", LastFD: 41, Stamp: Stamp{StampCheckProps, "0123456789abcdef"}},
		Evidence: &Evidence{Verdict: "?", Exchanges: []Exchange{{Request: []byte{0xB6, 0x29}, Reply: []byte{}}}},
	}}}
	b, err := json.Marshal(j)
	require.NoError(t, err)
	assert.Contains(t, string(b), `"state":"in_doubt"`)
	assert.Contains(t, string(b), `"request":"B6 29"`)
	var back Job
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, j, back)
	assert.Equal(t, &j.Attempts[0], j.Last())
	assert.Nil(t, (&Job{}).Last())
}
