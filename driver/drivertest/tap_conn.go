package drivertest

import (
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"frpoold/driver/link"
)

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
