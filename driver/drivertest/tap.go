package drivertest

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"frpoold/driver/link"
)

// tap is a dialer between a device and its register that counts bytes and spoils the line once.
type tap struct {
	to  link.Dialer
	now func() time.Time

	mu       sync.Mutex // guards what follows
	fault    fault
	struck   bool
	sent     int   // bytes passed to the register since arm
	received int   // bytes passed to the device since arm
	dials    int   // since arm
	writes   []int // sent at the begin of each Write since arm
	open     int   // lines the device has not closed
	held     []byte
	hook     func(n int) // before the n-th Write since arm, counted from 0
	hooked   int         // how often hook was due
}

// fault is what happens to the line. The zero value is nothing. It strikes once, unless Gone.
type fault struct {
	kind faultKind
	at   int  // bytes passed before it strikes; of held, the Write it strikes
	gone bool // afterwards nobody answers any more
}

type faultKind uint8

const (
	noFault     faultKind = iota
	cutSent               // the line ends when so many bytes have gone to the register
	cutReceived           // the line ends when so many bytes have come from it
	silence               // so many bytes have come and then none, while the line stands
	corrupted             // the byte at that place of what comes has one bit wrong
	held                  // the Write with that number is held back; deliver brings it to the register
	lost                  // the Write with that number never arrives
)

func (k faultKind) String() string {
	return [...]string{"nothing", "cut sent", "cut received", "silence", "corrupted", "held", "lost"}[k]
}

var (
	errCut  = errors.New("the line was cut")
	errGone = errors.New("nobody is there")
)

var _ link.Dialer = (*tap)(nil)

func (t *tap) String() string { return t.to.String() }

// arm begins to count and lays a fault.
func (t *tap) arm(f fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault, t.struck = f, false
	t.sent, t.received, t.dials = 0, 0, 0
	t.writes, t.held, t.hook, t.hooked = nil, nil, nil, 0
}

// before calls f before the n-th Write since arm. It comes before the line for that Write is opened, if one is: a
// register that serves one line at a time must be free for whatever f does.
func (t *tap) before(n int, f func()) {
	t.each(func(i int) {
		if i == n {
			f()
		}
	})
}

// each calls f before every Write since arm with its number.
func (t *tap) each(f func(n int)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hook = f
}

// due calls the hook for the Write that comes next, unless it was called for it before.
func (t *tap) due() {
	t.mu.Lock()
	n, hook := len(t.writes), t.hook
	if hook == nil || t.hooked > n {
		t.mu.Unlock()
		return
	}
	t.hooked = n + 1
	t.mu.Unlock()
	hook(n)
}

// flow is what one operation put on the line.
type flow struct {
	sent, received int
	writes         []int
	dials          int
}

func (t *tap) flow() flow {
	t.mu.Lock()
	defer t.mu.Unlock()
	return flow{t.sent, t.received, append([]int(nil), t.writes...), t.dials}
}

func (t *tap) lines() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open
}

// deliver brings what was held back to the register and waits for its answer, which nobody reads. It reports whether
// anything was held.
func (t *tap) deliver(ctx context.Context, quiet time.Duration) (bool, error) {
	t.mu.Lock()
	late := t.held
	t.held = nil
	t.mu.Unlock()
	if late == nil {
		return false, nil
	}
	c, err := t.to.Dial(ctx)
	if err != nil {
		return true, err
	}
	if _, err := c.Write(late); err != nil {
		return true, errors.Join(err, c.Abort())
	}
	_, _ = c.Drain(quiet) // it ends with the line or with silence, and either will do
	return true, c.Close()
}

// Dial opens a line through the tap.
func (t *tap) Dial(ctx context.Context) (link.Conn, error) {
	t.due()
	t.mu.Lock()
	t.dials++
	gone := t.struck && t.fault.gone
	t.mu.Unlock()
	if gone {
		return nil, errGone
	}
	c, err := t.to.Dial(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.open++
	t.mu.Unlock()
	return &tapConn{Conn: c, tap: t, wake: make(chan struct{})}, nil
}

// tapConn is one line through the tap.
type tapConn struct {
	link.Conn
	tap *tap

	mu       sync.Mutex // guards what follows
	deadline time.Time
	wake     chan struct{} // closed when the deadline moves or the line is closed
	closed   bool
	dead     error // every later Read and Write fails with it
	mute     bool  // nothing comes any more, and what is sent goes nowhere
}

func (c *tapConn) SetDeadline(d time.Time) error {
	c.mu.Lock()
	c.deadline = d
	close(c.wake)
	c.wake = make(chan struct{})
	mute := c.mute
	c.mu.Unlock()
	if mute {
		return nil // the line behind may be closed already
	}
	return c.Conn.SetDeadline(d)
}

func (c *tapConn) Close() error { c.over(); return c.Conn.Close() }
func (c *tapConn) Abort() error { c.over(); return c.Conn.Abort() }

func (c *tapConn) over() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	close(c.wake)
	c.wake = make(chan struct{})
	c.tap.mu.Lock()
	c.tap.open--
	c.tap.mu.Unlock()
}

