package pool_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/driver/link"
	"frpoold/fiscal"
	"frpoold/pool"
)

const (
	eip     = fiscal.DeviceID("10.0.0.1:7778")
	circuit = fiscal.CircuitID(1)
	poll    = 5 * time.Second
)

// policy has the thresholds of the default configuration.
var policy = pool.Policy{
	TemperatureWarn: 60, TemperatureStop: 70, TemperatureResume: 65,
	SkewWarn: time.Minute, SkewStop: 5 * time.Minute, OFDOverdue: 25 * 24 * time.Hour,
	FNDocuments: fiscal.FNCapacity - 1000, FNExpiresStop: 24 * time.Hour,
}

// rack is a pool over fake registers, inside a synctest bubble.
type rack struct {
	*pool.Pool
	t       *testing.T
	metrics *prometheus.Registry

	mu      sync.Mutex
	boxes   map[fiscal.DeviceID]*register
	events  []fiscal.Event
	changed int
	logs    bytes.Buffer
}

func (r *rack) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.logs.Write(b)
}

func newRack(t *testing.T, change ...func(*pool.Options)) *rack {
	t.Helper()
	r := &rack{t: t, boxes: map[fiscal.DeviceID]*register{}, metrics: prometheus.NewPedanticRegistry()}
	o := pool.Options{
		Open: connect,
		Dial: func(_ string, id fiscal.DeviceID) (link.Dialer, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if box, ok := r.boxes[id]; ok {
				return line{box}, nil
			}
			return nil, errors.New("this kind of line is not driven")
		},
		Policy:       policy,
		Printing:     func(typ string) bool { return typ == "printing" },
		PollInterval: poll, BackoffMin: 500 * time.Millisecond, BackoffMax: 30 * time.Second, DoubtRetry: 2 * time.Second,
		Exchanges: 20, FailedExchanges: 20, MaxShiftAge: 23*time.Hour + 30*time.Minute,
		Cashier: fiscal.Cashier{Name: "Ivanova", INN: "500100732259"},
		Changed: func(fiscal.DeviceID, fiscal.CircuitID) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.changed++
		},
		Publish: func(e fiscal.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
		},
		Now:  time.Now,
		Rand: rand.New(rand.NewPCG(1, 2)),
		Log:  slog.New(slog.NewTextHandler(r, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	r.Pool = pool.New(o, r.metrics)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		assert.NoError(t, r.Close(ctx))
		for id, box := range r.boxes {
			assert.Empty(t, box.overlaps, "%s: two calls at once on one line", id)
			assert.Zero(t, box.lines, "%s: a line was left open", id)
		}
	})
	return r
}

// bubble runs a test in a synctest bubble, beside other tests.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// enrolment is how a box is enrolled when nothing else is asked for.
func enrolment(box *register) pool.Enrolment {
	id := box.id
	return pool.Enrolment{ID: eip, Type: "fake", Circuit: circuit, INN: ourINN, Zone: moscow, Expect: &id, Active: true}
}

// add enrols a box and waits until it was contacted.
func (r *rack) add(box *register, change ...func(*pool.Enrolment)) {
	r.t.Helper()
	e := enrolment(box)
	for _, c := range change {
		c(&e)
	}
	r.mu.Lock()
	r.boxes[e.ID] = box
	r.mu.Unlock()
	require.NoError(r.t, r.Enrol(e))
	synctest.Wait()
}

// one is a rack with one box that has been contacted.
func one(t *testing.T, box *register, change ...func(*pool.Options)) *rack {
	t.Helper()
	r := newRack(t, change...)
	r.add(box)
	return r
}

func (r *rack) view() *fiscal.DeviceView {
	r.t.Helper()
	v, ok := r.View(eip)
	require.True(r.t, ok)
	return v
}

// gates are the codes of the closed gates.
func (r *rack) gates() (codes []fiscal.GateCode) {
	r.t.Helper()
	for _, g := range r.view().Gates {
		codes = append(codes, g.Code)
	}
	return codes
}

// told are the gate events of a kind of gate, "closed" or "opened" each.
func (r *rack) told(code fiscal.GateCode) (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Gate != nil && e.Gate.Code == code {
			list = append(list, strings.TrimPrefix(string(e.Type), "gate_"))
		}
	}
	return list
}

// logged counts the log lines that have all the parts.
func (r *rack) logged(parts ...string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for l := range strings.Lines(r.logs.String()) {
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(l, p) }) {
			n++
		}
	}
	return n
}

func (r *rack) changes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// sale is a receipt of one position.
func sale(kopecks fiscal.Money) fiscal.Receipt {
	return fiscal.Receipt{
		Operation: fiscal.Sell, TaxSystem: fiscal.TaxUSNIncome, Customer: fiscal.Customer{Contact: "buyer@example.com"},
		Items: []fiscal.Item{{Name: "coffee", Price: kopecks, Quantity: fiscal.OnePiece, Sum: kopecks, VAT: fiscal.VATNone,
			Method: fiscal.FullPayment, Subject: fiscal.SubjectCommodity}},
		Payments: fiscal.Payments{Electronic: kopecks},
	}
}

// begun is a Begin that always succeeds.
func begun(fiscal.Baseline) error { return nil }

// make makes a receipt of 150.00 and waits for its outcome.
func (r *rack) make(job fiscal.JobID) pool.Outcome {
	return r.Register(context.Background(), eip, pool.Receipt{Job: job, Receipt: sale(15000), Begin: begun})
}

// made asserts that a receipt can be made.
func (r *rack) made(job fiscal.JobID) fiscal.Document {
	r.t.Helper()
	out := r.make(job)
	require.NoError(r.t, out.Err)
	require.NotNil(r.t, out.Document)
	return *out.Document
}

// later runs f beside the test; the channel closes when it has returned.
func later(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	return done
}

// over reports that a channel is closed.
func over(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
