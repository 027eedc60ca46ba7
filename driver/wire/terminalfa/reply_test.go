package terminalfa

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// leastReply is the size of the shortest reply of each layout (§4, "Rep"), 0 where any length will do.
var leastReply = map[replyLayout]int{
	repEmpty: 0, repText: 0, repOpaque: 0, repSerial: 12, repFN: 16, repStatus: 21, repFNExpiry: 5, repFNStatus: 30,
	repRegistration: 35, repNetwork: 12, repFFD: 2, repShift: 5, repShiftDocument: 10, repReceipt: 10, repCorrection: 10,
	repPlain: 8, repReport: 15, repArchive: 15, repCount: 2, repActivation: 47, repSelected: 4, repTLVs: 0, repChunk: 0, repOFD: 13,
}

func TestParseReplyLengths(t *testing.T) {
	t.Parallel()
	for i, s := range specs {
		c := Command(i)
		if !c.Known() {
			continue
		}
		least, listed := leastReply[s.reply]
		require.True(t, listed, "%s", c)
		for n := range least {
			_, err := ParseReply(c, Frame{resultDone, make([]byte, n)})
			require.ErrorIs(t, err, ErrDataLength, "%s with %d bytes", c, n)
		}
		if s.reply == repTLVs {
			continue
		}
		for n := least; n < least+40; n++ {
			_, err := ParseReply(c, Frame{resultDone, make([]byte, n)})
			require.NoError(t, err, "%s with %d bytes: newer firmware sends more", c, n)
		}
	}
}

func TestParseReplyRefusals(t *testing.T) {
	t.Parallel()
	_, err := ParseReply(CmdFormReceipt, Frame{resultRefused, []byte{0x16}})
	var refusal *Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, ErrorCode(0x16), refusal.Code)
	require.EqualError(t, err, "0x16 shift longer than 24 h")

	for _, tt := range []struct {
		name string
		cmd  Command
		f    Frame
		want error
	}{
		{"empty refusal", CmdFormReceipt, Frame{1, nil}, ErrDataLength},
		{"long refusal", CmdFormReceipt, Frame{1, []byte{0x16, 0}}, ErrDataLength},
		{"result 2", CmdFormReceipt, Frame{2, []byte{0x16}}, ErrResult},
		{"unknown command", 0x34, Frame{0, nil}, ErrUnknownCommand},
		{"half a tag", CmdDocumentTLV, Frame{0, []byte{1, 2, 3}}, ErrTLV},
	} {
		r, err := ParseReply(tt.cmd, tt.f)
		require.ErrorIs(t, err, tt.want, tt.name)
		require.Nil(t, r, tt.name)
		require.NotErrorAs(t, err, &refusal, tt.name)
	}
}

func TestParseReplyRefusesImpossibleDates(t *testing.T) {
	t.Parallel()
	at := map[Command]int{ // offset of the date
		CmdStatus: 12, CmdFNExpiry: 0, CmdFNStatus: 5, CmdOFDStatus: 8, CmdFormReceipt: 10, CmdFormReport: 12, CmdFind: 2, CmdActivation: 0,
	}
	for c, offset := range at {
		b := make([]byte, 60)
		_, err := ParseReply(c, Frame{resultDone, b})
		require.NoError(t, err, "%s: all zero is no date", c)
		copy(b[offset:], []byte{26, 13, 1})
		_, err = ParseReply(c, Frame{resultDone, b})
		require.ErrorIs(t, err, ErrTime, "%s", c)
		copy(b[offset:], []byte{26, 2, 29})
		_, err = ParseReply(c, Frame{resultDone, b})
		require.ErrorIs(t, err, ErrTime, "%s", c)
		copy(b[offset:], []byte{26, 2, 28})
		_, err = ParseReply(c, Frame{resultDone, b})
		require.NoError(t, err, "%s", c)
	}
	settlement := append([]byte{formSettlement, 0}, make([]byte, 13+4)...)
	_, err := ParseReply(CmdFind, Frame{resultDone, append(settlement, 26, 13, 1)})
	require.ErrorIs(t, err, ErrTime)
	_, err = ParseReply(CmdFind, Frame{resultDone, append(settlement, 26, 12, 1, 24, 0)})
	require.ErrorIs(t, err, ErrTime)
}

func TestArchiveForms(t *testing.T) {
	t.Parallel()
	for raw, want := range map[byte]byte{
		1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 11: 11, 21: 21, 31: 31, 41: 41,
		0x41: 1, 0x4B: 11, 0x83: 3, 0xC3: 3, 0x84: 4, 0xC4: 4, 0x9F: 31, 0xDF: 31, 0xA9: 41, 0xE9: 41,
		81: 81, 82: 82, 83: 83, 84: 84, 0xFF: 0xFF, 0: 0,
	} {
		require.Equal(t, want, formOf(raw), "%02X", raw)
	}
	for form, size := range map[byte]int{1: 49, 11: 50, 3: 21, 4: 21, 31: 21, 41: 21, 2: 17, 5: 17, 6: 47, 21: 22, 7: 15, 81: 15} {
		b := make([]byte, size)
		b[0] = form
		_, err := ParseReply(CmdFind, Frame{0, b[:size-1]})
		require.ErrorIs(t, err, ErrDataLength, "form %d", form)
		r, err := ParseReply(CmdFind, Frame{0, b})
		require.NoError(t, err, "form %d", form)
		require.Empty(t, r.(ArchiveDocument).Tail, "form %d", form)
		r, err = ParseReply(CmdFind, Frame{0, append(b, 0xAA)})
		require.NoError(t, err, "form %d", form)
		require.Equal(t, []byte{0xAA}, r.(ArchiveDocument).Tail, "form %d", form)
	}
}

