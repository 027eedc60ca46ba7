package dispatcher

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"frpoold/driver/link"
	"frpoold/fiscal"
	"frpoold/pool"
)

// deed is one thing that is done to the rack in a model run.
type deed struct {
	What  string
	On    int           // a device, or an order, by number
	Sum   fiscal.Money  // of an order or a stranger's receipt
	Marks int           // an order's own marks: none, the check text, both
	Takes time.Duration // before the next deed, or how long a trouble lasts
}

func (d deed) String() string {
	return fmt.Sprintf("{%s on %d, %s, marks %d, %s}", d.What, d.On, d.Sum, d.Marks, d.Takes)
}

var deeds = []string{"order", "order", "order", "order", "refund", "hurried", "cancel", "kill", "restart", "off", "stranger", "fade", "full", "hiccup", "hiccup", "pause", "swap"}

func drawDeed(t *rapid.T) deed {
	return deed{
		What:  rapid.SampledFrom(deeds).Draw(t, "what"),
		On:    rapid.IntRange(0, 7).Draw(t, "on"),
		Sum:   fiscal.Money(rapid.IntRange(1, 2).Draw(t, "sum")), // few sums, so that strangers look like ours
		Marks: rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "marks"),
		Takes: time.Duration(rapid.SampledFrom([]int{0, 50, 200, 300, 400, 1000, 5000, 40000}).Draw(t, "ms")) * time.Millisecond,
	}
}

// world is everything outside the daemon, and the daemon's present life.
type world struct {
	boxes []*model
	rand  uint64

	mu       sync.Mutex
	journal  *memory
	orders   map[string]fiscal.JobID // accepted, by the order's mark
	refused  map[string]bool         // turned away
	problems []string

	dispatcher *Dispatcher
	pool       *pool.Pool
	dead       *atomic.Bool
	ends       sync.WaitGroup // of lives that were killed
}

