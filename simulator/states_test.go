package simulator

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// situations are the states of the sheet's §11.4 a register can be brought into, by the commands that lead there from a
// fresh, registered register.
var situations = map[string]struct {
	o    Options
	path []string // "CODE data"
}{
	"shift closed":         {},
	"opening begun":        {path: []string{"21 01"}},
	"opening with cashier": {path: []string{"21 01", "2F " + cashierData}},
	"shift open":           {path: []string{"21 01", "22"}},
	"closing begun":        {path: []string{"21 01", "22", "29 01"}},
	"report begun":         {path: []string{"27"}},
	"receipt":              {path: []string{"21 01", "22", "23"}},
	"receipt with item":    {path: []string{"21 01", "22", "23", "2B " + item150}},
	"receipt paid":         {path: []string{"21 01", "22", "23", "2B " + item150, "2D " + payment150}},
	"correction":           {path: []string{"21 01", "22", "25"}},
	"correction with data": {path: []string{"21 01", "22", "25", "2E " + correction}},
	"registration":         {path: []string{"12 02"}},
	"registration data":    {path: []string{"12 02", "16 " + registerData}},

	"receipt without place":       {o: Options{NoPlace: true}, path: []string{"21 01", "22", "23", "2B " + item150}},
	"receipt with place":          {o: Options{NoPlace: true}, path: []string{"21 01", "22", "23", "2B " + item150, "1F " + automatData}},
	"paid without place":          {o: Options{NoPlace: true}, path: []string{"21 01", "22", "23", "2B " + item150, "2D " + payment150}},
	"correction without place":    {o: Options{NoPlace: true}, path: []string{"21 01", "22", "25"}},
	"agent's receipt":             {o: Options{Agents: 0x40}, path: []string{"21 01", "22", "23", "2B " + item150}},
	"agent's receipt, data":       {o: Options{Agents: 0x40}, path: []string{"21 01", "22", "23", "2B " + item150, "2C 21 04 01 00 00"}},
	"agent's receipt, item agent": {o: Options{Agents: 0x40}, path: []string{"21 01", "22", "23", "2B " + agentItem}},
	"not automatic, opening":      {o: Options{Profile: KITOnlineF, Modes: modeInternet}, path: []string{"21 01"}},
	"not automatic, cashier":      {o: Options{Profile: KITOnlineF, Modes: modeInternet}, path: []string{"21 01", "2F " + cashierData}},

	"1.1 correction": {o: Options{FFD: fiscal.FFD11}, path: []string{"21 01", "22", "25"}},

	"1.2 shift closed":        {o: Options{FFD: fiscal.FFD12}},
	"1.2 receipt":             {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "23"}},
	"1.2 receipt, item":       {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "23", "96 " + newItem150}},
	"1.2 receipt paid":        {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "23", "96 " + newItem150, "2D " + payment150}},
	"1.2 receipt data":        {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "23", "96 " + newItem150, "2D " + payment150, "98 " + data12}},
	"1.2 correction":          {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "25"}},
	"1.2 correction paid":     {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "25", "96 " + newItem150, "2D " + payment150}},
	"1.2 correction, no item": {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "25", "2D " + payment150, "98 " + data12 + "9A 04 04 00 00 5F AF 69"}},
	"1.2 correction data":     {o: Options{FFD: fiscal.FFD12}, path: []string{"21 01", "22", "25", "96 " + newItem150, "2D " + payment150, "98 " + data12 + "9A 04 04 00 00 5F AF 69"}},
}

// agentItem is item150 with 1222 = 0x40 and a supplier's phone.
const agentItem = "23 04 3B 00 06 04 0A 00 8A AE E4 A5 20 30 2E 32 20 AB 37 04 02 00 98 3A FF 03 02 00 00 01 AF 04 01 00 06 BE 04 01 00 04 BC 04 01 00 01" +
	"C6 04 01 00 40 93 04 09 00 2B 37 39 30 30 31 31 31 31"

