package terminalfa_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

// Parts of conversations. What is not from the sheet's §10 is built from §5.
const (
	status08 = `> B6 29 00 01 08 A5 7E
		< B6 29 00 1F 00 03 00 00 01 00 1A 03 0E 09 01 39 39 39 39 30 37 38 39 30 30 30 30 30 30 30 31 29 00 00 00 B9 47
		`
	closed08 = `> B6 29 00 01 08 A5 7E
		< self 00 03 00 00 00 00 1A030E0900 "9999078900000001" 25000000
		`
	cancel10 = `> B6 29 00 01 10 9C ED
		< B6 29 00 01 00 AD FF
		`
	begin23 = `> B6 29 00 01 23 AC EB
		< B6 29 00 01 00 AD FF
		`
	item2B = `> B6 29 00 2E 2B 23 04 29 00 06 04 0A 00 8A AE E4 A5 20 30 2E 32 20 AB 37 04 02 00 98 3A FF 03 02 00 00 01 AF 04 01 00 06 BE 04 01 00 04 BC 04 01 00 01 C6 F4
		< B6 29 00 01 00 AD FF
		`
	pay2D = `> self 2D [1055 02] [1031 00] [1081 98 3A] [1215 00] [1216 00] [1217 00] [1192 "01J8ZQ4X7K2M9N3P"] [1008 "buyer@example.com"]
		< B6 29 00 01 00 AD FF
		`
	form24   = "> B6 29 00 07 24 01 98 3A 00 00 00 1F 55\n"
	answer24 = "< B6 29 00 12 00 04 00 2A 00 00 00 E9 C3 17 5A 1A 03 0E 09 05 07 00 F9 18\n"
	found38  = `> self 30 26000000
		< self 00 02 00 1A030E0905 26000000 B179379E 0700
		`
	found42 = `> B6 29 00 05 30 2A 00 00 00 C4 E1
		< B6 29 00 16 00 03 01 1A 03 0E 09 05 2A 00 00 00 E9 C3 17 5A 01 98 3A 00 00 00 86 AE
		`
	shift20 = `> B6 29 00 01 20 CF DB
		< B6 29 00 06 00 01 07 00 03 00 34 3E
		`
	identify = "include identify_105.txt\n"
	flow     = begin23 + item2B + pay2D + form24
)

// head10 is Identify up to 0A with this answer, head0F the rest of it for a register that is registered as in §10.
const (
	head07 = `> B6 29 00 01 01 8C EF
		< B6 29 00 17 00 35 35 30 31 39 39 30 30 30 30 30 31 1A 03 0E 09 05 00 01 01 03 00 D2 88
		> B6 29 00 01 04 29 BF
		< B6 29 00 0C 00 54 65 72 6D 69 6E 61 6C 2D 46 41 2D 01
		> self 03
		< self 00 "FA 01.05"
		> B6 29 00 01 05 08 AF
		< B6 29 00 11 00 39 39 39 39 30 37 38 39 30 30 30 30 30 30 30 31 7C 21
		> self 06
		< self 00 "fn_v_1_1_2"
		> self 0B
		< B6 29 00 07 00 31 2E 30 2E 33 32 A3 85
		`
	two07 = `> B6 29 00 01 07 4A 8F
		< B6 29 00 06 00 1B 06 1E 1C 02 19 61
		`
	plain0A = `> B6 29 00 01 0A E7 5E
		< B6 29 00 24 00 30 30 30 30 30 30 30 30 30 31 30 32 30 36 36 32 20 20 20 20 31 32 33 34 35 36 37 38 39 34 20 20 24 02 00 C1 4C
		`
	old0F = `> self 0F
		< B6 29 00 02 01 26 35 9D
		`
	report3B = `> self 3B 02
		< self 00 [1018 "1234567894  "] [1009 "г. Тест, ул. Новая, 1"] [1187 "https://shop.example"] [1036 "A-000012"] [1209 02]
		`
)

func identified(t *testing.T, d driver.Device) fiscal.Identity {
	t.Helper()
	id, err := d.Identify(t.Context())
	require.NoError(t, err)
	return id
}

func sold(t *testing.T, d driver.Device) fiscal.Document {
	t.Helper()
	doc, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
	require.NoError(t, err)
	return doc
}

func opened(t *testing.T, d driver.Device) fiscal.Document {
	t.Helper()
	doc, err := d.(driver.Shifter).OpenShift(t.Context(), fiscal.Cashier{})
	require.NoError(t, err)
	require.Equal(t, fiscal.DocNumber(38), doc.Number)
	return doc
}

// quirk is one way of the family, as a conversation and what the driver must make of it.
type quirk struct {
	name   string
	script string
	opts   driver.Options
	do     func(t *testing.T, d driver.Device)
}

// Each quirk of the sheet's §12, and of the sections it points to, that reaches a driver. (0E, whose bytes stand in another
// order than the vendor's document says, is never asked by this driver.)
func TestQuirks(t *testing.T) {
	t.Parallel()
	for _, list := range [][]quirk{lineQuirks, identityQuirks, statusQuirks, reportQuirks, receiptQuirks, archiveQuirks} {
		for _, q := range list {
			t.Run(q.name, func(t *testing.T) {
				t.Parallel()
				inBubbleOf(t, q.script, q.opts, q.do)
			})
		}
	}
}

