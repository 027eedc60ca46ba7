package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/simulator"
)

// stream posts receipts until it is told to end, and remembers every one it tried: a POST whose answer was lost is posted
// again to the next life of the daemon, as a shop would.
type stream struct {
	shop   shop
	mu     sync.Mutex // guards what follows
	bodies map[string]map[string]any
	ids    map[string]fiscal.JobID // of those whose acceptance was heard
	next   int
}

// run posts from n goroutines until ctx ends or the daemon is gone.
func (s *stream) run(t *testing.T, ctx context.Context, c *client, n int) {
	random, _ := seeded(t)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for ctx.Err() == nil {
				s.mu.Lock()
				s.next++
				external := fmt.Sprintf("order-%d", s.next)
				body := sampleReceipt(random, external, fiscal.TaxUSNIncome, 1+s.next%3)
				s.bodies[external] = body
				s.mu.Unlock()
				if !s.post(ctx, c, external, body) {
					return
				}
			}
		})
	}
	wg.Wait()
}

func (s *stream) post(ctx context.Context, c *client, external string, body map[string]any) bool {
	var j job
	if _, err := c.do(ctx, http.MethodPost, s.shop.path(), body, &j); err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids[external] = j.ID
	return true
}

// TestKilledInAStream kills the daemon without warning in the middle of a stream of receipts, again and again, and counts
// documents in the registers' archives: one for every accepted receipt, none besides.
func TestKilledInAStream(t *testing.T) {
	t.Parallel()
	random, seed := seeded(t)
	rack := newRack(t, simulator.Options{Devices: 6, ServiceTime: 25 * time.Millisecond, Seed: seed})
	dir := t.TempDir()
	p, c := serve(t, dir)
	s := &stream{shop: openShop(t, c, rack), bodies: map[string]map[string]any{}, ids: map[string]fiscal.JobID{}}
	const lives = 8
	for life := range lives {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.run(t, ctx, c, 8); close(done) }()
		// The moment of death is what is random here; nothing waits for it to be a particular one.
		time.Sleep(time.Duration(50+random.IntN(350)) * time.Millisecond)
		p.signal(syscall.SIGKILL)
		p.wait()
		cancel()
		<-done
		t.Logf("life %d: %d receipts accepted so far", life+1, len(s.ids))
		p, c = serve(t, dir)
	}
	var made []job
	for external, body := range s.bodies {
		var j job
		ask(t, c, http.MethodPost, s.shop.path(), body, &j)
		if known, ok := s.ids[external]; ok {
			require.Equal(t, known, j.ID, "an accepted receipt is still the same job")
		}
		made = append(made, untilRest(t, c, j.ID))
	}
	require.Greater(t, len(made), 50)
	oneEach(t, rack, made)
	p.signal(syscall.SIGTERM)
	assert.Equal(t, 0, p.wait())
}

// TestStopDuringReceipts sends SIGTERM while every device makes a receipt: all of them are finished, nothing is left in
// doubt, and what waited is made by the next life.
func TestStopDuringReceipts(t *testing.T) {
	t.Parallel()
	rack := newRack(t, simulator.Options{Devices: 3, ServiceTime: 400 * time.Millisecond, Seed: 5})
	dir := t.TempDir()
	p, c := serve(t, dir)
	s := openShop(t, c, rack)
	random, _ := seeded(t)
	var ids []fiscal.JobID
	for i := range 9 {
		var j job
		ask(t, c, http.MethodPost, s.path(), sampleReceipt(random, fmt.Sprint("order-", i), fiscal.TaxUSNIncome, 1), &j)
		ids = append(ids, j.ID)
	}
	require.Eventually(t, func() bool {
		var list struct{ Items []job }
		ask(t, c, http.MethodGet, s.path()+"?status=sending", nil, &list)
		return len(list.Items) == 3
	}, 30*time.Second, 5*time.Millisecond)
	p.signal(syscall.SIGTERM)
	require.Equal(t, 0, p.wait())
	assert.NotContains(t, p.output(), "in doubt")
	assert.NotContains(t, p.output(), "not everything had finished")

	p, c = serve(t, dir)
	var made []job
	for _, id := range ids {
		made = append(made, untilRest(t, c, id))
	}
	oneEach(t, rack, made)
	assert.NotContains(t, p.output(), "settled", "nothing was left to settle")
}

// TestSlowClientDoesNotDelayStop has a client that never finishes its request when SIGTERM comes: the registers stop taking
// receipts at once all the same.
func TestSlowClientDoesNotDelayStop(t *testing.T) {
	t.Parallel()
	rack := newRack(t, simulator.Options{Devices: 2, ServiceTime: 200 * time.Millisecond, Seed: 6})
	p, c := serve(t, t.TempDir())
	s := openShop(t, c, rack)
	random, _ := seeded(t)
	for i := range 80 {
		ask(t, c, http.MethodPost, s.path(), sampleReceipt(random, fmt.Sprint("order-", i), fiscal.TaxUSNIncome, 1), nil)
	}
	slow, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	require.NoError(t, err)
	defer func() { _ = slow.Close() }()
	_, err = slow.Write([]byte("POST /fcircuit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{"))
	require.NoError(t, err)
	p.signal(syscall.SIGTERM)
	require.Equal(t, 0, p.wait())
	assert.NotContains(t, p.output(), "not everything had finished")
	made := len(receiptsIn(t, rack))
	assert.Less(t, made, 40, "two registers of 0.2 s would have made more in the time a slow client is given")
}

