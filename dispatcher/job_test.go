package dispatcher

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// states are all there are.
var states = []fiscal.JobState{
	fiscal.JobQueued, fiscal.JobAssigned, fiscal.JobSending, fiscal.JobMade, fiscal.JobRefused, fiscal.JobInDoubt, fiscal.JobOperator,
	fiscal.JobCanceled, fiscal.JobExpired,
}

// scenarios drive a job through each move of the table, and are the proof that the move is really made.
var scenarios = map[[2]fiscal.JobState]func(t *testing.T){
	{fiscal.JobQueued, fiscal.JobAssigned}: func(t *testing.T) {
		a := newBox("a")
		early := make(chan struct{})
		a.script = []turn{{early: early}}
		b := started(t, a)
		id := b.submit()
		job := b.is(id, fiscal.JobAssigned)
		require.EqualValues(t, "a", job.Last().Device)
		require.NotEmpty(t, job.Last().Reason, "the reason for a choice is kept on the attempt")
		require.Equal(t, fiscal.JobQueued, b.disk(id), "assigned is never stored")
		close(early)
		b.ends(id, fiscal.JobMade)
	},
	{fiscal.JobQueued, fiscal.JobCanceled}: func(t *testing.T) {
		b := started(t)
		id := b.submit()
		job, err := b.Cancel(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, fiscal.JobCanceled, job.State)
		require.Equal(t, fiscal.JobCanceled, b.disk(id))
	},
	{fiscal.JobQueued, fiscal.JobExpired}: func(t *testing.T) {
		b := started(t)
		id := b.submit(func(s *Submission) { s.Deadline = time.Now().Add(time.Minute) })
		job := b.ends(id, fiscal.JobExpired)
		require.Equal(t, "deadline_passed", job.Failure.Code)
	},
	{fiscal.JobAssigned, fiscal.JobQueued}: func(t *testing.T) {
		a := newBox("a")
		early := make(chan struct{})
		a.script = []turn{{early: early, before: errNoLine}}
		b := started(t, a)
		id := b.submit()
		b.is(id, fiscal.JobAssigned)
		b.fleet.set(func() { a.gates = []fiscal.GateCode{fiscal.GateOffline} })
		close(early)
		job := b.is(id, fiscal.JobQueued)
		time.Sleep(time.Second) // a job that every device failed rests a moment
		require.Equal(t, 1, b.Queued(1))
		require.Len(t, job.Attempts, 1)
		require.Contains(t, job.Last().Result, "connection refused")
		require.Nil(t, job.Last().Baseline, "nothing that makes a document was sent")
		require.Equal(t, []string{"task " + string(id) + " a"}, b.of("task", "bytes"))
	},
	{fiscal.JobAssigned, fiscal.JobRefused}: func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{before: errInvalid}}
		b := started(t, a)
		id := b.submit()
		job := b.ends(id, fiscal.JobRefused)
		require.Nil(t, job.Last().Baseline)
		require.Zero(t, b.fleet.receipts(id))
	},
	{fiscal.JobAssigned, fiscal.JobSending}: func(t *testing.T) {
		a := newBox("a")
		hold := make(chan struct{})
		a.script = []turn{{until: hold}}
		b := started(t, a)
		id := b.submit()
		b.is(id, fiscal.JobSending)
		stored, err := b.journal.Job(id)
		require.NoError(t, err)
		require.Equal(t, fiscal.JobSending, stored.State)
		base := stored.Last().Baseline
		require.Equal(t, "FN-a", base.FN)
		require.EqualValues(t, 1, base.LastFD)
		require.EqualValues(t, "a", stored.Last().Device)
		require.Equal(t, string(id), base.Stamp.Value)
		close(hold)
		b.ends(id, fiscal.JobMade)
	},
	{fiscal.JobSending, fiscal.JobMade}: func(t *testing.T) {
		b := started(t, newBox("a"))
		id := b.submit()
		job := b.ends(id, fiscal.JobMade)
		require.EqualValues(t, 2, job.Fiscal.FD)
		require.Equal(t, "FN-a", job.Fiscal.FN)
		require.EqualValues(t, "a", job.Fiscal.EIP)
		require.EqualValues(t, 15000, job.Fiscal.Total)
		require.Equal(t, "+03:00", job.Fiscal.Datetime.Format("-07:00"), "with the circuit's offset")
		require.Equal(t, 1, b.fleet.receipts(id))
	},
	{fiscal.JobSending, fiscal.JobRefused}: func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{err: errRefused}}
		b := started(t, a)
		id := b.submit()
		job := b.ends(id, fiscal.JobRefused)
		require.Contains(t, job.Failure.Message, "the sum is wrong", "a refusal says why")
		require.EqualValues(t, 7, job.Last().Code)
		require.Zero(t, b.fleet.receipts(id))
	},
	{fiscal.JobSending, fiscal.JobQueued}: func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{err: errPerson}}
		b := started(t, a)
		id := b.submit()
		job := b.ends(id, fiscal.JobMade)
		require.Len(t, job.Attempts, 2)
		require.Equal(t, fiscal.Nothing, job.Attempts[0].Effect)
		require.Contains(t, job.Attempts[0].Result, "out of ink")
		require.Contains(t, b.of("write"), "write "+string(id)+" queued")
	},
	{fiscal.JobSending, fiscal.JobInDoubt}: func(t *testing.T) {
		a := newBox("a")
		a.blind = errNoLine
		a.script = []turn{{lost: true, err: errSilent}}
		b := started(t, a)
		id := b.submit()
		time.Sleep(time.Minute)
		job := b.is(id, fiscal.JobInDoubt)
		require.Equal(t, fiscal.JobInDoubt, b.disk(id))
		require.Nil(t, job.Failure, "it is never reported as failed")
		require.NotEmpty(t, job.Last().Evidence.Exchanges)
		b.fleet.set(func() { a.blind = nil })
		b.ends(id, fiscal.JobMade)
	},
	{fiscal.JobInDoubt, fiscal.JobMade}: func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{lost: true, err: errSilent}}
		b := started(t, a)
		id := b.submit()
		job := b.ends(id, fiscal.JobMade)
		require.EqualValues(t, 2, job.Fiscal.FD)
		require.EqualValues(t, 2, job.Last().Evidence.Found.Number)
		require.Equal(t, 1, b.fleet.receipts(id))
		require.Empty(t, b.fleet.held("a"))
	},
	{fiscal.JobInDoubt, fiscal.JobQueued}: func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{err: errSilent}}
		b := started(t, a)
		id := b.submit()
		job := b.ends(id, fiscal.JobMade)
		require.Len(t, job.Attempts, 2)
		require.Equal(t, fiscal.Nothing, job.Attempts[0].Effect)
		require.Equal(t, 1, b.fleet.receipts(id))
	},
	{fiscal.JobInDoubt, fiscal.JobOperator}: func(t *testing.T) {
		b, id := doubtful(t)
		job := b.job(id)
		require.Equal(t, "needs_operator", job.Failure.Code)
		require.Contains(t, job.Failure.Message, "/receipts/"+string(id)+"/resolve")
		ev := job.Last().Evidence
		require.NotNil(t, ev.After)
		require.NotEmpty(t, ev.Verdict)
		require.Len(t, ev.Exchanges, 2, "those of the receipt and those of the look")
		require.Equal(t, id, b.fleet.held("a"), "a job in operator keeps its device")
	},
	{fiscal.JobInDoubt, fiscal.JobRefused}: func(t *testing.T) {
		a := newBox("a")
		a.blind = errNoLine
		a.script = []turn{{err: errSilent}}
		b := started(t, a)
		id := b.submit()
		time.Sleep(settlingTime + time.Second)
		b.is(id, fiscal.JobInDoubt)
		job, err := b.Resolve(t.Context(), "anna", id, Resolution{Reason: "the box burnt"})
		require.NoError(t, err)
		require.Equal(t, fiscal.JobRefused, job.State)
		require.Equal(t, fiscal.JobRefused, b.disk(id))
	},
	{fiscal.JobOperator, fiscal.JobMade}: func(t *testing.T) {
		b, id := doubtful(t)
		job, err := b.Resolve(t.Context(), "anna", id, Resolution{Made: true, FD: 2})
		require.NoError(t, err)
		require.Equal(t, fiscal.JobMade, job.State)
		require.EqualValues(t, 2, job.Fiscal.FD)
		require.Nil(t, job.Failure)
	},
	{fiscal.JobOperator, fiscal.JobRefused}: func(t *testing.T) {
		b, id := doubtful(t)
		job, err := b.Resolve(t.Context(), "anna", id, Resolution{})
		require.NoError(t, err)
		require.Equal(t, fiscal.JobRefused, job.State)
	},
}