func (w *world) wrong(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// aboutToMake is called by a register when a receipt reaches it. By then nothing else may be unsettled on that register.
func (w *world) aboutToMake(id fiscal.DeviceID, order string) {
	w.mu.Lock()
	journal := w.journal
	w.mu.Unlock()
	for _, job := range journal.all() {
		unsettled := job.State == fiscal.JobSending || job.State == fiscal.JobInDoubt || job.State == fiscal.JobOperator
		if mine := job.ExternalID == order; unsettled && job.Last().Device == id && !mine {
			w.wrong("%s was sent to %s while %s on it is %s", order, id, job.ExternalID, job.State)
		} else if mine && !unsettled {
			w.wrong("%s was sent to %s while it is stored as %s", order, id, job.State)
		}
	}
	for _, b := range w.boxes {
		if len(b.of(order)) > 0 {
			w.wrong("%s was sent again although %s has its document", order, b.id)
		}
	}
}

// begin starts a life of the daemon over a journal.
func (w *world) begin(j *memory) {
	dead := &atomic.Bool{}
	quiet := slog.New(slog.DiscardHandler)
	var d *Dispatcher
	p := pool.New(pool.Options{
		Open: visiting(dead),
		Dial: func(_ string, id fiscal.DeviceID) (link.Dialer, error) {
			for _, b := range w.boxes {
				if b.id == id {
					return wire{b}, nil
				}
			}
			return nil, errNoLine
		},
		Policy: pool.Policy{TemperatureStop: 70, TemperatureResume: 60, SkewStop: 5 * time.Minute, OFDOverdue: 24 * time.Hour,
			FNDocuments: fiscal.FNCapacity, FNExpiresStop: 24 * time.Hour},
		Printing:     func(string) bool { return false },
		PollInterval: 5 * time.Second, BackoffMin: 500 * time.Millisecond, BackoffMax: 30 * time.Second, DoubtRetry: 2 * time.Second,
		Exchanges: 10, FailedExchanges: 10, MaxShiftAge: 23*time.Hour + 30*time.Minute,
		Changed: func(id fiscal.DeviceID, c fiscal.CircuitID) { d.Wake(id, c) },
		Publish: func(fiscal.Event) {}, Now: time.Now, Rand: rand.New(rand.NewPCG(w.rand, 1)), Log: quiet,
	}, prometheus.NewRegistry())
	d = New(p, j, &book{unknown: 1}, Options{
		PerCircuit: 1000, Total: 1000, Deadline: 240 * time.Hour, DoubtRetry: 2 * time.Second,
		Audit: func(fiscal.AuditEntry) error { return nil }, Publish: func(fiscal.Event) {},
		Now: time.Now, Rand: rand.New(rand.NewPCG(w.rand, 2)), Log: quiet,
	}, prometheus.NewRegistry())
	w.mu.Lock()
	w.journal, w.dispatcher, w.pool, w.dead = j, d, p, dead
	w.rand++
	w.mu.Unlock()
	if err := d.Start(context.Background()); err != nil {
		w.wrong("start: %v", err)
		return
	}
	for _, b := range w.boxes {
		w.enrol(b)
	}
}

func (w *world) enrol(b *model) {
	who := b.who
	if err := w.pool.Enrol(pool.Enrolment{ID: b.id, Circuit: 1, INN: b.who.INN, Zone: zone, Expect: &who, Active: true}); err != nil && !strings.Contains(err.Error(), "draining") {
		w.wrong("enrol: %v", err)
	}
}

// finish ends a life: in good order within a grace, or as SIGKILL does.
func (w *world) finish(grace time.Duration) {
	d, p, j := w.dispatcher, w.pool, w.journal
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	if grace > 0 {
		_ = d.Stop(ctx)
		_ = p.Close(ctx)
	}
	w.dead.Store(true)
	j.dead.Store(true)
	w.ends.Go(func() { // what is left of it hears nothing and says nothing any more
		defer cancel()
		_ = d.Stop(ctx)
		_ = p.Close(context.Background())
	})
}

func (w *world) do(n int, x deed) {
	box := w.boxes[x.On%len(w.boxes)]
	switch x.What {
	case "order", "refund", "hurried":
		w.order(n, x)
	case "cancel":
		w.mu.Lock()
		id, ok := w.orders[fmt.Sprint("order-", x.On)]
		w.mu.Unlock()
		if ok {
			d := w.dispatcher
			w.ends.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_, _ = d.Cancel(ctx, id)
			})
		}
	case "kill":
		w.finish(0)
		w.begin(w.journal.copy(&diary{}))
	case "restart":
		w.finish(20 * time.Second)
		w.begin(w.journal.copy(&diary{}))
	case "off":
		box.set(func() { box.off = true })
		time.AfterFunc(3*x.Takes, func() { box.set(func() { box.off = false }) })
	case "stranger":
		box.set(func() {
			box.add(fiscal.Document{Kind: fiscal.KindReceipt, Operation: fiscal.Sell, Total: x.Sum}, "stranger")
		})
	case "fade": // the FN forgets the content of what it has
		box.set(func() {
			for _, d := range box.docs {
				box.gone[d.Number] = true
			}
		})
	case "full":
		j := w.journal
		j.full(true)
		time.AfterFunc(x.Takes, func() { j.full(false) })
	case "hiccup": // one write is refused, or is on disk although it was refused
		w.journal.failOnce([]string{"sending", "made", "queued", "in_doubt", "refused"}[x.On%5], x.Sum == 1)
	case "swap":
		p := w.pool
		w.ends.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			_ = p.Withdraw(ctx, box.id)
		})
		time.Sleep(x.Takes)
		w.enrol(box)
	case "pause":
	}
	time.Sleep(x.Takes)
}

func (m *model) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

func (w *world) order(n int, x deed) {
	mark := fmt.Sprint("order-", n)
	r := sale(x.Sum)
	r.Customer.Contact = mark // tells the model whose document it is; the program under test does not look at it
	if x.What == "refund" {
		r.Operation = fiscal.SellRefund
	}
	if x.Marks > 0 {
		r.CheckProps = "of the shop"
	}
	if x.Marks > 1 {
		r.UserProps = &fiscal.UserProps{Name: "shop", Value: "north"}
	}
	s := Submission{Circuit: 1, Integration: fiscal.IntegrationID(x.On % 3), ExternalID: mark, Digest: mark, Receipt: r}
	if x.What == "hurried" {
		s.Deadline = time.Now().Add(2 * time.Second)
	}
	job, created, err := w.dispatcher.Submit(context.Background(), s)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		w.refused[mark] = true
	case !created:
		w.problems = append(w.problems, mark+" was there before")
	default:
		w.orders[mark] = job.ID
	}
}

