package dispatcher

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

func waiting(integration fiscal.IntegrationID, id string) *entry {
	return &entry{job: fiscal.Job{ID: fiscal.JobID(id), Integration: integration, State: fiscal.JobQueued}}
}

func any1(*entry) bool { return true }

// drainAll takes everything, in the order of the turns.
func drainAll(q *queue) (ids []fiscal.JobID) {
	for {
		e, ok := q.take(time.Time{}, any1)
		if !ok {
			return ids
		}
		ids = append(ids, e.job.ID)
	}
}

// One integration's jobs go in the order they came.
func TestQueueKeepsOrder(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for i := range 5 {
		q.add(waiting(1, fmt.Sprint(i)), false)
	}
	require.Equal(t, 5, q.count)
	require.Equal(t, []fiscal.JobID{"0", "1", "2", "3", "4"}, drainAll(q))
	require.Zero(t, q.count)
	require.Empty(t, q.lines)
	require.Empty(t, q.turns)
}

// Jobs of one integration that need different registers keep their order as far as there is a register for each.
func TestQueueKeepsOrderOverKinds(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for i, tax := range []fiscal.TaxSystem{fiscal.TaxOSN, fiscal.TaxPatent, fiscal.TaxOSN, fiscal.TaxENVD, fiscal.TaxPatent, fiscal.TaxOSN} {
		e := waiting(1, fmt.Sprint(i))
		e.job.Needs.TaxSystem = tax
		q.add(e, false)
	}
	rare, ok := q.take(time.Time{}, func(e *entry) bool { return e.job.Needs.TaxSystem == fiscal.TaxPatent })
	require.True(t, ok)
	require.EqualValues(t, "1", rare.job.ID)
	require.Equal(t, []fiscal.JobID{"0", "2", "3", "4", "5"}, drainAll(q))
}

// A job that has waited before goes to the front of its line.
func TestQueueFront(t *testing.T) {
	t.Parallel()
	q := newQueue()
	q.add(waiting(1, "a"), false)
	q.add(waiting(1, "b"), true)
	q.add(waiting(2, "c"), true)
	require.Equal(t, []fiscal.JobID{"b", "c", "a"}, drainAll(q))
}

// design.md §6, Fairness: one merchant's burst does not starve another's single receipt.
func TestQueueFairness(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for i := range 10_000 {
		q.add(waiting(1, fmt.Sprintf("burst %d", i)), false)
	}
	for range 10 {
		_, ok := q.take(time.Time{}, any1)
		require.True(t, ok)
	}
	q.add(waiting(2, "single"), false)
	first, _ := q.take(time.Time{}, any1)
	second, _ := q.take(time.Time{}, any1)
	require.Contains(t, []fiscal.JobID{first.job.ID, second.job.ID}, fiscal.JobID("single"), "it is among the next two")

	// Three merchants with full lines take turns.
	q = newQueue()
	for i := range 9 {
		for m := range fiscal.IntegrationID(3) {
			q.add(waiting(m+1, fmt.Sprintf("%d-%d", m+1, i)), false)
		}
	}
	counts := map[byte]int{}
	for i, id := range drainAll(q) {
		counts[id[0]]++
		for _, n := range counts {
			require.InDelta(t, float64(i+1)/3, n, 1)
		}
	}
}

// A line whose head waits for a rare device does not hold up what follows it, nor the other lines; and looking for one
// that fits does not cost a walk through thousands.
func TestQueueScan(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for i := range 10_000 {
		q.add(waiting(1, fmt.Sprintf("rare %d", i)), false)
	}
	q.add(waiting(2, "rare"), false)
	q.add(waiting(2, "common"), false)
	looked := 0
	e, ok := q.take(time.Time{}, func(e *entry) bool {
		looked++
		return e.job.ID == "common"
	})
	require.True(t, ok)
	require.EqualValues(t, "common", e.job.ID)
	require.LessOrEqual(t, looked, scan+2)

	looked = 0
	_, ok = q.take(time.Time{}, func(*entry) bool { looked++; return false })
	require.False(t, ok)
	require.LessOrEqual(t, looked, 2*scan)
	require.Equal(t, 10_001, q.count, "what was only looked at stays")

	head, ok := q.take(time.Time{}, func(e *entry) bool { return e.job.ID == "rare 63" })
	require.True(t, ok, "the last one that is looked at")
	require.EqualValues(t, "rare 63", head.job.ID)
	first, _ := q.take(time.Time{}, func(e *entry) bool { return e.job.Integration == 1 })
	require.EqualValues(t, "rare 0", first.job.ID, "those that were passed over keep their place")
}

func TestQueueRemove(t *testing.T) {
	t.Parallel()
	q := newQueue()
	a, b, c := waiting(1, "a"), waiting(1, "b"), waiting(2, "c")
	q.add(a, false)
	q.add(b, false)
	q.add(c, false)
	require.False(t, q.remove(waiting(1, "a")), "a job is itself, not its id")
	require.False(t, q.remove(waiting(9, "x")))
	require.True(t, q.remove(c))
	require.False(t, q.remove(c))
	require.Equal(t, []fiscal.IntegrationID{1}, q.turns)
	require.True(t, q.remove(a))
	require.Equal(t, 1, q.count)
	require.Equal(t, []fiscal.JobID{"b"}, drainAll(q))
}

func TestQueueEach(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for i := range 7 {
		q.add(waiting(fiscal.IntegrationID(i%3), fmt.Sprint(i)), false)
	}
	seen := map[fiscal.JobID]int{}
	q.each(func(e *entry) { seen[e.job.ID]++ })
	require.Len(t, seen, 7)
}

// However a queue is used, nothing is lost, nothing is there twice, the count is true, and a line keeps its order.
func TestQueueAtRandom(t *testing.T) {
	t.Parallel()
	const seed = 5
	random := rand.New(rand.NewPCG(seed, seed))
	for range 200 {
		q := newQueue()
		in := map[*entry]bool{}
		var all []*entry
		for i := range 120 {
			switch random.IntN(4) {
			case 0, 1:
				e := waiting(fiscal.IntegrationID(random.IntN(4)), fmt.Sprintf("%04d", i))
				q.add(e, false)
				in[e] = true
				all = append(all, e)
			case 2:
				if e, ok := q.take(time.Time{}, any1); ok {
					require.True(t, in[e])
					for other := range in { // the head of its line
						require.False(t, other.job.Integration == e.job.Integration && other.job.ID < e.job.ID)
					}
					delete(in, e)
				} else {
					require.Empty(t, in)
				}
			case 3:
				if len(all) > 0 {
					e := all[random.IntN(len(all))]
					require.Equal(t, in[e], q.remove(e))
					delete(in, e)
				}
			}
			require.Equal(t, len(in), q.count)
			require.Len(t, q.turns, len(q.lines))
		}
		require.Len(t, drainAll(q), len(in))
	}
}
