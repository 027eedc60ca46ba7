package simulator

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"frpoold/driver/wire/terminalfa"
)

const (
	idleTime   = 30 * time.Second      // a connection that says nothing is closed (sheet §11.2)
	acceptWait = 50 * time.Millisecond // after a failed accept or listen
)

func listen(ctx context.Context, address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1} // connections live for one command
	return lc.Listen(ctx, "tcp", address)
}

// accept serves the device's port for as long as the rack lives. Connections are served right here, one after another:
// those that wait do so in the port's own queue, in the order they came.
func (d *device) accept(l net.Listener) {
	for {
		d.acceptUntilOff(l)
		if l = d.relisten(); l == nil {
			return
		}
	}
}

func (d *device) acceptUntilOff(l net.Listener) {
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			_ = d.serve(c) //nolint:errcheck // a client that came as the power went
		case errors.Is(err, net.ErrClosed):
			return
		default:
			d.log.Warn("accept failed", "error", err)
			if !d.wait(acceptWait, d.rack.stop) {
				return
			}
		}
	}
}

// relisten waits for the power and opens the same port again; nil means that the rack is closed.
func (d *device) relisten() net.Listener {
	for {
		d.mu.Lock()
		back, powered, address := d.back, d.powered, d.address
		d.mu.Unlock()
		if !powered {
			select {
			case <-back:
			case <-d.rack.stop:
				return nil
			}
			continue
		}
		l, err := listen(context.Background(), address)
		if err != nil {
			d.log.Warn("the port is not to be had again", "address", address, "error", err)
			if !d.wait(acceptWait, d.rack.stop) {
				return nil
			}
			continue
		}
		d.mu.Lock()
		if d.powered {
			d.listener = l
			d.mu.Unlock()
			return l
		}
		d.mu.Unlock()
		_ = l.Close() //nolint:errcheck // the power went off meanwhile
	}
}

// ServeConn serves c as a connection to device n, on the caller's goroutine, and closes it. It waits its turn behind
// other connections. It returns ErrPowerOff when the register has no power, nil when c was served however it went.
func (r *Rack) ServeConn(n int, c net.Conn) error {
	d, err := r.device(n)
	if err != nil {
		_ = c.Close() //nolint:errcheck // it never was a connection
		return err
	}
	return d.serve(c)
}

// Accept makes the Accept function of a link.Pipe to device n: connections are served on goroutines of the rack, and
// refused with ErrPowerOff or ErrClosed.
func (r *Rack) Accept(n int) func(net.Conn) error {
	return func(c net.Conn) error {
		d, err := r.device(n)
		if err != nil {
			return err
		}
		d.mu.Lock()
		powered := d.powered
		d.mu.Unlock()
		if !powered {
			return ErrPowerOff
		}
		return r.run(func() { _ = d.serve(c) }) //nolint:errcheck // a client that came as the power went
	}
}

// serve takes the turn and serves one connection.
func (d *device) serve(c net.Conn) error {
	d.mu.Lock()
	powered, lost := d.powered, d.lost
	d.mu.Unlock()
	if !powered {
		reset(c)
		return ErrPowerOff
	}
	select {
	case d.turn <- struct{}{}:
	case <-lost:
		reset(c)
		return ErrPowerOff
	}
	defer func() { <-d.turn }()
	d.mu.Lock()
	if lost != d.lost || !d.powered {
		d.mu.Unlock()
		reset(c)
		return ErrPowerOff
	}
	d.conn = c
	d.mu.Unlock()

	l := &line{Conn: c, lost: lost}
	l.guard = time.AfterFunc(idleTime, l.expire)
	restart := d.converse(l)
	l.guard.Stop()
	d.mu.Lock()
	d.conn = nil // the answer to 0xEF is not cut off
	d.mu.Unlock()
	if restart > 0 {
		d.power(false, restart)
	}
	_ = c.Close() //nolint:errcheck // the exchange is over
	return nil
}

// line is the connection being served.
type line struct {
	net.Conn
	lost  <-chan struct{} // closed when the power goes
	guard *time.Timer     // ends a wait for the other side
}

// expire makes whatever waits on the line fail.
func (l *line) expire() {
	_ = l.SetDeadline(time.Unix(1, 0)) //nolint:errcheck // a line that is gone needs no deadline
}

// silence says nothing until the client goes or limit has passed; 0 is no limit.
func (l *line) silence(limit time.Duration) {
	if limit > 0 {
		l.guard.Reset(limit)
	}
	_, _ = io.Copy(io.Discard, l.Conn) //nolint:errcheck // its end is all that is waited for
}

// send writes b. A client that has gone is no concern of the register's.
func (l *line) send(b []byte) bool {
	l.guard.Reset(idleTime)
	_, err := l.Write(b)
	l.guard.Stop()
	return err == nil
}

// reset closes a connection so that the client sees it break.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) //nolint:errcheck // then it closes in good order
	}
	_ = c.Close() //nolint:errcheck // it is gone either way
}

// wait waits; false means that over was closed first.
func (d *device) wait(t time.Duration, over <-chan struct{}) bool {
	if t <= 0 {
		return true
	}
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
		return false
	}
}

// converse answers requests: one, or with KeepOpen as many as come. A result above zero asks for a restart that lasts so
// long.
func (d *device) converse(l *line) time.Duration {
	d.in.Reset(l.Conn)
	for {
		l.guard.Reset(idleTime)
		f, err := terminalfa.ReadFrame(d.source(l), d.frame)
		l.guard.Stop()
		switch {
		case errors.Is(err, errCut):
			reset(l.Conn)
			return 0
		case errors.Is(err, terminalfa.ErrLength), errors.Is(err, terminalfa.ErrCRC):
			l.send(terminalfa.AppendRefusal(d.out[:0], terminalfa.ErrorCode(badFrame)))
			return 0
		case err != nil:
			return 0
		}
		if again, restart := d.exchange(l, f); !again || restart > 0 {
			return restart
		}
	}
}

// perform lets the model answer. false means that the power went first; then nothing was done.
func (d *device) perform(l *line, f terminalfa.Frame) (reply []byte, restart, alive bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer, code, alive := d.reg.execute(f, func() bool {
		service := d.service
		d.mu.Unlock()
		alive := d.wait(service, l.lost)
		d.mu.Lock()
		return alive && l.lost == d.lost && d.powered
	})
	if !alive {
		return nil, false, false
	}
	restart, d.reg.restart = d.reg.restart, false
	if code == done {
		out, err := terminalfa.AppendReply(d.out[:0], answer)
		if err == nil {
			return out, restart, true
		}
		d.log.Error("a reply does not fit a frame", "command", f.Code, "error", err)
		code = tlvTooLarge
	}
	d.log.Debug("refused", "command", terminalfa.Command(f.Code), "code", byte(code))
	return terminalfa.AppendRefusal(d.out[:0], terminalfa.ErrorCode(code)), restart, true
}