// settle lets everything come to its end, with an operator who says the truth where the program asks for it.
func (w *world) settle() {
	w.journal.full(false)
	for _, b := range w.boxes {
		b.set(func() { b.off = false })
		w.enrol(b)
	}
	for range 300 {
		time.Sleep(30 * time.Second)
		for _, b := range w.boxes {
			w.enrol(b)
		}
		left, _ := w.journal.Unfinished()
		if len(left) == 0 {
			return
		}
		for _, job := range left {
			if job.State != fiscal.JobOperator {
				continue
			}
			word := Resolution{}
			for _, b := range w.boxes {
				for _, d := range b.of(job.ExternalID) {
					word = Resolution{Made: true, FD: d.Number}
				}
			}
			if _, err := w.dispatcher.Resolve(context.Background(), "anna", job.ID, word); err != nil {
				w.wrong("%s: the truth (%s) was not taken: %v", job.ExternalID, word, err)
			}
		}
	}
	left, _ := w.journal.Unfinished()
	for _, job := range left {
		w.wrong("%s never comes to an end: %s", job.ExternalID, encode(job))
	}
}

// judge compares the books with the archives.
func (w *world) judge() {
	made := 0
	stored := map[string]fiscal.Job{}
	for _, job := range w.journal.all() {
		stored[job.ExternalID] = job
		var docs []fiscal.Document
		for _, b := range w.boxes {
			docs = append(docs, b.of(job.ExternalID)...)
		}
		if job.State != fiscal.JobMade {
			if len(docs) != 0 {
				w.wrong("%s is %s and has %d documents", job.ExternalID, job.State, len(docs))
			}
			continue
		}
		made++
		if len(docs) != 1 {
			w.wrong("%s is made and has %d documents", job.ExternalID, len(docs))
			continue
		}
		if f := job.Fiscal; f == nil || f.FD != docs[0].Number || f.FN != docs[0].FN || f.Total != docs[0].Total || f.FP != docs[0].Sign.String() && f.FP != "" {
			w.wrong("%s has the data %+v of another document than %+v", job.ExternalID, f, docs[0])
		}
	}
	for mark, id := range w.orders {
		if job, ok := stored[mark]; !ok || job.ID != id {
			w.wrong("%s was accepted and is lost", mark)
		}
	}
	for mark := range w.refused {
		if _, ok := stored[mark]; ok {
			w.wrong("%s was turned away and is stored", mark)
		}
	}
	total, shifts, strange := 0, 0, 0
	for _, b := range w.boxes {
		total += len(b.docs)
		shifts += len(b.of("shift"))
		strange += len(b.of("stranger"))
	}
	if total != made+shifts+strange {
		w.wrong("%d documents in the archives: %d receipts, %d of shifts, %d of strangers", total, made, shifts, strange)
	}
}

// The promise (design.md §1), whatever happens: a job that was accepted ends as exactly one document or as a refusal that left
// none; its fiscal data are that document's; a register with an unsettled job makes nothing; and nothing is made without a job.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		forgetful := rapid.SliceOfN(rapid.SampledFrom([]bool{false, false, true}), 1, 3).Draw(rt, "forgetful")
		troubles := make([][]mishap, len(forgetful))
		reports := make([][]mishap, len(forgetful))
		for i := range forgetful {
			mishaps := rapid.Custom(func(t *rapid.T) mishap { return mishap(max(0, rapid.IntRange(-3, int(kinds)-1).Draw(t, "mishap"))) })
			troubles[i] = rapid.SliceOfN(mishaps, 0, 12).Draw(rt, "receipts")
			reports[i] = rapid.SliceOfN(rapid.SampledFrom([]mishap{fine, lostMade, lostNotMade, cannot}), 0, 4).Draw(rt, "reports")
		}
		plan := rapid.SliceOfN(rapid.Custom(drawDeed), 1, 30).Draw(rt, "plan")
		var problems []string
		synctest.Test(t, func(*testing.T) {
			w := &world{orders: map[string]fiscal.JobID{}, refused: map[string]bool{}, rand: 1}
			for i, f := range forgetful {
				b := newModel(w, i, f)
				b.receipts, b.reports = troubles[i], reports[i]
				w.boxes = append(w.boxes, b)
			}
			j := newMemory(&diary{})
			j.slow(3 * time.Millisecond)
			w.begin(j)
			for n, x := range plan {
				w.do(n, x)
			}
			w.settle()
			w.finish(time.Minute)
			w.ends.Wait()
			synctest.Wait()
			w.judge()
			problems = w.problems
		})
		if len(problems) > 0 {
			rt.Fatalf("%s", strings.Join(problems, "\n"))
		}
	})
}