// Every move of the table is made by a scenario, and no scenario makes a move that is not in the table.
func TestMoves(t *testing.T) {
	t.Parallel()
	for _, m := range moves {
		t.Run(fmt.Sprintf("%s to %s", m.from, m.to), func(t *testing.T) {
			scenario, ok := scenarios[[2]fiscal.JobState{m.from, m.to}]
			require.True(t, ok, "no test makes this move")
			require.NotEmpty(t, m.why)
			bubble(t, scenario)
		})
	}
	for pair := range scenarios {
		require.True(t, allowed(pair[0], pair[1]), "%s to %s", pair[0], pair[1])
	}
}

// design.md §5 and style.md §4, as a table of their own: what the code has must be this and nothing else.
func TestTransitionTable(t *testing.T) {
	t.Parallel()
	const (
		queued, assigned, sending, made, refused = fiscal.JobQueued, fiscal.JobAssigned, fiscal.JobSending, fiscal.JobMade, fiscal.JobRefused
		inDoubt, operator, canceled, expired     = fiscal.JobInDoubt, fiscal.JobOperator, fiscal.JobCanceled, fiscal.JobExpired
	)
	want := map[fiscal.JobState][]fiscal.JobState{
		queued:   {assigned, canceled, expired},
		assigned: {queued, sending, refused},        // refused: it cannot be put into the register's words (driver.Invalid)
		sending:  {made, refused, inDoubt, queued},  // queued: Effect Nothing, and only that
		inDoubt:  {made, queued, operator, refused}, // refused: an operator's word on a device that is gone
		operator: {made, refused},
	}
	count := 0
	for _, from := range append(states, 0) {
		for _, to := range append(states, 0) {
			is := false
			for _, s := range want[from] {
				is = is || s == to
			}
			require.Equal(t, is, allowed(from, to), "%s to %s", from, to)
			if is {
				count++
			}
		}
	}
	require.Len(t, moves, count, "no move is listed twice")
	for _, s := range states {
		exits := 0
		for _, m := range moves {
			require.NotEqual(t, m.from, m.to)
			if m.from == s {
				exits++
			}
		}
		require.Equal(t, s.Final(), exits == 0, "%s: nothing follows an end, and nothing else is one", s)
	}
	reached := map[fiscal.JobState]bool{queued: true}
	for range states {
		for _, m := range moves {
			reached[m.to] = reached[m.to] || reached[m.from]
		}
	}
	for _, s := range states {
		require.True(t, reached[s], "%s can never be reached", s)
	}
}

// A move that the table does not have is a defect and must not pass in silence.
func TestMoveOutsideTheTable(t *testing.T) {
	t.Parallel()
	for _, from := range states {
		for _, to := range states {
			e := &entry{job: fiscal.Job{ID: "J", State: from}}
			if allowed(from, to) {
				require.NotPanics(t, func() { e.advance(to) })
				require.Equal(t, to, e.job.State)
				continue
			}
			require.Panics(t, func() { e.advance(to) })
			require.Equal(t, from, e.job.State)
		}
	}
}

// Doubt is told while it lasts, and the end after it; clients that watch learn both.
func TestEvents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{lost: true, err: errSilent}}
		b := started(t, a)
		id := b.submit()
		b.ends(id, fiscal.JobMade)
		synctest.Wait()
		var told []string
		for _, e := range b.events {
			require.Equal(t, fiscal.EventJob, e.Type)
			require.Equal(t, id, e.Job.ID)
			told = append(told, e.Job.State.String())
		}
		require.Equal(t, []string{"in_doubt", "made"}, told)
	})
}
