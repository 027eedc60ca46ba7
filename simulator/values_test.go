package simulator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// tlv writes one TLV by hand, so that the tests do not lean on the encoders they test.
func tlv(tag int, value ...byte) string {
	b := []byte{byte(tag), byte(tag >> 8), byte(len(value)), byte(len(value) >> 8)}
	return hexOf(append(b, value...))
}

func hexOf(b []byte) string {
	const digits = "0123456789ABCDEF"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

func repeated(c byte, n int) []byte { return []byte(strings.Repeat(string(c), n)) }

// anItem is the item's TLVs by tag; changes replace or, with nil, remove.
func anItem(changes map[int][]byte) string {
	fields := []struct {
		tag   int
		value []byte
	}{
		{1030, []byte("A")}, {1079, []byte{0x98, 0x3A}}, {1023, []byte{0, 1}}, {1199, []byte{6}}, {1214, []byte{4}}, {1212, []byte{1}},
	}
	var b string
	for _, f := range fields {
		v, changed := changes[f.tag]
		switch {
		case !changed:
			b += tlv(f.tag, f.value...)
		case v != nil:
			b += tlv(f.tag, v...)
		}
		delete(changes, f.tag)
	}
	for tag, v := range changes {
		b += tlv(tag, v...)
	}
	return b
}

// TestItemValues: §5.3 and §11.5, at FFD 1.05 as 0x2B and at FFD 1.2 as 0x96.
func TestItemValues(t *testing.T) {
	t.Parallel()
	type change map[int][]byte
	for name, c := range map[string]struct {
		change   change
		old, new refusal
	}{
		"as it should be":         {},
		"no name":                 {change{1030: nil}, incomplete, incomplete},
		"empty name":              {change{1030: {}}, incomplete, incomplete},
		"name of 128":             {change{1030: repeated('A', 128)}, done, done},
		"name of 129":             {change{1030: repeated('A', 129)}, badFormat, badFormat},
		"no price":                {change{1079: nil}, incomplete, incomplete},
		"price zero":              {change{1079: {0}}, done, done},
		"price longer than needs": {change{1079: {0x98, 0x3A, 0, 0}}, done, done},
		"price without bytes":     {change{1079: {}}, badFormat, badFormat},
		"price over five bytes":   {change{1079: {0, 0, 0, 0, 0, 1}}, moneyDigits, moneyDigits},
		"sum over five bytes":     {change{1079: {0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, 1023: {0, 2}}, moneyDigits, moneyDigits},
		"no quantity":             {change{1023: nil}, incomplete, incomplete},
		"quantity zero":           {change{1023: {0, 0}}, badFormat, badFormat},
		"quantity 0.001":          {change{1023: {3, 1}}, done, done},
		"seven decimals":          {change{1023: {7, 1}}, badFormat, badFormat},
		"quantity of one byte":    {change{1023: {1}}, badFormat, badFormat},
		"no VAT":                  {change{1199: nil}, incomplete, incomplete},
		"VAT 0":                   {change{1199: {0}}, badFormat, badFormat},
		"VAT 1":                   {change{1199: {1}}, done, done},
		"VAT 7":                   {change{1199: {7}}, badFormat, badFormat},
		"VAT of two bytes":        {change{1199: {6, 0}}, badFormat, badFormat},
		"no method":               {change{1214: nil}, incomplete, incomplete},
		"method 0":                {change{1214: {0}}, badFormat, badFormat},
		"method 7":                {change{1214: {7}}, done, done},
		"method 8":                {change{1214: {8}}, badFormat, badFormat},
		"no subject":              {change{1212: nil}, done, done},
		"subject 0":               {change{1212: {0}}, badFormat, badFormat},
		"subject 19":              {change{1212: {19}}, done, done},
		"subject 20":              {change{1212: {20}}, badFormat, done},
		"subject 28":              {change{1212: {28}}, badFormat, badFormat},
		"subject 33":              {change{1212: {33}}, badFormat, done},
		"subject 15, free name":   {change{1212: {15}}, badFormat, badFormat},
		"subject 15, code":        {change{1212: {15}, 1030: []byte("25")}, done, done},
		"subject 16, code 32":     {change{1212: {16}, 1030: []byte("32")}, badFormat, badFormat},
		"product code":            {change{1162: []byte("05AB1208")}, done, done},
		"product code, no hex":    {change{1162: []byte("05AX")}, badFormat, done},
		"product code, odd":       {change{1162: []byte("05A")}, badFormat, done},
		"unit of 17":              {change{1197: repeated('A', 17)}, badFormat, done},
		"attribute of 64":         {change{1191: repeated('A', 64)}, done, done},
		"attribute of 65":         {change{1191: repeated('A', 65)}, badFormat, badFormat},
		"empty attribute":         {change{1191: {}}, done, done},
		"mark in 0x96":            {change{2000: []byte("0104")}, done, markExpected},
		"empty mark":              {change{2000: {}}, done, done},
		"supplier without agent":  {change{1226: []byte("7704849611  ")}, badAgent, badAgent},
		"agent on a plain KKT":    {change{1222: {0x40}}, onlyForAgents, done},
		"agent none":              {change{1222: {0}}, done, done},
		"two agents":              {change{1222: {0x41}}, badAgent, badAgent},
		"supplier INN of 10":      {change{1222: {0x40}, 1226: []byte("7704849611")}, badFormat, badFormat},
		"supplier INN of letters": {change{1222: {0x40}, 1226: []byte("77048496AA  ")}, badFormat, badFormat},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, _ := newRack(t, Options{})
			openTheShift(t, old)
			must(t, old, 0x23, "")
			body := unhex(t, anItem(copyOf(c.change)))
			assert.Equal(t, c.old, refusedWith(t, old, 0x2B, tlv(1059, body...)), "0x2B")
			newer, _ := newRack(t, Options{FFD: fiscal.FFD12})
			openTheShift(t, newer)
			must(t, newer, 0x23, "")
			assert.Equal(t, c.new, refusedWith(t, newer, 0x96, anItem(copyOf(c.change))), "0x96")
		})
	}
}

