package simulator

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// testClock is the host's clock of a test, at 09:05 of 14 March 2026 in Moscow unless moved.
type testClock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *testClock { return &testClock{t: time.Date(2026, 3, 14, 6, 5, 30, 0, time.UTC)} }

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *testClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// newRack builds a rack with a clock of its own, closed with the test.
func newRack(t testing.TB, o Options) (*Rack, *testClock) {
	t.Helper()
	c := newClock()
	if o.Devices == 0 {
		o.Devices = 1
	}
	o.Now = c.now
	r, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r, c
}

// listening is newRack on free ports.
func listening(t testing.TB, o Options) (*Rack, *testClock) {
	t.Helper()
	r, c := newRack(t, o)
	require.NoError(t, r.Listen(t.Context(), "127.0.0.1:0"))
	return r, c
}

// unhex reads hex pairs with or without spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err, s)
	return b
}

// request is a whole frame.
func request(t testing.TB, code byte, data []byte) []byte {
	t.Helper()
	b, err := terminalfa.AppendFrame(nil, terminalfa.Frame{Code: code, Data: data})
	require.NoError(t, err)
	return b
}

// say puts code and data to device n's model through its whole line, over a pipe, and returns the reply's RESULT and
// DATA.
func say(t testing.TB, r *Rack, n int, code byte, data []byte) (result byte, reply []byte) {
	t.Helper()
	b := talk(t, r, n, request(t, code, data))
	f, err := terminalfa.ReadFrame(bytes.NewReader(b), nil)
	require.NoError(t, err, "reply % X", b)
	return f.Code, f.Data
}

// talk sends bytes to device n over a pipe and returns everything that came back.
func talk(t testing.TB, r *Rack, n int, b []byte) []byte {
	t.Helper()
	near, far := net.Pipe()
	require.NoError(t, r.Accept(n)(far))
	_, err := near.Write(b)
	require.NoError(t, err)
	reply, err := io.ReadAll(near)
	require.NoError(t, err)
	require.NoError(t, near.Close())
	return reply
}

// must is say for what has to be accepted.
func must(t testing.TB, r *Rack, code byte, data string) []byte {
	t.Helper()
	result, reply := say(t, r, 1, code, unhex(t, data))
	require.Zero(t, result, "command %02X was refused with %02X", code, reply)
	return bytes.Clone(reply)
}

// refusedWith is the error byte of a request's refusal, 0 when it was accepted.
func refusedWith(t testing.TB, r *Rack, code byte, data string) refusal {
	t.Helper()
	result, reply := say(t, r, 1, code, unhex(t, data))
	if result == 0 {
		return done
	}
	require.Len(t, reply, 1)
	return refusal(reply[0])
}

// Bodies taken from the sheet's §10, and a few more of the same kind.
const (
	item150      = "23 04 29 00 06 04 0A 00 8A AE E4 A5 20 30 2E 32 20 AB 37 04 02 00 98 3A FF 03 02 00 00 01 AF 04 01 00 06 BE 04 01 00 04 BC 04 01 00 01"
	newItem150   = "06 04 0A 00 8A AE E4 A5 20 30 2E 32 20 AB 37 04 02 00 98 3A FF 03 02 00 00 01 AF 04 01 00 06 BE 04 01 00 04 BC 04 01 00 01 3C 08 01 00 00"
	automatData  = "F1 03 15 00 A3 2E 20 92 A5 E1 E2 2C 20 E3 AB 2E 20 8D AE A2 A0 EF 2C 20 31 A3 04 0A 00 80 A2 E2 AE AC A0 E2 20 31 32 0C 04 08 00 41 2D 30 30 30 30 31 32"
	payment150   = "1F 04 01 00 02 07 04 01 00 00 39 04 02 00 98 3A BF 04 01 00 00 C0 04 01 00 00 C1 04 01 00 00"
	data12       = "F1 03 15 00 A3 2E 20 92 A5 E1 E2 2C 20 E3 AB 2E 20 8D AE A2 A0 EF 2C 20 31 A3 04 0A 00 80 A2 E2 AE AC A0 E2 20 31 32 0C 04 08 00 41 2D 30 30 30 30 31 32"
	form150      = "01 98 3A 00 00 00"
	correction   = "FD 03 0B 00 88 A2 A0 AD AE A2 20 88 2E 88 2E B3 04 0C 00 31 32 33 34 35 36 37 38 39 30 34 37 95 04 01 00 00 1F 04 01 00 02 07 04 01 00 00 39 04 02 00 98 3A BF 04 01 00 00 C0 04 01 00 00 C1 04 01 00 00 4E 04 01 00 00 4F 04 01 00 00 50 04 01 00 00 51 04 02 00 98 3A 52 04 01 00 00 53 04 01 00 00 96 04 14 00 99 04 03 00 80 AA E2 9A 04 04 00 00 5F AF 69 9B 04 01 00 31"
	cashierData  = "FD 03 0B 00 88 A2 A0 AD AE A2 20 88 2E 88 2E B3 04 0C 00 31 32 33 34 35 36 37 38 39 30 34 37"
	registerData = "18 04 04 00 92 A5 E1 E2 F9 03 0C 00 37 37 30 39 33 36 34 33 34 36 20 20 0F 27 01 00 24"
)

