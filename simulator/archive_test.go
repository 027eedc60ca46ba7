package simulator

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// order lists the top-level tags of a document, repeated ones once.
func order(b []byte) []int {
	var tags []int
	for rest := tlvs(b); len(rest) > 0; {
		tag, _, size := rest.next()
		if len(tags) == 0 || tags[len(tags)-1] != int(tag) {
			tags = append(tags, int(tag))
		}
		rest = rest[size:]
	}
	return tags
}

// TestTagOrder: the orders seen live (§5.7), with the stamps between 1217 and 1060 (§15).
func TestTagOrder(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{Modes: modeAutomatic})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	must(t, r, 0x2B, item150)
	must(t, r, 0x2B, tlv(1059, unhex(t, anItem(map[int][]byte{1199: {1}}))...))
	must(t, r, 0x2D, payment(map[int][]byte{
		1081: {0x30, 0x75}, 1117: []byte("a@b"), 1086: []byte("B"), 1085: []byte("A"), 1192: []byte("S"), 1228: []byte("7704849611"),
		1227: []byte("N"), 1203: []byte("1234567890  "), 1021: []byte("C"), 1008: []byte("c@d"),
	}))
	must(t, r, 0x24, "01 30 75 00 00 00")
	must(t, r, 0x25, "")
	must(t, r, 0x2E, correction)
	must(t, r, 0x26, "01 98 3A")
	must(t, r, 0x27, "")
	must(t, r, 0x28, "")
	must(t, r, 0x29, "01")
	must(t, r, 0x2F, cashierData)
	must(t, r, 0x2A, "")
	must(t, r, 0x12, "02")
	must(t, r, 0x16, registerData+automatData)
	must(t, r, 0x13, registerForm+"04")
	patch(t, r, Patch{Confirm: new(-1)})
	must(t, r, 0x14, "")
	must(t, r, 0x17, cashierData)
	must(t, r, 0x15, "")

	head := []int{1041, 1037, 1018, 1040, 1012, 1077}
	with := func(tags ...int) []int { return append(append([]int{}, head...), tags...) }
	list := documents(t, r)
	require.Len(t, list, 8)
	for i, c := range []struct {
		kind fiscal.DocumentKind
		tags []int
	}{
		{fiscal.KindRegistration, with(1056, 1002, 1001, 1109, 1110, 1108, 1062, 1048, 1009, 1187, 1036, 1221, 1017, 1046, 1117, 1060, 1209, 1189, 1188, 1013)},
		{fiscal.KindShiftOpen, with(1038, 1050, 1051, 1052, 1053, 1188, 1189, 1209)},
		{fiscal.KindReceipt, with(1038, 1042, 1054, 1020, 1059, 1036, 1055, 1031, 1081, 1215, 1216, 1217, 1008, 1021, 1203, 1227, 1228, 1192, 1084, 1117, 1060, 1102, 1105, 1209)},
		{fiscal.KindCorrection, with(1038, 1042, 1054, 1020, 1174, 1173, 1055, 1021, 1203, 1031, 1081, 1215, 1216, 1217, 1102, 1103, 1106, 1104, 1105, 1209, 1036)},
		{fiscal.KindSettlement, with(1038, 1097, 1098, 1116, 1209)},
		{fiscal.KindShiftClose, with(1038, 1021, 1050, 1051, 1052, 1053, 1097, 1098, 1111, 1118, 1203, 1209)},
		{fiscal.KindReRegistration, with(1101, 1056, 1002, 1001, 1109, 1110, 1108, 1062, 1048, 1009, 1187, 1036, 1221, 1017, 1060, 1209, 1189, 1188, 1013)},
		{fiscal.KindFNClose, with(1038, 1021, 1203, 1209)},
	} {
		assert.Equal(t, c.kind, list[i].Kind)
		assert.Equal(t, c.tags, order(list[i].TLV), c.kind)
		assert.Equal(t, fiscal.DocNumber(i+1), list[i].FD)
	}
	// Inside: an item, the user attribute, the correction's ground; VAT 20 % of 150.00.
	item, _ := tlvs(list[2].TLV).find(1059)
	assert.Equal(t, []int{1030, 1079, 1023, 1043, 1199, 1214, 1212}, order(item))
	user, _ := tlvs(list[2].TLV).find(1084)
	assert.Equal(t, []int{1085, 1086}, order(user))
	ground, _ := tlvs(list[3].TLV).find(1174)
	assert.Equal(t, []int{1177, 1178, 1179}, order(ground))
	vat, _ := tlvs(list[2].TLV).find(1102)
	assert.Equal(t, uint64(2500), number(vat))
	none, _ := tlvs(list[3].TLV).find(1105)
	assert.Equal(t, uint64(15000), number(none))
}

