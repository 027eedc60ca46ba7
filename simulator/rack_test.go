package simulator

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/driver/link"
	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	good := Options{Devices: 1, Now: newClock().now}
	for want, change := range map[string]func(*Options){
		"Options.Now is missing":          func(o *Options) { o.Now = nil },
		"0 devices, want 1 to 1000":       func(o *Options) { o.Devices = 0 },
		"1001 devices":                    func(o *Options) { o.Devices = 1001 },
		`unknown profile "shtrihm"`:       func(o *Options) { o.Profile = "shtrihm" },
		"FFD 1.0 is not simulated":        func(o *Options) { o.FFD = fiscal.FFD10 },
		`INN "12345", want`:               func(o *Options) { o.INN = "12345" },
		`INN "77048496AA", want`:          func(o *Options) { o.INN = "77048496AA" },
		"last VAT code 13":                func(o *Options) { o.LastVAT = 13 },
		"a duration below zero":           func(o *Options) { o.ServiceTime = -1 },
		`unknown printer state "laser"`:   func(o *Options) { o.Printer = "laser" },
		"probability NaN of random":       func(o *Options) { o.Random.Probability = nan() },
		"probability -0.5 of random":      func(o *Options) { o.Random.Probability = -0.5 },
		`unknown fault kind "explode", k`: func(o *Options) { o.Random.Kinds = []FaultKind{"explode"} },
	} {
		o := good
		change(&o)
		_, err := New(o)
		assert.ErrorContains(t, err, want)
	}
	r, _ := newRack(t, Options{INN: "1234567894"})
	assert.Equal(t, fiscal.INN("1234567894"), r.Devices()[0].INN, "taken as it is, check digits or not")
	r, _ = newRack(t, Options{Profile: PKFA12})
	assert.Equal(t, fiscal.FFD12, r.Devices()[0].FFD)
	r, _ = newRack(t, Options{Profile: KITOnlineF})
	assert.Equal(t, "KIT Online-F", string(must(t, r, 0x04, "")))
}

func nan() float64 { zero := 0.0; return zero / zero }

func TestListen(t *testing.T) {
	t.Parallel()
	t.Run("ascending ports", func(t *testing.T) {
		t.Parallel()
		for range 20 { // three free ports in a row are not to be had at the first try
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			address := l.Addr().String()
			require.NoError(t, l.Close())
			r, _ := newRack(t, Options{Devices: 3})
			if r.Listen(t.Context(), address) != nil {
				continue
			}
			_, first, err := net.SplitHostPort(address)
			require.NoError(t, err)
			port, err := strconv.Atoi(first)
			require.NoError(t, err)
			for i, d := range r.Devices() {
				assert.Equal(t, "127.0.0.1:"+strconv.Itoa(port+i), d.Address)
			}
			return
		}
		t.Fatal("no three free ports in a row")
	})
	t.Run("all or none", func(t *testing.T) {
		t.Parallel()
		busy, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { require.NoError(t, busy.Close()) }()
		r, _ := newRack(t, Options{})
		require.Error(t, r.Listen(t.Context(), busy.Addr().String()))
		assert.Empty(t, r.Devices()[0].Address)
		require.NoError(t, r.Listen(t.Context(), "127.0.0.1:0"), "and can be tried again")
	})
	t.Run("mistakes", func(t *testing.T) {
		t.Parallel()
		r, _ := newRack(t, Options{Devices: 10})
		assert.ErrorContains(t, r.Listen(t.Context(), "127.0.0.1"), "missing port")
		assert.ErrorContains(t, r.Listen(t.Context(), "127.0.0.1:x"), `port "x"`)
		assert.ErrorContains(t, r.Listen(t.Context(), "127.0.0.1:65530"), "do not fit below 65536")
		require.NoError(t, r.Close())
		assert.ErrorIs(t, r.Listen(t.Context(), "127.0.0.1:0"), ErrClosed)
	})
}

// TestServe: it ends with its context, and Close may come again.
func TestServe(t *testing.T) {
	t.Parallel()
	r, _ := listening(t, Options{Devices: 2})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Serve(ctx) }()
	cancel()
	require.NoError(t, <-ended)
	require.NoError(t, r.Close())
	_, err := net.Dial("tcp", r.Devices()[0].Address)
	assert.Error(t, err)
	assert.Len(t, documents(t, r), 1, "the archive can still be read")
	_, far := net.Pipe()
	assert.ErrorIs(t, r.Accept(1)(far), ErrPowerOff)
	_, err = r.MakeForeignReceipt(t.Context(), 1, 100)
	assert.Error(t, err)
}

