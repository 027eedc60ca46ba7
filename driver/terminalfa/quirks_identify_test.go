package terminalfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

// identityQuirks are about who the register is (§5.1, §5.7).
var identityQuirks = []quirk{
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
}

// statusQuirks are about how it is (§5.1).
var statusQuirks = []quirk{
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
}
