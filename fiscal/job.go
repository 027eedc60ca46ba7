package fiscal

import "time"

// JobState is where a job is in its life. The allowed moves are one table in dispatcher/job.go.
// The numbers are stored: append only.
type JobState uint8

// Job states.
const (
	JobQueued   JobState = iota + 1 // waits for a device
	JobAssigned                     // a device was chosen; never stored, a restart finds it queued
	JobSending                      // the durable record is written; bytes that make a document may be on the wire
	JobMade                         // exactly one document exists
	JobRefused                      // no document exists and none will
	JobInDoubt                      // the device is being asked
	JobOperator                     // the evidence does not decide; a person must
	JobCanceled                     // taken back by the client while queued
	JobExpired                      // its deadline passed while queued
)

var jobStateWords = words[JobState]{
	{JobQueued, "queued"},
	{JobAssigned, "assigned"},
	{JobSending, "sending"},
	{JobMade, "made"},
	{JobRefused, "refused"},
	{JobInDoubt, "in_doubt"},
	{JobOperator, "operator"},
	{JobCanceled, "canceled"},
	{JobExpired, "expired"},
}

func (s JobState) String() string               { return jobStateWords.string("status", s) }
func (s JobState) MarshalText() ([]byte, error) { return jobStateWords.marshal("status", s) }

// UnmarshalText fails with *WordError.
func (s *JobState) UnmarshalText(b []byte) error { return jobStateWords.unmarshal("status", b, s) }

// Final reports that nothing will change the job any more.
func (s JobState) Final() bool {
	return s == JobMade || s == JobRefused || s == JobCanceled || s == JobExpired
}

// AtRest reports that the job waits for nobody but perhaps a person.
func (s JobState) AtRest() bool { return s.Final() || s == JobOperator }

// Job is one receipt to be made and all that happened to it. The receipt itself is stored beside it, once.
type Job struct {
	ID          JobID         `json:"id"`
	Circuit     CircuitID     `json:"circuit"`
	Integration IntegrationID `json:"integration"`
	ExternalID  string        `json:"external_id"`
	Digest      string        `json:"digest"` // of the content: tells a repeat from a clash of external ids
	State       JobState      `json:"state"`
	Operation   Operation     `json:"operation"`
	Total       Money         `json:"total"`
	Needs       Needs         `json:"needs"`
	CallbackURL string        `json:"callback_url,omitempty"`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
	Deadline    time.Time     `json:"deadline"`
	Attempts    []Attempt     `json:"attempts,omitempty"`
	Failure     *Failure      `json:"failure,omitempty"` // why it was refused, expired, or waits for a person
	Fiscal      *FiscalData   `json:"fiscal,omitempty"`  // set when made
}

// Last is the attempt in work or the latest one; nil before the first.
func (j *Job) Last() *Attempt {
	if len(j.Attempts) == 0 {
		return nil
	}
	return &j.Attempts[len(j.Attempts)-1]
}

// Failure is an error as a person reads it.
type Failure struct {
	Code    string `json:"code"` // snake_case
	Message string `json:"message"`
}

// Attempt is one try to make the receipt on one device.
type Attempt struct {
	Device    DeviceID  `json:"device"`
	Reason    string    `json:"reason"` // why this device was chosen
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Baseline  *Baseline `json:"baseline,omitempty"` // nil: nothing that makes a document was sent
	Result    string    `json:"result,omitempty"`   // one sentence
	Kind      Kind      `json:"kind,omitempty"`
	Effect    Effect    `json:"effect,omitempty"`
	Code      Code      `json:"code,omitempty"`
	Evidence  *Evidence `json:"evidence,omitempty"` // only of attempts that fell in doubt
}

// Baseline is the durable record written before the first byte that could make a document (design.md §5.1).
type Baseline struct {
	FN     string    `json:"fn"`
	Serial string    `json:"serial"`
	LastFD DocNumber `json:"last_fd"`
	Stamp  Stamp     `json:"stamp"`
	Marks  Marks     `json:"marks,omitzero"` // what the document will carry
	// Proven says that this register was seen to keep such a stamp in its archive. Only then does a document without any
	// mark prove to be another one.
	Proven bool      `json:"stamp_proven"`
	At     time.Time `json:"at"`
}

// Evidence is everything that was learnt about an attempt in doubt.
type Evidence struct {
	After     *DocumentRef `json:"after,omitempty"`     // where the FN stood when it was asked
	Documents []Document   `json:"documents,omitempty"` // read from the archive, after the baseline
	Found     *Document    `json:"found,omitempty"`
	Verdict   string       `json:"verdict"`
	Exchanges []Exchange   `json:"exchanges,omitempty"`
}

// Exchange is one request and what came back, as bytes and as words.
type Exchange struct {
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took_ns"`
	Command string        `json:"command"` // "08 FN status"
	Request HexBytes      `json:"request"`
	Reply   HexBytes      `json:"reply"`
	Meaning string        `json:"meaning,omitempty"`
	Error   string        `json:"error,omitempty"`
}
