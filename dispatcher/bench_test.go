package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

var zone = time.FixedZone("MSK", 3*3600)

// bench is a dispatcher over fakes, inside a synctest bubble.
type bench struct {
	*Dispatcher
	*diary
	t       *testing.T
	fleet   *fleet
	journal *memory
	roster  *book
	metrics *prometheus.Registry

	mu      sync.Mutex
	audited []fiscal.AuditEntry
	auditor error
	events  []fiscal.Event
	orders  int
}

// book is the roster of the circuits.
type book struct {
	known   []fiscal.Identity
	unknown int
	err     error
}

func (r *book) Registered(fiscal.CircuitID) ([]fiscal.Identity, int, error) {
	return r.known, r.unknown, r.err
}
func (r *book) Zone(fiscal.CircuitID) *time.Location { return zone }

// bubble runs a test in a synctest bubble, beside other tests.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// stopped is a bench whose dispatcher is not started yet.
func stopped(t *testing.T, boxes ...*box) *bench {
	t.Helper()
	d := &diary{}
	return over(t, newFleet(d, boxes...), newMemory(d))
}

// over is a bench over a fleet and a journal that may have had a life before.
func over(t *testing.T, f *fleet, j *memory, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{diary: j.diary, t: t, fleet: f, journal: j, roster: &book{unknown: 1}, metrics: prometheus.NewPedanticRegistry()}
	o := Options{
		PerCircuit: 10_000, Total: 100_000, Deadline: 24 * time.Hour, DoubtRetry: 2 * time.Second,
		Audit: func(e fiscal.AuditEntry) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.auditor == nil {
				b.audited = append(b.audited, e)
			}
			return b.auditor
		},
		Publish: func(e fiscal.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, e)
		},
		Now:  time.Now,
		Rand: rand.New(rand.NewPCG(1, 2)),
		Log:  slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	b.Dispatcher = New(f, j, b.roster, o, b.metrics)
	f.changed = b.Wake
	t.Cleanup(func() {
		j.failing(nil)
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		assert.NoError(t, b.Stop(ctx))
		assert.Empty(t, f.wrong)
	})
	return b
}

// started is a bench at work.
func started(t *testing.T, boxes ...*box) *bench {
	t.Helper()
	b := stopped(t, boxes...)
	require.NoError(t, b.Start(t.Context()))
	return b
}

// limited is a bench at work with other options.
func limited(t *testing.T, change func(*Options), boxes ...*box) *bench {
	t.Helper()
	d := &diary{}
	b := over(t, newFleet(d, boxes...), newMemory(d), change)
	require.NoError(t, b.Start(t.Context()))
	return b
}

func sale(kopecks fiscal.Money) fiscal.Receipt {
	return fiscal.Receipt{
		Operation: fiscal.Sell, TaxSystem: fiscal.TaxUSNIncome, Customer: fiscal.Customer{Contact: "buyer@example.com"},
		Items: []fiscal.Item{{Name: "coffee", Price: kopecks, Quantity: fiscal.OnePiece, Sum: kopecks, VAT: fiscal.VATNone,
			Method: fiscal.FullPayment, Subject: fiscal.SubjectCommodity}},
		Payments: fiscal.Payments{Electronic: kopecks},
	}
}

// order is a submission of 150.00 under an external id.
func order(externalID string) Submission {
	return Submission{Circuit: 1, Integration: 1, ExternalID: externalID, Digest: "150.00", Receipt: sale(15000)}
}

// submit puts a receipt in and expects it to be accepted.
func (b *bench) submit(change ...func(*Submission)) fiscal.JobID {
	b.t.Helper()
	b.mu.Lock()
	b.orders++
	s := order(fmt.Sprintf("order-%d", b.orders))
	b.mu.Unlock()
	for _, c := range change {
		c(&s)
	}
	job, created, err := b.Submit(b.t.Context(), s)
	require.NoError(b.t, err)
	require.True(b.t, created)
	require.Equal(b.t, fiscal.JobQueued, job.State)
	return job.ID
}

// job is a job as clients see it.
func (b *bench) job(id fiscal.JobID) fiscal.Job {
	b.t.Helper()
	job, err := b.Job(id)
	require.NoError(b.t, err)
	return job
}

// is asserts the state of a job once everything that can happen without time passing has happened.
func (b *bench) is(id fiscal.JobID, want fiscal.JobState) fiscal.Job {
	b.t.Helper()
	synctest.Wait()
	job := b.job(id)
	require.Equal(b.t, want.String(), job.State.String())
	return job
}

// ends waits for a job to come to rest and asserts how.
func (b *bench) ends(id fiscal.JobID, want fiscal.JobState) fiscal.Job {
	b.t.Helper()
	job, err := b.Wait(b.t.Context(), id, time.Hour)
	require.NoError(b.t, err)
	require.Equal(b.t, want.String(), job.State.String(), "%+v", job.Failure)
	stored, err := b.journal.Job(id)
	require.NoError(b.t, err)
	require.Equal(b.t, want.String(), stored.State.String(), "what is told is on disk")
	return job
}

// disk is the state the journal has for a job.
func (b *bench) disk(id fiscal.JobID) fiscal.JobState {
	b.t.Helper()
	job, err := b.journal.Job(id)
	require.NoError(b.t, err)
	return job.State
}

// doubtful is a bench with a receipt in operator's hands: it was sent, and nobody can say what became of it.
func doubtful(t *testing.T) (*bench, fiscal.JobID) {
	t.Helper()
	a := newBox("a")
	b := started(t, a)
	a.script = []turn{{lost: true, err: errSilent}}
	a.lost[2] = true
	id := b.submit()
	b.ends(id, fiscal.JobOperator)
	return b, id
}

func problem(t *testing.T, err error) *fiscal.UserError {
	t.Helper()
	var u *fiscal.UserError
	require.ErrorAs(t, err, &u)
	require.NotEmpty(t, u.Message)
	return u
}

// stop ends a dispatcher in the middle of its work.
func stop(t *testing.T, b *bench) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, b.Stop(ctx))
}
