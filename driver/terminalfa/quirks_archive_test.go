package terminalfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

// archiveQuirks are about reading documents (§5.7, §15).
var archiveQuirks = []quirk{
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
}