// TestSign: CRC-32 of FN ‖ FD ‖ DT5 ‖ total (§11.6), in the reply, in 1077 and in the short form.
func TestSign(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	openTheShift(t, r)
	reply := makeSale(t, r)
	b := append([]byte("9999078900000001"), 3, 0, 0, 0, 26, 3, 14, 9, 5, 0x98, 0x3A, 0, 0, 0)
	want := crc32.ChecksumIEEE(b)
	assert.Equal(t, want, binary.LittleEndian.Uint32(reply[6:]))
	doc := documents(t, r)[2]
	assert.Equal(t, strconv.FormatUint(uint64(want), 10), doc.FP)
	sign, _ := tlvs(doc.TLV).find(1077)
	assert.Equal(t, []byte{0x31, 0x04}, sign[:2])
	assert.Equal(t, want, binary.BigEndian.Uint32(sign[2:]))
	short := must(t, r, 0x30, "03 00 00 00")
	assert.Equal(t, want, binary.LittleEndian.Uint32(short[11:]))
}

// TestShortForms: sizes and order of 0x30 and 0x33 (§5.7). Tax comes before mode here, after it in 0x0A.
func TestShortForms(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	must(t, r, 0x12, "02")
	must(t, r, 0x16, registerData+automatData)
	must(t, r, 0x13, registerForm+"03")
	openTheShift(t, r)
	makeSale(t, r)
	must(t, r, 0x27, "")
	must(t, r, 0x28, "")
	for fd, c := range map[byte]struct {
		kind byte
		size int
	}{1: {1, 47 + 2}, 2: {11, 48 + 2}, 3: {2, 15 + 2}, 4: {3, 19 + 2}, 5: {21, 22 + 2}} {
		got := must(t, r, 0x30, hexOf([]byte{fd, 0, 0, 0}))
		assert.Equal(t, c.kind, got[0])
		assert.Zero(t, got[1], "not confirmed")
		assert.Len(t, got, c.size, "kind %d", c.kind)
	}
	first := must(t, r, 0x30, "01 00 00 00")
	assert.Equal(t, []byte{0x03, 0x24}, first[len(first)-2:], "tax, mode")
	second := must(t, r, 0x30, "02 00 00 00")
	assert.Equal(t, []byte{0x02, 0x24, 0x03}, second[len(second)-3:], "tax, mode, reason")
	parameters := must(t, r, 0x0A, "")
	assert.Equal(t, []byte{0x24, 0x02, 0x00}, parameters[32:], "mode, tax, agents")
	summary := must(t, r, 0x33, "")
	require.Len(t, summary, 47)
	assert.Equal(t, []byte{0x03, 0x24}, summary[37:39], "tax, mode")
	assert.Equal(t, byte(1), summary[39], "FD")
	second = must(t, r, 0x33, "02")
	require.Len(t, second, 48)
	assert.Equal(t, []byte{0x02, 0x24, 0x03, 2, 0, 0, 0}, second[37:44], "tax, mode, reason, FD")
	assert.Equal(t, noData, refusedWith(t, r, 0x33, "03"))
	assert.Equal(t, noData, refusedWith(t, r, 0x3B, "03"))
	assert.Equal(t, noData, refusedWith(t, r, 0x3B, "00"))
	assert.Equal(t, badLength, refusedWith(t, r, 0x3B, ""))
	assert.Equal(t, noData, refusedWith(t, r, 0x30, "00 00 00 00"))
	assert.Equal(t, []int{1101}, order(must(t, r, 0x3B, "02"))[6:7])
}

