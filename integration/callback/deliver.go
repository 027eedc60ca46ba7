package callback

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
	"unicode/utf8"

	"frpoold/fiscal"
)

const (
	firstWait = 5 * time.Second
	// longestWait and the quarter of it that jitter may add make an hour.
	longestWait = 48 * time.Minute
	// storeTries and storeWait: a try whose outcome cannot be written down is not repeated at once, or a full disk would
	// call the client in a loop.
	storeTries = 5
	storeWait  = 5 * time.Second

	maxErrorText = 200
)

// deliver makes one try, writes down what became of it and reports a success. A try broken off by the end of the daemon
// changes nothing.
func (s *Sender) deliver(ctx context.Context, d fiscal.Delivery) (ok bool) {
	started := s.opt.Now()
	err := s.post(ctx, d)
	ended := s.opt.Now()
	if err != nil && ctx.Err() != nil {
		return false
	}
	log := s.opt.Log.With("job", d.Job, "integration", d.Integration, "delivery", d.ID, "try", d.Tries+1)
	s.metrics.seconds.Observe(ended.Sub(started).Seconds())
	if err == nil {
		s.metrics.delivered.Inc()
		log.Debug("callback delivered")
		s.write(ctx, d, func() error { return s.store.RemoveDelivery(d.ID) })
		return true
	}
	d.Tries++
	d.LastError = plain(err)
	d.NextTry = s.next(ended, d)
	if d.NextTry.IsZero() {
		s.metrics.givenUp.Inc()
		log.Warn("callback given up", "error", d.LastError, "age", ended.Sub(d.CreatedAt))
	} else {
		s.metrics.failed.Inc()
		log.Info("callback failed", "error", d.LastError, "next_try", d.NextTry)
	}
	s.write(ctx, d, func() error { return s.store.UpdateDelivery(d) })
	return false
}

// next is when to try again after d.Tries failures: 5 s, doubled each time up to 48 min, and up to a quarter more by
// chance, so that deliveries that failed together do not come back together. The last try is made at the end of MaxAge;
// the zero time says there is none.
func (s *Sender) next(now time.Time, d fiscal.Delivery) time.Time {
	end := d.CreatedAt.Add(s.opt.MaxAge)
	if !now.Before(end) {
		return time.Time{}
	}
	wait := longestWait
	if doubled := d.Tries - 1; doubled < 10 {
		wait = min(firstWait<<doubled, longestWait)
	}
	at := now.Add(wait + s.spread(wait/4))
	if at.After(end) {
		return end
	}
	return at
}

// spread is a random part of d.
func (s *Sender) spread(d time.Duration) time.Duration {
	s.jitter.Lock()
	defer s.jitter.Unlock()
	return time.Duration(s.jitter.rand.Int64N(int64(d) + 1))
}

// write puts an outcome into the outbox. When it cannot, the delivery stays as it was and will be made again: the client
// hears the same twice, which is the lesser evil.
func (s *Sender) write(ctx context.Context, d fiscal.Delivery, change func() error) {
	for n := 1; ; n++ {
		err := change()
		if err == nil {
			return
		}
		s.opt.Log.Error("the outcome of a callback could not be stored", "job", d.Job, "delivery", d.ID, "error", err)
		if n == storeTries || !sleep(ctx, storeWait*time.Duration(n)) {
			return
		}
	}
}

// sleep reports that it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// plain is an error without the address, which may hold a client's own secret, and not longer than an operator reads.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
		if u.Timeout() {
			err = fmt.Errorf("no answer in time: %w", err)
		}
	}
	text := err.Error()
	if len(text) <= maxErrorText {
		return text
	}
	cut := maxErrorText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