func copyOf(m map[int][]byte) map[int][]byte {
	out := map[int][]byte{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func TestItemShapes(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{Agents: 0x41, LastVAT: fiscal.VAT122})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	assert.Equal(t, incomplete, refusedWith(t, r, 0x2B, ""), "no 1059")
	assert.Equal(t, badFormat, refusedWith(t, r, 0x2B, item150+item150), "two of them")
	assert.Equal(t, badFormat, refusedWith(t, r, 0x2B, tlv(1059, unhex(t, anItem(nil)+tlv(1030, 'B'))...)), "a name twice")
	assert.Equal(t, done, refusedWith(t, r, 0x2B, tlv(1059, unhex(t, anItem(map[int][]byte{1199: {12}}))...)), "VAT 22/122 on new firmware")
	assert.Equal(t, badAgent, refusedWith(t, r, 0x2B, tlv(1059, unhex(t, anItem(map[int][]byte{1222: {0x02}}))...)), "an agent it is not registered for")
	phones := tlv(1171, []byte("+79001111111")...) + tlv(1171, []byte("+79002222222")...)
	assert.Equal(t, done, refusedWith(t, r, 0x2B, tlv(1059, unhex(t, anItem(map[int][]byte{1222: {0x40}})+phones)...)), "phones repeat")
	long := unhex(t, anItem(map[int][]byte{1030: repeated('A', 128)})+tlv(1222, 0x40)+tlv(1191, repeated('B', 60)...))
	phone := unhex(t, tlv(1171, []byte("+79001111111")...))
	for len(long)+len(phone) <= terminalfa.MaxData-4 {
		long = append(long, phone...)
	}
	long = append(long, unhex(t, tlv(1225, repeated('S', terminalfa.MaxData-8-len(long))...))...)
	assert.Equal(t, tlvTooLarge, refusedWith(t, r, 0x2B, tlv(1059, long...)), "with the sum it outgrows 1024 bytes")
	assert.Equal(t, onlyCredit, refusedWith(t, r, 0x2B, tlv(1059, unhex(t, anItem(map[int][]byte{1214: {7}}))...)), "a credit repayment among others")
}

func TestItemLimits(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	for range maxItems {
		must(t, r, 0x2B, item150)
	}
	assert.Equal(t, tooManyItems, refusedWith(t, r, 0x2B, item150))
	must(t, r, 0x10, "")
	must(t, r, 0x23, "")
	big := tlv(1059, unhex(t, anItem(map[int][]byte{1030: repeated('A', 128), 1191: repeated('B', 64)}))...)
	code, n := done, 0
	for ; code == done && n < maxItems; n++ {
		code = refusedWith(t, r, 0x2B, big)
	}
	assert.Equal(t, done, code, "100 long items fit")
}

// TestRounding: price × quantity half up to a kopeck (§11.5).
func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		price, quantity uint64
		decimals        byte
		want            uint64
		ok              bool
	}{
		{15000, 1, 0, 15000, true},
		{100, 1234, 3, 123, true},
		{1, 5, 1, 1, true},
		{1, 49, 2, 0, true},
		{333, 333333, 6, 111, true},
		{3, 500000, 6, 2, true},
		{maxMoney, 1, 0, maxMoney, true},
		{maxMoney, 2, 0, 0, false},
		{maxMoney, 1 << 55, 0, 0, false},
	} {
		got, ok := itemCost(c.price, c.quantity, c.decimals)
		assert.Equal(t, c.ok, ok, c)
		if ok {
			assert.Equal(t, c.want, got, c)
		}
	}
}

