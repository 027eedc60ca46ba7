package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/simulator"
)

// BenchmarkRack keeps the queues of a rack full and measures how much of its physical rate the daemon reaches, and what the
// daemon's own process pays per receipt. The rack and the client run in this process, on the same cores.
//
//	go test -run '^$' -bench BenchmarkRack -benchtime 3000x ./cmd/frpoold
func BenchmarkRack(b *testing.B) {
	for _, devices := range []int{10, 50, 200} {
		b.Run(strconv.Itoa(devices), func(b *testing.B) { benchmarkRack(b, devices, 300*time.Millisecond) })
	}
}

func benchmarkRack(b *testing.B, devices int, service time.Duration) {
	rack := newRack(b, simulator.Options{Devices: devices, ServiceTime: service, Seed: 1, AutoConfirm: 100 * time.Millisecond})
	p, c := serve(b, b.TempDir(), "--log-level", "info")
	s := openShop(b, c, rack)
	o := loadOptions{url: c.base, integration: uint64(s.integration), concurrency: 4 * devices, items: 1, tax: fiscal.TaxUSNIncome, seed: 1}
	o.receipts = 2 * devices // opens every shift
	run := func() loadSummary {
		summary, err := load(b.Context(), o, newProgress(streams{io.Discard, io.Discard}, o.receipts, ""))
		require.NoError(b, err)
		require.Equal(b, summary.Receipts, summary.Made)
		return summary
	}
	run()
	o.receipts, o.seed = max(b.N, 20*devices), 2
	before := cpuTime(b, p.cmd.Process.Pid)
	b.ResetTimer()
	summary := run()
	b.StopTimer()
	cpu := cpuTime(b, p.cmd.Process.Pid) - before
	p.signal(syscall.SIGTERM) // a child that is profiled writes its profile when it ends
	p.wait()

	b.ReportMetric(0, "ns/op")
	b.ReportMetric(summary.Steady, "receipts/s")
	b.ReportMetric(100*summary.Steady*service.Seconds()/float64(devices), "%physical")
	b.ReportMetric(cpu.Seconds()*1000/float64(o.receipts), "daemon-cpu-ms/receipt")
	b.ReportMetric(summary.AcceptMillis.P99, "accept-p99-ms")
}

// cpuTime is what a process has used so far, user and system, from /proc (ticks of 10 ms).
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	require.NoError(b, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		require.NoError(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkFirstByte measures from the moment a shop begins to post a receipt to the first byte at an idle register: the
// acceptance with its fsync, the choice, and the way to the device.
//
//	go test -run '^$' -bench BenchmarkFirstByte -benchtime 1000x ./cmd/frpoold
func BenchmarkFirstByte(b *testing.B) {
	rack := newRack(b, simulator.Options{Devices: 1, Seed: 1})
	tap := newTap(b, rack.Devices()[0].Address)
	_, c := serve(b, b.TempDir())
	s := openTapped(b, c, tap.address)
	random := rand.New(rand.NewPCG(1, 1))
	waits := make([]time.Duration, 0, b.N)
	for i := range b.N + 1 {
		body := sampleReceipt(random, fmt.Sprint("order-", i), fiscal.TaxUSNIncome, 1)
		tap.arm()
		began := time.Now()
		var j job
		ask(b, c, http.MethodPost, s.path(), body, &j)
		wait := (<-tap.first).Sub(began)
		if untilRest(b, c, j.ID); i > 0 { // the first one opens the shift
			waits = append(waits, wait)
		}
	}
	p := percentilesOf(waits)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(p.P50, "p50-ms")
	b.ReportMetric(p.P99, "p99-ms")
	b.ReportMetric(p.Max, "max-ms")
}

func openTapped(b *testing.B, c *client, address string) shop {
	ask(b, c, http.MethodPost, "/fcircuit", map[string]string{"inn": string(simulator.DefaultINN), "title": "ООО"}, nil)
	ask(b, c, http.MethodPost, "/fcircuit/1/fr", map[string]string{"type": "terminalfa", "eip": address}, nil)
	ask(b, c, http.MethodPatch, "/frs/"+address+"/activate", nil, nil)
	ask(b, c, http.MethodPost, "/fcircuit/1/int", map[string]string{"type": "native", "param1": "shop", "param2": "shop-secret"}, nil)
	ask(b, c, http.MethodPatch, "/int/1/activate", nil, nil)
	return shop{integration: 1, circuit: 1}
}

// tap is a TCP relay that notes when the first byte towards the register passes after arm. Polls pass too: they are rare
// (every 5 s), and one that falls into the gap makes a wait look shorter, never longer than it is.
type tap struct {
	address string
	first   chan time.Time
	mu      sync.Mutex
	armed   bool
}

func newTap(b *testing.B, to string) *tap {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = l.Close() })
	t := &tap{address: l.Addr().String(), first: make(chan time.Time, 1)}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go t.relay(near, to)
		}
	}()
	return t
}

func (t *tap) arm() {
	t.mu.Lock()
	t.armed = true
	t.mu.Unlock()
}

func (t *tap) relay(near net.Conn, to string) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	go func() {
		buf := make([]byte, 2048)
		for {
			n, err := near.Read(buf)
			if n > 0 {
				t.mu.Lock()
				if t.armed {
					t.armed = false
					t.first <- time.Now()
				}
				t.mu.Unlock()
				if _, err := far.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	_, _ = io.Copy(near, far)
}
