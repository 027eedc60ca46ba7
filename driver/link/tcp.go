package link

import (
	"context"
	"net"
	"time"
)

// TCP dials a register that is a TCP server, or a serial-to-Ethernet box in front of one.
type TCP struct {
	Address string        // host:port
	Timeout time.Duration // of the connection being made; 0 leaves it to the context
}

var _ Dialer = TCP{}

func (d TCP) String() string { return d.Address }

// Dial connects. The error is the operating system's, with the address in it.
func (d TCP) Dial(ctx context.Context) (Conn, error) {
	nd := net.Dialer{Timeout: d.Timeout, KeepAlive: -1}
	c, err := nd.DialContext(ctx, "tcp", d.Address)
	if err != nil {
		return nil, err
	}
	return &tcpConn{c.(*net.TCPConn)}, nil
}

type tcpConn struct{ *net.TCPConn }

func (c *tcpConn) Drain(quiet time.Duration) (int, error) { return drain(c.TCPConn, time.Now, quiet) }

func (c *tcpConn) Abort() error {
	// Linger 0 turns the close into a reset: what is unsent is dropped instead of delivered after we gave up on it.
	_ = c.SetLinger(0) //nolint:errcheck // the close below is what counts
	return c.Close()
}