// openTheShift and makeSale work at FFD 1.05 with a placed registration.
func openTheShift(t testing.TB, r *Rack) {
	t.Helper()
	must(t, r, 0x21, "01")
	must(t, r, 0x22, "")
}

func closeTheShift(t testing.TB, r *Rack) {
	t.Helper()
	must(t, r, 0x29, "01")
	must(t, r, 0x2A, "")
}

func makeSale(t testing.TB, r *Rack) []byte {
	t.Helper()
	must(t, r, 0x23, "")
	must(t, r, 0x2B, item150)
	must(t, r, 0x2D, payment150)
	return must(t, r, 0x24, form150)
}

// documents is the archive of device 1.
func documents(t testing.TB, r *Rack) []Document {
	t.Helper()
	list, err := r.Documents(1)
	require.NoError(t, err)
	return list
}

func patch(t testing.TB, r *Rack, p Patch) {
	t.Helper()
	require.NoError(t, r.Patch(1, p))
}

func deviceTime(t testing.TB, s string) fiscal.DeviceTime {
	t.Helper()
	var d fiscal.DeviceTime
	require.NoError(t, d.UnmarshalText([]byte(s)))
	return d
}

// dial connects to device n over TCP.
func dial(t testing.TB, r *Rack, n int) net.Conn {
	t.Helper()
	d, err := r.Device(n)
	require.NoError(t, err)
	c, err := net.Dial("tcp", d.Address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// step is one exchange of a transcript: what is sent, what must come, and which bytes of it do not matter.
type step struct {
	line int
	send []byte
	want []byte
	mask []bool
}

// readTranscript reads a file of testdata/transcripts. "> self CODE DATA" is a request whose frame is computed; ".." in a
// reply is any byte.
func readTranscript(t *testing.T, path string) []step {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	in := bufio.NewScanner(f)
	require.True(t, in.Scan())
	require.True(t, strings.HasPrefix(in.Text(), "source: "), "a transcript says where it comes from")
	var steps []step
	for line := 2; in.Scan(); line++ {
		text := in.Text()
		switch {
		case strings.HasPrefix(text, "#") || text == "":
		case strings.HasPrefix(text, "> self "):
			b := unhex(t, strings.TrimPrefix(text, "> self "))
			steps = append(steps, step{line: line, send: request(t, b[0], b[1:])})
		case strings.HasPrefix(text, "> "):
			steps = append(steps, step{line: line, send: unhex(t, text[2:])})
		case strings.HasPrefix(text, "< "):
			s := &steps[len(steps)-1]
			for pair := range strings.FieldsSeq(text[2:]) {
				s.mask = append(s.mask, pair == "..")
				s.want = append(s.want, unhex(t, strings.ReplaceAll(pair, "..", "00"))...)
			}
		default:
			t.Fatalf("%s:%d: %q", path, line, text)
		}
	}
	require.NoError(t, in.Err())
	return steps
}
