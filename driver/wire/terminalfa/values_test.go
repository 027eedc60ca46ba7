package terminalfa

import (
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// request and reply tell apart which way a value goes.
type (
	request struct{ Request }
	reply   struct{ Reply }
)

func moment(t testing.TB, year, month, day, hour, minute int) fiscal.DeviceTime {
	t.Helper()
	d, ok := fiscal.NewDeviceTime(year, month, day, hour, minute)
	require.True(t, ok)
	return d
}

func str(t testing.TB, tag Tag, s string) TLV {
	t.Helper()
	v, err := String(tag, s)
	require.NoError(t, err)
	return v
}

func padded(t testing.TB, tag Tag, s string, width int) TLV {
	t.Helper()
	v, err := Padded(tag, s, width)
	require.NoError(t, err)
	return v
}

func stlv(t testing.TB, tag Tag, list ...TLV) TLV {
	t.Helper()
	v, err := STLV(tag, list...)
	require.NoError(t, err)
	return v
}

const (
	testSerial = "550199000001"
	testFN     = "9999078900000001"
	testINN    = "1234567894"
	testRNM    = "0000000001020662"
)

// values are what the vectors mean, written by hand. The key is direction and name.
func values(t testing.TB) map[string]any {
	at := moment(t, 2026, 3, 14, 9, 5)
	day := moment(t, 2026, 3, 14, 0, 0)
	all := map[string]any{
		"host status":            request{Bare{CmdStatus}},
		"host probe":             request{Bare{CmdStatus}},
		"host model":             request{Bare{CmdModel}},
		"host FN number":         request{Bare{CmdFNNumber}},
		"host FN expiry":         request{Bare{CmdFNExpiry}},
		"host FN status":         request{Bare{CmdFNStatus}},
		"host registration":      request{Bare{CmdRegistration}},
		"host current shift":     request{Bare{CmdShift}},
		"host OFD status":        request{Bare{CmdOFDStatus}},
		"host cancel":            request{Bare{CmdCancel}},
		"host open shift":        request{Bare{CmdOpenShift}},
		"host close shift":       request{Bare{CmdCloseShift}},
		"host restart":           request{Bare{CmdRestart}},
		"host begin receipt":     request{Bare{CmdBeginReceipt}},
		"host begin correction":  request{Bare{CmdBeginCorrection}},
		"host begin open shift":  request{BeginShift{CmdBeginOpenShift, PrintNo}},
		"host begin close shift": request{BeginShift{CmdBeginCloseShift, PrintNo}},

		"host begin open shift, printed": request{BeginShift{CmdBeginOpenShift, PrintYes}},
		"host begin open shift, no byte": request{BeginShift{CmdBeginOpenShift, PrintUnset}},

		"host form receipt":           request{FormReceipt{Operation: 1, Total: 15000}},
		"host form receipt with text": request{FormReceipt{Operation: 2, Total: 0x0102030405, Text: "Ёж №1"}},
		"host form correction":        request{FormCorrection{Operation: 1, Total: 15000}},
		"host form correction, wide":  request{FormCorrection{Operation: 3, Total: 15000, Wide: true}},

		"host begin registration":         request{BeginRegistration{CmdBeginRegistration, 0}},
		"host begin registration FFD 1.2": request{BeginRegistration{CmdBeginRegistration12, 2}},
		"host form registration": request{FormRegistration{
			Cmd: CmdFormRegistration, INN: testINN, RNM: testRNM, TaxSystems: 2,
		}},
		"host form re-registration": request{FormRegistration{
			Cmd: CmdFormRegistration, INN: testINN, RNM: testRNM, TaxSystems: 2, Reason: 4, HasReason: true,
		}},

		"host first document":             request{DocumentQuery{CmdFind, 1}},
		"host find document":              request{DocumentQuery{CmdFind, 42}},
		"host select document":            request{DocumentQuery{CmdSelect, 0x01020304}},
		"host document as TLV":            request{DocumentQuery{CmdDocumentTLV, 0x01020304}},
		"host activation":                 request{ReportQuery{Cmd: CmdActivation}},
		"host activation of a report":     request{ReportQuery{CmdActivation, 2, true}},
		"host registration report as TLV": request{ReportQuery{CmdRegistrationTLV, 1, true}},

		"device status": reply{StatusReply{
			Serial: testSerial, Clock: at, Printer: 1, FNPresent: true, Phase: 3, HasPrinterModel: true,
		}},
		"device status as in the manual": reply{StatusReply{Serial: testSerial, Clock: at, Critical: true, Printer: 2, Phase: 15}},
		"device status with a tail": reply{StatusReply{
			Serial: testSerial, Clock: at, FNPresent: true, Phase: 3, HasPrinterModel: true, PrinterModel: 9, Tail: []byte{0x2A, 0xFF},
		}},
		"device model":         reply{Text{"Terminal-FA"}},
		"device FN number":     reply{Text{testFN}},
		"device configuration": reply{Text{"1.0.32"}},
		"device serial":        reply{Text{testSerial}},
		"device serial padded": reply{Text{"5501990000"}},
		"device firmware":      reply{Text{"FA 01.05"}},
		"device FN firmware":   reply{Text{"fn_v_1_1_2"}},
		"device FN expiry":     reply{FNExpiryReply{moment(t, 2027, 6, 30, 0, 0), 28, 2}},
		"device FN status": reply{FNStatusReply{
			Phase: 3, ShiftOpen: true, LastTime: moment(t, 2026, 3, 14, 9, 1), FN: testFN, LastFD: 41,
		}},
		"device FN status of an empty FN": reply{FNStatusReply{Phase: 1, FN: testFN}},
		"device registration":             reply{RegistrationReply{RNM: testRNM, INN: testINN, Modes: 0x24, TaxSystems: 0x02}},
		"device network":                  reply{NetworkReply{[4]byte{10, 55, 0, 96}, [4]byte{255, 255, 255, 0}, [4]byte{10, 55, 0, 1}}},
		"device network reversed":         reply{NetworkReply{[4]byte{10, 55, 0, 96}, [4]byte{255, 255, 255, 0}, [4]byte{10, 55, 0, 1}}},
		"device FFD versions":             reply{FFDReply{4, 4}},
		"device current shift":            reply{ShiftReply{true, 7, 3}},
		"device unconfirmed":              reply{Count{2}},
		"device OFD status":               reply{OFDReply{State: 3, Count: 2, FirstFD: 42, First: at}},
		"device OFD queue empty":          reply{OFDReply{}},
		"device done":                     reply{Empty{}},
		"device open shift":               reply{ShiftDocument{7, 38, 0x9E3779B1}},
		"device close shift":              reply{ShiftDocument{7, 43, 0x1BADF00D}},
		"device settlement report":        reply{ReportDocument{45, 0x13572468, 2, day}},
		"device form receipt": reply{ReceiptDocument{
			Receipt: 4, FD: 42, Sign: 0x5A17C3E9, Time: at, HasTime: true, Shift: 7, HasShift: true,
		}},
		"device form receipt, oldest firmware": reply{ReceiptDocument{Receipt: 4, FD: 42, Sign: 0x5A17C3E9}},
		"device form receipt, firmware 1.0.18": reply{ReceiptDocument{Receipt: 4, FD: 42, Sign: 0x5A17C3E9, Time: at, HasTime: true}},
		"device form correction":               reply{ReceiptDocument{Receipt: 5, FD: 44, Sign: 0x00C0FFEE}},
		"device form registration":             reply{PlainDocument{1, 0x2468ACE0}},
		"device form FN closing":               reply{PlainDocument{50, 0x2468ACE0}},
		"device form registration FFD 1.2":     reply{PlainDocument{2, 0x13572468}},
		"device selected":                      reply{Selected{31, 1234}},
		"device read TLV":                      reply{Chunk{[]byte{0xFC, 0x03, 0x02, 0x00, 0x98, 0x3A}}},
	}
	addTLVRequests(t, all, at)
	addTLVReplies(t, all, at)
	addArchive(all, at, day)
	for code, name := range map[ErrorCode]string{
		0x02: "wrong state", 0x08: "not in archive", 0x16: "shift expired", 0x25: "wrong frame", 0x26: "unknown command",
		0x27: "wrong length", 0x39: "wrong total", 0x5B: "no receipt", 0xE0: "unsent documents",
	} {
		all["device "+name] = &Refusal{code}
	}
	return all
}

func addTLVRequests(t testing.TB, all map[string]any, at fiscal.DeviceTime) {
	cashier := []TLV{str(t, TagCashier, "Иванов И.И."), padded(t, TagCashierINN, "123456789047", 12)}
	place := []TLV{str(t, TagAddress, "г. Тест, ул. Новая, 1"), str(t, TagPlace, "Автомат 12"), str(t, TagDeviceNumber, "A-000012")}
	item := []TLV{
		str(t, TagItemName, "Кофе 0.2 л"), VLN(TagPrice, 15000), FVLN(TagQuantity, 1, 0), Byte(TagVAT, 6),
		Byte(TagPaymentMethod, 4), Byte(TagSubject, 1),
	}
	payment := []TLV{
		Byte(TagTaxSystem, 2), VLN(TagCash, 0), VLN(TagElectronic, 15000), VLN(TagAdvance, 0), VLN(TagCredit, 0), VLN(TagOther, 0),
	}
	contact := str(t, TagContact, "buyer@example.com")
	join := func(lists ...[]TLV) (out []TLV) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	for name, r := range map[string]TLVRequest{
		"cashier":          {CmdCashier, cashier},
		"item":             {CmdItem, []TLV{stlv(t, TagItem, item...)}},
		"automatic device": {CmdAutomat, place},
		"payment":          {CmdPayment, join(payment, []TLV{contact})},
		"correction data": {CmdCorrectionData, join(cashier, []TLV{Byte(TagCorrectionType, 0)}, payment, []TLV{
			VLN(TagVATSum20, 0), VLN(TagVATSum10, 0), VLN(TagVATSum0, 0), VLN(TagVATSumNone, 15000), VLN(TagVATSum120, 0), VLN(TagVATSum110, 0),
			stlv(t, TagCorrectionBasis, str(t, TagCorrectionName, "Акт"), Unix(TagCorrectionDate, moment(t, 2026, 3, 10, 0, 0)),
				str(t, TagCorrectionNumber, "1")),
		})},
		"set clock": {CmdSetClock, []TLV{DT5(TagClock, at)}},
		"set OFD": {CmdSetOFD, []TLV{
			str(t, TagOFDHost, "ofd.example.org"), str(t, TagOFDIP, "203.0.113.5"), Uint16(TagOFDPort, 7777), Uint16(TagOFDTimer, 30),
		}},
		"item FFD 1.2":         {CmdItem12, join(item, []TLV{Byte(TagMeasure, 0)})},
		"receipt data FFD 1.2": {CmdReceiptData12, join(place, []TLV{contact, Byte(TagInternet, 1)})},
	} {
		all["host "+name] = request{r}
	}
}

func addTLVReplies(t testing.TB, all map[string]any, at fiscal.DeviceTime) {
	for name, list := range map[string][]TLV{
		"get clock": {DT5(TagClock, at)},
		"get OFD":   {Uint16(TagOFDPort, 7777)},
		"document as TLV": {
			padded(t, TagFNNumber, testFN, 16), Uint32(TagFDNumber, 42), FiscalSign([2]byte{0x31, 0x04}, 0x5A17C3E9),
			stlv(t, TagUserProp, str(t, TagUserPropName, "n"), str(t, TagUserPropValue, "v")),
		},
		"registration report as TLV": {Byte(TagFFDVersion, 2), Byte(TagTaxSystems, 4)},
	} {
		raw, err := AppendTLVs(nil, list...)
		require.NoError(t, err)
		all["device "+name] = reply{TLVReply{list, raw}}
	}
}

func addArchive(all map[string]any, at, day fiscal.DeviceTime) {
	doc := func(form byte, fd, sign uint32, set func(*ArchiveDocument)) reply {
		d := ArchiveDocument{Type: form, RawType: form, Time: at, FD: fd, Sign: sign}
		set(&d)
		return reply{d}
	}
	owner := func(d *ArchiveDocument) { d.INN, d.RNM = testINN, testRNM }
	for name, r := range map[string]reply{
		"find document": doc(3, 42, 0x5A17C3E9, func(d *ArchiveDocument) { d.Confirmed, d.Operation, d.Total = true, 1, 15000 }),
		"find registration": doc(1, 1, 0x2468ACE0, func(d *ArchiveDocument) {
			owner(d)
			d.Confirmed, d.TaxSystems, d.Modes = true, 0x02, 0x24
		}),
		"find re-registration": doc(11, 9, 0x13572468, func(d *ArchiveDocument) {
			owner(d)
			d.TaxSystems, d.Modes, d.Reason = 0x02, 0x24, 4
		}),
		"find shift open":  doc(2, 38, 0x9E3779B1, func(d *ArchiveDocument) { d.Shift = 7 }),
		"find shift close": doc(5, 43, 0x1BADF00D, func(d *ArchiveDocument) { d.Shift = 7 }),
		"find correction":  doc(31, 44, 0x00C0FFEE, func(d *ArchiveDocument) { d.Operation, d.Total = 3, 0x0102030405 }),
		"find FN closing": doc(6, 50, 0x2468ACE0, func(d *ArchiveDocument) {
			owner(d)
			d.Confirmed = true
		}),
		"find settlement report":             doc(21, 45, 0x13572468, func(d *ArchiveDocument) { d.Unconfirmed, d.First = 2, at }),
		"find settlement report with a date": doc(21, 45, 0x13572468, func(d *ArchiveDocument) { d.Unconfirmed, d.First, d.FirstIsDate = 2, day, true }),
		"find decorated receipt":             doc(3, 42, 0x5A17C3E9, func(d *ArchiveDocument) { d.RawType, d.Operation, d.Total = 0xC3, 1, 15000 }),
		"find decorated registration":        doc(1, 1, 0x2468ACE0, func(d *ArchiveDocument) { d.RawType, d.Tail = 0x41, []byte("1234567894  ") }),
	} {
		all["device "+name] = r
	}
	activation := Activation{Time: at, INN: testINN, RNM: testRNM, TaxSystems: 0x02, Modes: 0x24, FD: 1, Sign: 0x2468ACE0}
	all["device activation"] = reply{activation}
	activation.Reason, activation.HasReason = 3, true
	all["device activation of a report"] = reply{activation}
}
