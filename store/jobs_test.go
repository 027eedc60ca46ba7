package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	stored, created, err := s.Accept(context.Background(), aJob(1), aReceipt())
	require.NoError(t, err)
	assert.True(t, created)
	assert.Equal(t, aJob(1), stored)

	again := aJob(1)
	again.ID, again.Digest = jobID(2), "other content"
	stored, created, err = s.Accept(context.Background(), again, aReceipt())
	require.NoError(t, err)
	assert.False(t, created)
	assert.Equal(t, aJob(1), stored, "the job that is there, so that the caller can compare digests")
	_, err = s.Job(jobID(2))
	require.ErrorIs(t, err, store.ErrNotFound, "nothing was written for the repeat")

	other := again
	other.Integration = 8
	_, created, err = s.Accept(context.Background(), other, aReceipt())
	require.NoError(t, err)
	assert.True(t, created, "external ids are unique within an integration")

	clash := aJob(3)
	clash.ID = jobID(1)
	_, _, err = s.Accept(context.Background(), clash, aReceipt())
	require.ErrorIs(t, err, store.ErrExists)
}

func TestAcceptRefusesWhatIsNoNewJob(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	for name, change := range map[string]func(*fiscal.Job){
		"no id":          func(j *fiscal.Job) { j.ID = "" },
		"no external id": func(j *fiscal.Job) { j.ExternalID = "" },
		"assigned":       func(j *fiscal.Job) { j.State = fiscal.JobAssigned },
		"made":           func(j *fiscal.Job) { j.State = fiscal.JobMade },
		"unknown state":  func(j *fiscal.Job) { j.State = 99 },
	} {
		j := aJob(1)
		change(&j)
		_, _, err := s.Accept(context.Background(), j, aReceipt())
		require.ErrorIs(t, err, store.ErrNotStored, name)
	}
}

func TestAcceptWithEndedContextStoresAllOrNothing(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for i := range 200 {
		_, _, err := s.Accept(ctx, aJob(i), aReceipt())
		_, read := s.Job(jobID(i))
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, read, store.ErrNotFound)
		} else {
			require.NoError(t, read)
		}
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	finish(t, s, aJob(1))
	j, err := s.Job(jobID(1))
	require.NoError(t, err)
	assert.Equal(t, made(aJob(1)), j)
	accept(t, s, aJob(2))

	doubt := withState(sending(aJob(2)), fiscal.JobInDoubt)
	for _, c := range []struct {
		name string
		from fiscal.JobState
		job  fiscal.Job
		want error
	}{
		{"unknown job", fiscal.JobQueued, sending(aJob(9)), store.ErrNotFound},
		{"no id", fiscal.JobQueued, fiscal.Job{State: fiscal.JobSending}, store.ErrNotFound},
		{"to assigned", fiscal.JobQueued, withState(aJob(2), fiscal.JobAssigned), store.ErrNotStored},
		{"from assigned", fiscal.JobAssigned, sending(aJob(2)), store.ErrNotStored},
		{"from a final state", fiscal.JobMade, withState(aJob(1), fiscal.JobQueued), store.ErrNotStored},
		{"record without words", fiscal.JobQueued, withState(aJob(2), 77), store.ErrNotStored},
		{"not where the caller thinks", fiscal.JobSending, made(aJob(2)), &store.StateError{ID: jobID(2), Want: fiscal.JobSending, Have: fiscal.JobQueued}},
		{"finished meanwhile", fiscal.JobSending, made(aJob(1)), &store.StateError{ID: jobID(1), Want: fiscal.JobSending, Have: fiscal.JobMade}},
		{"right", fiscal.JobQueued, sending(aJob(2)), nil},
		{"same state, more evidence", fiscal.JobSending, sending(aJob(2)), nil},
		{"doubt", fiscal.JobSending, doubt, nil},
		{"a person", fiscal.JobInDoubt, withState(doubt, fiscal.JobOperator), nil},
		{"back to the queue", fiscal.JobOperator, aJob(2), nil},
		{"canceled", fiscal.JobQueued, withState(aJob(2), fiscal.JobCanceled), nil},
	} {
		err := <-s.Advance(c.from, c.job)
		if state, ok := c.want.(*store.StateError); ok { //nolint:errorlint // the table's own value
			var got *store.StateError
			require.ErrorAs(t, err, &got, c.name)
			assert.Equal(t, state, got, c.name)
			assert.Contains(t, err.Error(), "is stored as")
			assert.Equal(t, state.Have, got.Stored())
			continue
		}
		require.ErrorIs(t, err, c.want, c.name)
		if c.want == nil {
			j, err := s.Job(c.job.ID)
			require.NoError(t, err, c.name)
			assert.Equal(t, c.job, j, c.name)
		}
	}
	left, err := s.Unfinished()
	require.NoError(t, err)
	assert.Empty(t, left)
}

