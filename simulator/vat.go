package simulator

import "frpoold/fiscal"

// vatRate says where the VAT of a rate goes in a receipt (domain/ffd.md §2.3): into its own tag, or into block 1115 when
// tag is 0. The VAT is gross × percent / (100 + percent); with percent 0 the tag holds the turnover itself.
type vatRate struct {
	tag     uint16
	percent uint64
}

var vatRates = [13]vatRate{
	fiscal.VAT20:   {1102, 20},
	fiscal.VAT10:   {1103, 10},
	fiscal.VAT120:  {1106, 20},
	fiscal.VAT110:  {1107, 10},
	fiscal.VAT0:    {1104, 0},
	fiscal.VATNone: {1105, 0},
	fiscal.VAT5:    {0, 5},
	fiscal.VAT7:    {0, 7},
	fiscal.VAT105:  {0, 5},
	fiscal.VAT107:  {0, 7},
	fiscal.VAT22:   {0, 22},
	fiscal.VAT122:  {0, 22},
}

// amount is the VAT contained in gross kopecks, rounded half up, or gross itself for the rates without VAT.
func (v vatRate) amount(gross uint64) uint64 {
	if v.percent == 0 {
		return gross
	}
	base := 100 + v.percent
	return (2*gross*v.percent + base) / (2 * base)
}

// Orders of the VAT tags: ascending in receipts, as seen live in corrections (sheet §5.7).
var (
	receiptVATs    = [6]fiscal.VAT{fiscal.VAT20, fiscal.VAT10, fiscal.VAT0, fiscal.VATNone, fiscal.VAT120, fiscal.VAT110}
	correctionVATs = [6]fiscal.VAT{fiscal.VAT20, fiscal.VAT10, fiscal.VAT120, fiscal.VAT110, fiscal.VAT0, fiscal.VATNone}
)

// putVAT writes the VAT sums of the rates used. They are computed by the device, one rate at a time.
func putVAT(b tlvs, gross *[13]uint64) tlvs {
	for _, v := range receiptVATs {
		if gross[v] > 0 {
			b = b.vln(vatRates[v].tag, vatRates[v].amount(gross[v]))
		}
	}
	return putNewVAT(b, gross)
}

// putCorrectionVAT writes the VAT sums of a correction: all old rates, 10/110 only when it is used.
func putCorrectionVAT(b tlvs, gross *[13]uint64) tlvs {
	for _, v := range correctionVATs {
		if v != fiscal.VAT110 || gross[v] > 0 {
			b = b.vln(vatRates[v].tag, vatRates[v].amount(gross[v]))
		}
	}
	return putNewVAT(b, gross)
}

// putNewVAT writes block 1115 for the rates since 2025.
func putNewVAT(b tlvs, gross *[13]uint64) tlvs {
	start := len(b)
	b, mark := b.open(1115)
	empty := len(b)
	for v := fiscal.VAT5; v <= fiscal.VAT122; v++ {
		if gross[v] == 0 {
			continue
		}
		var one int
		b, one = b.open(1119)
		b = b.byte(1199, byte(v))
		b = b.vln(1120, vatRates[v].amount(gross[v]))
		b = b.shut(one)
	}
	if len(b) == empty {
		return b[:start]
	}
	return b.shut(mark)
}
