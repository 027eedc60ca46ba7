package pool

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// style.md §8: the last N exchanges, and failures kept longer.
func TestRing(t *testing.T) {
	t.Parallel()
	commands := func(list []fiscal.Exchange) (out []string) {
		for _, e := range list {
			out = append(out, e.Command)
		}
		return out
	}
	for _, tc := range []struct {
		recent, failed, added int
		fails                 []int
		wantRecent            []string
		wantFailed            []string
	}{
		{recent: 3, failed: 2, added: 0},
		{recent: 3, failed: 2, added: 2, wantRecent: []string{"0", "1"}},
		{recent: 3, failed: 2, added: 3, wantRecent: []string{"0", "1", "2"}},
		{recent: 3, failed: 2, added: 5, wantRecent: []string{"2", "3", "4"}},
		{recent: 3, failed: 2, added: 6, wantRecent: []string{"3", "4", "5"}},
		{recent: 3, failed: 2, added: 100, fails: []int{7, 8, 50}, wantRecent: []string{"97", "98", "99"}, wantFailed: []string{"8", "50"}},
		{recent: 0, failed: 0, added: 9, fails: []int{1}},
		{recent: 1, failed: 1, added: 9, fails: []int{1, 8}, wantRecent: []string{"8"}, wantFailed: []string{"8"}},
	} {
		r := newRing(tc.recent, tc.failed)
		for i := range tc.added {
			e := fiscal.Exchange{Command: fmt.Sprint(i)}
			for _, f := range tc.fails {
				if f == i {
					e.Error = "no answer"
				}
			}
			r.add(e)
		}
		recent, failed := r.list()
		require.Equal(t, tc.wantRecent, commands(recent))
		require.Equal(t, tc.wantFailed, commands(failed))
		require.NotNil(t, recent, "an empty list, not none")
		require.NotNil(t, failed)
	}
}

// A list that was handed out is not overwritten by what comes later.
func TestRingListIsACopy(t *testing.T) {
	t.Parallel()
	r := newRing(2, 2)
	r.add(fiscal.Exchange{Command: "a"})
	r.add(fiscal.Exchange{Command: "b"})
	before, _ := r.list()
	for range 5 {
		r.add(fiscal.Exchange{Command: "c"})
	}
	require.Equal(t, "a", before[0].Command)
	require.Equal(t, "b", before[1].Command)
}
