package terminalfa

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyRequest has one value of each layout for each command.
func everyRequest() []Request {
	var all []Request
	for i, s := range specs {
		c := Command(i)
		switch s.request {
		case reqUnknown:
		case reqBare, reqBareLoose, reqShiftCommit:
			all = append(all, Bare{c})
		case reqTLVs:
			all = append(all, TLVRequest{c, []TLV{Byte(TagVAT, 1), {TagItem, []byte{0xAF, 4, 0, 0}}}})
		case reqShiftBegin:
			all = append(all, BeginShift{c, PrintUnset}, BeginShift{c, PrintYes}, BeginShift{c, PrintNo})
		case reqReceipt:
			all = append(all, FormReceipt{1, maxU40, strings.Repeat("я", maxExtraText)}, FormReceipt{Operation: 4})
		case reqCorrection:
			all = append(all, FormCorrection{1, 0, false}, FormCorrection{3, 1 << 41, false}, FormCorrection{3, maxU40, true})
		case reqDocument, reqDocumentLoose:
			all = append(all, DocumentQuery{c, 0xFFFFFFFF})
		case reqReport:
			all = append(all, ReportQuery{Cmd: c}, ReportQuery{c, 0, true}, ReportQuery{c, 255, true})
		case reqReportLoose:
			all = append(all, ReportQuery{c, 1, true})
		case reqRegistrationType:
			all = append(all, BeginRegistration{c, 2})
		case reqRegistrationForm:
			all = append(all, FormRegistration{c, testINN, testRNM, 2, 0, false}, FormRegistration{c, "", "", 0, 4, true})
		}
	}
	return all
}

// TestParseRequestTakesWhatIsWritten is no proof of the protocol, only that both halves have the same commands.
func TestParseRequestTakesWhatIsWritten(t *testing.T) {
	t.Parallel()
	for _, r := range everyRequest() {
		b, err := AppendRequest(nil, r)
		require.NoError(t, err, "%s", r.Command())
		f, err := ReadFrame(bytes.NewReader(b), nil)
		require.NoError(t, err)
		got, err := ParseRequest(f)
		require.NoError(t, err, "%s", r.Command())
		require.Equal(t, r, got)
	}
}

func TestParseRequestIsStrict(t *testing.T) {
	t.Parallel()
	zeros := func(n int) []byte { return make([]byte, n) }
	tests := []struct {
		name string
		cmd  Command
		data []byte
		want error
	}{
		{"a byte for status", CmdStatus, zeros(1), ErrDataLength},
		{"a byte for cancel", CmdCancel, zeros(1), ErrDataLength},
		{"a byte for 27", CmdBeginReport, zeros(1), ErrDataLength},
		{"a byte for 22", CmdOpenShift, zeros(1), ErrDataLength},
		{"a byte for 2A", CmdCloseShift, zeros(1), ErrDataLength},
		{"two bytes for 21", CmdBeginOpenShift, zeros(2), ErrDataLength},
		{"print byte 2", CmdBeginCloseShift, []byte{2}, ErrValue},
		{"five bytes for 24", CmdFormReceipt, zeros(5), ErrDataLength},
		{"518 bytes for 24", CmdFormReceipt, zeros(518), nil},
		{"519 bytes for 24", CmdFormReceipt, zeros(519), ErrDataLength},
		{"one byte for 26", CmdFormCorrection, zeros(1), ErrDataLength},
		{"26 beyond 64 bits", CmdFormCorrection, bytes.Repeat([]byte{1}, 10), ErrValue},
		{"no byte for 12", CmdBeginRegistration, nil, ErrDataLength},
		{"two bytes for 12", CmdBeginRegistration, zeros(2), ErrDataLength},
		{"32 bytes for 13", CmdFormRegistration, zeros(32), ErrDataLength},
		{"35 bytes for 13", CmdFormRegistration, zeros(35), ErrDataLength},
		{"three bytes for 30", CmdFind, zeros(3), ErrDataLength},
		{"five bytes for 35", CmdSelect, zeros(5), ErrDataLength},
		{"five bytes for 3A", CmdDocumentTLV, zeros(5), ErrDataLength},
		{"two bytes for 33", CmdActivation, zeros(2), ErrDataLength},
		{"no byte for 3B", CmdRegistrationTLV, nil, ErrDataLength},
		{"half a header", CmdPayment, []byte{1, 2, 3}, ErrTLV},
		{"value too short", CmdPayment, []byte{0x1F, 4, 2, 0, 1}, ErrTLV},
		{"malformed inside 1059", CmdItem, []byte{0x23, 4, 1, 0, 1}, ErrTLV},
		{"unknown command", 0x34, nil, ErrUnknownCommand},
		{"unknown command with data", 0xFF, zeros(9), ErrUnknownCommand},
		{"no tags", CmdPayment, nil, nil},
		// Published clients send surplus bytes on these (§11.3).
		{"45 A0 on 23", CmdBeginReceipt, []byte{0x45, 0xA0}, nil},
		{"45 A0 on 25", CmdBeginCorrection, []byte{0x45, 0xA0}, nil},
		{"surplus on 30", CmdFind, zeros(5), nil},
		{"surplus on 3B", CmdRegistrationTLV, zeros(4), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := ParseRequest(Frame{byte(tt.cmd), tt.data})
			if tt.want == nil {
				require.NoError(t, err)
				require.Equal(t, tt.cmd, r.Command())
				return
			}
			require.ErrorIs(t, err, tt.want)
			require.Nil(t, r)
		})
	}
}

