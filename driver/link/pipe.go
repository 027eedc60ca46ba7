package link

import (
	"context"
	"net"
	"time"
)

// Pipe dials by handing one end of an in-memory connection to Accept, for tests in a synctest bubble where real sockets
// do not work.
type Pipe struct {
	Name   string
	Accept func(server net.Conn) error // takes the far end; an error refuses the connection
}

var _ Dialer = Pipe{}

func (p Pipe) String() string { return p.Name }

// Dial makes a connected pair and passes the far end to Accept.
func (p Pipe) Dial(ctx context.Context) (Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	if err := p.Accept(far); err != nil {
		return nil, err
	}
	return pipeConn{near}, nil
}

type pipeConn struct{ net.Conn }

func (c pipeConn) Drain(quiet time.Duration) (int, error) { return drain(c.Conn, time.Now, quiet) }
func (c pipeConn) Abort() error                           { return c.Close() }