// TestCloseLeavesNothing: whatever the rack is doing, Close ends all its goroutines.
func TestCloseLeavesNothing(t *testing.T) {
	r, _ := newRack(t, Options{Devices: 8, ServiceTime: time.Hour, Restart: time.Hour})
	require.NoError(t, r.Listen(t.Context(), "127.0.0.1:0"))
	control, err := r.ListenControl(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	held, err := net.Dial("tcp", control)
	require.NoError(t, err)
	result, _ := say(t, r, 2, 0x21, []byte{1})
	require.Zero(t, result)
	served, working, hung, waiting, silent := dial(t, r, 1), dial(t, r, 2), dial(t, r, 3), dial(t, r, 3), dial(t, r, 4)
	for i, f := range []Fault{3: {Kind: Hang}, 4: {Kind: DropReply}} {
		if f.Kind != "" {
			require.NoError(t, r.Inject(i, f))
		}
	}
	send := func(c net.Conn, code byte, data string) {
		_, err := c.Write(request(t, code, unhex(t, data)))
		require.NoError(t, err)
	}
	send(served, 0x08, "")
	_, err = io.ReadAll(served)
	require.NoError(t, err)
	send(working, 0x22, "")
	for _, c := range []net.Conn{hung, waiting, silent} {
		send(c, 0x08, "")
	}
	require.NoError(t, r.Patch(5, Patch{Power: new(false)}))
	require.NoError(t, r.Patch(6, Patch{Power: new(false), PowerFor: new(time.Minute)}))
	dial(t, r, 7)
	require.NoError(t, r.Close())
	for _, c := range []net.Conn{working, hung, waiting, silent, held} {
		_ = c.Close()
	}
	stacks := func() string {
		b := make([]byte, 1<<20)
		return string(b[:runtime.Stack(b, true)])
	}
	for _, ours := range []string{"simulator.(*device)", "simulator.(*Rack).ListenControl"} {
		assert.NotContains(t, stacks(), ours)
	}
	assert.Eventually(t, func() bool { return !strings.Contains(stacks(), "net/http.(*conn).serve") }, 5*time.Second, time.Millisecond)
}

// TestOneCommandPerConnection: the device closes after its answer, or goes on with the switch.
func TestOneCommandPerConnection(t *testing.T) {
	t.Parallel()
	r, _ := listening(t, Options{})
	two := append(request(t, 0x08, nil), request(t, 0x20, nil)...)
	got, err := overTCP(t, r, two, 5*time.Second)
	require.NoError(t, err)
	assert.Len(t, got, 37, "one answer")
	patch(t, r, Patch{KeepOpen: new(true)})
	c := dial(t, r, 1)
	_, err = c.Write(two)
	require.NoError(t, err)
	got = make([]byte, 37+12)
	_, err = io.ReadFull(c, got)
	require.NoError(t, err)
	assert.Equal(t, []byte{0xB6, 0x29, 0, 6}, got[37:41])
}

// TestNoiseBeforeStart: up to 256 bytes are skipped; a longer stream earns nothing.
func TestNoiseBeforeStart(t *testing.T) {
	t.Parallel()
	r, _ := listening(t, Options{})
	ask := request(t, 0x08, nil)
	got, err := overTCP(t, r, append(bytes.Repeat([]byte{0xB6}, 200), ask...), 5*time.Second)
	require.NoError(t, err)
	assert.Len(t, got, 37)
	got, _ = overTCP(t, r, append(make([]byte, 257), ask...), 5*time.Second)
	assert.Empty(t, got)
}

// TestIdleConnection: closed after 30 s of silence, before a request and inside one.
func TestIdleConnection(t *testing.T) {
	t.Parallel()
	for name, part := range map[string][]byte{"nothing": nil, "half a frame": {0xB6, 0x29, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, _ := newRack(t, Options{})
				near, far := net.Pipe()
				require.NoError(t, r.Accept(1)(far))
				if part != nil {
					_, err := near.Write(part)
					require.NoError(t, err)
				}
				begin := time.Now()
				got, err := io.ReadAll(near)
				require.NoError(t, err)
				assert.Empty(t, got)
				assert.Equal(t, 30*time.Second, time.Since(begin))
			})
		})
	}
}