// TestStateTable: each row of §11.4 and §15, in states where it is allowed and where not.
func TestStateTable(t *testing.T) {
	t.Parallel()
	form := func(vln string) string { return "26 01 " + vln }
	for _, c := range []struct {
		in   string
		say  string
		want refusal
	}{
		{"shift closed", "21 01", done},
		{"shift open", "21 01", badState},
		{"opening begun", "21 01", badState},
		{"report begun", "21 01", badState},
		{"shift closed", "22", badState},
		{"opening begun", "22", done},
		{"opening with cashier", "22", done},
		{"not automatic, opening", "22", noCashier},
		{"not automatic, cashier", "22", done},
		{"receipt", "22", badState},
		{"shift open", "29 01", done},
		{"shift closed", "29 01", badState},
		{"receipt", "29 01", badState},
		{"closing begun", "29 01", badState},
		{"closing begun", "2A", done},
		{"shift open", "2A", badState},
		{"shift open", "23", done},
		{"shift closed", "23", badState},
		{"receipt", "23", badState},
		{"closing begun", "23", badState},
		{"shift open", "25", done},
		{"shift closed", "25", badState},
		{"correction", "25", badState},

		{"receipt", "2B " + item150, done},
		{"shift open", "2B " + item150, noReceipt},
		{"closing begun", "2B " + item150, noReceipt},
		{"correction", "2B " + item150, noReceipt},
		{"1.1 correction", "2B " + item150, done},
		{"receipt paid", "2B " + item150, itemAfterTotals},
		{"1.2 receipt", "2B " + item150, notInThisFFD},
		{"receipt", "96 " + newItem150, onlyFFD12},
		{"1.2 receipt", "96 " + newItem150, done},
		{"1.2 correction", "96 " + newItem150, done},
		{"1.2 receipt paid", "96 " + newItem150, itemAfterTotals},
		{"1.2 shift closed", "96 " + newItem150, noReceipt},

		{"receipt with item", "2C 21 04 01 00 00", onlyForAgents},
		{"shift open", "2C 21 04 01 00 00", noReceipt},
		{"agent's receipt", "2C 21 04 01 00 00", done},
		{"agent's receipt, data", "2C 21 04 01 00 00", alreadySent},
		{"agent's receipt, item agent", "2C 21 04 01 00 00", agentTwice},
		{"agent's receipt, data", "2B " + agentItem, agentTwice},

		{"receipt with item", "1F " + automatData, placeNotAllowed},
		{"receipt without place", "1F " + automatData, done},
		{"receipt with place", "1F " + automatData, alreadySent},
		{"paid without place", "1F " + automatData, done},
		{"correction without place", "1F " + automatData, noReceipt},
		{"shift open", "1F " + automatData, noReceipt},
		{"1.2 receipt", "1F " + automatData, notInThisFFD},
		{"correction without place", "3F " + automatData, done},
		{"correction", "3F " + automatData, placeNotAllowed},
		{"receipt without place", "3F " + automatData, noReceipt},
		{"1.2 correction", "3F " + automatData, notInThisFFD},

		{"receipt with item", "2D " + payment150, done},
		{"receipt", "2D " + payment150, done},
		{"receipt paid", "2D " + payment150, alreadySent},
		{"correction", "2D " + payment150, noReceipt},
		{"shift open", "2D " + payment150, noReceipt},
		{"1.2 correction", "2D " + payment150, done},
		{"1.2 receipt paid", "98 " + data12, done},
		{"1.2 receipt, item", "98 " + data12, badOrder},
		{"1.2 shift closed", "98 " + data12, badOrder},
		{"1.2 receipt data", "98 " + data12, alreadySent},
		{"receipt paid", "98 " + data12, onlyFFD12},
		{"1.2 correction paid", "98 " + data12, incomplete},

		{"receipt paid", "24 " + form150, done},
		{"receipt with item", "24 " + form150, incomplete},
		{"receipt", "24 " + form150, incomplete},
		{"shift open", "24 " + form150, noReceipt},
		{"correction with data", "24 " + form150, noReceipt},
		{"paid without place", "24 " + form150, incomplete},
		{"1.2 receipt paid", "24 " + form150, incomplete},
		{"1.2 receipt data", "24 " + form150, done},

		{"correction", "2E " + correction, done},
		{"correction with data", "2E " + correction, alreadySent},
		{"receipt", "2E " + correction, noReceipt},
		{"1.2 correction", "2E " + correction, notInThisFFD},
		{"correction with data", form("98 3A"), done},
		{"correction with data", form("98 3A 00 00 00"), done},
		{"correction", form("98 3A"), incomplete},
		{"receipt paid", form("98 3A"), noReceipt},
		{"1.2 correction data", form("98 3A 00 00 00"), done},
		{"1.2 correction paid", form("98 3A 00 00 00"), incomplete},
		{"1.2 correction, no item", form("98 3A 00 00 00"), incomplete},

		{"shift closed", "27", done},
		{"shift open", "27", done},
		{"receipt", "27", badState},
		{"report begun", "28", done},
		{"shift open", "28", badState},
		{"opening begun", "2F " + cashierData, done},
		{"closing begun", "2F " + cashierData, done},
		{"report begun", "2F " + cashierData, done},
		{"receipt", "2F " + cashierData, badState},
		{"shift open", "2F " + cashierData, badState},

		{"shift closed", "12 00", badState},
		{"shift closed", "12 01", badState},
		{"shift closed", "12 02", done},
		{"shift open", "12 02", badState},
		{"shift closed", "12 03", badFormat},
		{"1.2 shift closed", "12 02", notInThisFFD},
		{"1.2 shift closed", "E1 02", done},
		{"shift closed", "E1 02", unknownCommand},
		{"registration", "16 " + registerData, done},
		{"shift closed", "16 " + registerData, badState},
		{"registration", "13 " + registerForm + "04", incomplete},
		{"registration data", "13 " + registerForm + "04", done},
		{"registration data", "13 " + registerForm, badLength},
		{"shift closed", "13 " + registerForm + "04", badState},
		{"shift closed", "14", unsentDocuments},
		{"shift open", "14", badState},
		{"shift closed", "15", badState},
		{"shift closed", "17 " + cashierData, badState},

		{"shift closed", "10", done},
		{"receipt paid", "10", done},
		{"shift closed", "0F", unknownCommand},
		{"1.2 shift closed", "0F", done},
		{"shift closed", "36", noData},
		{"shift closed", "95", unknownCommand},
		{"1.2 shift closed", "95", done},
	} {
		t.Run(c.in+"/"+c.say[:2], func(t *testing.T) {
			t.Parallel()
			r := inSituation(t, c.in)
			code, data := split(t, c.say)
			result, reply := say(t, r, 1, code, data)
			got := done
			if result != 0 {
				got = refusal(reply[0])
			}
			assert.Equal(t, c.want, got, "%02X instead of %02X", byte(got), byte(c.want))
		})
	}
}

