package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frpoold/fiscal"
	"frpoold/pool"
)

// Fleet is the pool as the dispatcher needs it.
type Fleet interface {
	Views(c fiscal.CircuitID) []*fiscal.DeviceView // immutable snapshots, no locks held after return
	Register(ctx context.Context, id fiscal.DeviceID, r pool.Receipt) pool.Outcome
	Look(ctx context.Context, id fiscal.DeviceID, b fiscal.Baseline, match func(fiscal.Document) bool) (pool.Findings, error)
	Hold(id fiscal.DeviceID, job fiscal.JobID)
	Release(id fiscal.DeviceID)
}

// Journal is where jobs are durable.
type Journal interface {
	// Accept stores a new job with its receipt, or finds the one that has its external id.
	Accept(ctx context.Context, j fiscal.Job, r fiscal.Receipt) (stored fiscal.Job, created bool, err error)
	// Advance stores the job if the stored state is from. It takes its place in the order of writes at once and answers
	// when the write is durable.
	Advance(from fiscal.JobState, j fiscal.Job) <-chan error
	Job(id fiscal.JobID) (fiscal.Job, error)
	// Known finds the job that an integration gave an external id.
	Known(i fiscal.IntegrationID, externalID string) (job fiscal.Job, found bool, err error)
	Receipt(id fiscal.JobID) (fiscal.Receipt, error)
	Unfinished() ([]fiscal.Job, error)
}

// Roster tells what the registers of a circuit are registered for, active or not.
type Roster interface {
	// Registered are the identities that were read at activation; unknown counts the devices never activated.
	Registered(c fiscal.CircuitID) (known []fiscal.Identity, unknown int, err error)
	// Zone is the zone of a circuit's registers.
	Zone(c fiscal.CircuitID) *time.Location
}

// Options are the dispatcher's surroundings, fixed for its life.
type Options struct {
	PerCircuit, Total int           // queue limits
	Deadline          time.Duration // of jobs that name none
	DoubtRetry        time.Duration // longest wait between two tries to settle
	Audit             func(fiscal.AuditEntry) error
	Publish           func(fiscal.Event) // must not block
	Now               func() time.Time
	Rand              *rand.Rand
	Log               *slog.Logger
}

// Dispatcher is the loop and its doors.
type Dispatcher struct {
	opts    Options
	fleet   Fleet
	journal Journal
	roster  Roster
	metrics *metrics

	calls  chan func()     // any goroutine sends, the loop runs them
	ctx    context.Context // of looks and retries; ends with Stop
	cancel context.CancelFunc
	loop   chan struct{} // closed when the loop has ended
	once   sync.Once
	begun  bool           // Start has started the loop
	tasks  sync.WaitGroup // goroutines that talk to devices or wait for writes

	idMu sync.Mutex
	ids  idSource

	// All below belongs to the loop.
	closed  bool // no new job, no new assignment
	jobs    map[fiscal.JobID]*entry
	queues  map[fiscal.CircuitID]*queue
	at      map[fiscal.DeviceID]*entry          // devices with a job in work
	ends    map[fiscal.DeviceID]<-chan struct{} // closed when the end of the device's last job is durable
	pending map[fiscal.CircuitID]int            // places reserved by Submit
	total   int                                 // waiting or reserved, all circuits
	idle    chan struct{}                       // closed when stopping and nothing is in work
}

// New makes a dispatcher and registers its metrics with reg. Nothing happens before Start.
func New(f Fleet, j Journal, r Roster, o Options, reg prometheus.Registerer) *Dispatcher {
	ctx, cancel := context.WithCancel(context.Background())
	d := &Dispatcher{
		opts: o, fleet: f, journal: j, roster: r,
		calls: make(chan func(), 256), ctx: ctx, cancel: cancel, loop: make(chan struct{}),
		ids:     idSource{rand: o.Rand},
		jobs:    map[fiscal.JobID]*entry{},
		queues:  map[fiscal.CircuitID]*queue{},
		at:      map[fiscal.DeviceID]*entry{},
		ends:    map[fiscal.DeviceID]<-chan struct{}{},
		pending: map[fiscal.CircuitID]int{},
	}
	d.metrics = newMetrics(reg, d)
	return d
}

// Start recovers what the last life left and begins to work. Jobs that were being sent are in doubt now; their devices are
// held before any worker could take another receipt, so Start comes before devices are enrolled.
func (d *Dispatcher) Start(ctx context.Context) error {
	left, err := d.journal.Unfinished()
	if err != nil {
		return fmt.Errorf("reading unfinished jobs: %w", err)
	}
	for _, job := range left {
		if err := d.recover(ctx, job); err != nil {
			return fmt.Errorf("recovering job %s: %w", job.ID, err)
		}
	}
	if n := len(left); n > 0 {
		d.opts.Log.Info("recovered unfinished jobs", "jobs", n)
	}
	d.begun = true
	go d.run()
	for _, e := range d.recovered() {
		d.settleLater(e)
	}
	return nil
}

