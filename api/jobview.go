package api

import (
	"net/http"
	"slices"

	"frpoold/fiscal"
	"frpoold/integration/native"
)

// view is a job as its caller may see it. The evidence of an attempt in doubt shows other documents of the register,
// perhaps other merchants' receipts, and the daemon's talk with it: that is for people, not for an integration.
func view(who caller, job fiscal.Job, pending ...fiscal.Delivery) native.Job {
	if who.role == "" {
		job.Attempts = slices.Clone(job.Attempts) // the dispatcher's own slice stays as it is
		for i := range job.Attempts {
			job.Attempts[i].Evidence = nil
		}
	}
	return native.Render(job, pending...)
}

// replyJob answers with one job and how far its callbacks are.
func (s *Server) replyJob(c *call, job fiscal.Job) error {
	var pending []fiscal.Delivery
	if job.CallbackURL != "" && job.State.Final() { // callbacks are queued with the final state
		var err error
		if pending, err = s.opt.Deliveries.Deliveries(job.ID); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, view(c.who, job, pending...))
}