// registerForm is 0x13 for the default INN and the first register's RNM, without the reason.
const registerForm = "37 37 30 34 38 34 39 36 31 31 20 20 30 30 30 30 30 30 30 30 30 31 30 31 31 37 32 32 20 20 20 20 02"

func inSituation(t *testing.T, name string) *Rack {
	t.Helper()
	s, ok := situations[name]
	assert.True(t, ok, "no situation %q", name)
	r, _ := newRack(t, s.o)
	for _, p := range s.path {
		code, data := split(t, p)
		result, reply := say(t, r, 1, code, data)
		assert.Zero(t, result, "%s on the way to %q: % X", p[:2], name, reply)
	}
	return r
}

func split(t *testing.T, text string) (code byte, data []byte) {
	t.Helper()
	b := unhex(t, text)
	return b[0], b[1:]
}

// TestReadsAnyTime: reads are allowed in every state and change none (§11.4).
func TestReadsAnyTime(t *testing.T) {
	t.Parallel()
	reads := []string{"01", "02", "03", "04", "05", "06", "07", "08", "09", "0A", "0B", "0E", "20", "30 01 00 00 00", "32", "33",
		"33 01", "35 01 00 00 00", "36", "3A 01 00 00 00", "3B 01", "50", "73", "77"}
	for name := range situations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := inSituation(t, name)
			before, err := r.Device(1)
			assert.NoError(t, err)
			for _, read := range reads {
				code, data := split(t, read)
				result, reply := say(t, r, 1, code, data)
				assert.Zero(t, result, "%s: % X", read, reply)
			}
			after, err := r.Device(1)
			assert.NoError(t, err)
			before.Exchanges = after.Exchanges
			assert.Equal(t, before, after)
		})
	}
}

