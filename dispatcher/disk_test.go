package dispatcher

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// design.md §5: made is not visible before it is durable, and neither is any other end.
func TestNothingIsToldBeforeItIsDurable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		script turn
		before fiscal.JobState
		after  fiscal.JobState
	}{
		{turn{}, fiscal.JobSending, fiscal.JobMade},
		{turn{err: errRefused}, fiscal.JobSending, fiscal.JobRefused},
		{turn{lost: true, err: errSilent}, fiscal.JobSending, fiscal.JobInDoubt},
	} {
		t.Run(tc.after.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newBox("a")
				a.blind = errNoLine
				a.script = []turn{tc.script}
				b := started(t, a)
				id := b.submit()
				b.is(id, fiscal.JobSending)
				b.journal.slow(time.Minute)
				time.Sleep(30 * time.Second)
				job := b.is(id, tc.before)
				require.Nil(t, job.Fiscal)
				require.Nil(t, job.Failure)
				time.Sleep(31 * time.Second)
				b.is(id, tc.after)
				b.fleet.set(func() { a.blind = nil })
				b.journal.slow(0)
				time.Sleep(time.Hour)
			})
		})
	}
}

// The same device is free for the next job once the end of this one has its place in the order of writes: the disk's delay
// costs the rack nothing, and the order on disk is that of the decisions.
func TestDeviceDoesNotWaitForTheDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		b.journal.slow(20 * time.Millisecond)
		var ids []fiscal.JobID
		for range 10 {
			ids = append(ids, b.submit())
		}
		b.clear()
		begun := time.Now()
		for _, id := range ids {
			b.ends(id, fiscal.JobMade)
		}
		// Each receipt costs its service time and one write before its first byte; the write that ends it goes on beside.
		require.LessOrEqual(t, time.Since(begun), 10*(300+2*20)*time.Millisecond+time.Second/2)
		requireOrder(t, b, ids)
	})
}

// requireOrder asserts that on disk each job is at its end before the next one of the same device is being sent.
func requireOrder(t *testing.T, b *bench, ids []fiscal.JobID) {
	t.Helper()
	writes := b.of("write")
	at := func(id fiscal.JobID, state string) int {
		return slices.Index(writes, fmt.Sprintf("write %s %s", id, state))
	}
	for i := 1; i < len(ids); i++ {
		require.NotEqual(t, -1, at(ids[i-1], "made"))
		require.Less(t, at(ids[i-1], "made"), at(ids[i], "sending"), "%v", writes)
	}
}

// style.md §4.4 and the package comment: a device's next job can never become durable before the end of the previous one,
// not even when the disk refuses that end once.
func TestNextJobWaitsForAnEndThatCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		script turn
		fails  string // the write that is refused once
	}{
		{"made", turn{}, "made"},
		{"refused", turn{err: errRefused}, "refused"},
		{"certainly nothing", turn{err: errPerson}, "queued"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newBox("a")
				a.script = []turn{tc.script}
				b := started(t, a)
				b.journal.failOnce(tc.fails, false)
				first, second := b.submit(), b.submit()
				b.ends(second, fiscal.JobMade)
				writes := b.of("write", "bytes")
				end := slices.Index(writes, fmt.Sprintf("write %s %s", first, tc.fails))
				require.NotEqual(t, -1, end)
				require.Less(t, end, slices.Index(writes, fmt.Sprintf("bytes %s a", second)), "%v", writes)
			})
		})
	}
}

// The same through a row of failures: a record that may be on disk although its write failed keeps the device for as long as
// nobody knows, however many other receipts fail on it meanwhile.
func TestDeviceWaitsForTheOldestQuestion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.gates = []fiscal.GateCode{fiscal.GateOffline}
		b := started(t, a)
		first, second, third := b.submit(), b.submit(), b.submit()
		failed := map[fiscal.JobID]bool{}
		b.journal.failing(func(id fiscal.JobID, what string) (bool, error) {
			if what != "sending" || id == third || failed[id] {
				return true, nil
			}
			failed[id] = true
			return id == first, errDiskFull // the first is on disk all the same, the second is not
		})
		b.fleet.set(func() { a.gates = nil })
		for _, id := range []fiscal.JobID{first, second, third} {
			b.ends(id, fiscal.JobMade)
			require.Equal(t, 1, b.fleet.receipts(id))
		}
		entries := b.of("write "+string(first), "bytes")
		require.Equal(t, fmt.Sprintf("write %s sending", first), entries[1])
		require.Equal(t, fmt.Sprintf("write %s queued", first), entries[2], "nothing is sent before: %v", entries)
	})
}