// Moves queued without waiting are applied in the order of the calls: otherwise most of these would fail their check.
func TestAdvanceKeepsCallOrder(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	accept(t, s, aJob(1))
	var answers []<-chan error
	for range 1000 {
		answers = append(answers,
			s.Advance(fiscal.JobQueued, sending(aJob(1))),
			s.Advance(fiscal.JobSending, withState(aJob(1), fiscal.JobInDoubt)),
			s.Advance(fiscal.JobInDoubt, aJob(1)))
	}
	last := s.Advance(fiscal.JobQueued, withState(aJob(1), fiscal.JobExpired))
	for i, a := range answers {
		require.NoError(t, <-a, "move %d", i)
	}
	require.NoError(t, <-last)
}

// One external id from many callers at once makes one job, and every caller is told of the same.
func TestRacingDuplicatesMakeOneJob(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	const callers, orders = 20, 50
	var mu sync.Mutex
	creators, names := map[string]int{}, map[string]map[fiscal.JobID]bool{}
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for o := range orders {
				j := aJob(c*orders + o)
				j.ExternalID = fmt.Sprintf("order-%d", o)
				stored, created, err := s.Accept(context.Background(), j, aReceipt())
				if !assert.NoError(t, err) {
					return
				}
				mu.Lock()
				if created {
					creators[j.ExternalID]++
				}
				if names[j.ExternalID] == nil {
					names[j.ExternalID] = map[fiscal.JobID]bool{}
				}
				names[j.ExternalID][stored.ID] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for o := range orders {
		ext := fmt.Sprintf("order-%d", o)
		assert.Equal(t, 1, creators[ext], ext)
		assert.Len(t, names[ext], 1, ext)
	}
	jobs, err := s.Unfinished()
	require.NoError(t, err)
	assert.Len(t, jobs, orders)
}

// Thousands of jobs live their whole lives at once, while others read. storetest checks the file at the end.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	const workers, each = 50, 40
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_, err := s.Unfinished()
			assert.NoError(t, err)
			_, _, err = s.Jobs(store.JobFilter{Integration: 7, Limit: 20})
			assert.NoError(t, err)
		}
	})
	for w := range workers {
		writers.Go(func() {
			for k := range each {
				finish(t, s, aJob(w*each+k))
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	left, err := s.Unfinished()
	require.NoError(t, err)
	assert.Empty(t, left)
	for i := range workers * each {
		j, err := s.Job(jobID(i))
		require.NoError(t, err)
		require.Equal(t, made(aJob(i)), j)
	}
}

// What a read returned stays as it is when the file's memory is written over or unmapped.
func TestNothingPointsIntoTheFile(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	j := sending(aJob(1))
	j.State = fiscal.JobInDoubt
	j.Attempts[0].Evidence = &fiscal.Evidence{Verdict: "nobody knows", Exchanges: []fiscal.Exchange{{Command: "24", Request: fiscal.HexBytes{1, 2, 3}, Reply: fiscal.HexBytes{4}}}}
	accept(t, s, aJob(1))
	require.NoError(t, <-s.Advance(fiscal.JobQueued, j))
	finishWithCallback(t, s, aJob(2))
	require.NoError(t, s.AppendAudit(fiscal.AuditEntry{Actor: "op", Action: "device.add", Target: "x", At: epoch}))

	unfinished, err := s.Unfinished()
	require.NoError(t, err)
	page, _, err := s.Jobs(store.JobFilter{})
	require.NoError(t, err)
	receipt, err := s.Receipt(jobID(1))
	require.NoError(t, err)
	known, _, err := s.Accept(context.Background(), aJob(1), aReceipt())
	require.NoError(t, err)
	due, err := s.DueDeliveries(time.Now(), 10)
	require.NoError(t, err)
	audit, _, err := s.Audit(0, 10)
	require.NoError(t, err)

	for i := range 300 {
		finish(t, s, aJob(10+i))
	}
	require.NoError(t, s.Close())
	assert.Equal(t, []fiscal.Job{j}, unfinished)
	assert.Equal(t, j, page[0])
	assert.Equal(t, jobID(2), page[1].ID)
	assert.Equal(t, aReceipt(), receipt)
	assert.Equal(t, j, known)
	assert.Equal(t, "https://shop.example/fiscal", due[0].URL)
	assert.Equal(t, "device.add", audit[0].Action)
}

func TestUnfinishedIsInOrder(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	for _, i := range []int{5, 1, 4, 2, 3} {
		accept(t, s, aJob(i))
	}
	finish(t, s, aJob(6))
	jobs, err := s.Unfinished()
	require.NoError(t, err)
	var ids []fiscal.JobID
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	assert.Equal(t, []fiscal.JobID{jobID(1), jobID(2), jobID(3), jobID(4), jobID(5)}, ids)
}

func TestReadingWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	for _, id := range []fiscal.JobID{"", "nobody", jobID(1)} {
		_, err := s.Job(id)
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = s.Receipt(id)
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	jobs, err := s.Unfinished()
	require.NoError(t, err)
	assert.Empty(t, jobs)
}

func TestTwoStoresAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := storetest.OpenAt(t, filepath.Join(dir, "a.db"))
	b := storetest.OpenAt(t, filepath.Join(dir, "b.db"))
	accept(t, a, aJob(1))
	_, err := b.Job(jobID(1))
	require.ErrorIs(t, err, store.ErrNotFound)
}