// readAll reads a document by 0x35 and 0x36.
func readAll(t *testing.T, r *Rack, fd byte) (kind, length int, content []byte, longest int) {
	t.Helper()
	head := must(t, r, 0x35, hexOf([]byte{fd, 0, 0, 0}))
	for {
		result, chunk := say(t, r, 1, 0x36, nil)
		if result != 0 {
			require.Equal(t, []byte{byte(noData)}, chunk)
			return int(head[0]), int(binary.LittleEndian.Uint16(head[2:])), content, longest
		}
		content = append(content, chunk...)
		longest = max(longest, len(chunk))
	}
}

// TestLongDocuments: what does not fit a frame is 0x10 on 3A and read by 35 and 36, long TLVs in pieces (§5.7, §15).
func TestLongDocuments(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{Agents: 0x40})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	long := unhex(t, anItem(map[int][]byte{1030: repeated('A', 128)})+tlv(1222, 0x40))
	for range 25 {
		long = append(long, unhex(t, tlv(1171, []byte("+79001111111")...))...)
	}
	for range 3 {
		must(t, r, 0x2B, tlv(1059, long...))
	}
	must(t, r, 0x2D, payment(map[int][]byte{1081: {0xC8, 0xAF}}))
	must(t, r, 0x24, "01 C8 AF 00 00 00")
	assert.Equal(t, tlvTooLarge, refusedWith(t, r, 0x3A, "03 00 00 00"))
	kind, length, content, longest := readAll(t, r, 3)
	want := documents(t, r)[2].TLV
	assert.Equal(t, []byte(want), content)
	assert.Equal(t, 3, kind)
	assert.Equal(t, len(want), length)
	assert.Equal(t, chunkSize, longest)
	assert.Equal(t, []byte(documents(t, r)[1].TLV), must(t, r, 0x3A, "02 00 00 00"))

	must(t, r, 0x35, "02 00 00 00")
	must(t, r, 0x36, "")
	must(t, r, 0x08, "")
	assert.Equal(t, []int{1037}, order(must(t, r, 0x36, "")), "the cursor survives other commands")
	assert.Equal(t, noData, refusedWith(t, r, 0x35, "09 00 00 00"))
}

// TestContentForgotten: after 30 days only the short form and the registration reports are left.
func TestContentForgotten(t *testing.T) {
	t.Parallel()
	r, clock := newRack(t, Options{AutoConfirm: time.Second})
	openTheShift(t, r)
	makeSale(t, r)
	clock.move(31 * 24 * time.Hour)
	assert.Equal(t, noData, refusedWith(t, r, 0x3A, "03 00 00 00"))
	assert.Equal(t, noData, refusedWith(t, r, 0x35, "03 00 00 00"))
	must(t, r, 0x30, "03 00 00 00")
	must(t, r, 0x3B, "01")
	must(t, r, 0x3A, "01 00 00 00")
	assert.NotEmpty(t, documents(t, r)[2].Items, "the control port still shows it")
}

