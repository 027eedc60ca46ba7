package drivertest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver/link"
)

// echo is a register that answers each line of up to 8 bytes with the bytes it got, backwards, and hangs up.
type echo struct {
	wg  sync.WaitGroup
	mu  sync.Mutex
	got []string // line by line
}

func (e *echo) accept(c net.Conn) error {
	e.wg.Go(func() {
		defer func() { _ = c.Close() }()
		var got []byte
		for buf := make([]byte, 8); len(got) < 8; {
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				break
			}
		}
		e.mu.Lock()
		e.got = append(e.got, string(got))
		e.mu.Unlock()
		if len(got) == 8 {
			for i := range 4 {
				got[i], got[7-i] = got[7-i], got[i]
			}
			_, _ = c.Write(got)
		}
	})
	return nil
}

func (e *echo) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.got...)
}

// talk says 8 bytes through the tap and returns what came back, how long it took, and how it ended.
func talk(t *testing.T, p *tap, words string) (reply string, took time.Duration, err error) {
	t.Helper()
	began := time.Now()
	c, err := p.Dial(t.Context())
	if err != nil {
		return "", time.Since(began), err
	}
	defer func() { _ = c.Close() }() // a line that was cut is closed already
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Second)))
	if _, err = c.Write([]byte(words)); err != nil {
		return "", time.Since(began), err
	}
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Second)))
	b := make([]byte, 8)
	n, err := io.ReadFull(c, b)
	return string(b[:n]), time.Since(began), err
}

// The suite believes its tap. Here every fault is seen to do what its name says and nothing else.
func TestTap(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault fault
		reply string
		err   error
		took  time.Duration
		heard string // what reached the register, "" nothing
		after string // the next conversation's reply; "" nobody is there
	}{
		{name: "nothing", reply: "87654321", heard: "12345678", after: "hgfedcba"},
		{name: "cut sent at 0", fault: fault{kind: cutSent}, err: errCut, after: "hgfedcba"},
		{name: "cut sent at 5", fault: fault{kind: cutSent, at: 5}, err: errCut, heard: "12345", after: "hgfedcba"},
		{name: "cut sent, gone", fault: fault{kind: cutSent, at: 5, gone: true}, err: errCut, heard: "12345"},
		{name: "cut received at 0", fault: fault{kind: cutReceived}, err: io.EOF, heard: "12345678", after: "hgfedcba"},
		{name: "cut received at 3", fault: fault{kind: cutReceived, at: 3}, reply: "876", err: syscall.ECONNRESET, heard: "12345678", after: "hgfedcba"},
		{name: "cut received at 4", fault: fault{kind: cutReceived, at: 4}, reply: "8765", err: io.ErrUnexpectedEOF, heard: "12345678", after: "hgfedcba"},
		{name: "silence at 0", fault: fault{kind: silence}, err: os.ErrDeadlineExceeded, took: time.Second, heard: "12345678", after: "hgfedcba"},
		{name: "silence at 6, gone", fault: fault{kind: silence, at: 6, gone: true}, reply: "876543", err: os.ErrDeadlineExceeded, took: time.Second, heard: "12345678"},
		{name: "corrupted at 1", fault: fault{kind: corrupted, at: 1}, reply: "8'654321", heard: "12345678", after: "hgfedcba"},
		{name: "lost", fault: fault{kind: lost}, err: os.ErrDeadlineExceeded, took: time.Second, after: "hgfedcba"},
		{name: "held", fault: fault{kind: held}, err: os.ErrDeadlineExceeded, took: time.Second, after: "hgfedcba"},
		{name: "beyond the end", fault: fault{kind: cutSent, at: 8}, reply: "87654321", heard: "12345678"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var e echo
				p := &tap{to: link.Pipe{Name: "echo", Accept: e.accept}, now: time.Now}
				p.arm(tc.fault)
				reply, took, err := talk(t, p, "12345678")
				require.Equal(t, tc.reply, reply)
				if tc.err == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, tc.err)
				}
				require.Equal(t, tc.took, took)
				e.wg.Wait()
				require.Equal(t, []string{tc.heard}, e.heard())
				require.Zero(t, p.lines())

				reply, _, err = talk(t, p, "abcdefgh")
				switch {
				case tc.name == "beyond the end":
					require.ErrorIs(t, err, errCut, "it strikes at the ninth byte, on the next line")
				case tc.after == "":
					require.ErrorIs(t, err, errGone)
				default:
					require.NoError(t, err)
					require.Equal(t, tc.after, reply)
				}

				late, err := p.deliver(t.Context(), time.Second)
				require.NoError(t, err)
				require.Equal(t, tc.fault.kind == held, late)
				e.wg.Wait()
				if late {
					require.Equal(t, "12345678", e.heard()[2], "what was held reaches the register in the end")
				}
				require.Zero(t, p.lines())
			})
		})
	}
}

func TestTapCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e echo
		p := &tap{to: link.Pipe{Name: "echo", Accept: e.accept}, now: time.Now}
		p.arm(fault{})
		var calls []int
		p.each(func(n int) {
			require.Equal(t, len(calls), p.flow().dials, "before the line is opened")
			calls = append(calls, n)
		})
		for range 3 {
			_, _, err := talk(t, p, "12345678")
			require.NoError(t, err)
		}
		require.Equal(t, []int{0, 1, 2}, calls)
		require.Equal(t, flow{sent: 24, received: 24, writes: []int{0, 8, 16}, dials: 3}, p.flow())

		c, err := p.Dial(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, p.lines())
		require.NoError(t, c.Abort())
		_ = c.Close()
		require.Zero(t, p.lines(), "closed twice, counted once")
		e.wg.Wait()
	})
}

// A caller who gives up wakes a Read that waits on a silent line.
func TestTapWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e echo
		p := &tap{to: link.Pipe{Name: "echo", Accept: e.accept}, now: time.Now}
		p.arm(fault{kind: lost})
		c, err := p.Dial(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Hour)))
		_, err = c.Write([]byte("12345678"))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
		began := time.Now()
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(began))
		_ = c.Abort()
		e.wg.Wait()
	})
}
