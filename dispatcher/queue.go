package dispatcher

import (
	"cmp"
	"container/list"
	"slices"
	"time"

	"frpoold/fiscal"
)

// queue holds the waiting jobs of one circuit. Each integration has its own line, and the lines take turns, so one
// merchant's burst does not starve another's single receipt (design.md §6).
type queue struct {
	lines map[fiscal.IntegrationID]*line
	turns []fiscal.IntegrationID // lines that are not empty; the first goes next
	count int
}

// line is one integration's jobs, apart by what they need of a register: jobs that wait for a rare one must not hold up
// those behind them, however many they are.
type line struct {
	kinds map[fiscal.Needs]*list.List // of *entry; none is empty
}

func newQueue() *queue { return &queue{lines: map[fiscal.IntegrationID]*line{}} }

// add puts a job at the end of its integration's line, or at the front when it has waited before.
func (q *queue) add(e *entry, front bool) {
	id := e.job.Integration
	l, ok := q.lines[id]
	if !ok {
		l = &line{kinds: map[fiscal.Needs]*list.List{}}
		q.lines[id] = l
		q.turns = append(q.turns, id)
	}
	jobs, ok := l.kinds[e.job.Needs]
	if !ok {
		jobs = list.New()
		l.kinds[e.job.Needs] = jobs
	}
	if front {
		jobs.PushFront(e)
	} else {
		jobs.PushBack(e)
	}
	q.count++
}

// scan is how many jobs of one kind are looked at for one that an idle device may make: those in front may be kept from it
// because it failed them.
const scan = 64

// take finds, in turn, the first job that pick accepts, and removes it. The line it came from goes to the back. Jobs that
// pause, and those whose deadline has passed and that end in a moment, are passed over.
func (q *queue) take(now time.Time, pick func(*entry) bool) (*entry, bool) {
	for t, id := range q.turns {
		l := q.lines[id]
		for _, jobs := range l.oldestFirst() {
			looked := 0
			for el := jobs.Front(); el != nil && looked < scan; el = el.Next() {
				e := el.Value.(*entry)
				if now.Before(e.notBefore) || now.After(e.job.Deadline) {
					continue
				}
				if looked++; !pick(e) {
					continue
				}
				q.drop(id, e.job.Needs, el)
				if _, more := q.lines[id]; more {
					q.turns = append(slices.Delete(q.turns, t, t+1), id)
				}
				return e, true
			}
		}
	}
	return nil, false
}

// oldestFirst are the kinds in the order of the jobs at their heads.
func (l *line) oldestFirst() []*list.List {
	out := make([]*list.List, 0, len(l.kinds))
	for _, jobs := range l.kinds {
		out = append(out, jobs)
	}
	slices.SortFunc(out, func(a, b *list.List) int {
		return cmp.Compare(a.Front().Value.(*entry).job.ID, b.Front().Value.(*entry).job.ID)
	})
	return out
}

// drop takes an element out, and with it a kind and a line that have no more.
func (q *queue) drop(id fiscal.IntegrationID, n fiscal.Needs, el *list.Element) {
	l := q.lines[id]
	jobs := l.kinds[n]
	jobs.Remove(el)
	q.count--
	if jobs.Len() > 0 {
		return
	}
	delete(l.kinds, n)
	if len(l.kinds) == 0 {
		delete(q.lines, id)
		q.turns = slices.DeleteFunc(q.turns, func(other fiscal.IntegrationID) bool { return other == id })
	}
}

// remove takes a given job out of the queue.
func (q *queue) remove(e *entry) bool {
	l, ok := q.lines[e.job.Integration]
	if !ok {
		return false
	}
	jobs, ok := l.kinds[e.job.Needs]
	if !ok {
		return false
	}
	for el := jobs.Front(); el != nil; el = el.Next() {
		if el.Value.(*entry) == e {
			q.drop(e.job.Integration, e.job.Needs, el)
			return true
		}
	}
	return false
}

// each visits every waiting job; visit must not change the queue.
func (q *queue) each(visit func(*entry)) {
	for _, l := range q.lines {
		for _, jobs := range l.kinds {
			for el := jobs.Front(); el != nil; el = el.Next() {
				visit(el.Value.(*entry))
			}
		}
	}
}
