package store_test

import (
	"context"
	"fmt"
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