// An end that could not be written is tried again until it is; clients see the old state meanwhile, and a full disk neither
// loses anything nor makes the daemon spin.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		script turn
		want   fiscal.JobState
		docs   int
	}{
		{"while a receipt is made", turn{}, fiscal.JobMade, 1},
		{"while a receipt is refused", turn{err: errRefused}, fiscal.JobRefused, 0},
		{"while a receipt falls in doubt", turn{lost: true, err: errSilent}, fiscal.JobMade, 1},
		{"while a device cannot", turn{err: errPerson}, fiscal.JobMade, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newBox("a")
				a.script = []turn{tc.script}
				b := started(t, a)
				id, waiting := b.submit(), b.submit()
				b.is(id, fiscal.JobSending)
				b.journal.full(true)
				time.Sleep(10 * time.Minute)
				job := b.is(id, fiscal.JobSending)
				require.Nil(t, job.Fiscal)
				for _, what := range []string{"made", "refused", "in_doubt", "queued"} {
					require.LessOrEqual(t, b.journal.tries(what), 300, "tries to write %s", what)
				}
				require.LessOrEqual(t, b.journal.tries("sending"), 1300, "tries to begin another")
				b.journal.full(false)
				b.ends(id, tc.want)
				b.ends(waiting, fiscal.JobMade)
				require.Equal(t, tc.docs, b.fleet.receipts(id))
				require.Equal(t, 1, b.fleet.receipts(waiting))
			})
		})
	}
	t.Run("before the first byte", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			a := newBox("a")
			b := started(t, a)
			id := b.submit()
			b.fleet.set(func() { a.gates = nil })
			b.journal.failing(nil)
			b.ends(id, fiscal.JobMade)

			b.fleet.set(func() { a.gates = []fiscal.GateCode{fiscal.GateBusy} })
			id = b.submit()
			b.journal.full(true)
			b.fleet.set(func() { a.gates = nil })
			b.clear()
			time.Sleep(10 * time.Minute)
			job := b.is(id, fiscal.JobQueued)
			require.Nil(t, job.Last().Baseline)
			require.Empty(t, b.of("bytes"), "nothing is sent without its record")
			tries := b.journal.tries("sending") + b.journal.tries("queued")
			require.LessOrEqual(t, tries, 700, "it does not spin")
			require.Greater(t, tries, 10, "and it does not give up")
			b.journal.full(false)
			b.ends(id, fiscal.JobMade)
			require.Equal(t, 1, b.fleet.receipts(id))
		})
	})
}

// A commit that fails in its last step may be on disk all the same: the next try finds the state it wanted to write.
func TestWriteThatFailedAndIsThere(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		what   string
		script turn
		want   fiscal.JobState
	}{
		{"sending", turn{}, fiscal.JobMade},
		{"made", turn{}, fiscal.JobMade},
		{"refused", turn{err: errRefused}, fiscal.JobRefused},
		{"in_doubt", turn{lost: true, err: errSilent}, fiscal.JobMade},
		{"queued", turn{err: errPerson}, fiscal.JobMade},
	} {
		t.Run(tc.what, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newBox("a")
				a.script = []turn{tc.script}
				b := started(t, a)
				b.journal.failOnce(tc.what, true)
				id := b.submit()
				b.ends(id, tc.want)
				want := 0
				if tc.want == fiscal.JobMade {
					want = 1
				}
				require.Equal(t, want, b.fleet.receipts(id))
				require.LessOrEqual(t, len(b.of("bytes")), 2)
				b.ends(b.submit(), fiscal.JobMade)
			})
		})
	}
}

// A receipt that cannot be read back is a fault of ours: the job waits and is not lost, and nothing is sent.
func TestReceiptThatCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		b.journal.mu.Lock()
		b.journal.noReads = errors.New("input/output error")
		b.journal.mu.Unlock()
		id := b.submit()
		time.Sleep(time.Minute)
		b.is(id, fiscal.JobQueued)
		require.Empty(t, b.of("task"))
		require.LessOrEqual(t, len(b.job(id).Attempts), maxAttempts)
		b.journal.mu.Lock()
		b.journal.noReads = nil
		b.journal.mu.Unlock()
		b.ends(id, fiscal.JobMade)
	})
}