func (c *tapConn) state() (dead error, mute bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead, c.mute
}

// kill ends the line for both sides.
func (c *tapConn) kill(err error) {
	c.mu.Lock()
	c.dead = err
	c.mu.Unlock()
	_ = c.Conn.Abort() //nolint:errcheck // it is gone either way
}

// Write passes bytes to the register, as many as the fault lets through.
func (c *tapConn) Write(p []byte) (int, error) {
	dead, mute := c.state()
	switch {
	case dead != nil:
		return 0, dead
	case mute:
		return len(p), nil
	}
	t := c.tap
	t.due()
	t.mu.Lock()
	n := len(t.writes)
	t.writes = append(t.writes, t.sent)
	pass := len(p)
	strikes := false
	if !t.struck {
		switch t.fault.kind {
		case cutSent:
			strikes = t.sent+len(p) > t.fault.at
			pass = min(pass, t.fault.at-t.sent)
		case held, lost:
			strikes = n == t.fault.at
			if strikes && t.fault.kind == held {
				t.held = append([]byte{}, p...)
			}
		case noFault, cutReceived, silence, corrupted:
		}
	}
	t.struck = t.struck || strikes
	kind := t.fault.kind
	if strikes && kind != cutSent {
		t.mu.Unlock()
		c.mu.Lock()
		c.mute = true
		c.mu.Unlock()
		return len(p), c.Conn.Close() // the register may serve others meanwhile
	}
	t.sent += pass
	t.mu.Unlock()

	written := 0
	if pass > 0 {
		var err error
		if written, err = c.Conn.Write(p[:pass]); err != nil {
			return written, err
		}
	}
	if strikes {
		c.kill(errCut)
		return written, errCut
	}
	return written, nil
}

// Read passes bytes from the register.
func (c *tapConn) Read(p []byte) (int, error) {
	dead, mute := c.state()
	switch {
	case dead != nil:
		return 0, dead
	case mute:
		return 0, c.waitOut()
	}
	t := c.tap
	t.mu.Lock()
	most := len(p)
	byBytes := !t.struck && (t.fault.kind == cutReceived || t.fault.kind == silence)
	if byBytes {
		most = min(most, t.fault.at-t.received)
	}
	kind, at := t.fault.kind, t.fault.at
	if byBytes && most == 0 {
		t.struck = true
		t.mu.Unlock()
		return c.stop(kind, at)
	}
	t.mu.Unlock()

	n, err := c.Conn.Read(p[:most])
	t.mu.Lock()
	if i := t.fault.at - t.received; t.fault.kind == corrupted && i >= 0 && i < n {
		p[i] ^= 0x10
		t.struck = true
	}
	t.received += n
	t.mu.Unlock()
	return n, err
}

// stop ends what comes from the register: in good order, broken off, or by silence.
func (c *tapConn) stop(kind faultKind, at int) (int, error) {
	if kind == silence {
		c.mu.Lock()
		c.mute = true
		c.mu.Unlock()
		return 0, c.waitOut()
	}
	err := error(syscall.ECONNRESET)
	if at%2 == 0 {
		err = io.EOF
	}
	c.kill(err)
	return 0, err
}

// waitOut is a Read to which nothing comes.
func (c *tapConn) waitOut() error {
	for {
		c.mu.Lock()
		deadline, wake, closed := c.deadline, c.wake, c.closed
		c.mu.Unlock()
		if closed {
			return os.ErrClosed
		}
		if deadline.IsZero() {
			<-wake
			continue
		}
		left := deadline.Sub(c.tap.now())
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-wake:
		}
		timer.Stop()
	}
}

// Drain drops what comes until the line is silent. A muted line is silent already.
func (c *tapConn) Drain(quiet time.Duration) (int, error) {
	dead, mute := c.state()
	if dead != nil {
		return 0, dead
	}
	if mute {
		return 0, nil
	}
	return c.Conn.Drain(quiet)
}
