package dispatcher

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"frpoold/fiscal"
)

func source(seed uint64) *idSource { return &idSource{rand: rand.New(rand.NewPCG(seed, seed))} }

// An id is its receipt's stamp: 16 characters, all of them in CP866 (FFD tag 1192, domain/ffd.md).
func fits(t require.TestingT, id fiscal.JobID) {
	require.Len(t, string(id), 16)
	require.Empty(t, strings.Trim(string(id), crockford), "%s has a character outside the alphabet", id)
}

func TestJobIDAlphabet(t *testing.T) {
	t.Parallel()
	require.Len(t, crockford, 32)
	for i := 1; i < len(crockford); i++ {
		require.Less(t, crockford[i-1], crockford[i], "ids ascend only if their alphabet does")
	}
	require.NotContains(t, crockford, "O", "nobody should have to tell O from 0 on paper")
}

// Ids ascend with every call, whatever the clock does: stands still, runs, jumps or is set back.
func TestJobIDsAscend(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := source(rapid.Uint64().Draw(t, "seed"))
		now := time.UnixMilli(rapid.Int64Range(0, 1<<43).Draw(t, "start"))
		last := fiscal.JobID("")
		for _, step := range rapid.SliceOfN(rapid.Int64Range(-2_000_000, 3_000_000), 1, 60).Draw(t, "microseconds") {
			now = now.Add(time.Duration(step) * time.Microsecond)
			for range 3 {
				id := s.next(now)
				fits(t, id)
				require.Greater(t, id, last)
				last = id
			}
		}
	})
}

// Two sources, as of two lives of the daemon, ascend as long as the clock does.
func TestJobIDsAscendOverARestart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first, second := source(rapid.Uint64().Draw(t, "seed 1")), source(rapid.Uint64().Draw(t, "seed 2"))
		at := time.UnixMilli(rapid.Int64Range(0, 1<<43).Draw(t, "at"))
		pause := time.Duration(rapid.Int64Range(1, 1_000_000).Draw(t, "pause")) * time.Millisecond
		require.Less(t, first.next(at), second.next(at.Add(pause)))
	})
}

func TestJobIDsOfOneMillisecond(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_773_000_000_000)
	s := source(7)
	seen := map[fiscal.JobID]struct{}{}
	last := fiscal.JobID("")
	for range 100_000 {
		id := s.next(at)
		require.Greater(t, id, last)
		last = id
		seen[id] = struct{}{}
	}
	require.Len(t, seen, 100_000)

	// Counting cannot overflow into the next millisecond, wherever it began.
	for seed := range uint64(200) {
		s := source(seed)
		require.Less(t, s.next(at), s.next(at.Add(time.Millisecond)))
	}
	s.low = 1<<(lowBits-1) - 1 // the highest place a millisecond can begin at
	before := s.next(at)
	require.Less(t, last, before)
	require.Less(t, before, s.next(at.Add(time.Millisecond)))
}

// Two daemons must not make the same id in the same millisecond.
func TestJobIDsOfTwoSources(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_773_000_000_000)
	seen := map[fiscal.JobID]struct{}{}
	for seed := range uint64(2000) {
		seen[source(seed).next(at)] = struct{}{}
	}
	require.Len(t, seen, 2000)
}