// lineQuirks are about how bytes come (§2.2, §2.3).
var lineQuirks = []quirk{
	{
		name: "reply in two pieces, the start marker first (§2.2, K)",
		script: identify + begin23 + item2B + pay2D + form24 + `< B6 29
				wait 1s
				< 00 12 00 04 00 2A 00 00 00 E9 C3 17 5A 1A 03 0E 09 05 07 00 F9 18`,
		do: func(t *testing.T, d driver.Device) {
			identified(t, d)
			require.Equal(t, sheetDocument(t, sheetBaseline(true)), sold(t, d))
		},
	},
	{
		name: "reply byte by byte, slowly but within the gap",
		script: `> B6 29 00 01 08 A5 7E
				wait 19s
				< B6
				wait 1900ms
				< 29 00 1F 00 03 00 00 01 00 1A 03 0E 09 01 39 39 39 39 30 37 38 39 30 30
				wait 1900ms
				< 30 30 30 30 30 31 29 00 00
				wait 1900ms
				< 00 B9 47`,
		do: func(t *testing.T, d driver.Device) {
			ref, err := d.LastDocument(t.Context())
			require.NoError(t, err)
			require.Equal(t, fiscal.DocumentRef{FN: sheetFN, Last: 41, ShiftOpen: true}, ref)
		},
	},
	{
		name: "gap in a reply longer than any register makes",
		script: `> B6 29 00 01 08 A5 7E
				< B6 29
				wait 2100ms
				< 00 1F`,
		do: func(t *testing.T, d driver.Device) {
			began := time.Now()
			_, err := d.LastDocument(t.Context())
			require.Equal(t, fiscal.Link, fiscal.KindOf(err), "%v", err)
			require.Equal(t, fiscal.Nothing, fiscal.EffectOf(err))
			require.Equal(t, 2*time.Second, time.Since(began))
		},
	},
	{
		name:   "reply that trickles for ever, each byte within the gap",
		script: "> B6 29 00 01 08 A5 7E\n< B6 29 03 FF 00\n" + strings.Repeat("wait 1900ms\n< 00\n", 40) + "hold\n",
		do: func(t *testing.T, d driver.Device) {
			began := time.Now()
			_, err := d.LastDocument(t.Context())
			require.Equal(t, fiscal.Link, fiscal.KindOf(err), "%v", err)
			require.Less(t, time.Since(began), time.Minute)
		},
	},
	{
		name: "document too long for 3A (§15): 35, then 36 until 08, one TLV in two pieces",
		script: found42 + `> self 3A 2A000000
				< self 01 10
				> self 35 2A000000
				< self 00 0300 4C00
				> self 36
				< self 00 [1040 2A000000]
				> self 36
				< self 00 [1038 07000000]
				> self 36
				< self 00 [1042 04000000]
				> self 36
				< self 00 2304 1000 0604 0C00 8AAEE4A520
				> self 36
				< self 00 302E3220ABABAB
				> self 36
				< self 00 [1192 "01J8ZQ4X7K2M9N3P"]
				> self 36
				< self 01 08`,
		do: func(t *testing.T, d driver.Device) {
			doc, err := d.Document(t.Context(), 42)
			require.NoError(t, err)
			require.True(t, doc.Full)
			require.Equal(t, sheetStamp, doc.Marks.CheckProps)
			require.Equal(t, uint32(4), doc.Receipt)
			require.Equal(t, uint32(7), doc.Shift)
		},
	},
}

// reportQuirks are about shift and settlement reports (§5.2, §5.5).
var reportQuirks = []quirk{
	{
		name:   "begin of a shift report answered as late as a commit (§2.3, M: 60 s for 21)",
		script: closed08 + "> B6 29 00 02 21 01 56 CF\nwait 59s\n< B6 29 00 01 00 AD FF\n> B6 29 00 01 22 8D FB\n< B6 29 00 0B 00 07 00 26 00 00 00 B1 79 37 9E EB EE\n" + found38,
		do:     func(t *testing.T, d driver.Device) { opened(t, d) },
	},
	{
		name: "print byte refused on 21, wanted on 22 (§5.2), and remembered",
		script: closed08 + "> B6 29 00 02 21 01 56 CF\n< self 01 01\n" + cancel10 +
			"> self 21\n< B6 29 00 01 00 AD FF\n> self 22 01\n< B6 29 00 0B 00 07 00 26 00 00 00 B1 79 37 9E EB EE\n" + found38 +
			status08 + "> self 29\n< B6 29 00 01 00 AD FF\n> self 2A 01\n< self 00 0700 2A000000 0DF0AD1B\n> self 30 2A000000\n< self 00 05 00 1A030E0906 2A000000 0DF0AD1B 0700",
		do: func(t *testing.T, d driver.Device) {
			require.Equal(t, at(t, "2026-03-14T09:05"), opened(t, d).Time)
			doc, err := d.(driver.Shifter).CloseShift(t.Context(), fiscal.Cashier{})
			require.NoError(t, err)
			require.Equal(t, fiscal.DocNumber(42), doc.Number)
		},
	},
	{
		name:   "paper copies of reports on request",
		opts:   driver.Options{PrintReports: true},
		script: closed08 + "> self 21 00\n< B6 29 00 01 00 AD FF\n> B6 29 00 01 22 8D FB\n< B6 29 00 0B 00 07 00 26 00 00 00 B1 79 37 9E EB EE\n" + found38,
		do:     func(t *testing.T, d driver.Device) { opened(t, d) },
	},
	{
		name:   "report with a number that cannot be next",
		script: closed08 + "> B6 29 00 02 21 01 56 CF\n< B6 29 00 01 00 AD FF\n> B6 29 00 01 22 8D FB\n< self 00 0700 29000000 B179379E\n",
		do: func(t *testing.T, d driver.Device) {
			_, err := d.(driver.Shifter).OpenShift(t.Context(), fiscal.Cashier{})
			require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err), "%v", err)
		},
	},
}