// TestClientThatDoesNotRead: on a line without buffers the device gives up after 30 s.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRack(t, Options{})
		near, far := net.Pipe()
		require.NoError(t, r.Accept(1)(far))
		_, err := near.Write(request(t, 0x08, nil))
		require.NoError(t, err)
		begin := time.Now()
		must(t, r, 0x08, "")
		assert.Equal(t, 30*time.Second, time.Since(begin), "the next connection waited")
	})
}

// TestPipeDialer: the rack behind a link.Pipe, as tests of the driver use it.
func TestPipeDialer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRack(t, Options{})
		p := link.Pipe{Name: "register 1", Accept: r.Accept(1)}
		c, err := p.Dial(t.Context())
		require.NoError(t, err)
		_, err = c.Write(request(t, 0x05, nil))
		require.NoError(t, err)
		f, err := terminalfa.ReadFrame(c, nil)
		require.NoError(t, err)
		assert.Equal(t, "9999078900000001", string(f.Data))
		require.NoError(t, c.Close())
		patch(t, r, Patch{Power: new(false)})
		_, err = p.Dial(t.Context())
		assert.ErrorIs(t, err, ErrPowerOff)
	})
}

// TestTurnsInOrder: connections that wait are served one after another, in the order they came.
func TestTurnsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRack(t, Options{})
		require.NoError(t, r.Inject(1, Fault{Kind: DelayReply, Delay: time.Second}))
		begin := time.Now()
		var took [6]time.Duration
		var wg sync.WaitGroup
		for i := range took {
			near, far := net.Pipe()
			require.NoError(t, r.Accept(1)(far))
			wg.Go(func() {
				_, _ = near.Write(request(t, 0x08, nil))
				_, _ = io.ReadAll(near)
				took[i] = time.Since(begin)
				_ = near.Close()
			})
			synctest.Wait() // it stands in the queue
		}
		wg.Wait()
		for i := range took {
			assert.Equal(t, time.Duration(i+1)*time.Second, took[i])
		}
	})
}

// TestManyDevices: 20 registers, 4 clients each asking and selling at once over TCP; every archive is whole.
func TestManyDevices(t *testing.T) {
	t.Parallel()
	const devices, receipts = 20, 5
	r, _ := listening(t, Options{Devices: devices, ServiceTime: time.Millisecond})
	var wg sync.WaitGroup
	ask := func(n int, code byte, data string) refusal {
		d, err := r.Device(n)
		assert.NoError(t, err)
		c, err := net.Dial("tcp", d.Address)
		if !assert.NoError(t, err) {
			return 0xFF
		}
		_, err = c.Write(request(t, code, unhex(t, data)))
		assert.NoError(t, err)
		f, err := terminalfa.ReadFrame(c, nil)
		assert.NoError(t, err)
		assert.NoError(t, c.Close())
		if f.Code == 0 {
			return done
		}
		return refusal(f.Data[0])
	}
	for n := 1; n <= devices; n++ {
		wg.Go(func() {
			for _, s := range []string{"21 01", "22"} {
				code, data := split(t, s)
				assert.Equal(t, done, ask(n, code, hexOf(data)))
			}
			for range receipts {
				assert.Equal(t, done, ask(n, 0x23, ""))
				assert.Equal(t, done, ask(n, 0x2B, item150))
				assert.Equal(t, done, ask(n, 0x2D, payment150))
				assert.Equal(t, done, ask(n, 0x24, form150))
			}
		})
		for range 3 {
			wg.Go(func() {
				for range receipts {
					assert.Equal(t, done, ask(n, 0x08, ""))
					_, err := r.Documents(n)
					assert.NoError(t, err)
				}
			})
		}
	}
	wg.Wait()
	for n := 1; n <= devices; n++ {
		list, err := r.Documents(n)
		require.NoError(t, err)
		require.Len(t, list, receipts+2)
		for i, d := range list {
			assert.EqualValues(t, i+1, d.FD)
		}
	}
}

// TestLogs: the seed of random faults is told, refusals only to those who debug.
func TestLogs(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := testLog(&out)
	r, _ := newRack(t, Options{Seed: 7, Log: log, Random: RandomFaults{Probability: 1, Kinds: []FaultKind{Rubbish}}})
	talk(t, r, 1, request(t, 0x08, nil))
	require.NoError(t, r.Close())
	assert.Contains(t, out.String(), "random faults")
	assert.Contains(t, out.String(), "seed=7")
	assert.Contains(t, out.String(), "kind=rubbish")
}
