package terminalfa_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

// What an operator reads of the sheet's sale: every command in words and bytes, the stamp in plain sight, the buyer not.
func TestTraceOfASale(t *testing.T) {
	t.Parallel()
	var told []fiscal.Exchange
	spoken(t, "sale_105.txt", driver.Options{Trace: func(e fiscal.Exchange) { told = append(told, e) }}, func(t *testing.T, d driver.Device) {
		sell(t, d, sheetSale(), sheetBaseline(true))
	})
	require.GreaterOrEqual(t, len(told), 4)
	told = told[len(told)-4:]
	var commands []string
	for _, e := range told {
		commands = append(commands, e.Command[:2])
		require.Empty(t, e.Error)
		require.Contains(t, e.Meaning, " -> ")
	}
	require.Equal(t, []string{"23", "2B", "2D", "24"}, commands)

	// Of the bytes only the contact is overwritten, so that a reader still sees where everything stands.
	script := readTranscript(t, "sale_105.txt")
	sent := script.turns[len(script.turns)-2].host
	masked := []byte(strings.Replace(string(sent), "buyer@example.com", strings.Repeat("*", len("buyer@example.com")), 1))
	require.Equal(t, fiscal.HexBytes(masked), told[2].Request)
	require.Contains(t, string(told[2].Request), sheetStamp, "the stamp is evidence")
	require.Contains(t, told[2].Meaning, sheetStamp)
	require.NotContains(t, told[2].Meaning, "buyer@")
	require.Contains(t, told[2].Meaning, "***")
	require.Contains(t, told[3].Meaning, "total=150.00")
	require.Contains(t, told[3].Meaning, "fd=42")
	require.Equal(t, fiscal.HexBytes(script.turns[len(script.turns)-1].pieces[0].bytes), told[3].Reply)
}

// A buyer told in pieces (36) is masked in every piece, and what comes behind is read again.
func TestTraceOfATornBuyer(t *testing.T) {
	t.Parallel()
	const read = "> self 36\n"
	script := found42 + "> self 3A 2A000000\n< self 01 10\n> self 35 2A000000\n< self 00 0300 4C00\n" +
		read + "< self 00 [1040 2A000000]\n" +
		read + "< self 00 E804 1500 CB04 1100 41414141\n" + // 1256 {1227 "AAAAAAAAAAAAAAAAA"}, its first piece
		read + "< self 00 41414141414141\n" +
		read + "< self 00 414141414141 [1192 \"01J8ZQ4X7K2M9N3P\"]\n" + // the last piece, and another TLV behind it
		read + "< self 01 08\n"
	var told []fiscal.Exchange
	inBubbleOf(t, script, driver.Options{Trace: func(e fiscal.Exchange) { told = append(told, e) }}, func(t *testing.T, d driver.Device) {
		doc, err := d.Document(t.Context(), 42)
		require.NoError(t, err)
		require.Equal(t, sheetStamp, doc.Marks.CheckProps)
	})
	stamp := false
	for _, e := range told {
		require.NotContains(t, string(e.Reply), "AAA", e.Command)
		require.NotContains(t, e.Meaning, "AAA", e.Command)
		stamp = stamp || strings.Contains(string(e.Reply), sheetStamp)
	}
	require.True(t, stamp)
}
