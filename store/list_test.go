package store_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

// everyPage follows next to the end.
func everyPage(t *testing.T, s *store.Store, f store.JobFilter) (ids []fiscal.JobID, pages int) {
	t.Helper()
	for {
		page, next, err := s.Jobs(f)
		require.NoError(t, err)
		pages++
		for _, j := range page {
			ids = append(ids, j.ID)
		}
		if next == "" {
			return ids, pages
		}
		require.Greater(t, next, f.After, "it must get on")
		f.After = next
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	var all, odd, made, queued, oddQueued []fiscal.JobID
	for i := range 30 {
		j := aJob(i)
		j.Integration = fiscal.IntegrationID(7 + i%2)
		j.ExternalID = fmt.Sprintf("order-%d", i/2) // each id once per integration
		all = append(all, j.ID)
		if i%2 == 1 {
			odd = append(odd, j.ID)
		}
		if i%3 == 0 {
			finish(t, s, j)
			made = append(made, j.ID)
			continue
		}
		accept(t, s, j)
		queued = append(queued, j.ID)
		if i%2 == 1 {
			oddQueued = append(oddQueued, j.ID)
		}
	}
	for _, c := range []struct {
		name   string
		filter store.JobFilter
		want   []fiscal.JobID
	}{
		{"all", store.JobFilter{}, all},
		{"behind one", store.JobFilter{After: all[10]}, all[11:]},
		{"behind one that is not there", store.JobFilter{After: all[10] + "x"}, all[11:]},
		{"behind the last", store.JobFilter{After: all[29]}, nil},
		{"of an integration", store.JobFilter{Integration: 8}, odd},
		{"of an integration, behind", store.JobFilter{Integration: 8, After: odd[3]}, odd[4:]},
		{"of no integration", store.JobFilter{Integration: 6}, nil},
		{"final", store.JobFilter{Status: fiscal.JobMade}, made},
		{"unfinished", store.JobFilter{Status: fiscal.JobQueued}, queued},
		{"unfinished of an integration", store.JobFilter{Status: fiscal.JobQueued, Integration: 8}, oddQueued},
		{"unfinished, behind", store.JobFilter{Status: fiscal.JobQueued, After: queued[4]}, queued[5:]},
		{"none of it", store.JobFilter{Status: fiscal.JobOperator}, nil},
		{"assigned is never stored", store.JobFilter{Status: fiscal.JobAssigned}, nil},
		{"external id", store.JobFilter{ExternalID: "order-4"}, []fiscal.JobID{all[8], all[9]}},
		{"external id of an integration", store.JobFilter{ExternalID: "order-4", Integration: 8}, []fiscal.JobID{all[9]}},
		{"external id and status", store.JobFilter{ExternalID: "order-4", Status: fiscal.JobMade}, []fiscal.JobID{all[9]}},
		{"external id, behind", store.JobFilter{ExternalID: "order-4", After: all[8]}, []fiscal.JobID{all[9]}},
		{"half an external id", store.JobFilter{ExternalID: "order-"}, nil},
	} {
		for _, limit := range []int{0, 1, 4, 5000} {
			f := c.filter
			f.Limit = limit
			ids, pages := everyPage(t, s, f)
			assert.Equal(t, c.want, ids, "%s, limit %d", c.name, limit)
			if limit == 0 || limit == 5000 {
				assert.Equal(t, 1, pages, c.name)
			}
		}
	}
}

// An external id of the highest integration must not send the search round in circles.
func TestJobsByExternalIDOfTheLastIntegration(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	j := aJob(1)
	j.Integration = ^fiscal.IntegrationID(0)
	accept(t, s, j)
	ids, _ := everyPage(t, s, store.JobFilter{ExternalID: j.ExternalID})
	assert.Equal(t, []fiscal.JobID{j.ID}, ids)
}

func TestJobsScanIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("stores 10 100 jobs")
	}
	t.Parallel()
	s := storetest.Open(t)
	const n = 10_100
	var answers []<-chan error
	fill(t, s, n, func(i int) {
		if i == n-1 {
			answers = append(answers, s.Advance(fiscal.JobQueued, withState(aJob(i), fiscal.JobCanceled)))
		}
	})
	for _, a := range answers {
		require.NoError(t, <-a)
	}
	page, next, err := s.Jobs(store.JobFilter{Status: fiscal.JobCanceled})
	require.NoError(t, err)
	assert.Empty(t, page)
	assert.Equal(t, jobID(9_999), next, "after 10 000 looks it stops")
	page, next, err = s.Jobs(store.JobFilter{Status: fiscal.JobCanceled, After: next})
	require.NoError(t, err)
	assert.Len(t, page, 1)
	assert.Empty(t, next)
	page, _, err = s.Jobs(store.JobFilter{Limit: 5000})
	require.NoError(t, err)
	assert.Len(t, page, 1000, "the largest page")
	assert.True(t, slices.IsSortedFunc(page, func(a, b fiscal.Job) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	}))
}