// recover puts one job of the last life back where the rules say.
func (d *Dispatcher) recover(ctx context.Context, job fiscal.Job) error {
	stored := job.State
	if job.State == fiscal.JobSending {
		job.State, stored = fiscal.JobInDoubt, fiscal.JobInDoubt
		job.UpdatedAt = d.opts.Now()
		if a := job.Last(); a != nil {
			a.Result = "the daemon stopped while the receipt was being sent"
			a.EndedAt = job.UpdatedAt
			a.Kind, a.Effect = fiscal.Internal, fiscal.Unknown
		}
		select {
		case err := <-d.journal.Advance(fiscal.JobSending, job):
			if err != nil {
				// A full disk must not keep the daemon from holding and settling. The record says "sending" all the
				// same, which the next life reads as doubt again.
				d.opts.Log.Error("a recovered job could not be stored as in doubt", "job", string(job.ID), "error", err)
				stored = fiscal.JobSending
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	e := &entry{job: job, stored: stored}
	d.jobs[job.ID] = e
	switch job.State {
	case fiscal.JobQueued:
		d.queue(job.Circuit).add(e, false)
		d.total++
	case fiscal.JobInDoubt, fiscal.JobOperator:
		d.fleet.Hold(job.Last().Device, job.ID)
	default:
		return fmt.Errorf("stored unfinished in state %s", job.State)
	}
	return nil
}

// recovered are the jobs in doubt. Only Start calls it, before anybody else can.
func (d *Dispatcher) recovered() []*entry {
	var out []*entry
	_ = d.call(func() {
		for _, e := range d.jobs {
			if e.job.State == fiscal.JobInDoubt {
				out = append(out, e)
			}
		}
	})
	return out
}

// UnsettledDevices are the devices whose jobs are in doubt or wait for a person, for enrolling those that are not active: the
// one has to be asked, and about the other a person's word is checked.
func (d *Dispatcher) UnsettledDevices() []fiscal.DeviceID {
	var out []fiscal.DeviceID
	_ = d.call(func() {
		for _, e := range d.jobs {
			if e.job.State == fiscal.JobInDoubt || e.job.State == fiscal.JobOperator {
				out = append(out, e.job.Last().Device)
			}
		}
	})
	return out
}

// run is the loop.
func (d *Dispatcher) run() {
	defer close(d.loop)
	expiry := time.NewTimer(expiryInterval)
	defer expiry.Stop()
	for {
		select {
		case f := <-d.calls:
			f()
		case <-expiry.C:
			d.expire()
			expiry.Reset(expiryInterval)
		case <-d.ctx.Done():
			return
		}
	}
}

// expiryInterval is how late an expiry may be noticed.
const expiryInterval = time.Second

// errStopped answers calls to a dispatcher that has ended.
var errStopped = &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "shutting_down", Message: "the daemon is shutting down: send the receipt again in a moment", RetryAfter: 5}

// call runs f in the loop and waits for it.
func (d *Dispatcher) call(f func()) error {
	done := make(chan struct{})
	select {
	case d.calls <- func() { defer close(done); f() }:
	case <-d.loop:
		return errStopped
	}
	select {
	case <-done:
		return nil
	case <-d.loop:
		select {
		case <-done:
			return nil
		default:
			return errStopped
		}
	}
}

// post runs f in the loop without waiting. After the loop has ended, nothing is left that f could matter to: what is not
// durable is recovered at the next start.
func (d *Dispatcher) post(f func()) {
	select {
	case d.calls <- f:
	case <-d.loop:
	}
}

// Alive answers when the loop does: the watchdog is fed by it.
func (d *Dispatcher) Alive(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case d.calls <- func() { close(done) }:
	case <-d.loop:
		return errStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-done:
		return nil
	case <-d.loop:
		return errStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stop takes no new job, assigns none, and waits until no receipt is in work or ctx is done; then the loop ends. What is
// still open then is in the journal as it is and is recovered at the next start.
func (d *Dispatcher) Stop(ctx context.Context) error {
	var err error
	d.once.Do(func() {
		if !d.begun {
			close(d.loop)
			return
		}
		idle := make(chan struct{})
		if callErr := d.call(func() {
			d.closed, d.idle = true, idle
			d.checkIdle()
		}); callErr == nil {
			select {
			case <-idle:
			case <-ctx.Done():
				err = fmt.Errorf("receipts are still in work: %w", context.Cause(ctx))
			}
		}
		d.cancel()
		<-d.loop
		done := make(chan struct{})
		go func() { d.tasks.Wait(); close(done) }()
		select {
		case <-done:
		case <-ctx.Done():
			err = errors.Join(err, context.Cause(ctx))
		}
	})
	return err
}

// checkIdle tells Stop when nothing is in work any more.
func (d *Dispatcher) checkIdle() {
	if d.idle == nil || len(d.at) > 0 {
		return
	}
	for _, e := range d.jobs {
		if e.busy {
			return
		}
	}
	close(d.idle)
	d.idle = nil
}

// Wake tells that a device of a circuit may have become ready. It does not block.
func (d *Dispatcher) Wake(_ fiscal.DeviceID, c fiscal.CircuitID) {
	select {
	case d.calls <- func() { d.assign(c) }:
	default:
		// The loop is behind; another goroutine waits in its place, so that no wake is lost.
		go d.post(func() { d.assign(c) })
	}
}

func (d *Dispatcher) queue(c fiscal.CircuitID) *queue {
	q, ok := d.queues[c]
	if !ok {
		q = newQueue()
		d.queues[c] = q
	}
	return q
}

// expire ends the waiting jobs whose deadline has passed.
func (d *Dispatcher) expire() {
	now := d.opts.Now()
	var late []*entry
	for _, q := range d.queues {
		q.each(func(e *entry) {
			if now.After(e.job.Deadline) {
				late = append(late, e)
			}
		})
	}
	for _, e := range late {
		d.dequeue(e)
		job := e.job
		job.State, job.UpdatedAt = fiscal.JobExpired, now
		job.Failure = &fiscal.Failure{Code: "deadline_passed", Message: "no device could make the receipt before its deadline; none was made: " + d.whyWaiting(&e.job)}
		d.persist(e, job)
	}
}