// TestVAT: the vendor samples of domain/ffd.md §4.1 rule 8, and 22 %.
func TestVAT(t *testing.T) {
	t.Parallel()
	for vat, c := range map[fiscal.VAT][2]uint64{
		fiscal.VAT20: {12000, 2000}, fiscal.VAT10: {10000, 909}, fiscal.VAT120: {10000, 1667}, fiscal.VAT110: {10000, 909},
		fiscal.VAT0: {10000, 10000}, fiscal.VATNone: {10000, 10000}, fiscal.VAT5: {10500, 500}, fiscal.VAT7: {10700, 700},
		fiscal.VAT105: {10000, 476}, fiscal.VAT107: {10000, 654}, fiscal.VAT22: {12200, 2200}, fiscal.VAT122: {10000, 1803},
	} {
		assert.Equal(t, c[1], vatRates[vat].amount(c[0]), vat)
	}
}

func payment(changes map[int][]byte) string {
	var b string
	for _, f := range []struct {
		tag   int
		value []byte
	}{{1055, []byte{2}}, {1031, []byte{0}}, {1081, []byte{0x98, 0x3A}}, {1215, []byte{0}}, {1216, []byte{0}}, {1217, []byte{0}}} {
		v, changed := changes[f.tag]
		switch {
		case !changed:
			b += tlv(f.tag, f.value...)
		case v != nil:
			b += tlv(f.tag, v...)
		}
		delete(changes, f.tag)
	}
	for tag, v := range changes {
		b += tlv(tag, v...)
	}
	return b
}

