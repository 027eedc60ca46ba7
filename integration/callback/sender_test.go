package callback

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// run starts s in the bubble and returns what ends it and waits for it.
func run(t *testing.T, s *Sender) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		assert.NoError(t, <-done)
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		box := newOutbox(delivery(1, "https://shop.example/cb", start))
		s := newSender(t, box, Options{})
		var tries []time.Time
		s.post = func(context.Context, fiscal.Delivery) error {
			tries = append(tries, time.Now())
			return errors.New("answered 500")
		}
		stop := run(t, s)
		time.Sleep(30 * time.Hour)
		stop()

		require.Greater(t, len(tries), 30)
		assert.Equal(t, start, tries[0], "the first try is at once")
		for i := 1; i < len(tries); i++ {
			wait := tries[i].Sub(tries[i-1])
			least := longestWait
			if i <= 10 {
				least = 5 * time.Second << (i - 1)
			}
			if last := i == len(tries)-1; !last {
				assert.GreaterOrEqual(t, wait, least, "wait %d", i)
			}
			assert.LessOrEqual(t, wait, min(least*5/4, time.Hour)+pollEvery, "wait %d", i)
		}
		assert.InDelta(t, 24*time.Hour, tries[len(tries)-1].Sub(start), float64(pollEvery), "the last try is at the end of the day")
		d, ok := box.get(1)
		require.True(t, ok, "it stays visible")
		assert.True(t, d.NextTry.IsZero())
		assert.Equal(t, len(tries), d.Tries)
		assert.Equal(t, "answered 500", d.LastError)
		assert.Equal(t, 1.0, testutil.ToFloat64(s.metrics.givenUp))
		assert.Equal(t, float64(len(tries)-1), testutil.ToFloat64(s.metrics.failed))
	})
}

// A delivery found older than its time, after a long night of the daemon, still gets one try.
func TestOldDeliveryIsTriedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := newOutbox(delivery(1, "https://shop.example/", time.Now().Add(-72*time.Hour)), delivery(2, "https://other.example/", time.Now().Add(-72*time.Hour)))
		s := newSender(t, box, Options{})
		s.post = func(_ context.Context, d fiscal.Delivery) error {
			if d.ID == 1 {
				return errors.New("no")
			}
			return nil
		}
		stop := run(t, s)
		time.Sleep(time.Hour)
		stop()
		d, _ := box.get(1)
		assert.Equal(t, 1, d.Tries)
		assert.True(t, d.NextTry.IsZero())
		_, ok := box.get(2)
		assert.False(t, ok)
	})
}

func TestSucceedsAtLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := newOutbox(delivery(1, "https://shop.example/", time.Now()))
		s := newSender(t, box, Options{})
		n := 0
		s.post = func(context.Context, fiscal.Delivery) error {
			if n++; n < 3 {
				return errors.New("answered 500")
			}
			return nil
		}
		stop := run(t, s)
		time.Sleep(time.Minute)
		stop()
		assert.Equal(t, 3, n)
		assert.Equal(t, []uint64{1}, box.delivered())
		assert.Equal(t, 1.0, testutil.ToFloat64(s.metrics.delivered))
		assert.Equal(t, 2.0, testutil.ToFloat64(s.metrics.failed))
		assert.Equal(t, 0.0, testutil.ToFloat64(s.metrics.inFlight))
	})
}

// A thousand deliveries wait for a host that does not answer; those of other hosts go out as if it were not there.
func TestSlowHostBlocksNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		box := newOutbox()
		const stuck = 1000
		for i := range uint64(stuck) {
			box.add(delivery(1+i, "https://dead.example/cb", start))
		}
		for i := range uint64(300) {
			box.add(delivery(stuck+1+i, fmt.Sprintf("https://shop%d.example/cb", i%3), start.Add(time.Millisecond)))
		}
		s := newSender(t, box, Options{PerHost: 2})
		var active, most, delivered atomic.Int32
		var last atomic.Int64
		s.post = func(_ context.Context, d fiscal.Delivery) error {
			if d.ID > stuck {
				time.Sleep(10 * time.Millisecond)
				delivered.Add(1)
				last.Store(int64(time.Since(start)))
				return nil
			}
			most.Store(max(most.Load(), active.Add(1)))
			defer active.Add(-1)
			time.Sleep(10 * time.Second)
			return context.DeadlineExceeded
		}
		stop := run(t, s)
		time.Sleep(9 * time.Second) // the first tries to the dead host are still out
		assert.EqualValues(t, 300, delivered.Load())
		assert.LessOrEqual(t, time.Duration(last.Load()), 7*time.Second)

		box.add(delivery(5000, "https://new.example/", time.Now()))
		added := time.Since(start)
		s.Kick()
		time.Sleep(900 * time.Millisecond)
		assert.EqualValues(t, 301, delivered.Load())
		assert.Less(t, time.Duration(last.Load())-added, 300*time.Millisecond, "a new delivery goes out at once")
		assert.LessOrEqual(t, most.Load(), int32(2))

		others := func(d fiscal.Delivery) bool { return d.ID > stuck }
		_, looks, writes := box.count(others)
		time.Sleep(10 * time.Minute)
		left, looksLater, writesLater := box.count(others)
		assert.Zero(t, left)
		assert.Less(t, looksLater-looks, 10*60, "the outbox is not read in a loop")
		assert.Less(t, writesLater-writes, 5*stuck, "nor written")
		stop()
		assert.Len(t, box.list, stuck, "nothing is lost")
	})
}

