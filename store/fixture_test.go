package store_test

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
)

// epoch is the time of the first job of the fixtures.
var epoch = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

func jobID(i int) fiscal.JobID { return fiscal.JobID(fmt.Sprintf("J%015d", i)) }

// aJob is the i-th job, queued a second after the one before it.
func aJob(i int) fiscal.Job {
	at := epoch.Add(time.Duration(i) * time.Second)
	return fiscal.Job{
		ID: jobID(i), Circuit: 1, Integration: 7, ExternalID: fmt.Sprintf("order-%d", i),
		Digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		State:  fiscal.JobQueued, Operation: fiscal.Sell, Total: 15000,
		Needs:     fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, VATs: fiscal.VATSet(0).With(fiscal.VATNone)},
		CreatedAt: at, UpdatedAt: at, Deadline: at.Add(24 * time.Hour),
	}
}

func aReceipt() fiscal.Receipt {
	return fiscal.Receipt{
		Operation: fiscal.Sell, TaxSystem: fiscal.TaxUSNIncome,
		Customer: fiscal.Customer{Contact: "buyer@example.com"},
		Items: []fiscal.Item{{
			Name: "Кофе 0.2 л", Price: 15000, Quantity: fiscal.OnePiece, Sum: 15000,
			VAT: fiscal.VATNone, Method: fiscal.FullPayment, Subject: fiscal.SubjectCommodity,
		}},
		Payments: fiscal.Payments{Electronic: 15000},
	}
}

func deviceTime() fiscal.DeviceTime { return fiscal.DeviceTimeAt(epoch, time.UTC) }

func sending(j fiscal.Job) fiscal.Job {
	j.State = fiscal.JobSending
	stamp := fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: string(j.ID)}
	j.Attempts = []fiscal.Attempt{{
		Device: "10.55.15.19:10515", Reason: "least expected finish time", StartedAt: j.CreatedAt,
		Baseline: &fiscal.Baseline{
			FN: "7381440800357213", Serial: "2000004581", LastFD: 41, Stamp: stamp,
			Marks: fiscal.Marks{CheckProps: stamp.Value}, At: j.CreatedAt,
		},
	}}
	return j
}

func made(j fiscal.Job) fiscal.Job {
	j = sending(j)
	j.State = fiscal.JobMade
	j.UpdatedAt = j.CreatedAt.Add(time.Second)
	j.Attempts[0].EndedAt, j.Attempts[0].Result = j.UpdatedAt, "document 42 made"
	j.Fiscal = &fiscal.FiscalData{
		FN: "7381440800357213", FD: 42, FP: "3522207165", Datetime: epoch, ShiftNumber: 12, ReceiptNumber: 3, Total: 15000,
		RNM: "0008287390020208", SN: "2000004581", INN: "770900467024", EIP: "10.55.15.19:10515",
		QR: "t=20260314T0900&s=150.00&fn=7381440800357213&i=42&fp=3522207165&n=1",
	}
	return j
}

func withState(j fiscal.Job, s fiscal.JobState) fiscal.Job {
	j.State = s
	return j
}

// cpuTime is what this process has used so far, kernel included.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func reportCPU(b *testing.B, since time.Duration) {
	b.Helper()
	b.ReportMetric(float64((cpuTime()-since).Microseconds())/float64(b.N), "cpu-µs/op")
}

func accept(t testing.TB, s *store.Store, j fiscal.Job) {
	t.Helper()
	_, created, err := s.Accept(context.Background(), j, aReceipt())
	require.NoError(t, err)
	require.True(t, created)
}

// finish takes the job through its whole life.
func finish(t testing.TB, s *store.Store, j fiscal.Job) {
	t.Helper()
	accept(t, s, j)
	require.NoError(t, <-s.Advance(fiscal.JobQueued, sending(j)))
	require.NoError(t, <-s.Advance(fiscal.JobSending, made(j)))
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// fill stores n jobs from many callers at once, and calls also for each when it is stored.
func fill(t testing.TB, s *store.Store, n int, also func(i int)) {
	t.Helper()
	const callers = 200
	failed := make(chan error, callers)
	var mu sync.Mutex
	for c := range callers {
		go func() {
			var err error
			for i := c; i < n && err == nil; i += callers {
				_, _, err = s.Accept(context.Background(), aJob(i), aReceipt())
				if also != nil {
					mu.Lock()
					also(i)
					mu.Unlock()
				}
			}
			failed <- err
		}()
	}
	for range callers {
		require.NoError(t, <-failed)
	}
}
