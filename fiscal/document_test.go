package fiscal

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The example of domain/ffd.md §5.1.
func TestQR(t *testing.T) {
	t.Parallel()
	at, ok := NewDeviceTime(2026, 11, 21, 13, 42)
	require.True(t, ok)
	d := Document{
		Kind: KindReceipt, FN: "9960440300112233", Number: 133, Sign: 3449555941, Time: at, Shift: 7, Receipt: 12,
		Operation: Sell, Total: 159800,
	}
	const qr = "t=20261121T1342&s=1598.00&fn=9960440300112233&i=133&fp=3449555941&n=1"
	assert.Equal(t, qr, QR(d))

	id := Identity{Serial: "550199000001", RNM: "0000000001020662", INN: "1234567894"}
	b, err := json.Marshal(NewFiscalData(d, id, "10.0.0.1:7777", time.FixedZone("", 5*3600)))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(b, &got))
	assert.Equal(t, map[string]any{
		"fn": "9960440300112233", "fd": 133.0, "fp": "3449555941", "datetime": "2026-11-21T13:42:00+05:00", "shift_number": 7.0,
		"receipt_number": 12.0, "total": 1598.0, "rnm": "0000000001020662", "sn": "550199000001", "inn": "1234567894",
		"eip": "10.0.0.1:7777", "qr": qr,
	}, got)
	assert.Contains(t, string(b), `"total":1598.00`)
}

func TestChooseStamp(t *testing.T) {
	t.Parallel()
	const id = JobID("0123456789abcdef")
	props := &UserProps{"order", "1"}
	for _, tt := range []struct {
		name  string
		op    Operation
		check string
		user  *UserProps
		ffd   FFD
		want  StampTag
	}{
		{"free", Sell, "", nil, FFD105, StampCheckProps},
		{"free, 1.2", SellRefund, "", nil, FFD12, StampCheckProps},
		{"refund leaves 1192 to the repaired sign", SellRefund, "", nil, FFD105, StampUserProps},
		{"refund at 1.1", BuyRefund, "", nil, FFD11, StampUserProps},
		{"refund with 1084 taken", SellRefund, "", props, FFD105, StampCheckProps},
		{"1192 taken", Sell, "x", nil, FFD12, StampUserProps},
		{"1084 taken", Sell, "", props, FFD12, StampCheckProps},
		{"both taken", Sell, "x", props, FFD12, StampNone},
	} {
		r := &Receipt{Operation: tt.op, CheckProps: tt.check, UserProps: tt.user}
		s := ChooseStamp(id, r, tt.ffd)
		assert.Equal(t, tt.want, s.Tag, tt.name)
		m := MarksOf(r, s)
		if tt.check != "" {
			assert.Equal(t, tt.check, m.CheckProps, "%s: the client's value stays", tt.name)
		}
		if tt.user != nil {
			assert.Equal(t, tt.user, m.UserProps, "%s: the client's value stays", tt.name)
		}
		switch s.Tag {
		case StampCheckProps:
			assert.Equal(t, string(id), m.CheckProps)
		case StampUserProps:
			assert.Equal(t, &UserProps{StampName, string(id)}, m.UserProps)
		case StampNone:
			assert.Empty(t, s.Value)
		}
	}
}

func TestMarksEqual(t *testing.T) {
	t.Parallel()
	full := Marks{"a", &UserProps{"n", "v"}}
	assert.True(t, full.Equal(Marks{"a", &UserProps{"n", "v"}}))
	assert.True(t, Marks{}.Equal(Marks{}))
	for _, other := range []Marks{{}, {"a", nil}, {"b", &UserProps{"n", "v"}}, {"a", &UserProps{"n", "w"}}, {"a", &UserProps{"m", "v"}}} {
		assert.False(t, full.Equal(other), other)
		assert.False(t, other.Equal(full), other)
	}
}

func TestReceiptNeeds(t *testing.T) {
	t.Parallel()
	r := good()
	r.Items = append(r.Items, Item{Sum: 1, VAT: VAT22, Agent: &AgentInfo{Type: Attorney}})
	r.Agent = &AgentInfo{Type: AnotherAgent}
	assert.Equal(t, Needs{TaxUSNIncome, VATSet(0).With(VATNone).With(VAT22), Attorney | AnotherAgent}, r.Needs())
	assert.Equal(t, Money(15001), r.Total())
	assert.Equal(t, Money(15), Payments{1, 2, 3, 4, 5}.Total())
	r.Agent, r.Items[1].Agent = nil, nil
	assert.Zero(t, r.Needs().Agents)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("0x16: %w", ErrShiftExpired)
	err := fmt.Errorf("job 7: %w", &Error{Op: "terminalfa.Register", Device: "10.0.0.1:7777", Kind: Attention, Effect: Nothing, Code: 0x16, Err: cause})
	assert.EqualError(t, err, "job 7: 10.0.0.1:7777: terminalfa.Register: 0x16: shift is older than 24 hours")
	assert.ErrorIs(t, err, ErrShiftExpired)
	assert.Equal(t, Attention, KindOf(err))
	assert.Equal(t, Nothing, EffectOf(err))
	assert.Equal(t, Code(0x16), CodeOf(err))

	plain := errors.New("x")
	assert.Equal(t, Other, KindOf(plain))
	assert.Equal(t, Unknown, EffectOf(plain), "what is not known is never resendable")
	assert.Equal(t, Unknown, EffectOf(&Error{}), "nor is an error made in haste")
	assert.Zero(t, CodeOf(plain))
	assert.EqualError(t, &Error{Kind: Busy}, "busy")
	assert.EqualError(t, &UserError{Code: "x", Message: "Say it."}, "Say it.")
}

func TestIdentityAndView(t *testing.T) {
	t.Parallel()
	assert.True(t, Identity{Modes: 0x24}.Automatic())
	assert.False(t, Identity{Modes: 0x20}.Automatic())
	assert.True(t, (&DeviceView{}).Ready())
	assert.False(t, (&DeviceView{Gates: []Gate{{Code: GateTooHot}}}).Ready())
	seen := map[GateCode]bool{}
	for _, g := range GateCodes {
		assert.False(t, seen[g], g)
		seen[g] = true
	}
	assert.Len(t, seen, 18, "design.md §6 names 18 gates")
}

func TestHexBytes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "B6 29 00 FF", HexBytes{0xB6, 0x29, 0, 0xFF}.String())
	assert.Empty(t, HexBytes{}.String())
	var h HexBytes
	for _, text := range []string{"B6 29 00 FF", "b62900ff", " B6 2900FF "} {
		require.NoError(t, h.UnmarshalText([]byte(text)))
		assert.Equal(t, HexBytes{0xB6, 0x29, 0, 0xFF}, h)
	}
	for _, bad := range []string{"B", "0x", "GG"} {
		assert.Error(t, h.UnmarshalText([]byte(bad)), bad)
	}
}
