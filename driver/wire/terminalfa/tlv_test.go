package terminalfa

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// TestTypes are the examples of §3, each way by itself.
func TestTypes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		got  TLV
		want []byte
	}{
		{"VLN", VLN(TagTotal, 404969), []byte{0xE9, 0x2D, 0x06}},
		{"VLN 0", VLN(TagTotal, 0), []byte{0}},
		{"VLN 255", VLN(TagTotal, 255), []byte{0xFF}},
		{"VLN 256", VLN(TagTotal, 256), []byte{0, 1}},
		{"VLN largest", VLN(TagTotal, 1<<64-1), []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}},
		{"FVLN 1234567.89", FVLN(TagQuantity, 123456789, 2), []byte{0x02, 0x15, 0xCD, 0x5B, 0x07}},
		{"FVLN 1", FVLN(TagQuantity, 1, 0), []byte{0x00, 0x01}},
		{"FVLN 1.230", FVLN(TagQuantity, 1230, 3), []byte{0x03, 0xCE, 0x04}},
		{"STR", str(t, TagUser, "Тест"), []byte{0x92, 0xA5, 0xE1, 0xE2}},
		{"DT5", DT5(TagClock, moment(t, 2026, 3, 14, 9, 5)), []byte{0x1A, 0x03, 0x0E, 0x09, 0x05}},
		{"DT5 none", DT5(TagClock, fiscal.DeviceTime{}), make([]byte, 5)},
		{"DT5 of another century", DT5(TagClock, moment(t, 1999, 12, 31, 23, 59)), make([]byte, 5)},
		{"UNIX of a captured correction", Unix(TagTime, moment(t, 2023, 1, 26, 16, 17)), []byte{0x7C, 0xA7, 0xD2, 0x63}},
		{"UNIX none", Unix(TagTime, fiscal.DeviceTime{}), make([]byte, 4)},
		{"U16", Uint16(TagOFDPort, 7777), []byte{0x61, 0x1E}},
		{"U32", Uint32(TagFDNumber, 0x01020304), []byte{4, 3, 2, 1}},
		{"sign", FiscalSign([2]byte{0x31, 0x04}, 0x5A17C3E9), []byte{0x31, 0x04, 0x5A, 0x17, 0xC3, 0xE9}},
		{"padded", padded(t, TagCashierINN, "1234567894", 12), []byte("1234567894  ")},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, tt.got.Value, tt.name)
	}
	b, err := AppendTLVs([]byte("x"), str(t, TagAddress, "Hello"))
	require.NoError(t, err)
	require.Equal(t, []byte("x\xF1\x03\x05\x00Hello"), b)
}

