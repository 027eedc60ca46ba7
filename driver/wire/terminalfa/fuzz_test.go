package terminalfa

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// countingReader tells how far it was read.
type countingReader struct {
	b  []byte
	at int
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := bytes.NewReader(r.b[r.at:]).Read(p)
	r.at += n
	return n, err
}

// FuzzReadFrame: no panic; nothing is read beyond the frame; what was read is what was there.
func FuzzReadFrame(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.hex)
		f.Add(append([]byte("noise"), v.hex...))
		f.Add(append(bytes.Clone(v.hex), 0xB6, 0x29))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &countingReader{b: b}
		got, err := ReadFrame(r, make([]byte, 0, 64))
		if err != nil {
			return
		}
		whole, err := AppendFrame(nil, got)
		require.NoError(t, err)
		require.LessOrEqual(t, len(whole), r.at)
		require.Equal(t, whole, b[r.at-len(whole):r.at], "the frame ends where reading stopped")
		require.LessOrEqual(t, r.at-len(whole), maxNoise)
	})
}

// FuzzParseRequest: no panic; a request that was read strictly is written as it came, but for surplus bytes, padding and
// zeros of a VLN, and then reads as the same value.
func FuzzParseRequest(f *testing.F) {
	for _, v := range readVectors(f) {
		if v.dir == "host" {
			f.Add(v.hex[4], v.hex[5:len(v.hex)-2])
		}
	}
	f.Fuzz(func(t *testing.T, code byte, data []byte) {
		if len(data) > MaxData {
			return
		}
		frame := Frame{code, data}
		_, _ = ParsePrintOnCommit(frame)
		r, err := ParseRequest(frame)
		if err != nil {
			require.Nil(t, r)
			return
		}
		require.Equal(t, Command(code), r.Command())
		require.NotEmpty(t, DescribeRequest(r))
		back, err := r.AppendData(nil)
		require.NoError(t, err)
		switch specs[code].request {
		case reqBareLoose, reqDocumentLoose, reqReportLoose, reqCorrection, reqRegistrationForm:
			require.LessOrEqual(t, len(back), len(data))
		default:
			require.Equal(t, data, append([]byte{}, back...))
		}
		again, err := ParseRequest(Frame{code, back})
		require.NoError(t, err)
		if c, ok := again.(FormCorrection); ok {
			c.Wide = len(data) == 6 // a total written shorter may come out at five bytes
			again = c
		}
		require.Equal(t, r, again)
	})
}

// FuzzParseReply: no panic for any command; what was read can be written and reads as the same value.
func FuzzParseReply(f *testing.F) {
	for _, v := range readVectors(f) {
		for _, c := range v.commands {
			f.Add(byte(c), v.hex[4], v.hex[5:len(v.hex)-2])
		}
	}
	f.Fuzz(func(t *testing.T, code, result byte, data []byte) {
		if len(data) > MaxData {
			return
		}
		data = append([]byte{}, data...) // never nil, as in a frame
		c := Command(code)
		r, err := ParseReply(c, Frame{result, data})
		if err != nil {
			require.Nil(t, r)
			require.NotEmpty(t, err.Error())
			return
		}
		require.True(t, c.Known())
		require.NotEmpty(t, DescribeReply(r))
		back, err := r.AppendData([]byte{})
		require.NoError(t, err)
		switch specs[code].reply {
		case repText, repSerial, repFN:
			return // written without padding; the model knows the width
		case repStatus, repArchive, repTLVs, repChunk, repOpaque:
			require.Len(t, back, len(data), "nothing is lost")
		default:
			require.LessOrEqual(t, len(back), len(data))
		}
		again, err := ParseReply(c, Frame{result, back})
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}

// FuzzParseTLVs: no panic, and a list that was read is written byte by byte as it came.
func FuzzParseTLVs(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.hex[5 : len(v.hex)-2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseTLVs(b)
		if err != nil {
			require.ErrorIs(t, err, ErrTLV)
			require.Nil(t, list)
			return
		}
		back, err := AppendTLVs([]byte{}, list...)
		require.NoError(t, err)
		require.Equal(t, append([]byte{}, b...), back)
		for _, v := range list {
			_ = v.Text()
			_, _ = v.VLN()
			_, _, _ = v.FVLN()
			_, _ = v.Unix()
			_, _ = v.DT5()
			_, _ = v.FiscalSign()
			_, _ = v.Nested()
		}
		require.NotEmpty(t, DescribeReply(TLVReply{List: list}))
	})
}
