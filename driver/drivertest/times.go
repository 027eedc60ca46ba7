package drivertest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/fiscal"
)

func timeTests() []test {
	return []test{
		{name: "cancelled before it began", run: cancelledBefore},
		{name: "cancelled within a receipt", makes: true, run: cancelledWithin},
		{name: "deadline within a receipt", makes: true, run: deadlineWithin},
		{name: "nobody is there", run: nobody},
		{name: "register that never answers", run: neverAnswers},
		{name: "register that chatters", run: chatters},
		{name: "register that trickles", run: trickles},
		{name: "register that hangs up", run: hangsUp},
		{name: "close", run: closes},
	}
}

// cancelledBefore: a caller who gave up before the start finds that not even a line was opened.
func cancelledBefore(s *stage) {
	before := s.ref()
	ctx, cancel := context.WithCancelCause(s.Context())
	cancel(errTest)
	s.tap.arm(fault{})
	for name, do := range s.operations(s.dev) {
		err := do(ctx)
		e := s.fiscalError(err)
		require.Equal(s, fiscal.Canceled, e.Kind, "%s: %v", name, err)
		require.Equal(s, fiscal.Nothing, e.Effect, "%s: %v", name, err)
		require.ErrorIs(s, err, errTest, "%s: the cause is told", name)
	}
	f := s.tap.flow()
	require.Zero(s, f.dials)
	require.Zero(s, f.sent)
	require.Equal(s, before, s.ref())
}