// TestPaymentValues: §5.3 and §11.5, 0x2D.
func TestPaymentValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change map[int][]byte
		want   refusal
	}{
		"as it should be":       {nil, done},
		"no tax system":         {map[int][]byte{1055: nil}, noTaxSystem},
		"tax system 0":          {map[int][]byte{1055: {0}}, badTax},
		"two tax systems":       {map[int][]byte{1055: {3}}, badTax},
		"one not registered":    {map[int][]byte{1055: {4}}, badTax},
		"the other registered":  {map[int][]byte{1055: {1}}, done},
		"no cash":               {map[int][]byte{1031: nil}, incomplete},
		"no counter-provision":  {map[int][]byte{1217: nil}, incomplete},
		"money over five bytes": {map[int][]byte{1081: {0, 0, 0, 0, 0, 1}}, moneyDigits},
		"attribute of 16":       {map[int][]byte{1192: repeated('A', 16)}, done},
		"attribute of 17":       {map[int][]byte{1192: repeated('A', 17)}, badFormat},
		"user attribute":        {map[int][]byte{1085: {'A'}, 1086: {'B'}}, done},
		"only its name":         {map[int][]byte{1085: {'A'}}, incomplete},
		"only its value":        {map[int][]byte{1086: {'A'}}, incomplete},
		"its name empty":        {map[int][]byte{1085: {}, 1086: {'B'}}, incomplete},
		"value of 257":          {map[int][]byte{1085: {'A'}, 1086: repeated('B', 257)}, badFormat},
		"contact of 65":         {map[int][]byte{1008: repeated('A', 65)}, badFormat},
		"cashier INN of 10":     {map[int][]byte{1203: []byte("1234567890")}, badFormat},
		"cashier INN padded":    {map[int][]byte{1203: []byte("1234567890  ")}, done},
		"buyer INN of 10":       {map[int][]byte{1228: []byte("1234567890")}, done},
		"buyer INN of 11":       {map[int][]byte{1228: []byte("12345678901")}, badFormat},
		"internet, not listed":  {map[int][]byte{1125: {1}}, done},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := inSituation(t, "receipt with item")
			assert.Equal(t, c.want, refusedWith(t, r, 0x2D, payment(copyOf(c.change))))
		})
	}
}

// TestRemarks: tags a command does not list are let through and counted, or refused by the strict switch (§15).
func TestRemarks(t *testing.T) {
	t.Parallel()
	r := inSituation(t, "receipt with item")
	must(t, r, 0x2D, payment(map[int][]byte{1125: {1}, 1174: {}}))
	d, err := r.Device(1)
	require.NoError(t, err)
	assert.Equal(t, uint64(2), d.Remarks)
	r = inSituation(t, "receipt with item")
	patch(t, r, Patch{Strict: new(true)})
	assert.Equal(t, badFormat, refusedWith(t, r, 0x2D, payment(map[int][]byte{1125: {1}})))
	must(t, r, 0x10, "")
	assert.Equal(t, badState, refusedWith(t, r, 0x10, ""), "strict: nothing to cancel")
}

// TestTotals: the checks of 0x24 (§11.5).
func TestTotals(t *testing.T) {
	t.Parallel()
	money := func(cash, electronic, advance byte) string {
		return payment(map[int][]byte{1031: {cash, 0x27}, 1081: {electronic, 0x27}, 1215: {advance}})
	}
	for name, c := range map[string]struct {
		pay  string
		form string
		want refusal
	}{
		"as it should be":            {payment150, form150, done},
		"operation 0":                {payment150, "00 98 3A 00 00 00", badOperation},
		"operation 5":                {payment150, "05 98 3A 00 00 00", badOperation},
		"operation 4":                {payment150, "04 98 3A 00 00 00", done},
		"a rouble more":              {payment(map[int][]byte{1081: {0xFC, 0x3A}}), "01 FC 3A 00 00 00", totalNotItems},
		"kopecks more, same rouble":  {payment(map[int][]byte{1081: {0x99, 0x3A}}), "01 99 3A 00 00 00", done},
		"a kopeck less":              {payment(map[int][]byte{1081: {0x97, 0x3A}}), "01 97 3A 00 00 00", totalNotItems},
		"too little":                 {payment(map[int][]byte{1081: {0x97, 0x3A}}), form150, badPayments},
		"electronic beyond total":    {payment(map[int][]byte{1081: {0x99, 0x3A}}), form150, tooMuchNonCash},
		"cash beyond total":          {payment(map[int][]byte{1081: {0}, 1031: {0x99, 0x3A}}), form150, badPayments},
		"advance and electronic":     {payment(map[int][]byte{1081: {0x88, 0x13}, 1215: {0x10, 0x27}}), form150, done},
		"too much, cash and another": {money(0x10, 0x10, 0), form150, badPayments},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := inSituation(t, "receipt with item")
			must(t, r, 0x2D, c.pay)
			assert.Equal(t, c.want, refusedWith(t, r, 0x24, c.form))
		})
	}
}

