package terminalfa_test

import (
	"context"
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

// Each quirk of the sheet's §12, and of the sections it points to, that reaches a driver. (0E, whose bytes stand in another
// order than the vendor's document says, is never asked by this driver.)
func TestQuirks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		script string
		opts   driver.Options
		do     func(t *testing.T, d driver.Device)
	}{
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
			name:   "commit answered after as long as a commit may take (§2.3)",
			script: identify + begin23 + item2B + pay2D + form24 + "wait 59s\n" + answer24,
			do:     func(t *testing.T, d driver.Device) { identified(t, d); sold(t, d) },
		},
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
			name:   "answer to 24 of 10 bytes, before configuration 1.0.18 (§5.3)",
			script: identify + flow + "< self 00 0400 2A000000 E9C3175A\n" + found42 + shift20,
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				require.Equal(t, sheetDocument(t, sheetBaseline(true)), sold(t, d))
			},
		},
		{
			name:   "answer to 24 of 15 bytes, configuration 1.0.18",
			script: identify + flow + "< self 00 0400 2A000000 E9C3175A 1A030E0905\n" + found42 + shift20,
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				require.Equal(t, sheetDocument(t, sheetBaseline(true)), sold(t, d))
			},
		},
		{
			name:   "answer to 24 longer than known (§5)",
			script: identify + flow + "< self 00 0400 2A000000 E9C3175A 1A030E0905 0700 DEADBEEF\n",
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				require.Equal(t, sheetDocument(t, sheetBaseline(true)), sold(t, d))
			},
		},
		{
			name:   "answer to 24 too short to be one: made or not, the archive decides",
			script: identify + flow + "< self 00 0400 2A00\n",
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				_, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
				require.Equal(t, fiscal.Attention, fiscal.KindOf(err), "%v", err)
				require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err))
			},
		},
		{
			name:   "older answer to 24, and the line breaks before the time was read: made, and said so",
			script: identify + flow + "< self 00 0400 2A000000 E9C3175A\n> B6 29 00 05 30 2A 00 00 00 C4 E1\n",
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				doc, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
				require.Equal(t, fiscal.Done, fiscal.EffectOf(err), "%v", err)
				require.Equal(t, fiscal.DocNumber(42), doc.Number)
				require.Equal(t, fiscal.Sign(0x5A17C3E9), doc.Sign)
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
		{
			name: "3A unknown to firmware before 1.0.28",
			script: found42 + `> self 3A 2A000000
				< B6 29 00 02 01 26 35 9D
				> self 35 2A000000
				< self 00 0300 0800
				> self 36
				< self 00 [1040 2A000000]
				> self 36
				< self 01 08`,
			do: func(t *testing.T, d driver.Device) {
				doc, err := d.Document(t.Context(), 42)
				require.NoError(t, err)
				require.True(t, doc.Full)
				require.Equal(t, fiscal.Marks{}, doc.Marks)
			},
		},
		{
			name: "content forgotten by the FN: 08 to 3A",
			script: found42 + `> self 3A 2A000000
				< B6 29 00 02 01 08 99 58`,
			do: func(t *testing.T, d driver.Device) {
				doc, err := d.Document(t.Context(), 42)
				require.NoError(t, err)
				require.False(t, doc.Full)
				require.Equal(t, fiscal.Money(150_00), doc.Total)
			},
		},
		{
			name: "another document's content under the cursor proves nothing",
			script: found42 + `> self 3A 2A000000
				< self 00 [1040 29000000] [1192 "SOMEBODYELSE0000"]`,
			do: func(t *testing.T, d driver.Device) {
				doc, err := d.Document(t.Context(), 42)
				require.NoError(t, err)
				require.False(t, doc.Full)
				require.Equal(t, fiscal.Marks{}, doc.Marks)
			},
		},
		{
			name:   "answer to 30 of another document",
			script: "> B6 29 00 05 30 2A 00 00 00 C4 E1\n< self 00 03 01 1A030E0905 29000000 E9C3175A 01 983A000000\n",
			do: func(t *testing.T, d driver.Device) {
				_, err := d.Document(t.Context(), 42)
				require.Equal(t, fiscal.Attention, fiscal.KindOf(err), "%v", err)
			},
		},
		{
			name:   "receipt with the raw type of an FN of FFD 1.2 (§5.7)",
			script: "> B6 29 00 05 30 2A 00 00 00 C4 E1\n< self 00 C3 01 1A030E0905 2A000000 E9C3175A 01 983A000000\n> self 3A 2A000000\n< self 00 [1040 2A000000] [1192 \"01J8ZQ4X7K2M9N3P\"]",
			do: func(t *testing.T, d driver.Device) {
				doc, err := d.Document(t.Context(), 42)
				require.NoError(t, err)
				require.Equal(t, fiscal.KindReceipt, doc.Kind)
				require.Equal(t, sheetStamp, doc.Marks.CheckProps)
			},
		},
		{
			name:   "no 0F: FFD from tag 1209 of the registration (§8)",
			script: head07 + two07 + plain0A + old0F + "> self 3B 02\n< self 00 [1009 \"г. Тест\"] [1187 \"Зал\"] [1209 03]\n",
			do:     func(t *testing.T, d driver.Device) { require.Equal(t, fiscal.FFD11, identified(t, d).FFD) },
		},
		{
			name:   "no 0F and no 1209: FFD 1.05 (§5.1)",
			script: head07 + two07 + plain0A + old0F + "> self 3B 02\n< self 00 [1009 \"г. Тест\"] [1187 \"Зал\"]\n",
			do:     func(t *testing.T, d driver.Device) { require.Equal(t, fiscal.FFD105, identified(t, d).FFD) },
		},
		{
			name:   "0F before a registration under FFD 1.2: zero is no version",
			script: head07 + two07 + plain0A + "> self 0F\n< self 00 00 04\n" + report3B,
			do:     func(t *testing.T, d driver.Device) { require.Equal(t, fiscal.FFD105, identified(t, d).FFD) },
		},
		{
			name: "07 counts no registrations: the last report that answers is the current one (§5.7)",
			script: head07 + "> B6 29 00 01 07 4A 8F\n< self 00 1B061E 1C 00\n" + plain0A + old0F +
				"> self 3B 01\n< self 00 [1009 \"первый\"] [1187 \"Зал\"] [1209 02]\n" + "> self 3B 02\n< self 00 [1009 \"второй\"] [1187 \"Зал\"] [1209 03]\n" + "> self 3B 03\n< B6 29 00 02 01 08 99 58\n",
			do: func(t *testing.T, d driver.Device) {
				id := identified(t, d)
				require.Equal(t, "второй", id.Address)
				require.Equal(t, fiscal.FFD11, id.FFD)
			},
		},
		{
			name:   "3B unknown to firmware before 1.0.22: a register without a known place is still a register",
			script: head07 + two07 + plain0A + old0F + "> self 3B 02\n< B6 29 00 02 01 26 35 9D\n",
			do: func(t *testing.T, d driver.Device) {
				id := identified(t, d)
				require.Equal(t, fiscal.INN("1234567894"), id.INN)
				require.Equal(t, fiscal.FFD105, id.FFD)
			},
		},
		{
			name: "register that was never registered",
			script: head07 + "> B6 29 00 01 07 4A 8F\n< self 00 1B061E 1E 00\n" +
				"> B6 29 00 01 0A E7 5E\n< self 00 \"                                \" 00 00 00\n" + old0F,
			do: func(t *testing.T, d driver.Device) {
				id := identified(t, d)
				require.Empty(t, id.INN)
				require.Empty(t, id.RNM)
				require.Equal(t, sheetFN, id.FN)
			},
		},
		{
			name: "no FN: everything that asks it is refused, and the register still says who it is",
			script: `> B6 29 00 01 01 8C EF
				< self 00 "550199000001" 1A030E0905 00 01 00 00 00
				> B6 29 00 01 04 29 BF
				< B6 29 00 0C 00 54 65 72 6D 69 6E 61 6C 2D 46 41 2D 01
				> self 03
				< self 00 "FA 01.05"
				> B6 29 00 01 05 08 AF
				< self 01 30
				> self 06
				< self 01 30
				> self 0B
				< B6 29 00 07 00 31 2E 30 2E 33 32 A3 85
				> B6 29 00 01 07 4A 8F
				< self 01 30
				> B6 29 00 01 0A E7 5E
				< self 01 30
				> self 0F
				< self 01 30
				> B6 29 00 01 01 8C EF
				< self 00 "550199000001" 1A030E0905 00 01 00 00 00`,
			do: func(t *testing.T, d driver.Device) {
				id := identified(t, d)
				require.Equal(t, "550199000001", id.Serial)
				require.Empty(t, id.FN)
				s, err := d.Status(t.Context())
				require.NoError(t, err)
				require.False(t, s.FNPresent)
			},
		},
		{
			name:   "agent's register, no agent's sale: 2C with 1057 = 0 alone (§5.3)",
			script: head07 + two07 + "> B6 29 00 01 0A E7 5E\n< self 00 \"0000000001020662    1234567894  \" 24 02 40\n" + old0F + report3B + begin23 + item2B + "> self 2C [1057 00]\n< B6 29 00 01 00 AD FF\n" + pay2D + form24 + answer24,
			do: func(t *testing.T, d driver.Device) {
				require.Equal(t, fiscal.AnotherAgent, identified(t, d).Agents)
				sold(t, d)
			},
		},
		{
			name: "agent's register, agent on the item: no 2C (§5.3)",
			script: head07 + two07 + "> B6 29 00 01 0A E7 5E\n< self 00 \"0000000001020662    1234567894  \" 24 02 40\n" + old0F + report3B + begin23 +
				"> self 2B [1059 [1030 \"Кофе 0.2 л\"] [1079 983A] [1023 0001] [1199 06] [1214 04] [1212 01] [1222 40] [1171 \"+79031234567\"] [1225 \"ООО Чай\"] [1226 \"7704849611  \"]]\n< B6 29 00 01 00 AD FF\n" +
				pay2D + form24 + answer24,
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				r := sheetSale()
				r.Items[0].Agent = &fiscal.AgentInfo{Type: fiscal.AnotherAgent}
				r.Items[0].Supplier = &fiscal.SupplierInfo{Phones: []string{"+79031234567"}, Name: "ООО Чай", INN: "7704849611"}
				_, err := d.Register(t.Context(), r, sheetBaseline(true))
				require.NoError(t, err)
			},
		},
		{
			name:   "status without the printer's model: 21 bytes (§5.1)",
			script: "> B6 29 00 01 01 8C EF\n< self 00 \"550199000001\" 1A030E0905 00 02 01 03\n" + closed08 + "> B6 29 00 01 20 CF DB\n< self 00 00 0700 0300\n> B6 29 00 01 50 58 A5\n< self 00 00 00 0000 00000000 0000000000\n",
			do: func(t *testing.T, d driver.Device) {
				s, err := d.Status(t.Context())
				require.NoError(t, err)
				require.Equal(t, uint8(2), s.Printer)
				require.Nil(t, s.Temperature)
				require.Zero(t, s.OFD)
				require.False(t, s.Shift.Open)
			},
		},
		{
			name: "longer answers of newer firmware, with its temperature at offset 22 (§5, design.md §6)",
			opts: driver.Options{Temperature: tail},
			script: "> B6 29 00 01 01 8C EF\n< self 00 \"550199000001\" 1A030E0905 00 01 01 03 00 F6 AABB\n" +
				"> B6 29 00 01 08 A5 7E\n< self 00 03 00 00 00 00 1A030E0900 \"9999078900000001\" 25000000 AABB\n" +
				"> B6 29 00 01 20 CF DB\n< self 00 00 0700 0300 AABB\n> B6 29 00 01 50 58 A5\n< self 00 00 00 0000 00000000 0000000000 AABB\n",
			do: func(t *testing.T, d driver.Device) {
				s, err := d.Status(t.Context())
				require.NoError(t, err)
				require.NotNil(t, s.Temperature)
				require.Equal(t, -10, *s.Temperature)
				require.Equal(t, fiscal.DocNumber(37), s.Document.Last)
			},
		},
		{
			name:   "20 and 50 unknown to old firmware: the status goes without them",
			script: "> B6 29 00 01 01 8C EF\n< self 00 \"550199000001\" 1A030E0905 00 01 01 03\n" + closed08 + "> B6 29 00 01 20 CF DB\n< B6 29 00 02 01 26 35 9D\n> B6 29 00 01 50 58 A5\n< B6 29 00 02 01 26 35 9D\n",
			do: func(t *testing.T, d driver.Device) {
				s, err := d.Status(t.Context())
				require.NoError(t, err)
				require.Equal(t, fiscal.DocNumber(37), s.Document.Last)
			},
		},
		{
			name: "opening report of another shift than the open one: its time is not known, which is no error",
			script: "> B6 29 00 01 01 8C EF\n< self 00 \"550199000001\" 1A030E0905 00 01 01 03\n" +
				"> B6 29 00 01 08 A5 7E\n< self 00 03 00 00 01 00 1A030E0900 \"9999078900000001\" 02000000\n" +
				"> B6 29 00 01 20 CF DB\n< B6 29 00 06 00 01 07 00 03 00 34 3E\n" +
				"> B6 29 00 01 50 58 A5\n< self 00 00 00 0000 00000000 0000000000\n" +
				"> B6 29 00 01 01 8C EF\n< self 00 \"550199000001\" 1A030E0905 00 01 01 03\n" +
				"> B6 29 00 01 08 A5 7E\n< self 00 03 00 00 01 00 1A030E0900 \"9999078900000001\" 04000000\n" +
				"> B6 29 00 01 20 CF DB\n< self 00 01 0800 0300\n" +
				"> self 30 01000000\n< self 00 02 00 1A030E0900 01000000 B179379E 0700\n" +
				"> B6 29 00 01 50 58 A5\n< self 00 00 00 0000 00000000 0000000000\n",
			do: func(t *testing.T, d driver.Device) {
				for range 2 {
					s, err := d.Status(t.Context())
					require.NoError(t, err)
					require.True(t, s.Shift.Open)
					require.True(t, s.Shift.OpenedAt.IsZero())
				}
			},
		},
		{
			name:   "shift over 24 h at 23 (§12)",
			script: identify + "> B6 29 00 01 23 AC EB\n< B6 29 00 02 01 16 66 AB\n" + cancel10,
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				_, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
				require.ErrorIs(t, err, fiscal.ErrShiftExpired)
				require.Equal(t, fiscal.Nothing, fiscal.EffectOf(err))
				require.Equal(t, fiscal.Code(0x16), fiscal.CodeOf(err))
			},
		},
		{
			name:   "refusal with a code that nobody knows: a person must look, and the number decides",
			script: identify + flow + "< self 01 9B\n" + cancel10 + status08,
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				_, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
				require.Equal(t, fiscal.Attention, fiscal.KindOf(err))
				require.Equal(t, fiscal.Nothing, fiscal.EffectOf(err))
				require.Equal(t, fiscal.Code(0x9B), fiscal.CodeOf(err))
			},
		},
		{
			name:   "refusal of RESULT 1 without a code",
			script: identify + flow + "< self 01\n",
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				_, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
				require.Equal(t, fiscal.Attention, fiscal.KindOf(err), "%v", err)
				require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err))
			},
		},
		{
			name:   "commit lost: no second frame leaves us (§9)",
			script: identify + flow + "hold\n",
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				began := time.Now()
				_, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
				require.Equal(t, fiscal.Link, fiscal.KindOf(err))
				require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err))
				require.Equal(t, production.Commit, time.Since(began))
			},
		},
		{
			name:   "caller gives up while the commit is on its way: Unknown at once",
			script: identify + flow + "hold\n",
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				began := time.Now()
				_, err := d.Register(ctx, sheetSale(), sheetBaseline(true))
				require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err), "%v", err)
				require.Equal(t, 3*time.Second, time.Since(began))
			},
		},
		{
			name:   "document hangs although the cancel was accepted: no proof",
			script: identify + flow + "< B6 29 00 02 01 39 EB 7E\n" + cancel10 + "> B6 29 00 01 08 A5 7E\n< self 00 03 04 01 01 00 1A030E0900 \"9999078900000001\" 29000000\n",
			do: func(t *testing.T, d driver.Device) {
				identified(t, d)
				_, err := d.Register(t.Context(), sheetSale(), sheetBaseline(true))
				require.Equal(t, fiscal.Refused, fiscal.KindOf(err), "%v", err)
				require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err))
			},
		},
		{
			name:   "report with a number that cannot be next",
			script: closed08 + "> B6 29 00 02 21 01 56 CF\n< B6 29 00 01 00 AD FF\n> B6 29 00 01 22 8D FB\n< self 00 0700 29000000 B179379E\n",
			do: func(t *testing.T, d driver.Device) {
				_, err := d.(driver.Shifter).OpenShift(t.Context(), fiscal.Cashier{})
				require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err), "%v", err)
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubbleOf(t, tc.script, tc.opts, tc.do)
		})
	}
}
