package probe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver/link"
	"frpoold/driver/probe"
	"frpoold/fiscal"
	"frpoold/simulator"
)

const wait = 3 * time.Second

// question is Terminal-FA's status request (protocols/terminal-fa.md §10, command 01).
var question = []byte{0xB6, 0x29, 0x00, 0x01, 0x01, 0x8C, 0xEF}

// heard is what a stranger was asked, line by line.
type heard struct {
	mu    sync.Mutex
	lines [][]byte
}

func (h *heard) note(b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, b)
}

// stranger answers each line by what it hears first. An answer of nil is silence, and "" hangs up.
func stranger(t *testing.T, h *heard, answer func(asked []byte) []byte) link.Dialer {
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	return link.Pipe{Name: "stranger", Accept: func(c net.Conn) error {
		all.Go(func() {
			defer func() { _ = c.Close() }()
			buf := make([]byte, 64)
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			h.note(bytes.Clone(buf[:n]))
			reply := answer(buf[:n])
			if reply == nil {
				_, _ = io.Copy(io.Discard, c)
				return
			}
			_, _ = c.Write(reply)
		})
		return nil
	}}
}

func TestFind(t *testing.T) {
	t.Parallel()
	always := func(b ...byte) func([]byte) []byte { return func([]byte) []byte { return b } }
	toENQ := func(b byte) func([]byte) []byte {
		return func(asked []byte) []byte {
			if bytes.Equal(asked, []byte{0x05}) {
				return []byte{b}
			}
			return nil
		}
	}
	for _, tc := range []struct {
		name   string
		answer func(asked []byte) []byte
		family string
		kind   fiscal.Kind
		other  bool // fiscal.ErrOtherFamily
		asked  int
		took   time.Duration
	}{
		{name: "Terminal-FA", answer: always(0xB6, 0x29, 0x00, 0x17, 0x00), family: probe.TerminalFA, asked: 1},
		{name: "Terminal-FA, refusing", answer: always(0xB6, 0x29, 0x00, 0x02, 0x01, 0x30), family: probe.TerminalFA, asked: 1},
		{name: "Shtrih-M, waiting for a command", answer: toENQ(0x15), family: probe.ShtrihM, asked: 2, took: wait},
		{name: "Shtrih-M, with an answer to give", answer: toENQ(0x06), family: probe.ShtrihM, asked: 2, took: wait},
		{name: "Shtrih-M that minds the first question", answer: always(0x15), family: probe.ShtrihM, asked: 2},
		{name: "silent", answer: always(), kind: fiscal.Offline, asked: 2, took: 2 * wait},
		{name: "hangs up", answer: func([]byte) []byte { return []byte{} }, kind: fiscal.Offline, asked: 2},
		{name: "speaks HTTP", answer: always([]byte("HTTP/1.1 400 Bad Request\r\n")...), kind: fiscal.Protocol, other: true, asked: 2},
		{name: "half a marker", answer: always(0xB6), kind: fiscal.Protocol, other: true, asked: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var h heard
				began := time.Now()
				family, err := probe.Find(t.Context(), stranger(t, &h, tc.answer), wait)
				require.Equal(t, tc.took, time.Since(began))
				require.Equal(t, tc.family, family)
				h.mu.Lock()
				require.Len(t, h.lines, tc.asked, "a line of its own per question")
				require.Equal(t, question, h.lines[0])
				if tc.asked > 1 {
					require.Equal(t, []byte{0x05}, h.lines[1], "a single ENQ")
				}
				h.mu.Unlock()
				if tc.family != "" {
					require.NoError(t, err)
					return
				}
				failed(t, err, tc.kind)
				require.Equal(t, tc.other, errors.Is(err, fiscal.ErrOtherFamily))
			})
		})
	}
}

// failed checks that err is what the pool expects of a probe.
func failed(t *testing.T, err error, kind fiscal.Kind) {
	t.Helper()
	var e *fiscal.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	require.Equal(t, fiscal.Nothing, e.Effect, "%v", err)
	require.NotEmpty(t, e.Op)
}

func TestFindSimulatedRegister(t *testing.T) {
	t.Parallel()
	for _, profile := range []simulator.Profile{simulator.TerminalFA, simulator.KITOnlineF, simulator.PKFA12} {
		rack, err := simulator.New(simulator.Options{Devices: 1, Profile: profile, Now: time.Now})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, rack.Close()) })
		require.NoError(t, rack.Listen(t.Context(), "127.0.0.1:0"))
		before, err := rack.Device(1)
		require.NoError(t, err)

		family, err := probe.Find(t.Context(), link.TCP{Address: before.Address, Timeout: wait}, wait)
		require.NoError(t, err)
		require.Equal(t, probe.TerminalFA, family)
		after, err := rack.Device(1)
		require.NoError(t, err)
		require.Equal(t, before.Documents, after.Documents)
		require.Equal(t, before.OpenDocument, after.OpenDocument)
		require.Equal(t, uint64(1), after.Exchanges-before.Exchanges)
	}
}

func TestFindRefused(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, err = probe.Find(t.Context(), link.TCP{Address: address, Timeout: wait}, wait)
	failed(t, err, fiscal.Offline)
	require.Contains(t, err.Error(), address)
}

// The second question finds nobody: the register may have gone, and nothing is known of its family.
func TestFindGoneAfterTheFirstQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h heard
		there := stranger(t, &h, func([]byte) []byte { return []byte{} })
		d := &leaver{Dialer: there, stay: 1}
		_, err := probe.Find(t.Context(), d, wait)
		failed(t, err, fiscal.Offline)
		require.ErrorContains(t, err, "power off")
	})
}

// leaver can be dialled so often.
type leaver struct {
	link.Dialer
	stay int
}

func (l *leaver) Dial(ctx context.Context) (link.Conn, error) {
	if l.stay--; l.stay < 0 {
		return nil, errors.New("power off")
	}
	return l.Dialer.Dial(ctx)
}

// A web server neither understands the questions nor answers half a line; it must not pass for a register.
func TestFindWebServer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	_, err := probe.Find(t.Context(), link.TCP{Address: s.Listener.Addr().String(), Timeout: wait}, 50*time.Millisecond)
	failed(t, err, fiscal.Offline)
}

func TestFindCanceled(t *testing.T) {
	t.Parallel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var h heard
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := probe.Find(ctx, stranger(t, &h, func([]byte) []byte { return nil }), wait)
			failed(t, err, fiscal.Canceled)
			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, h.lines)
		})
	})
	for _, at := range []time.Duration{wait / 2, wait + wait/2} {
		t.Run("after "+at.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var h heard
				ctx, cancel := context.WithTimeout(t.Context(), at)
				defer cancel()
				began := time.Now()
				_, err := probe.Find(ctx, stranger(t, &h, func([]byte) []byte { return nil }), wait)
				failed(t, err, fiscal.Canceled)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, at, time.Since(began), "it waited on after its caller's deadline")
			})
		})
	}
}
