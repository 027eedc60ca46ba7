package store

import (
	"bytes"
	"encoding/binary"

	"frpoold/fiscal"
)

const (
	defaultPage = 100
	maxPage     = 1000
	maxScan     = 10_000 // records looked at for one page
)

// JobFilter says which jobs a list is of. Zero values do not filter.
type JobFilter struct {
	Integration fiscal.IntegrationID
	ExternalID  string
	Status      fiscal.JobState
	After       fiscal.JobID // only jobs behind this one
	Limit       int          // of the page; 0 means 100, the most is 1000
}

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
}

// Jobs is one page of jobs, ascending by id. next is the After of the next page, empty at the end. At most 10 000 records
// are looked at: a page may then be short or empty with next set. Jobs of a status that is not final are found through
// the unfinished ones, so they never take a long look.
func (s *Store) Jobs(f JobFilter) (page []fiscal.Job, next fiscal.JobID, err error) {
	err = s.view(func(t *txn) error {
		l := lister{t: t, filter: f, limit: pageSize(f.Limit)}
		var err error
		switch {
		case f.ExternalID != "":
			err = l.byExternalID()
		case f.Status != 0 && !f.Status.Final():
			err = l.walk(bucketUnfinished, nil, l.unfinished)
		case f.Integration != 0:
			err = l.walk(bucketByIntegration, numberKey(uint64(f.Integration)), l.indexed)
		default:
			err = l.walk(bucketJobs, nil, l.record)
		}
		page, next = l.page, l.next
		return err
	})
	return page, next, err
}

// lister collects one page.
type lister struct {
	t      *txn
	filter JobFilter
	limit  int
	seen   int
	page   []fiscal.Job
	next   fiscal.JobID
}

// walk offers every record of a bucket from the cursor on, until the page is full or enough was looked at. The job id is
// what follows the prefix in a key.
func (l *lister) walk(b bucket, prefix []byte, offer func(id, v []byte) error) error {
	var last []byte
	from := append(bytes.Clone(prefix), l.filter.After...)
	return l.t.scan(b, prefix, from, func(k, v []byte) (bool, error) {
		id := k[len(prefix):]
		if len(l.page) == l.limit || l.seen == maxScan {
			l.next = fiscal.JobID(last)
			return false, nil
		}
		l.seen++
		last = append(last[:0], id...)
		return true, offer(id, v)
	})
}

func (l *lister) unfinished(id, state []byte) error {
	if len(state) != 1 || fiscal.JobState(state[0]) != l.filter.Status {
		return nil
	}
	return l.indexed(id, nil)
}

func (l *lister) indexed(id, _ []byte) error {
	j, err := l.t.job(id)
	if err != nil {
		return err
	}
	l.offer(j)
	return nil
}

func (l *lister) record(id, v []byte) error {
	j, err := decode[fiscal.Job](bucketJobs, id, v)
	if err != nil {
		return err
	}
	l.offer(j)
	return nil
}

// offer takes the job into the page if the filter wants it.
func (l *lister) offer(j fiscal.Job) {
	f := &l.filter
	if (f.Integration == 0 || j.Integration == f.Integration) && (f.Status == 0 || j.State == f.Status) && j.ID > f.After {
		l.page = append(l.page, j)
	}
}

// byExternalID looks into the index, once for each integration that has jobs. There is no next page: an integration has
// one job of an external id, and the page holds as many as there are integrations, in the order of those.
func (l *lister) byExternalID() error {
	if l.filter.Integration != 0 {
		return l.external(l.filter.Integration)
	}
	c := l.t.bucket(bucketExternal).Cursor()
	for k, _ := c.First(); len(k) >= 8; {
		i := binary.BigEndian.Uint64(k)
		if err := l.external(fiscal.IntegrationID(i)); err != nil {
			return err
		}
		if i == ^uint64(0) {
			return nil
		}
		k, _ = c.Seek(numberKey(i + 1))
	}
	return nil
}

func (l *lister) external(i fiscal.IntegrationID) error {
	id := l.t.get(bucketExternal, externalKey(i, l.filter.ExternalID))
	if id == nil {
		return nil
	}
	return l.indexed(id, nil)
}