// TestLostAnswer loses the answer to the command that makes the document, in each way, and finds the receipt all the same.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, kind := range []simulator.FaultKind{simulator.ResetAfter, simulator.CutReply, simulator.CorruptCRC, simulator.Rubbish, simulator.RefuseAfter, simulator.RebootAfter} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rack := newRack(t, simulator.Options{Devices: 2, ServiceTime: 10 * time.Millisecond, Seed: 9, Restart: 200 * time.Millisecond})
			_, c := serve(t, t.TempDir())
			s := openShop(t, c, rack)
			fault := simulator.Fault{Kind: kind, Command: 0x24, Count: 1}
			if kind == simulator.RefuseAfter {
				fault.Code = 0x39
			}
			for _, d := range rack.Devices() {
				require.NoError(t, rack.Inject(d.N, fault))
			}
			random, _ := seeded(t)
			var made []job
			for i := range 4 {
				var j job
				ask(t, c, http.MethodPost, s.path(), sampleReceipt(random, fmt.Sprint("order-", i), fiscal.TaxUSNIncome, 2), &j)
				made = append(made, untilRest(t, c, j.ID))
			}
			oneEach(t, rack, made)
		})
	}
}

// TestDeadDeviceDelaysNobody has one register that never answers and one that answers rubbish; the third makes everything.
func TestDeadDeviceDelaysNobody(t *testing.T) {
	t.Parallel()
	rack := newRack(t, simulator.Options{Devices: 3, ServiceTime: 10 * time.Millisecond, Seed: 11})
	_, c := serve(t, t.TempDir())
	s := openShop(t, c, rack)
	require.NoError(t, rack.Inject(1, simulator.Fault{Kind: simulator.Rubbish}))
	require.NoError(t, rack.Inject(2, simulator.Fault{Kind: simulator.ResetBefore}))
	random, _ := seeded(t)
	var posted, made []job
	for i := range 20 {
		var j job
		ask(t, c, http.MethodPost, s.path(), sampleReceipt(random, fmt.Sprint("order-", i), fiscal.TaxUSNIncome, 1), &j)
		posted = append(posted, j)
	}
	for _, j := range posted {
		made = append(made, untilRest(t, c, j.ID))
	}
	oneEach(t, rack, made)
	var frs []struct {
		Ready   bool
		Reasons []fiscal.Gate
	}
	ask(t, c, http.MethodGet, "/frs", nil, &frs)
	require.Len(t, frs, 3)
	ready := 0
	for _, fr := range frs {
		if fr.Ready {
			ready++
		} else {
			assert.NotEmpty(t, fr.Reasons)
		}
	}
	assert.Equal(t, 1, ready)
}

// TestUnreachableDevice is what an operator meets first: a wrong address, a register of another taxpayer, one added twice.
func TestUnreachableDevice(t *testing.T) {
	t.Parallel()
	other := newRack(t, simulator.Options{Devices: 1, INN: "5190114620", Seed: 13})
	_, c := serve(t, t.TempDir())
	ask(t, c, http.MethodPost, "/fcircuit", map[string]string{"inn": "7704849611", "title": "ООО"}, nil)
	add := func(eip string) {
		ask(t, c, http.MethodPost, "/fcircuit/1/fr", map[string]string{"type": "terminalfa", "eip": eip}, nil)
	}
	add("127.0.0.1:1")
	assert.Equal(t, http.StatusBadGateway, refused(t, c, http.MethodPatch, "/frs/127.0.0.1:1/activate", nil).Status)
	assert.Equal(t, "device_inactive", refused(t, c, http.MethodGet, "/frs/127.0.0.1:1", nil).Code)

	foreign := other.Devices()[0].Address
	add(foreign)
	e := refused(t, c, http.MethodPatch, "/frs/"+foreign+"/activate", nil)
	assert.Equal(t, http.StatusConflict, e.Status)
	assert.Contains(t, e.Message, "wrong_inn")
	assert.Equal(t, "device_in_circuit", refused(t, c, http.MethodPost, "/fcircuit/1/fr", map[string]string{"type": "terminalfa", "eip": foreign}).Code)
	e = refused(t, c, http.MethodPost, "/fcircuit/1/fr", map[string]string{"type": "nonsense", "eip": "127.0.0.1:2"})
	assert.Equal(t, http.StatusBadRequest, e.Status)
	assert.Contains(t, e.Message, "terminalfa")

	// Force switches it on to be watched; the gate stays closed, and a receipt waits instead of going to a stranger.
	ask(t, c, http.MethodPatch, "/frs/"+foreign+"/activate?force=1", nil, nil)
	var integration struct{ ID fiscal.IntegrationID }
	ask(t, c, http.MethodPost, "/fcircuit/1/int", map[string]string{"type": "native", "param1": "shop", "param2": "shop-secret"}, &integration)
	ask(t, c, http.MethodPatch, fmt.Sprintf("/int/%d/activate", integration.ID), nil, nil)
	random, _ := seeded(t)
	var j job
	ask(t, c, http.MethodPost, fmt.Sprintf("/int/%d/receipts", integration.ID), sampleReceipt(random, "order-1", fiscal.TaxUSNIncome, 1), &j)
	ask(t, c, http.MethodGet, "/receipts/"+string(j.ID)+"?wait=1s", nil, &j)
	assert.Equal(t, fiscal.JobQueued, j.Status)
	assert.Empty(t, receiptsIn(t, other))
	ask(t, c, http.MethodDelete, "/receipts/"+string(j.ID), nil, nil)
	ask(t, c, http.MethodGet, "/receipts/"+string(j.ID), nil, &j)
	assert.Equal(t, fiscal.JobCanceled, j.Status)
	assert.Equal(t, "receipt_not_queued", refused(t, c, http.MethodDelete, "/receipts/"+string(j.ID), nil).Code)
}