// A burst for one healthy host larger than its queue arrives whole and soon.
func TestBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		box := newOutbox()
		const n = 2000
		for i := range uint64(n) {
			box.add(delivery(1+i, "https://shop.example/cb", start))
		}
		s := newSender(t, box, Options{PerHost: 2})
		var seen sync.Map
		var sent atomic.Int32
		s.post = func(_ context.Context, d fiscal.Delivery) error {
			time.Sleep(20 * time.Millisecond)
			sent.Add(1)
			_, twice := seen.LoadOrStore(d.ID, true)
			assert.False(t, twice, "delivery %d was sent twice", d.ID)
			return nil
		}
		stop := run(t, s)
		time.Sleep(90 * time.Second) // 20 s of work
		stop()
		assert.EqualValues(t, n, sent.Load())
		assert.Empty(t, box.list)
	})
}

// A success that cannot be written down is not sent again in a loop.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := newOutbox(delivery(1, "https://shop.example/", time.Now()))
		s := newSender(t, box, Options{})
		var sent atomic.Int32
		s.post = func(context.Context, fiscal.Delivery) error { sent.Add(1); return nil }
		box.setBroken(true)
		stop := run(t, s)
		time.Sleep(40 * time.Second)
		assert.EqualValues(t, 1, sent.Load())
		box.setBroken(false)
		time.Sleep(30 * time.Second)
		assert.EqualValues(t, 1, sent.Load())
		assert.Equal(t, []uint64{1}, box.delivered())

		box.setBroken(true)
		box.add(delivery(2, "https://shop.example/", time.Now()))
		time.Sleep(10 * time.Minute)
		assert.Less(t, sent.Load(), int32(15), "about one a minute")
		stop()
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		box := newOutbox(delivery(1, "https://quick.example/", now), delivery(2, "https://slow.example/", now))
		s := newSender(t, box, Options{})
		s.post = func(ctx context.Context, d fiscal.Delivery) error {
			wait := 3 * time.Second
			if d.ID == 2 {
				wait = time.Minute
			}
			if !sleep(ctx, wait) {
				return ctx.Err()
			}
			return nil
		}
		stop := run(t, s)
		synctest.Wait()
		assert.ErrorIs(t, s.Run(t.Context()), ErrRunning)
		ended := time.Now()
		stop()
		assert.Equal(t, grace, time.Since(ended))
		assert.Equal(t, []uint64{1}, box.delivered(), "a try that ends within the grace counts")
		d, _ := box.get(2)
		assert.Equal(t, delivery(2, "https://slow.example/", now), d, "one broken off changed nothing")

		stop = run(t, s)
		time.Sleep(2 * time.Minute)
		stop()
		assert.Equal(t, []uint64{1, 2}, box.delivered(), "and is made again")
	})
}

func looks(box *outbox) int {
	_, n, _ := box.count(func(fiscal.Delivery) bool { return false })
	return n
}

// Kick never blocks, and one that nobody hears yet is heard later.
func TestKickBeforeRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := newOutbox()
		s := newSender(t, box, Options{})
		s.post = func(context.Context, fiscal.Delivery) error { return nil }
		for range 10 {
			s.Kick()
		}
		stop := run(t, s)
		synctest.Wait()
		assert.Equal(t, 2, looks(box), "one at the start, one for all the kicks")
		box.add(delivery(1, "https://shop.example/", time.Now()))
		s.Kick()
		synctest.Wait()
		assert.Equal(t, []uint64{1}, box.delivered())
		stop()
	})
}

func TestTotal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := newOutbox()
		for i := range uint64(50) {
			box.add(delivery(1+i, fmt.Sprintf("https://shop%d.example/", i), time.Now()))
		}
		s := newSender(t, box, Options{Total: 5})
		var active, most atomic.Int32
		s.post = func(context.Context, fiscal.Delivery) error {
			most.Store(max(most.Load(), active.Add(1)))
			defer active.Add(-1)
			time.Sleep(time.Second)
			return nil
		}
		stop := run(t, s)
		time.Sleep(11 * time.Second)
		stop()
		assert.EqualValues(t, 5, most.Load())
		assert.Empty(t, box.list)
	})
}

func TestNewNeedsItsParts(t *testing.T) {
	t.Parallel()
	_, err := New(newOutbox(), Sources{}, Options{})
	assert.Error(t, err)
	s := newSender(t, newOutbox(), Options{})
	o := s.opt
	_, err = New(newOutbox(), s.sources, o)
	assert.ErrorContains(t, err, "duplicate")
	o.Metrics = nil
	_, err = New(newOutbox(), s.sources, o)
	assert.NoError(t, err)
}

func TestPlain(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "x", plain(errors.New("x")))
	long := plain(errors.New(strings.Repeat("я", 200)))
	assert.Equal(t, strings.Repeat("я", 100)+"...", long)
	assert.Equal(t, strings.Repeat("я", 99)+"...", plain(errors.New("x" + strings.Repeat("я", 99) + "яя"))[1:], "a rune is never cut in two")
}