func TestSurplusIsDropped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   Frame
		want Request
	}{
		{Frame{0x23, []byte{0x45, 0xA0}}, Bare{CmdBeginReceipt}},
		{Frame{0x30, []byte{42, 0, 0, 0, 0}}, DocumentQuery{CmdFind, 42}},
		{Frame{0x3B, []byte{1, 2, 3}}, ReportQuery{CmdRegistrationTLV, 1, true}},
	} {
		got, err := ParseRequest(tt.in)
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
}

func TestPrintByteOnCommit(t *testing.T) {
	t.Parallel()
	for _, c := range []Command{CmdOpenShift, CmdCloseShift} {
		want := BeginShift{c, PrintNo}
		b, err := AppendRequest(nil, want)
		require.NoError(t, err)
		f, err := ReadFrame(bytes.NewReader(b), nil)
		require.NoError(t, err)
		got, ok := ParsePrintOnCommit(f)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	for _, f := range []Frame{{0x22, nil}, {0x22, []byte{2}}, {0x22, []byte{0, 0}}, {0x21, []byte{0}}, {0x24, []byte{0}}} {
		_, ok := ParsePrintOnCommit(f)
		require.False(t, ok, "%v", f)
	}
}

func TestAppendRequestRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		r    Request
		want error
	}{
		{FormReceipt{Total: maxU40 + 1}, ErrValue},
		{FormReceipt{Text: strings.Repeat("x", maxExtraText+1)}, ErrTooLong},
		{FormReceipt{Text: "€"}, ErrText},
		{FormCorrection{Total: maxU40 + 1, Wide: true}, ErrValue},
		{FormRegistration{Cmd: CmdFormRegistration, INN: "1234567890123"}, ErrTooLong},
		{FormRegistration{Cmd: CmdFormRegistration, RNM: strings.Repeat("1", 21)}, ErrTooLong},
		{BeginShift{CmdBeginOpenShift, 7}, ErrValue},
		{TLVRequest{CmdItem, []TLV{{TagItemName, make([]byte, MaxData-3)}}}, ErrTooLong},
		{TLVRequest{CmdItem, []TLV{{TagItemName, make([]byte, maxTLVValue+1)}}}, ErrTooLong},
	} {
		got, err := AppendRequest([]byte("x"), tt.r)
		require.ErrorIs(t, err, tt.want, "%#v", tt.r)
		require.Equal(t, []byte("x"), got, "dst stays as it was")
	}
	_, err := AppendRequest(nil, TLVRequest{CmdItem, []TLV{{TagItemName, make([]byte, MaxData-4)}}})
	require.NoError(t, err)
}

func TestCommands(t *testing.T) {
	t.Parallel()
	require.Equal(t, "08 FN status", CmdFNStatus.String())
	require.Equal(t, "34 unknown command", Command(0x34).String())
	names := map[string]bool{}
	var makers []Command
	for i, s := range specs {
		c := Command(i)
		require.Equal(t, s.request != reqUnknown, s.reply != repUnknown, "%s", c)
		if !c.Known() {
			continue
		}
		require.False(t, names[s.name], s.name)
		names[s.name] = true
		if c.MakesDocument() {
			makers = append(makers, c)
		}
	}
	require.Equal(t, []Command{0x13, 0x15, 0x22, 0x24, 0x26, 0x28, 0x2A, 0xE3}, makers)
}
