package dispatcher

import (
	"errors"
	"fmt"
	"time"

	"frpoold/fiscal"
)

// move is one allowed change of a job's state.
type move struct {
	from, to fiscal.JobState
	why      string
}

// moves is the life of a job: the drawing in docs/ and the tests are made from this value.
var moves = []move{
	{fiscal.JobQueued, fiscal.JobAssigned, "a ready device was chosen"},
	{fiscal.JobQueued, fiscal.JobCanceled, "the client took it back"},
	{fiscal.JobQueued, fiscal.JobExpired, "its deadline passed"},
	{fiscal.JobAssigned, fiscal.JobQueued, "the device could not begin"},
	{fiscal.JobAssigned, fiscal.JobRefused, "the receipt cannot be put into the device's words"},
	{fiscal.JobAssigned, fiscal.JobSending, "the baseline is durable"},
	{fiscal.JobSending, fiscal.JobMade, "the device answered with the next document"},
	{fiscal.JobSending, fiscal.JobRefused, "the device said no to the content, and its number did not move"},
	{fiscal.JobSending, fiscal.JobQueued, "certain that nothing was made"},
	{fiscal.JobSending, fiscal.JobInDoubt, "no trustworthy answer, or the daemon died"},
	{fiscal.JobInDoubt, fiscal.JobMade, "found in the archive"},
	{fiscal.JobInDoubt, fiscal.JobQueued, "proved absent from the archive"},
	{fiscal.JobInDoubt, fiscal.JobOperator, "the evidence does not decide"},
	{fiscal.JobInDoubt, fiscal.JobRefused, "an operator said it was not made"},
	{fiscal.JobOperator, fiscal.JobMade, "an operator said it was made"},
	{fiscal.JobOperator, fiscal.JobRefused, "an operator said it was not made"},
}

// allowed reports whether a job may go from one state to another.
func allowed(from, to fiscal.JobState) bool {
	for _, m := range moves {
		if m.from == from && m.to == to {
			return true
		}
	}
	return false
}

// entry is a job that is not at rest, as the loop knows it.
type entry struct {
	job       fiscal.Job                   // what clients see
	stored    fiscal.JobState              // what the journal has: never Assigned
	avoid     map[fiscal.DeviceID]struct{} // devices that could not make it, while others can
	expired   map[fiscal.DeviceID]struct{} // devices that called their shift expired once: they may renew it and try again
	rounds    int                          // how often every device that fits has failed it
	pause     time.Duration                // before it may be assigned again, once it is queued
	notBefore time.Time                    // while queued: it pauses until then
	notify    []chan struct{}              // closed at rest
	busy      bool                         // a write is on its way; nothing else may decide about the job
	unsure    bool                         // the write of an attempt's record failed, and may be on disk all the same
	then      func()                       // once that write has taken effect
	ended     chan struct{}                // closed when the next write is durable, and before: the job has left its device
	before    <-chan struct{}              // the same of the job before it on that device
}

// advance moves the job as clients see it. A move that the table does not have is a defect and stops the loop's caller.
func (e *entry) advance(to fiscal.JobState) {
	if !allowed(e.job.State, to) {
		panic(fmt.Sprintf("job %s: no move from %s to %s", e.job.ID, e.job.State, to))
	}
	e.job.State = to
}

// mismatch is the journal's refusal of a change whose starting state is not the stored one.
type mismatch interface {
	error
	Stored() fiscal.JobState
}

// storedAs reports that a failed write is on disk all the same: a commit that fails in its last step may have become
// durable, and the next try then finds the state it wanted to write.
func storedAs(err error, s fiscal.JobState) bool {
	var m mismatch
	return errors.As(err, &m) && m.Stored() == s
}

// learn takes over what a refusal of the journal tells about the stored state.
func (e *entry) learn(err error) {
	var m mismatch
	if errors.As(err, &m) {
		e.stored = m.Stored()
	}
}
