package main

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNotify is systemd's end of Type=notify: ready when it serves, fed while the loop answers, stopping when told to.
func TestNotify(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "300000")
	t.Setenv("WATCHDOG_PID", "")
	await := func(want string) {
		t.Helper()
		buf := make([]byte, 512)
		require.NoError(t, l.SetReadDeadline(time.Now().Add(30*time.Second)))
		for {
			n, err := l.Read(buf)
			require.NoError(t, err, "waiting for %s", want)
			if strings.Contains(string(buf[:n]), want) {
				return
			}
		}
	}
	p, _ := serve(t, t.TempDir())
	await("READY=1")
	await("WATCHDOG=1")
	await("WATCHDOG=1")
	p.signal(syscall.SIGTERM)
	await("STOPPING=1")
	assert.Equal(t, 0, p.wait())
}
