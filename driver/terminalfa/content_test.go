package terminalfa_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// readReceipt is an archived receipt in the words of package fiscal: what the driver sent, as it arrived.
func readReceipt(t *testing.T, tlv []byte) fiscal.Receipt {
	t.Helper()
	list, err := wire.ParseTLVs(tlv)
	require.NoError(t, err)
	var r fiscal.Receipt
	r.Agent, r.Supplier = readAgent(t, 1057, list)
	for _, tag := range list {
		switch tag.Tag {
		case 1054:
			r.Operation = fiscal.Operation(octet(t, tag))
		case 1055:
			r.TaxSystem = fiscal.TaxSystem(octet(t, tag))
		case 1008:
			r.Customer.Contact = tag.Text()
		case 1227:
			r.Customer.Name = tag.Text()
		case 1228:
			r.Customer.INN = fiscal.INN(tag.Text())
		case 1256:
			for _, inner := range nested(t, tag) {
				switch inner.Tag {
				case 1227:
					r.Customer.Name = inner.Text()
				case 1228:
					r.Customer.INN = fiscal.INN(inner.Text())
				}
			}
		case 1059:
			r.Items = append(r.Items, readItem(t, nested(t, tag)))
		case 1031:
			r.Payments.Cash = money(t, tag)
		case 1081:
			r.Payments.Electronic = money(t, tag)
		case 1215:
			r.Payments.Advance = money(t, tag)
		case 1216:
			r.Payments.Credit = money(t, tag)
		case 1217:
			r.Payments.Other = money(t, tag)
		case 1021:
			r.Cashier = tag.Text()
		case 1203:
			r.CashierINN = fiscal.INN(tag.Text())
		case 1117:
			r.SenderEmail = tag.Text()
		case 1125:
			r.Internet = octet(t, tag) == 1
		case 1009:
			r.Address = tag.Text()
		case 1187:
			r.Place = tag.Text()
		case 1036:
			r.DeviceNumber = tag.Text()
		case 1192:
			r.CheckProps = tag.Text()
		case 1084:
			r.UserProps = &fiscal.UserProps{}
			for _, inner := range nested(t, tag) {
				switch inner.Tag {
				case 1085:
					r.UserProps.Name = inner.Text()
				case 1086:
					r.UserProps.Value = inner.Text()
				}
			}
		}
	}
	return r
}

func readItem(t *testing.T, list []wire.TLV) fiscal.Item {
	t.Helper()
	var it fiscal.Item
	var flat []wire.TLV
	for _, tag := range list {
		switch tag.Tag {
		case 1030:
			it.Name = tag.Text()
		case 1079:
			it.Price = money(t, tag)
		case 1023:
			v, decimals, ok := tag.FVLN()
			require.True(t, ok)
			for range 6 - decimals {
				v *= 10
			}
			it.Quantity = fiscal.Quantity(v)
		case 1043:
			it.Sum = money(t, tag)
		case 1199:
			it.VAT = fiscal.VAT(octet(t, tag))
		case 1214:
			it.Method = fiscal.PaymentMethod(octet(t, tag))
		case 1212:
			it.Subject = fiscal.Subject(octet(t, tag))
		case 2108:
			it.Measure = fiscal.Measure(octet(t, tag))
		case 1197:
			it.Unit = tag.Text()
		case 1191:
			it.UserData = tag.Text()
		case 1229:
			excise := money(t, tag)
			it.Excise = &excise
		case 1230:
			it.CountryCode = tag.Text()
		case 1231:
			it.Declaration = tag.Text()
		case 1162:
			it.ProductCode = strings.ToUpper(hex.EncodeToString(tag.Value))
		case 1223, 1224:
			flat = append(flat, nested(t, tag)...)
		case 1222, 1226:
			flat = append(flat, tag)
		}
	}
	it.Agent, it.Supplier = readAgent(t, 1222, flat)
	return it
}

// readAgent reads agent and supplier data; kind is the tag of the agent's type.
func readAgent(t *testing.T, kind wire.Tag, list []wire.TLV) (*fiscal.AgentInfo, *fiscal.SupplierInfo) {
	t.Helper()
	var a *fiscal.AgentInfo
	var s *fiscal.SupplierInfo
	for _, tag := range list {
		if tag.Tag == kind {
			a = &fiscal.AgentInfo{Type: fiscal.AgentType(octet(t, tag))}
		}
	}
	if a == nil {
		return nil, nil
	}
	paying := func() *fiscal.PayingAgentInfo {
		if a.PayingAgent == nil {
			a.PayingAgent = &fiscal.PayingAgentInfo{}
		}
		return a.PayingAgent
	}
	transfer := func() *fiscal.TransferOperatorInfo {
		if a.MoneyTransfer == nil {
			a.MoneyTransfer = &fiscal.TransferOperatorInfo{}
		}
		return a.MoneyTransfer
	}
	supplier := func() *fiscal.SupplierInfo {
		if s == nil {
			s = &fiscal.SupplierInfo{}
		}
		return s
	}
	for _, tag := range list {
		text := tag.Text()
		switch tag.Tag {
		case 1044:
			paying().Operation = text
		case 1073:
			paying().Phones = append(paying().Phones, text)
		case 1074:
			if a.Receiver == nil {
				a.Receiver = &fiscal.PhonesInfo{}
			}
			a.Receiver.Phones = append(a.Receiver.Phones, text)
		case 1075:
			transfer().Phones = append(transfer().Phones, text)
		case 1026:
			transfer().Name = text
		case 1005:
			transfer().Address = text
		case 1016:
			transfer().INN = fiscal.INN(text)
		case 1171:
			supplier().Phones = append(supplier().Phones, text)
		case 1225:
			supplier().Name = text
		case 1226:
			supplier().INN = fiscal.INN(text)
		}
	}
	return a, s
}

func octet(t *testing.T, tag wire.TLV) byte {
	t.Helper()
	v, ok := tag.Byte()
	require.True(t, ok, "tag %d", tag.Tag)
	return v
}

func money(t *testing.T, tag wire.TLV) fiscal.Money {
	t.Helper()
	v, ok := tag.VLN()
	require.True(t, ok, "tag %d", tag.Tag)
	return fiscal.Money(v)
}

func nested(t *testing.T, tag wire.TLV) []wire.TLV {
	t.Helper()
	list, err := tag.Nested()
	require.NoError(t, err, "tag %d", tag.Tag)
	return list
}