// TestOpenDocument: what 0x08 shows while a document is being built (§11.4).
func TestOpenDocument(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]byte{
		"shift closed":         {0x00, 0},
		"opening begun":        {0x02, 0},
		"opening with cashier": {0x02, 1},
		"receipt":              {0x04, 0},
		"receipt with item":    {0x04, 1},
		"correction":           {0x14, 0},
		"correction with data": {0x14, 1},
		"closing begun":        {0x08, 0},
		"report begun":         {0x17, 0},
		"registration":         {0x13, 0},
		"registration data":    {0x13, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := inSituation(t, name)
			status := must(t, r, 0x08, "")
			assert.Equal(t, want[:], status[1:3])
			must(t, r, 0x10, "")
			assert.Equal(t, []byte{0, 0}, must(t, r, 0x08, "")[1:3])
		})
	}
}

// TestPhases: documents before and after fiscal mode, and without an FN (§11.3).
func TestPhases(t *testing.T) {
	t.Parallel()
	documents := []string{"14", "15", "17", "1F", "21 01", "22", "23", "24 " + form150, "25", "26 01 01", "29 01", "2A", "2B", "2C", "2D", "2E", "3F"}
	reports := []string{"27", "28", "2F " + cashierData}
	t.Run("not activated", func(t *testing.T) {
		t.Parallel()
		r, _ := newRack(t, Options{})
		patch(t, r, Patch{FN: new(FNFresh)})
		for _, text := range append(documents, reports...) {
			code, data := split(t, text)
			assert.Equal(t, fnNotActivated, refusedWith(t, r, code, fmt.Sprintf("%x", data)), text)
		}
		assert.Equal(t, done, refusedWith(t, r, 0x12, "00"))
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		r, _ := newRack(t, Options{})
		patch(t, r, Patch{Confirm: new(-1)})
		must(t, r, 0x14, "")
		assert.Equal(t, incomplete, refusedWith(t, r, 0x15, ""))
		must(t, r, 0x17, cashierData)
		must(t, r, 0x15, "")
		assert.Equal(t, byte(7), must(t, r, 0x08, "")[0])
		for _, text := range documents {
			code, data := split(t, text)
			assert.Equal(t, fnClosed, refusedWith(t, r, code, fmt.Sprintf("%x", data)), text)
		}
		assert.Equal(t, fnClosed, refusedWith(t, r, 0x12, "02"))
		must(t, r, 0x27, "")
		must(t, r, 0x28, "")
		patch(t, r, Patch{Confirm: new(-1)})
		assert.Equal(t, byte(15), must(t, r, 0x08, "")[0])
		assert.Equal(t, fnClosed, refusedWith(t, r, 0x27, ""))
		must(t, r, 0x30, "01 00 00 00")
	})
	t.Run("no FN", func(t *testing.T) {
		t.Parallel()
		r, _ := newRack(t, Options{})
		patch(t, r, Patch{FN: new(FNRemove)})
		for _, text := range append(documents, "05", "08", "20", "30 01 00 00 00", "12 02") {
			code, data := split(t, text)
			assert.Equal(t, noFN, refusedWith(t, r, code, fmt.Sprintf("%x", data)), text)
		}
		assert.Equal(t, []byte{0, 0}, must(t, r, 0x01, "")[19:21])
		for _, text := range []string{"02", "03", "04", "0B", "0E", "73", "10", "72 30 75 05 00 1A 03 0E 09 06"} {
			code, data := split(t, text)
			assert.Equal(t, done, refusedWith(t, r, code, fmt.Sprintf("%x", data)), text)
		}
		patch(t, r, Patch{FN: new(FNInsert)})
		assert.Equal(t, byte(3), must(t, r, 0x08, "")[0])
	})
}

