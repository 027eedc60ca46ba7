package terminalfa_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

// receiptQuirks are about receipts (§5.3) and what a failed one proves (doc.go).
var receiptQuirks = []quirk{
	{
		name:   "commit answered after as long as a commit may take (§2.3)",
		script: identify + begin23 + item2B + pay2D + form24 + "wait 59s\n" + answer24,
		do:     func(t *testing.T, d driver.Device) { identified(t, d); sold(t, d) },
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
}