// TestAgents: agent data of an item goes to 1223 and 1224, that of a receipt stays at the top.
func TestAgents(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{Agents: 0x41})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	must(t, r, 0x2B, tlv(1059, unhex(t, anItem(map[int][]byte{1222: {0x01}, 1226: []byte("7704849611  ")})+
		tlv(1171, '+', '7')+tlv(1225, 'S')+tlv(1044, 'O')+tlv(1073, '+', '1')+tlv(1073, '+', '2'))...))
	must(t, r, 0x2D, payment150)
	must(t, r, 0x24, form150)
	item, _ := tlvs(documents(t, r)[2].TLV).find(1059)
	assert.Equal(t, []int{1030, 1079, 1023, 1043, 1199, 1214, 1212, 1222, 1223, 1224, 1226}, order(item))
	agent, _ := tlvs(item).find(1223)
	assert.Equal(t, unhex(t, tlv(1044, 'O')+tlv(1073, '+', '1')+tlv(1073, '+', '2')), agent)
	must(t, r, 0x23, "")
	must(t, r, 0x2B, item150)
	assert.Equal(t, incomplete, refusedWith(t, r, 0x2C, tlv(1044, 'O')))
	assert.Equal(t, badAgent, refusedWith(t, r, 0x2C, tlv(1057, 0x02)))
	must(t, r, 0x2C, tlv(1057, 0x40)+tlv(1171, '+', '7'))
	must(t, r, 0x2D, payment150)
	must(t, r, 0x24, form150)
	assert.Contains(t, order(documents(t, r)[3].TLV), 1057)
}

// TestFFD12Content: address, place, automat, buyer and internet mark of 0x98; the new VAT rates in 1115.
func TestFFD12Content(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{FFD: fiscal.FFD12, LastVAT: fiscal.VAT122})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	must(t, r, 0x96, anItem(map[int][]byte{1199: {11}, 2108: {0}}))
	must(t, r, 0x2D, payment(map[int][]byte{1192: []byte("S")}))
	buyer := unhex(t, tlv(1227, 'N')+tlv(1228, []byte("7704849611")...))
	assert.Equal(t, badFormat, refusedWith(t, r, 0x98, tlv(1125, 2)))
	must(t, r, 0x98, tlv(1187, []byte("https://a.b")...)+tlv(1125, 1)+tlv(1008, []byte("c@d")...)+tlv(1256, buyer...)+tlv(1021, 'C'))
	must(t, r, 0x24, form150)
	doc := documents(t, r)[2]
	assert.Equal(t, []int{1041, 1037, 1018, 1040, 1012, 1077, 1038, 1042, 1054, 1020, 1059, 1009, 1187, 1036, 1055, 1031, 1081, 1215, 1216,
		1217, 1008, 1021, 1256, 1192, 1060, 1115, 1125, 1209}, order(doc.TLV))
	vat, _ := tlvs(doc.TLV).find(1115)
	assert.Equal(t, unhex(t, tlv(1119, unhex(t, tlv(1199, 11)+tlv(1120, 0x91, 0x0A))...)), vat, "27.05 of 150.00")
	place, _ := tlvs(doc.TLV).find(1187)
	assert.Equal(t, "https://a.b", string(place), "what the receipt brings goes before the registration")

	must(t, r, 0x25, "")
	must(t, r, 0x96, newItem150)
	must(t, r, 0x2D, payment150)
	must(t, r, 0x98, tlv(1178, 0, 0, 0x5F, 0x69)+tlv(1173, 0))
	assert.Equal(t, paymentsNotSum, refusedWith(t, r, 0x26, "02 99 3A 00 00 00"))
	reply := must(t, r, 0x26, "02 98 3A 00 00 00")
	assert.Len(t, reply, 10)
	assert.Equal(t, []byte{2, 0, 4, 0, 0, 0}, reply[:6])
	assert.Equal(t, fiscal.SellRefund, documents(t, r)[3].Operation)

	report := must(t, r, 0x3B, "01")
	assert.Contains(t, order(report), 1290)
	assert.NotContains(t, order(report), 1108)
	usage, _ := tlvs(report).find(1290)
	assert.Equal(t, []byte{0x20, 0, 0, 0}, usage, "internet")
}
