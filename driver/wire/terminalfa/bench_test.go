package terminalfa

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func benchAppend(b *testing.B, r Request) {
	b.Helper()
	buf := make([]byte, 0, 1030)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AppendRequest(buf[:0], r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendFormReceipt(b *testing.B) {
	benchAppend(b, FormReceipt{Operation: 1, Total: 15000})
}

func BenchmarkAppendItem(b *testing.B) {
	r, ok := values(b)["host item"].(request)
	require.True(b, ok)
	benchAppend(b, r.Request)
}

func BenchmarkAppendStatusReply(b *testing.B) {
	r, ok := values(b)["device status"].(reply)
	require.True(b, ok)
	buf := make([]byte, 0, 1030)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AppendReply(buf[:0], r.Reply); err != nil {
			b.Fatal(err)
		}
	}
}

func vectorNamed(b *testing.B, key string) vector {
	b.Helper()
	for _, v := range readVectors(b) {
		if v.key() == key {
			return v
		}
	}
	b.Fatalf("no vector %q", key)
	return vector{}
}

func BenchmarkReadFrame(b *testing.B) {
	v := vectorNamed(b, "device status")
	r, buf := bytes.NewReader(nil), make([]byte, 0, 1030)
	b.ReportAllocs()
	b.SetBytes(int64(len(v.hex)))
	for b.Loop() {
		r.Reset(v.hex)
		if _, err := ReadFrame(r, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadLongestFrame(b *testing.B) {
	frame, err := AppendFrame(nil, Frame{Data: make([]byte, MaxData)})
	require.NoError(b, err)
	r, buf := bytes.NewReader(nil), make([]byte, 0, 1030)
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		r.Reset(frame)
		if _, err := ReadFrame(r, buf); err != nil {
			b.Fatal(err)
		}
	}
}

func benchParse(b *testing.B, key string) {
	b.Helper()
	v := vectorNamed(b, key)
	f, err := ReadFrame(bytes.NewReader(v.hex), nil)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if v.dir == "host" {
			_, err = ParseRequest(f)
		} else {
			_, err = ParseReply(v.commands[0], f)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseStatusReply(b *testing.B)   { benchParse(b, "device status") }
func BenchmarkParseFNStatusReply(b *testing.B) { benchParse(b, "device FN status") }
func BenchmarkParseReceiptReply(b *testing.B)  { benchParse(b, "device form receipt") }
func BenchmarkParseItem(b *testing.B)          { benchParse(b, "host item") }
func BenchmarkParseDocument(b *testing.B)      { benchParse(b, "device document as TLV") }