func TestFixedTextReplies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cmd  Command
		in   string
		want string
	}{
		{CmdModel, "Terminal-FA\x00\x00 ", "Terminal-FA"},
		{CmdSerial, "550199000001\x07", "550199000001"}, // surplus of newer firmware is no digit of the number
		{CmdFNNumber, "9999078900000001\x07", "9999078900000001"},
		{CmdFNErrors, "\x00\x01 ", "\x00\x01 "},
	} {
		r, err := ParseReply(tt.cmd, Frame{0, []byte(tt.in)})
		require.NoError(t, err)
		require.Equal(t, Text{tt.want}, r)
	}
}

func TestNetworkOrder(t *testing.T) {
	t.Parallel()
	natural := NetworkReply{[4]byte{10, 0, 0, 1}, [4]byte{255, 255, 255, 255}, [4]byte{10, 0, 0, 2}}
	none := NetworkReply{}
	noMask := NetworkReply{IP: [4]byte{10, 0, 0, 1}}
	for _, want := range []NetworkReply{natural, none, noMask} {
		b, err := want.AppendData(nil)
		require.NoError(t, err)
		got, err := ParseReply(CmdNetwork, Frame{0, b})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestAppendReplyRefuses(t *testing.T) {
	t.Parallel()
	ancient := moment(t, 1999, 12, 31, 0, 0)
	for _, tt := range []struct {
		r    Reply
		want error
	}{
		{StatusReply{Serial: "1234567890123"}, ErrTooLong},
		{StatusReply{Clock: ancient}, ErrTime},
		{StatusReply{Tail: []byte{1}}, ErrValue},
		{FNExpiryReply{Expires: ancient}, ErrTime},
		{FNStatusReply{LastTime: ancient}, ErrTime},
		{FNStatusReply{FN: testFN + "0"}, ErrTooLong},
		{RegistrationReply{RNM: testRNM + "12345"}, ErrTooLong},
		{RegistrationReply{INN: "1234567890123"}, ErrTooLong},
		{OFDReply{First: ancient}, ErrTime},
		{ReceiptDocument{HasShift: true}, ErrValue},
		{ReceiptDocument{HasTime: true, Time: ancient}, ErrTime},
		{ReportDocument{First: ancient}, ErrTime},
		{ArchiveDocument{Type: 3, Total: maxU40 + 1}, ErrValue},
		{ArchiveDocument{Type: 3, Time: ancient}, ErrTime},
		{ArchiveDocument{Type: 1, INN: "1234567890123"}, ErrTooLong},
		{ArchiveDocument{Type: 6, RNM: testRNM + "12345"}, ErrTooLong},
		{ArchiveDocument{Type: 21, First: ancient}, ErrTime},
		{ArchiveDocument{Type: 21, First: ancient, FirstIsDate: true}, ErrTime},
		{Activation{Time: ancient}, ErrTime},
		{Activation{INN: "1234567890123"}, ErrTooLong},
		{Text{"€"}, ErrText},
		{Chunk{make([]byte, MaxData+1)}, ErrTooLong},
		{TLVReply{List: []TLV{{1, make([]byte, maxTLVValue+1)}}}, ErrTooLong},
	} {
		got, err := AppendReply([]byte("x"), tt.r)
		require.ErrorIs(t, err, tt.want, "%#v", tt.r)
		require.Equal(t, []byte("x"), got, "dst stays as it was")
	}
}

func TestReplyFallbacks(t *testing.T) {
	t.Parallel()
	raw, err := TLVReply{Raw: []byte{1, 2}}.AppendData(nil)
	require.NoError(t, err)
	require.Equal(t, []byte{1, 2}, raw)
	b, err := ArchiveDocument{Type: formReceipt, Time: moment(t, 2026, 3, 14, 9, 5)}.AppendData(nil)
	require.NoError(t, err)
	require.Equal(t, byte(formReceipt), b[0], "RawType 0 writes Type")
	refusal := AppendRefusal([]byte("x"), 0x02)
	require.Equal(t, []byte("x\xB6\x29\x00\x02\x01\x02\xD3\xF9"), refusal)
	zero, err := deviceTime(make([]byte, 3))
	require.NoError(t, err)
	require.Equal(t, fiscal.DeviceTime{}, zero)
	f, err := ReadFrame(bytes.NewReader(refusal), nil)
	require.NoError(t, err, "the x is noise")
	require.Equal(t, byte(resultRefused), f.Code)
}
