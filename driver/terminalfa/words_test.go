package terminalfa_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

// sheetSale is the sale of the sheet's §10.
func sheetSale() fiscal.Receipt {
	return fiscal.Receipt{
		Operation: fiscal.Sell, TaxSystem: fiscal.TaxUSNIncome,
		Customer: fiscal.Customer{Contact: "buyer@example.com"},
		Items: []fiscal.Item{{
			Name: "Кофе 0.2 л", Price: 150_00, Quantity: fiscal.OnePiece, Sum: 150_00,
			VAT: fiscal.VATNone, Method: fiscal.FullPayment, Subject: fiscal.SubjectCommodity,
		}},
		Payments: fiscal.Payments{Electronic: 150_00},
	}
}

const sheetFN, sheetStamp = "9999078900000001", "01J8ZQ4X7K2M9N3P"

func sheetBaseline(stamp bool) fiscal.Baseline {
	b := fiscal.Baseline{FN: sheetFN, Serial: "550199000001", LastFD: 41}
	if stamp {
		b.Stamp = fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: sheetStamp}
		b.Marks.CheckProps = sheetStamp
	}
	return b
}

// sheetDocument is what 0x24 answers in the sheet.
func sheetDocument(t *testing.T, b fiscal.Baseline) fiscal.Document {
	return fiscal.Document{
		Kind: fiscal.KindReceipt, FN: sheetFN, Number: 42, Sign: 0x5A17C3E9, Time: at(t, "2026-03-14T09:05"),
		Shift: 7, Receipt: 4, Operation: fiscal.Sell, Total: 150_00, Marks: b.Marks, Full: true,
	}
}

// spoken runs f against a register that plays a transcript, in fake time.
func spoken(t *testing.T, file string, o driver.Options, f func(t *testing.T, d driver.Device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, play(t, readTranscript(t, file), o)) })
}

// inBubbleOf is spoken for a transcript that stands beside its test.
func inBubbleOf(t *testing.T, script string, o driver.Options, f func(t *testing.T, d driver.Device)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, play(t, parseTranscript(t, t.Name(), script), o)) })
}

func TestSpeaksAsTheSheet(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file string
		do   func(t *testing.T, d driver.Device)
	}{
		{"identify_105.txt", func(t *testing.T, d driver.Device) {
			id, err := d.Identify(t.Context())
			require.NoError(t, err)
			require.Equal(t, fiscal.Identity{
				Family: "terminalfa", Model: "Terminal-FA", Serial: "550199000001", Firmware: "FA 01.05",
				FN: sheetFN, FNFirmware: "fn_v_1_1_2", FNExpires: at(t, "2027-06-30T00:00"), INN: "1234567894", RNM: "0000000001020662",
				FFD: fiscal.FFD105, TaxSystems: fiscal.TaxUSNIncome, Modes: 0x24, VATs: fiscal.VATsUpTo(fiscal.VATNone),
				Address: "г. Тест, ул. Новая, 1", Place: "https://shop.example", DeviceNumber: "A-000012",
			}, id)
			require.True(t, id.Automatic())
		}},
		{"identify_12.txt", func(t *testing.T, d driver.Device) {
			id, err := d.Identify(t.Context())
			require.NoError(t, err)
			require.Equal(t, fiscal.FFD12, id.FFD)
			require.Equal(t, fiscal.VATsUpTo(fiscal.VAT122), id.VATs)
		}},
		{"sale_105.txt", func(t *testing.T, d driver.Device) { sell(t, d, sheetSale(), sheetBaseline(true)) }},
		{"sale_105_place.txt", func(t *testing.T, d driver.Device) {
			r := sheetSale()
			r.Address, r.Place, r.DeviceNumber = "г. Тест, ул. Новая, 1", "Автомат 12", "A-000012"
			sell(t, d, r, sheetBaseline(false))
		}},
		{"sale_12.txt", func(t *testing.T, d driver.Device) {
			r := sheetSale()
			r.Internet = true
			sell(t, d, r, sheetBaseline(true))
		}},
		{"shift_open.txt", func(t *testing.T, d driver.Device) {
			doc, err := d.(driver.Shifter).OpenShift(t.Context(), fiscal.Cashier{})
			require.NoError(t, err)
			require.Equal(t, fiscal.Document{
				Kind: fiscal.KindShiftOpen, FN: sheetFN, Number: 38, Sign: 0x9E3779B1, Time: at(t, "2026-03-14T09:05"), Shift: 7, Full: true,
			}, doc)
		}},
		{"shift_close.txt", func(t *testing.T, d driver.Device) {
			doc, err := d.(driver.Shifter).CloseShift(t.Context(), fiscal.Cashier{})
			require.NoError(t, err)
			require.Equal(t, fiscal.Document{
				Kind: fiscal.KindShiftClose, FN: sheetFN, Number: 43, Sign: 0x1BADF00D, Time: at(t, "2026-03-14T09:10"), Shift: 7, Full: true,
			}, doc)
		}},
		{"settlement.txt", func(t *testing.T, d driver.Device) {
			doc, err := d.(driver.Reporter).Report(t.Context(), fiscal.Cashier{})
			require.NoError(t, err)
			require.Equal(t, fiscal.Document{
				Kind: fiscal.KindSettlement, FN: sheetFN, Number: 45, Sign: 0x13572468, Time: at(t, "2026-03-14T09:11"), Full: true,
			}, doc)
		}},
		{"status.txt", func(t *testing.T, d driver.Device) {
			for range 2 {
				s, err := d.Status(t.Context())
				require.NoError(t, err)
				require.Equal(t, fiscal.Status{
					Clock: at(t, "2026-03-14T09:05"), ReadAt: s.ReadAt, FNPresent: true, Phase: fiscal.PhaseFiscal, Printer: 1,
					Document: fiscal.DocumentRef{FN: sheetFN, Last: 41, ShiftOpen: true}, LastTime: at(t, "2026-03-14T09:01"),
					Shift: fiscal.ShiftState{Open: true, Number: 7, Receipt: 3, OpenedAt: at(t, "2026-03-14T09:00")},
					OFD:   fiscal.OFDQueue{Count: 2, First: 42, FirstTime: at(t, "2026-03-14T09:05")},
				}, s)
			}
		}},
		{"find.txt", func(t *testing.T, d driver.Device) {
			doc, err := d.Document(t.Context(), 42)
			require.NoError(t, err)
			want := sheetDocument(t, sheetBaseline(true))
			want.Marks.UserProps = &fiscal.UserProps{Name: "заказ", Value: "А-17"}
			require.Equal(t, want, doc)
		}},
		{"clock_and_cancel.txt", func(t *testing.T, d driver.Device) {
			require.NoError(t, d.(driver.Clocked).SetClock(t.Context(), at(t, "2026-03-14T09:05")))
			require.NoError(t, d.CancelDocument(t.Context()))
			require.NoError(t, d.CancelDocument(t.Context()))
		}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			spoken(t, tc.file, driver.Options{}, tc.do)
		})
	}
}

// sell identifies the register and makes a sale that becomes the sheet's document.
func sell(t *testing.T, d driver.Device, r fiscal.Receipt, b fiscal.Baseline) {
	t.Helper()
	_, err := d.Identify(t.Context())
	require.NoError(t, err)
	doc, err := d.Register(t.Context(), r, b)
	require.NoError(t, err)
	require.Equal(t, sheetDocument(t, b), doc)
}
