package terminalfa

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDescribeMasks(t *testing.T) {
	t.Parallel()
	secrets := []TLV{
		str(t, TagContact, "buyer@example.com"), str(t, TagSenderEmail, "shop@example.com"), str(t, TagBuyer, "Иванов"),
		padded(t, TagBuyerINN, "123456789047", 12),
	}
	want := "contact=*** sender=*** buyer=*** buyer_inn=***"
	require.Equal(t, want, DescribeRequest(TLVRequest{CmdPayment, secrets}))
	require.Equal(t, want, DescribeReply(TLVReply{List: secrets}))
	raw, err := AppendTLVs(nil, secrets...)
	require.NoError(t, err)
	require.Equal(t, want, DescribeReply(Chunk{raw}))
	require.Equal(t, "buyer_info={"+want+"}", DescribeRequest(TLVRequest{CmdReceiptData12, []TLV{stlv(t, TagBuyerInfo, secrets...)}}))
	require.Equal(t, "buyer_info=***", DescribeReply(TLVReply{List: []TLV{{TagBuyerInfo, []byte("Иванов")}}}), "malformed")
	require.Equal(t, "piece=5", DescribeReply(Chunk{[]byte{0xF0, 3, 9, 0, 'b'}}), "a part of a TLV shows nothing of it")
	require.Contains(t, describeReply(TLVReply{List: secrets}, false), "buyer@example.com")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	require.Equal(t, "total=150.00 operation=1", DescribeRequest(FormReceipt{Operation: 1, Total: 15000}))
	require.Equal(t, "print=9", DescribeRequest(BeginShift{CmdBeginOpenShift, 9}))
	require.Equal(t, "no tags", DescribeRequest(TLVRequest{Cmd: CmdPayment}))
	require.Equal(t, "no tags", DescribeReply(TLVReply{}))
	require.Equal(t, "<nil>", DescribeRequest(nil))
	require.Equal(t, "<nil>", DescribeReply(nil))
	require.Equal(t, `"a\nb"`, DescribeReply(Text{"a\nb"}), "one line whatever the register says")

	for _, tt := range []struct {
		tlv  TLV
		want string
	}{
		{FVLN(TagQuantity, 1230, 3), "quantity=1.23"},
		{FVLN(TagQuantity, 5, 3), "quantity=0.005"},
		{FVLN(TagQuantity, 10, 0), "quantity=10"},
		{VLN(TagTotal, 5), "total=0.05"},
		{Unix(TagTime, moment(t, 2026, 3, 14, 9, 5)), "time=2026-03-14T09:05"},
		{TLV{TagTime, []byte{1}}, "time=[01]"},
		{TLV{TagVAT, nil}, "vat=[]"},
		{TLV{TagOFDPort, []byte{1}}, "ofd_port=[01]"},
		{TLV{TagFDNumber, []byte{1}}, "fd=[01]"},
		{TLV{TagFiscalSign, []byte{1}}, "sign=[01]"},
		{TLV{TagTotal, nil}, "total=[]"},
		{TLV{TagQuantity, nil}, "quantity=[]"},
		{TLV{TagClock, []byte{26, 13, 1, 0, 0}}, "clock=[1A 0D 01 00 00]"},
		{TLV{TagItem, []byte{1}}, "item=[01]"},
		{TLV{4242, []byte{1, 2}}, "4242=[01 02]"},
	} {
		require.Equal(t, tt.want, DescribeReply(TLVReply{List: []TLV{tt.tlv}}))
	}
}
