package link

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listen accepts one connection on loopback and passes it to serve.
func listen(t *testing.T, serve func(net.Conn)) TCP {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		serve(c)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return TCP{Address: l.Addr().String(), Timeout: 5 * time.Second}
}

func TestTCPDeadline(t *testing.T) {
	hold := make(chan struct{})
	d := listen(t, func(c net.Conn) { <-hold; _ = c.Close() })
	defer close(hold)
	c, err := d.Dial(context.Background())
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	require.NoError(t, c.SetDeadline(time.Now().Add(5*time.Millisecond)))
	_, err = c.Read(make([]byte, 1))
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestTCPRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, err = TCP{Address: address, Timeout: time.Second}.Dial(context.Background())
	require.Error(t, err)
	assert.Contains(t, err.Error(), address)
}

// Abort must reach the far side as a reset, the sign that unsent bytes were dropped and not delivered late.
func TestTCPAbortResets(t *testing.T) {
	got := make(chan error, 1)
	d := listen(t, func(c net.Conn) {
		_, err := c.Read(make([]byte, 1))
		got <- err
	})
	c, err := d.Dial(context.Background())
	require.NoError(t, err)
	require.NoError(t, c.Abort())
	err = <-got
	require.Error(t, err)
	assert.False(t, errors.Is(err, io.EOF), "an orderly close came: %v", err)
}

func TestPipeDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Pipe{Name: "pipe", Accept: func(far net.Conn) error {
			go func() {
				for range 3 {
					_, _ = far.Write([]byte("rubbish"))
					time.Sleep(20 * time.Millisecond)
				}
			}()
			return nil
		}}
		c, err := p.Dial(t.Context())
		require.NoError(t, err)
		n, err := c.Drain(50 * time.Millisecond)
		require.NoError(t, err)
		assert.Equal(t, 21, n)
		require.NoError(t, c.Close())
	})
}

func TestPipeDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Pipe{Name: "pipe", Accept: func(net.Conn) error { return nil }}
		c, err := p.Dial(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Second)))
		_, err = c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

func TestPipeRefused(t *testing.T) {
	p := Pipe{Name: "pipe", Accept: func(net.Conn) error { return errors.New("power off") }}
	_, err := p.Dial(context.Background())
	assert.EqualError(t, err, "power off")
}
