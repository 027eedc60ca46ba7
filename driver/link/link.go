// Package link carries bytes to and from a register: TCP, and a pipe for tests.
//
// It owns deadlines and the ways a line can fail. It must not know any protocol. Whatever the carrier, a read or write
// that runs out of time fails with os.ErrDeadlineExceeded, and a line that is gone fails with anything else; io.EOF means
// the far side closed in good order.
package link

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Conn is one open line. It has one user at a time.
type Conn interface {
	io.ReadWriteCloser
	// SetDeadline bounds every later Read and Write; the zero time means never.
	SetDeadline(t time.Time) error
	// Drain reads and drops until the line has been silent for quiet, and says how much it dropped.
	// It fails only when the line itself does.
	Drain(quiet time.Duration) (dropped int, err error)
	// Abort closes the line and drops what the operating system still holds to send, so that a request that was given
	// up cannot arrive late.
	Abort() error
}

// Dialer opens lines to one register. A family that talks one connection per command dials for each.
type Dialer interface {
	Dial(ctx context.Context) (Conn, error)
	// String is the address as operators write it.
	String() string
}

const drainLimit = 1 << 16

type deadlineReader interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// drain is Conn.Drain over anything with read deadlines.
func drain(r deadlineReader, now func() time.Time, quiet time.Duration) (dropped int, err error) {
	var buf [512]byte
	for dropped < drainLimit {
		if err = r.SetReadDeadline(now().Add(quiet)); err != nil {
			return dropped, err
		}
		n, err := r.Read(buf[:])
		dropped += n
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return dropped, nil
		case err != nil:
			return dropped, err
		}
	}
	return dropped, errors.New("the line never falls silent")
}