// cancelledWithin: a caller who gives up in the middle hears what may have happened, and the next receipt works.
func cancelledWithin(s *stage) {
	s.ready()
	f := s.learn()
	for n := range f.writes {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		ctx, cancel := context.WithCancelCause(s.Context())
		s.tap.arm(fault{})
		s.tap.before(n, func() { cancel(errTest) })
		doc, err := s.dev.Register(ctx, r, b)
		s.tap.arm(fault{})
		cancel(nil)
		s.ref()
		what := fmt.Sprintf("cancelled before step %d", n)
		s.honest(what, s.since(before.Last), doc, err)
		if n < f.commit {
			require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect, "%s: the commit never left us: %v", what, err)
		}
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// deadlineWithin: the caller's deadline counts even when the family's own are longer.
func deadlineWithin(s *stage) {
	s.ready()
	f := s.learn()
	for n := range f.writes {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		wait := min(50*time.Millisecond, s.Impatience.Reply/2)
		s.tap.arm(fault{kind: lost, at: n})
		ctx, cancel := context.WithCancel(s.Context())
		s.tap.before(n, func() { time.AfterFunc(wait, cancel) })
		began := s.Now()
		doc, err := s.dev.Register(ctx, r, b)
		took := s.Now().Sub(began)
		s.tap.arm(fault{})
		cancel()
		what := fmt.Sprintf("deadline in step %d", n)
		s.honest(what, s.since(before.Last), doc, err)
		require.Error(s, err, what)
		require.Less(s, took, s.Options.Timeouts.Reply, "%s: it waited on after its caller's deadline", what)
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// with is a device on another line than the register's.
func (s *stage) with(d link.Dialer) driver.Device {
	o := s.Options
	o.Timeouts = s.Impatience
	line := &tap{to: d, now: s.Now}
	s.Cleanup(func() { require.Zero(s, line.lines(), "lines left open") })
	dev, err := s.Open(s.Context(), line, o)
	if err != nil { // a family may talk in Open; then it fails there
		e := s.fiscalError(err)
		require.Equal(s, fiscal.Nothing, e.Effect)
		return nil
	}
	s.Cleanup(func() { require.NoError(s, dev.Close()) })
	return dev
}

// stranger is a dialer whose far end is played by f, on a goroutine that is over when the test is.
func (s *stage) stranger(f func(net.Conn)) link.Dialer {
	var all sync.WaitGroup
	var far []net.Conn // by the goroutine of the test
	s.Cleanup(func() {
		for _, c := range far {
			_ = c.Close() //nolint:errcheck // the device has closed before, if all is well
		}
		all.Wait()
	})
	return link.Pipe{Name: "stranger", Accept: func(c net.Conn) error {
		far = append(far, c)
		all.Go(func() {
			f(c)
			_ = c.Close() //nolint:errcheck // the device may have closed before
		})
		return nil
	}}
}

// worst is the longest an operation may take when nothing ever answers: a few exchanges, each within its times.
func (s *stage) worst() time.Duration {
	t := s.Impatience
	return 4 * (t.Connect + max(t.Reply, t.Commit) + t.Gap)
}

func nobody(s *stage) {
	s.tap.arm(fault{kind: cutSent, gone: true}) // strikes at the first byte; then nobody can be dialled
	_, err := s.dev.LastDocument(s.Context())
	require.Error(s, err)
	for name, do := range s.operations(s.dev) {
		err := do(s.Context())
		e := s.fiscalError(err)
		require.Equal(s, fiscal.Offline, e.Kind, "%s: %v", name, err)
		require.Equal(s, fiscal.Nothing, e.Effect, "%s: %v", name, err)
		require.ErrorIs(s, err, errGone, name)
	}
	s.tap.arm(fault{})
	_, err = s.dev.LastDocument(s.Context())
	require.NoError(s, err)
}

// endures does every operation against a stranger.
func (s *stage) endures(f func(net.Conn), limit time.Duration, kinds ...fiscal.Kind) {
	d := s.with(s.stranger(f))
	if d == nil {
		return
	}
	for name, do := range s.operations(d) {
		began := s.Now()
		err := do(s.Context())
		took := s.Now().Sub(began)
		e := s.fiscalError(err)
		require.Contains(s, append(kinds, fiscal.Internal), e.Kind, "%s: %v", name, err)
		if name != "Register" || e.Kind != fiscal.Internal { // Internal: not identified, before anything was sent
			require.NotEqual(s, fiscal.Internal, e.Kind, "%s: %v", name, err)
		}
		require.Equal(s, fiscal.Nothing, e.Effect, "%s: no commit can have left us: %v", name, err)
		require.Less(s, took, limit, "%s took too long", name)
	}
}

func neverAnswers(s *stage) {
	s.endures(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, s.worst(), fiscal.Link)
}

func chatters(s *stage) {
	noise := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	s.endures(func(c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		for buf := make([]byte, 64); ; {
			mu.Lock()
			for i := range buf {
				buf[i] = byte(noise.Uint32())
			}
			mu.Unlock()
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	}, s.worst(), fiscal.Protocol, fiscal.Link)
}

// trickles: a byte now and then keeps every gap short; the whole must still end. Only where time costs nothing.
func trickles(s *stage) {
	if s.Impatience != s.Options.Timeouts {
		s.Skip("it takes minutes where time is real")
	}
	s.endures(func(c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		for {
			if _, err := c.Write([]byte{0}); err != nil {
				return
			}
			time.Sleep(s.Impatience.Gap / 2)
		}
	}, s.Impatience.Connect+max(s.Impatience.Reply, s.Impatience.Commit)+time.Minute, fiscal.Protocol, fiscal.Link)
}

func hangsUp(s *stage) {
	s.endures(func(net.Conn) {}, s.worst(), fiscal.Link, fiscal.Offline, fiscal.Protocol)
}

func closes(s *stage) {
	d, err := s.Open(s.Context(), s.tap, s.Options)
	require.NoError(s, err)
	require.NoError(s, d.Close(), "before it was used")

	d, err = s.Open(s.Context(), s.tap, s.Options)
	require.NoError(s, err)
	_, err = d.Identify(s.Context())
	require.NoError(s, err)
	require.NoError(s, d.Close())
	_, err = s.dev.LastDocument(s.Context())
	require.NoError(s, err, "one device closed, the other works on")
}
