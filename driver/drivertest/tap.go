package drivertest

import (
	"context"
	"errors"
	"sync"
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
