package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"frpoold/fiscal"
)

// loadOptions are the flags of `frpoold load`.
type loadOptions struct {
	url         string
	integration uint64
	rate        float64
	concurrency int
	receipts    int
	items       int
	tax         fiscal.TaxSystem
	seed        uint64
	token       string
	timeout     time.Duration
}

// loadSummary is what `frpoold load` prints, as JSON.
type loadSummary struct {
	Receipts       int            `json:"receipts"`
	Made           int            `json:"made"`
	Ends           map[string]int `json:"ends"` // by status, of those not made
	Seconds        float64        `json:"seconds"`
	PerSecond      float64        `json:"per_second"`
	Steady         float64        `json:"steady_per_second"` // of the middle four fifths, while the queues are full
	AcceptMillis   percentiles    `json:"accept_ms"`         // POST until 202
	FinishedMillis percentiles    `json:"made_ms"`           // POST until made
	Retries429     int            `json:"retries_429"`
	Seed           uint64         `json:"seed"`
}

type percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func runLoad(ctx context.Context, s streams, args []string) error {
	o := loadOptions{tax: fiscal.TaxUSNIncome}
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.StringVar(&o.url, "url", "http://127.0.0.1:8080", "the daemon's `URL`")
	fs.Uint64Var(&o.integration, "int", 0, "`id` of a native integration (needed)")
	fs.Float64Var(&o.rate, "rate", 0, "receipts sent a second; 0 sends as fast as --concurrency allows")
	fs.IntVar(&o.concurrency, "concurrency", 100, "receipts under way at once")
	fs.IntVar(&o.receipts, "receipts", 1000, "receipts to send")
	fs.IntVar(&o.items, "items", 1, "items a receipt")
	fs.TextVar(&o.tax, "tax-system", fiscal.TaxUSNIncome, "tax system of the receipts")
	fs.Uint64Var(&o.seed, "seed", 0, "seed of the random receipts; 0 takes one from the clock and prints it")
	fs.StringVar(&o.token, "token", "", "operator `token`, where the daemon wants one")
	fs.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after")
	if err := parse(fs, s, args); err != nil {
		return err
	}
	if o.integration == 0 {
		return usageError{errors.New("--int is needed: the id of an active native integration, see GET /fcircuit")}
	}
	if o.receipts < 1 || o.concurrency < 1 || o.items < 1 || o.items > 100 || o.rate < 0 {
		return usageError{errors.New("--receipts and --concurrency want at least 1, --items 1 to 100, --rate 0 or more")}
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	bar := newProgress(s, o.receipts, "receipts")
	summary, err := load(ctx, o, bar)
	bar.finish()
	if err != nil {
		return err
	}
	out := json.NewEncoder(s.out)
	out.SetIndent("", "  ")
	if err := out.Encode(summary); err != nil {
		return err
	}
	if summary.Made != summary.Receipts {
		return fmt.Errorf("%d of %d receipts were not made", summary.Receipts-summary.Made, summary.Receipts)
	}
	return nil
}

// loader is one run of load.
type loader struct {
	o      loadOptions
	client *client
	bar    *progress

	mu       sync.Mutex // guards what follows
	rand     *rand.Rand
	summary  loadSummary
	accepted []time.Duration
	finished []time.Duration
	made     []time.Time // when each was known to be made
}

// load sends receipts, each waited for until it is at rest, and counts.
func load(ctx context.Context, o loadOptions, bar *progress) (loadSummary, error) {
	c, err := newClient(o.url, o.concurrency)
	if err != nil {
		return loadSummary{}, err
	}
	c.token = o.token
	l := &loader{o: o, client: c, bar: bar, rand: rand.New(rand.NewPCG(o.seed, 1))}
	l.summary = loadSummary{Receipts: o.receipts, Ends: map[string]int{}, Seed: o.seed}
	pace := rate.NewLimiter(rate.Inf, 1)
	if o.rate > 0 {
		pace = rate.NewLimiter(rate.Limit(o.rate), 1)
	}
	began := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(o.concurrency)
	for i := range o.receipts {
		if pace.Wait(gctx) != nil {
			break // a receipt failed, or the time is over: Wait below says which
		}
		g.Go(func() error { return l.one(gctx, i) })
	}
	if err := g.Wait(); err != nil {
		return loadSummary{}, err
	}
	l.summary.Seconds = time.Since(began).Seconds()
	l.summary.PerSecond = float64(l.summary.Made) / l.summary.Seconds
	l.summary.Steady = steadyRate(l.made)
	l.summary.AcceptMillis = percentilesOf(l.accepted)
	l.summary.FinishedMillis = percentilesOf(l.finished)
	return l.summary, ctx.Err()
}

// one sends a receipt and follows it to its end.
func (l *loader) one(ctx context.Context, i int) error {
	l.mu.Lock()
	body := sampleReceipt(l.rand, fmt.Sprintf("load-%d-%d", l.o.seed, i), l.o.tax, l.o.items)
	l.mu.Unlock()
	began := time.Now()
	j, err := l.post(ctx, body)
	if err != nil {
		return err
	}
	accepted := time.Since(began)
	for !j.Status.AtRest() {
		if _, err := l.client.do(ctx, http.MethodGet, "/receipts/"+string(j.ID)+"?wait=60s", nil, &j); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted = append(l.accepted, accepted)
	if j.Status == fiscal.JobMade {
		l.summary.Made++
		l.finished = append(l.finished, time.Since(began))
		l.made = append(l.made, time.Now())
	} else {
		l.summary.Ends[j.Status.String()]++
	}
	l.bar.add(1)
	return nil
}

// post sends until the daemon has room.
func (l *loader) post(ctx context.Context, body map[string]any) (job, error) {
	path := fmt.Sprintf("/int/%d/receipts", l.o.integration)
	for {
		var j job
		_, err := l.client.do(ctx, http.MethodPost, path, body, &j)
		var busy *apiError
		if !errors.As(err, &busy) || busy.Status != http.StatusTooManyRequests {
			return j, err
		}
		l.mu.Lock()
		l.summary.Retries429++
		l.mu.Unlock()
		seconds, err := strconv.Atoi(busy.RetryAfter)
		if err != nil {
			seconds = 1
		}
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-ctx.Done():
			return job{}, ctx.Err()
		}
	}
}

// steadyRate is the rate between the first and the last tenth of the ends: filling and draining the queues says nothing
// about the daemon.
func steadyRate(ends []time.Time) float64 {
	from, to := len(ends)/10, len(ends)*9/10
	if to-from < 10 {
		return 0
	}
	return float64(to-from) / ends[to].Sub(ends[from]).Seconds()
}

func percentilesOf(d []time.Duration) percentiles {
	if len(d) == 0 {
		return percentiles{}
	}
	slices.Sort(d)
	at := func(p float64) float64 {
		i := min(int(p*float64(len(d))), len(d)-1)
		return float64(d[i].Microseconds()) / 1000
	}
	return percentiles{P50: at(0.50), P90: at(0.90), P99: at(0.99), Max: at(1)}
}