func TestReadTypes(t *testing.T) {
	t.Parallel()
	vlnOf := func(b ...byte) (uint64, bool) { return TLV{Value: b}.VLN() }
	for _, tt := range []struct {
		in   []byte
		want uint64
		ok   bool
	}{
		{[]byte{0xE9, 0x2D, 0x06}, 404969, true},
		{[]byte{0x98, 0x3A, 0, 0}, 15000, true}, // R always sends four bytes
		{[]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 1, true},
		{[]byte{1, 0, 0, 0, 0, 0, 0, 0, 1}, 0, false},
		{nil, 0, false},
	} {
		got, ok := vlnOf(tt.in...)
		require.Equal(t, tt.ok, ok, "% X", tt.in)
		require.Equal(t, tt.want, got, "% X", tt.in)
	}
	v, decimals, ok := TLV{Value: []byte{0x02, 0x15, 0xCD, 0x5B, 0x07}}.FVLN()
	require.True(t, ok)
	require.Equal(t, uint64(123456789), v)
	require.Equal(t, 2, decimals)
	for _, bad := range [][]byte{nil, {2}} {
		_, _, ok := TLV{Value: bad}.FVLN()
		require.False(t, ok)
	}

	at, ok := TLV{Value: []byte{0x7C, 0xA7, 0xD2, 0x63}}.Unix()
	require.True(t, ok)
	require.Equal(t, "2023-01-26T16:17", at.String(), "local time written as if it were UTC (§3)")
	require.Equal(t, int64(1674749820), at.In(time.UTC).Unix())
	at, ok = TLV{Value: make([]byte, 4)}.Unix()
	require.True(t, ok)
	require.True(t, at.IsZero())

	for _, bad := range [][]byte{{26, 13, 1, 0, 0}, {26, 2, 30, 0, 0}, {26, 1, 1, 24, 0}, {26, 1, 1, 0, 60}, {26, 0, 0, 0, 0}, {26, 1, 1, 0}, nil} {
		_, ok := TLV{Value: bad}.DT5()
		require.False(t, ok, "% X", bad)
	}

	sign, ok := TLV{TagFiscalSign, []byte{0x31, 0x04, 0x5A, 0x17, 0xC3, 0xE9}}.FiscalSign()
	require.True(t, ok)
	require.Equal(t, uint32(0x5A17C3E9), sign)
	for _, bad := range []TLV{{TagFiscalSign, make([]byte, 4)}, {TagFDNumber, make([]byte, 6)}} {
		_, ok := bad.FiscalSign()
		require.False(t, ok)
	}
	for _, bad := range [][]byte{nil, make([]byte, 3), make([]byte, 5)} {
		tlv := TLV{Value: bad}
		_, ok1 := tlv.Byte()
		_, ok2 := tlv.Uint16()
		_, ok4 := tlv.Uint32()
		_, okUnix := tlv.Unix()
		require.False(t, ok1 || ok2 || ok4 || okUnix)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	back, err := appendText(nil, text(every))
	require.NoError(t, err)
	require.Equal(t, every, back, "CP866 has 256 characters")

	for in, first := range map[string]string{"цена 5 €": "€", "日本": "日", "a\xFFb": "\uFFFD"} {
		_, err := String(TagItemName, in)
		require.ErrorIs(t, err, ErrText)
		require.ErrorContains(t, err, first)
	}
	_, err = Padded(TagCashierINN, "1234567890123", 12)
	require.ErrorIs(t, err, ErrTooLong)
	_, err = Padded(TagCashierINN, "€", 12)
	require.ErrorIs(t, err, ErrText)
	v, err := Padded(TagCashierINN, "Ж", 2)
	require.NoError(t, err, "the width counts characters, not bytes of UTF-8")
	require.Equal(t, []byte{0x86, ' '}, v.Value)
}

// TestTextTrimsOnlyPadding: a stamp is compared with what the client sent, so its spaces count.
func TestTextTrimsOnlyPadding(t *testing.T) {
	t.Parallel()
	require.Equal(t, " a ", TLV{TagCheckProps, []byte(" a ")}.Text())
	require.Equal(t, "1234567894", TLV{TagUserINN, []byte("1234567894  ")}.Text())
	require.Equal(t, "1234567894", TLV{TagUserINN, []byte("1234567894\x00\x00")}.Text())
}

func TestParseTLVs(t *testing.T) {
	t.Parallel()
	whole, err := AppendTLVs(nil, Byte(TagVAT, 6), TLV{Tag: TagUnit}, stlv(t, TagItem, VLN(TagPrice, 1)))
	require.NoError(t, err)
	list, err := ParseTLVs(whole)
	require.NoError(t, err)
	require.Len(t, list, 3)
	require.Equal(t, Tag(1197), list[1].Tag)
	require.Empty(t, list[1].Value)
	inner, err := list[2].Nested()
	require.NoError(t, err)
	require.Equal(t, []TLV{VLN(TagPrice, 1)}, inner)

	list, err = ParseTLVs(nil)
	require.NoError(t, err)
	require.Empty(t, list)

	boundaries := map[int]bool{0: true, 5: true, 9: true, len(whole): true}
	for n := range len(whole) {
		_, err := ParseTLVs(whole[:n])
		if boundaries[n] {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrTLV, "%d bytes", n)
		}
	}
	_, err = TLV{TagItem, []byte{1, 2, 3}}.Nested()
	require.ErrorIs(t, err, ErrTLV)
	require.ErrorContains(t, err, "1059")
}

func TestTLVLimits(t *testing.T) {
	t.Parallel()
	huge := TLV{TagUser, make([]byte, maxTLVValue+1)}
	got, err := AppendTLVs([]byte("x"), Byte(TagVAT, 1), huge)
	require.ErrorIs(t, err, ErrTooLong)
	require.Equal(t, []byte("x"), got)
	_, err = STLV(TagItem, huge)
	require.ErrorIs(t, err, ErrTooLong)
}

func TestClone(t *testing.T) {
	t.Parallel()
	b := []byte{0xAF, 0x04, 1, 0, 6}
	list, err := ParseTLVs(b)
	require.NoError(t, err)
	kept := list[0].Clone()
	b[4] = 0
	require.Equal(t, Byte(TagVAT, 6), kept)
	require.Equal(t, Byte(TagVAT, 0), list[0])
}

func TestTagTableIsComplete(t *testing.T) {
	t.Parallel()
	names := map[string]Tag{}
	for tag, info := range tags {
		require.NotEmpty(t, info.name, "tag %d", tag)
		require.NotEqual(t, kindBytes, info.kind, "tag %d", tag)
		other, taken := names[info.name]
		require.False(t, taken, "tags %d and %d have one name", tag, other)
		names[info.name] = tag
	}
}
