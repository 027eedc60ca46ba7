package simulator

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/driver/wire/terminalfa"
)

// BenchmarkReceiptModel is the model's own cost of one receipt: 23, 2B, 2D, 24, without a line.
func BenchmarkReceiptModel(b *testing.B) {
	r, _ := newRack(b, Options{Devices: 1})
	m := &r.devices[0].reg
	var talk []terminalfa.Frame
	for _, s := range []string{"23", "2B " + item150, "2D " + payment150, "24 " + form150} {
		data := unhex(b, s)
		talk = append(talk, terminalfa.Frame{Code: data[0], Data: data[1:]})
	}
	require.Equal(b, done, m.ask(terminalfa.BeginShift{Cmd: 0x21, Print: terminalfa.PrintNo}))
	require.Equal(b, done, m.ask(terminalfa.Bare{Cmd: 0x22}))
	out := make([]byte, 0, frameSize)
	b.ReportAllocs()
	for b.Loop() {
		if m.lastFD() > DefaultCapacity/2 {
			m.kept.FN.Capacity = 1 << 31
		}
		for _, f := range talk {
			reply, code, _ := m.execute(f, func() bool { return true })
			if code != done {
				b.Fatalf("%02X refused with %02X", f.Code, byte(code))
			}
			if _, err := terminalfa.AppendReply(out, reply); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkReceiptTCP is one receipt over TCP, one connection per command, the client's half included.
func BenchmarkReceiptTCP(b *testing.B) {
	r, _ := newRack(b, Options{Devices: 1, Capacity: 1 << 31})
	require.NoError(b, r.Listen(b.Context(), "127.0.0.1:0"))
	address := r.Devices()[0].Address
	reply := make([]byte, frameSize)
	ask := func(frame []byte) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		if _, err = c.Write(frame); err != nil {
			b.Fatal(err)
		}
		if _, err = io.ReadAtLeast(c, reply, 7); err != nil || reply[4] != 0 {
			b.Fatalf("% X: % X, %v", frame, reply[:8], err)
		}
		_ = c.Close()
	}
	var talk [][]byte
	for _, s := range []string{"23", "2B " + item150, "2D " + payment150, "24 " + form150} {
		data := unhex(b, s)
		talk = append(talk, request(b, data[0], data[1:]))
	}
	ask(request(b, 0x21, []byte{1}))
	ask(request(b, 0x22, nil))
	b.ReportAllocs()
	for b.Loop() {
		for _, frame := range talk {
			ask(frame)
		}
	}
}
