package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
)

func openBench(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.Open(filepath.Join(b.TempDir(), "bench.db"), store.Options{Now: time.Now})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return s
}

// inParallel runs work b.N times from n goroutines.
func inParallel(b *testing.B, n int, work func(i int) error) {
	var next atomic.Int64
	done := make(chan error, n)
	for range n {
		go func() {
			for {
				i := int(next.Add(1))
				if i > b.N {
					done <- nil
					return
				}
				if err := work(i); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range n {
		require.NoError(b, <-done)
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, n := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("callers=%d", n), func(b *testing.B) {
			s := openBench(b)
			receipt := aReceipt()
			b.ReportAllocs()
			cpu := cpuTime()
			b.ResetTimer()
			inParallel(b, n, func(i int) error {
				_, _, err := s.Accept(context.Background(), aJob(i), receipt)
				return err
			})
			b.StopTimer()
			reportCPU(b, cpu)
		})
	}
}

// BenchmarkAdvance moves jobs the way every receipt goes: queued, sending, made. One iteration is both moves.
func BenchmarkAdvance(b *testing.B) {
	for _, n := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("callers=%d", n), func(b *testing.B) {
			s := openBench(b)
			receipt := aReceipt()
			inParallel(b, 500, func(i int) error {
				_, _, err := s.Accept(context.Background(), aJob(i), receipt)
				return err
			})
			b.ReportAllocs()
			cpu := cpuTime()
			b.ResetTimer()
			inParallel(b, n, func(i int) error {
				if err := <-s.Advance(fiscal.JobQueued, sending(aJob(i))); err != nil {
					return err
				}
				return <-s.Advance(fiscal.JobSending, made(aJob(i)))
			})
			b.StopTimer()
			reportCPU(b, cpu)
		})
	}
}

// BenchmarkOpenMillion opens a store with a million finished jobs and a hundred unfinished ones, as a start of the daemon
// does, and makes one receipt in it. It fills the store first, which takes minutes: -short skips it.
func BenchmarkOpenMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("stores a million jobs")
	}
	const finished, waiting = 1_000_000, 100
	path := filepath.Join(b.TempDir(), "million.db")
	s, err := store.Open(path, store.Options{Now: time.Now})
	require.NoError(b, err)
	fill(b, s, finished, nil)
	moves := make([]<-chan error, 0, 10_000)
	for i := range finished {
		moves = append(moves, s.Advance(fiscal.JobQueued, withState(made(aJob(i)), fiscal.JobSending)), s.Advance(fiscal.JobSending, made(aJob(i))))
		if len(moves) == cap(moves) || i == finished-1 {
			for _, m := range moves {
				require.NoError(b, <-m)
			}
			moves = moves[:0]
		}
	}
	for i := range waiting {
		accept(b, s, aJob(finished+i))
	}
	require.NoError(b, s.Close())
	info, err := os.Stat(path)
	require.NoError(b, err)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			s, err := store.Open(path, store.Options{Now: time.Now})
			require.NoError(b, err)
			jobs, err := s.Unfinished()
			require.NoError(b, err)
			require.Len(b, jobs, waiting)
			require.NoError(b, s.Close())
		}
		b.ReportMetric(float64(info.Size())/(1<<20), "MiB")
	})
	s, err = store.Open(path, store.Options{Now: time.Now})
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	next := finished + waiting
	b.Run("receipt", func(b *testing.B) {
		for b.Loop() {
			finish(b, s, aJob(next))
			next++
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, s.Check())
		}
	})
}