// TestOrderOfChecks: length before FN before phase before state before TLV before values (§11.3).
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	const badTLV = "23 04 FF 00 06"
	assert.Equal(t, noReceipt, refusedWith(t, r, 0x2B, badTLV), "state before TLV")
	openTheShift(t, r)
	must(t, r, 0x23, "")
	assert.Equal(t, badFormat, refusedWith(t, r, 0x2B, badTLV))
	must(t, r, 0x10, "")
	assert.Equal(t, badLength, refusedWith(t, r, 0x24, "01"), "length before state")
	assert.Equal(t, badLength, refusedWith(t, r, 0x22, "01"), "the print byte belongs on 0x21")
	patch(t, r, Patch{FN: new(FNRemove)})
	assert.Equal(t, badLength, refusedWith(t, r, 0x08, "00"), "length before FN")
	assert.Equal(t, noFN, refusedWith(t, r, 0x2B, badTLV), "FN before state")
}

// TestSurplusBytes: published clients send them (§12).
func TestSurplusBytes(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	openTheShift(t, r)
	for _, text := range []string{"23 45 A0", "10", "25 45 A0", "10", "30 01 00 00 00 FF", "3B 01 FF FF"} {
		code, data := split(t, text)
		assert.Equal(t, done, refusedWith(t, r, code, fmt.Sprintf("%x", data)), text)
	}
}

// TestPrintAtCommit: the firmware of §5.2 that takes the print byte on 0x22.
func TestPrintAtCommit(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{PrintAtCommit: true})
	assert.Equal(t, badCommandFormat, refusedWith(t, r, 0x21, "01"))
	must(t, r, 0x21, "")
	assert.Equal(t, printerNotReady, refusedWith(t, r, 0x22, ""), "no byte means print")
	must(t, r, 0x22, "01")
	assert.Equal(t, badCommandFormat, refusedWith(t, r, 0x29, "01"))
	must(t, r, 0x29, "")
	must(t, r, 0x2A, "01")
	_, err := r.MakeForeignReceipt(t.Context(), 1, 100)
	assert.NoError(t, err)
}

// TestPrintFlag: print without a printer is 0x40 (§15).
func TestPrintFlag(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	assert.Equal(t, printerNotReady, refusedWith(t, r, 0x21, ""))
	assert.Equal(t, printerNotReady, refusedWith(t, r, 0x21, "00"))
	assert.Equal(t, badFormat, refusedWith(t, r, 0x21, "02"))
	patch(t, r, Patch{Printer: new(PrinterReady)})
	must(t, r, 0x21, "")
	must(t, r, 0x10, "")
	patch(t, r, Patch{Printer: new(PrinterNoPaper)})
	assert.Equal(t, byte(2), must(t, r, 0x01, "")[18])
	assert.Equal(t, printerNotReady, refusedWith(t, r, 0x21, "00"))
	must(t, r, 0x21, "01")
}

// TestMakesDocument: the commands the FN needs its time for (§2.3, §9), by this package's table and the codec's.
func TestMakesDocument(t *testing.T) {
	t.Parallel()
	var mine, codecs []byte
	for c := range 256 {
		if makesDocument(byte(c)) {
			mine = append(mine, byte(c))
		}
		if terminalfa.Command(c).MakesDocument() {
			codecs = append(codecs, byte(c))
		}
		assert.Equal(t, terminalfa.Command(c).Known(), handlers[c].do != nil, "%02X", c)
	}
	assert.Equal(t, []byte{0x13, 0x15, 0x22, 0x24, 0x26, 0x28, 0x2A, 0xE3}, mine)
	assert.Equal(t, mine, codecs)
}