// TestCorrectionValues: §5.4.
func TestCorrectionValues(t *testing.T) {
	t.Parallel()
	data := unhex(t, correction)
	with := func(tag int, value ...byte) string {
		out := ""
		for b := tlvs(data); len(b) > 0; {
			got, v, size := b.next()
			if int(got) == tag {
				v = value
			}
			out += tlv(int(got), v...)
			b = b[size:]
		}
		return out
	}
	without := func(tag int) string {
		out := ""
		for b := tlvs(data); len(b) > 0; {
			got, v, size := b.next()
			if int(got) != tag {
				out += tlv(int(got), v...)
			}
			b = b[size:]
		}
		return out
	}
	for name, c := range map[string]struct {
		o          Options
		data, form string
		sent, want refusal
	}{
		"as it should be":       {Options{}, correction, "01 98 3A", done, done},
		"purchase":              {Options{}, correction, "03 98 3A", done, done},
		"return at 1.05":        {Options{}, correction, "02 98 3A", done, badCorrection},
		"return at 1.1":         {Options{FFD: fiscal.FFD11}, correction, "02 98 3A", done, done},
		"operation 5 at 1.1":    {Options{FFD: fiscal.FFD11}, correction, "05 98 3A", done, badOperation},
		"total by five bytes":   {Options{}, correction, "01 98 3A 00 00 00", done, done},
		"another total":         {Options{}, correction, "01 99 3A", done, paymentsNotSum},
		"rates do not add up":   {Options{}, with(1105, 0x97, 0x3A), "01 98 3A", done, paymentsNotVAT},
		"no rate":               {Options{}, with(1105, 0), "01 98 3A", done, noVATAmount},
		"no tax system":         {Options{}, without(1055), "", noTaxSystem, incomplete},
		"no type":               {Options{}, without(1173), "", incomplete, incomplete},
		"type 2":                {Options{}, with(1173, 2), "", badFormat, incomplete},
		"no basis":              {Options{}, without(1174), "", incomplete, incomplete},
		"basis without date":    {Options{}, with(1174, unhex(t, tlv(1177, 'A')+tlv(1179, '1'))...), "", incomplete, incomplete},
		"number under 1023":     {Options{}, with(1174, unhex(t, tlv(1177, 'A')+tlv(1178, 0, 0, 0x5F, 0x69)+tlv(1023, '1'))...), "", incomplete, incomplete},
		"date of two bytes":     {Options{}, with(1174, unhex(t, tlv(1177, 'A')+tlv(1178, 0, 0)+tlv(1179, '1'))...), "", badFormat, incomplete},
		"malformed basis":       {Options{}, with(1174, 0x99, 0x04, 9), "", badFormat, incomplete},
		"no place at all":       {Options{NoPlace: true}, correction, "01 98 3A", done, incomplete},
		"one rate is not there": {Options{}, without(1107), "", incomplete, incomplete},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRack(t, c.o)
			openTheShift(t, r)
			must(t, r, 0x25, "")
			require.Equal(t, c.sent, refusedWith(t, r, 0x2E, c.data))
			if c.form == "" {
				c.form = "01 98 3A"
			}
			assert.Equal(t, c.want, refusedWith(t, r, 0x26, c.form))
		})
	}
}

// TestPlaceMissing: address, place and automat nowhere (§11.5).
func TestPlaceMissing(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{FFD: fiscal.FFD12, NoPlace: true})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	must(t, r, 0x96, newItem150)
	must(t, r, 0x2D, payment150)
	must(t, r, 0x98, "")
	assert.Equal(t, noPlace, refusedWith(t, r, 0x24, form150))
}
