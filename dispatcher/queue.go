package dispatcher

import (
	"container/list"

	"frpoold/fiscal"
)

// queue holds the waiting jobs of one circuit. Each integration has its own line, and the lines take turns, so one
// merchant's burst does not starve another's single receipt (design.md §6).
type queue struct {
	lines map[fiscal.IntegrationID]*list.List // of *entry
	turns []fiscal.IntegrationID              // lines that are not empty; the first goes next
	count int
}

func newQueue() *queue { return &queue{lines: map[fiscal.IntegrationID]*list.List{}} }

// add puts a job at the end of its integration's line, or at the front when it has waited before.
func (q *queue) add(e *entry, front bool) {
	id := e.job.Integration
	line, ok := q.lines[id]
	if !ok {
		line = list.New()
		q.lines[id] = line
		q.turns = append(q.turns, id)
	}
	if front {
		line.PushFront(e)
	} else {
		line.PushBack(e)
	}
	q.count++
}

// scan is how many jobs of one line are looked at for one that an idle device can make. A line whose head waits for a
// rare device must not hold up what follows it, and must not cost a walk through thousands either.
const scan = 64

// take finds, in turn, the first job that pick accepts, and removes it. The line it came from goes to the back.
func (q *queue) take(pick func(*entry) bool) (*entry, bool) {
	for t, id := range q.turns {
		line := q.lines[id]
		looked := 0
		for el := line.Front(); el != nil && looked < scan; el, looked = el.Next(), looked+1 {
			e := el.Value.(*entry)
			if !pick(e) {
				continue
			}
			line.Remove(el)
			q.count--
			q.turns = append(q.turns[:t:t], q.turns[t+1:]...)
			if line.Len() > 0 {
				q.turns = append(q.turns, id)
			} else {
				delete(q.lines, id)
			}
			return e, true
		}
	}
	return nil, false
}

// remove takes a given job out of the queue.
func (q *queue) remove(e *entry) bool {
	id := e.job.Integration
	line, ok := q.lines[id]
	if !ok {
		return false
	}
	for el := line.Front(); el != nil; el = el.Next() {
		if el.Value.(*entry) != e {
			continue
		}
		line.Remove(el)
		q.count--
		if line.Len() == 0 {
			delete(q.lines, id)
			for t, other := range q.turns {
				if other == id {
					q.turns = append(q.turns[:t:t], q.turns[t+1:]...)
					break
				}
			}
		}
		return true
	}
	return false
}

// each visits every waiting job; visit must not change the queue.
func (q *queue) each(visit func(*entry)) {
	for _, line := range q.lines {
		for el := line.Front(); el != nil; el = el.Next() {
			visit(el.Value.(*entry))
		}
	}
}
