package simulator

import (
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPowerCut: power lost while the FN works makes no document and loses the one being built.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRack(t, Options{ServiceTime: time.Second})
		openTheShift(t, r)
		readyToCommit(t, r)
		near, far := net.Pipe()
		require.NoError(t, r.Accept(1)(far))
		_, err := near.Write(request(t, 0x24, unhex(t, form150)))
		require.NoError(t, err)
		time.Sleep(500 * time.Millisecond)
		patch(t, r, Patch{Power: new(false), PowerFor: new(2 * time.Second)})
		_, err = near.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
		_, far = net.Pipe()
		assert.ErrorIs(t, r.Accept(1)(far), ErrPowerOff)
		assert.ErrorIs(t, r.ServeConn(1, far), ErrPowerOff)
		_, err = r.MakeForeignReceipt(t.Context(), 1, 100)
		assert.ErrorIs(t, err, ErrPowerOff)
		time.Sleep(2*time.Second + time.Millisecond)
		status := must(t, r, 0x08, "")
		assert.Equal(t, []byte{0, 0, 1}, status[1:4], "nothing open but the shift")
		assert.Equal(t, byte(2), status[26], "last FD")
	})
}

// TestPowerSwitch: a later word about the power replaces an earlier one.
func TestPowerSwitch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRack(t, Options{})
		powered := func() bool { return r.Devices()[0].Power }
		patch(t, r, Patch{Power: new(false), PowerFor: new(time.Second)})
		patch(t, r, Patch{Power: new(false)})
		time.Sleep(2 * time.Second)
		assert.False(t, powered(), "off until it is turned on")
		patch(t, r, Patch{Power: new(true)})
		patch(t, r, Patch{Power: new(false), PowerFor: new(time.Second)})
		patch(t, r, Patch{Power: new(true)})
		patch(t, r, Patch{Power: new(false)})
		time.Sleep(2 * time.Second)
		assert.False(t, powered())
		patch(t, r, Patch{Power: new(false), PowerFor: new(time.Second)})
		time.Sleep(time.Second + time.Millisecond)
		assert.True(t, powered())
	})
}

// TestPowerOverTCP: the port is gone, then the same port is back; so with 0xEF.
func TestPowerOverTCP(t *testing.T) {
	t.Parallel()
	r, _ := listening(t, Options{Restart: 50 * time.Millisecond})
	address := r.Devices()[0].Address
	reachable := func() bool {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		require.NoError(t, c.Close())
		return true
	}
	require.True(t, reachable())
	patch(t, r, Patch{Power: new(false)})
	_, err := net.Dial("tcp", address)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	patch(t, r, Patch{Power: new(true)})
	require.Eventually(t, reachable, 5*time.Second, time.Millisecond)

	must(t, r, 0x21, "01")
	got, err := overTCP(t, r, request(t, 0xEF, nil), 5*time.Second)
	require.NoError(t, err)
	assert.Equal(t, request(t, 0, nil), got, "0xEF is answered first")
	require.Eventually(t, func() bool { return r.Devices()[0].Power && reachable() }, 5*time.Second, time.Millisecond)
	assert.Equal(t, byte(0), must(t, r, 0x08, "")[1], "the open document is dropped")
}
