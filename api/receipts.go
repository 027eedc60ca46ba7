package api

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"frpoold/circuits"
	"frpoold/fiscal"
	"frpoold/integration/native"
)

// nativeType is the one integration type whose receipts come through this API.
const nativeType = "native"

func (s *Server) postReceipt(c *call) error {
	g, err := s.integrationOf(c)
	if err != nil {
		return err
	}
	if g.Type != nativeType {
		return conflict("integration_not_native", fmt.Sprintf("The integration %d is of type %q: its receipts come through its own interface, and only those of type %q through this one.", g.ID, g.Type, nativeType),
			map[string]any{"type": g.Type})
	}
	if !g.Active {
		return conflict("integration_inactive", fmt.Sprintf("The integration %d is switched off: PATCH /int/%d/activate switches it on.", g.ID, g.ID),
			map[string]any{"id": g.ID})
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	if body == nil {
		return malformed(codeMalformedJSON, "The body is empty: send the receipt as a JSON object.", nil)
	}
	request, err := native.Decode(body, s.opt.Native)
	if err != nil {
		return err
	}
	job, created, err := s.opt.Jobs.Submit(c.r.Context(), Submission{
		Circuit:     g.Circuit,
		Integration: g.ID,
		ExternalID:  request.ExternalID,
		Digest:      request.Digest,
		CallbackURL: request.CallbackURL,
		Receipt:     request.Receipt,
		Deadline:    request.Deadline,
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/receipts/"+string(job.ID))
	if !created {
		return c.reply(http.StatusOK, view(c.who, job))
	}
	return c.reply(http.StatusAccepted, view(c.who, job))
}

// integrationOf is the integration in the path, as far as it exists for the caller.
func (s *Server) integrationOf(c *call) (circuits.Integration, error) {
	id, err := c.integrationID()
	if err != nil {
		return circuits.Integration{}, err
	}
	if !c.who.owns(id) {
		return circuits.Integration{}, noIntegration()
	}
	return s.opt.Circuits.Integration(id)
}

func (s *Server) listIntegrationReceipts(c *call) error {
	g, err := s.integrationOf(c)
	if err != nil {
		return err
	}
	return s.listJobs(c, g.ID)
}

func (s *Server) listReceipts(c *call) error { return s.listJobs(c, 0) }

func (s *Server) listJobs(c *call, of fiscal.IntegrationID) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	f, err := q.jobs()
	if err != nil {
		return err
	}
	f.Integration = of
	if f.ExternalID != "" && of == 0 {
		return badParameter("external_id", "is known only together with its integration: GET /int/{id}/receipts?external_id=…")
	}
	page, next, err := s.opt.Jobs.Jobs(f)
	if err != nil {
		return err
	}
	items := make([]native.Job, len(page))
	for i := range page {
		items[i] = view(c.who, page[i])
	}
	return c.reply(http.StatusOK, newList(items, string(next)))
}

func noReceipt() error {
	return notFound("receipt_not_found", "There is no such receipt: GET /int/{id}/receipts lists those of an integration.")
}

// hideMissing gives an unknown receipt and somebody else's the same answer.
func hideMissing(err error) error {
	var user *fiscal.UserError
	if errors.As(err, &user) && user.Class == fiscal.ClassNotFound {
		return noReceipt()
	}
	return err
}

// ownJob is the job in the path, as far as it exists for the caller.
func (s *Server) ownJob(c *call) (fiscal.Job, error) {
	id := c.pathText("id")
	if !saneRequestID(id) { // a job's id has the same kind of characters
		return fiscal.Job{}, noReceipt()
	}
	job, err := s.opt.Jobs.Job(fiscal.JobID(id))
	if err != nil {
		return fiscal.Job{}, hideMissing(err)
	}
	if !c.who.owns(job.Integration) {
		return fiscal.Job{}, noReceipt()
	}
	return job, nil
}

func (s *Server) getReceipt(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	wait, err := q.wait()
	if err != nil {
		return err
	}
	job, err := s.ownJob(c)
	if err != nil {
		return err
	}
	if wait > 0 && !job.State.AtRest() {
		c.takesTime()
		ctx, stop := s.untilShutdown(c)
		defer stop()
		later, err := s.opt.Jobs.Wait(ctx, job.ID, wait)
		switch {
		case err == nil:
			job = later
		case ctx.Err() != nil && c.r.Context().Err() == nil:
			// Shutdown ended the wait. What the job is by now is as good an answer as after a timeout.
			if job, err = s.opt.Jobs.Job(job.ID); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return s.replyJob(c, job)
}

func (s *Server) cancelReceipt(c *call) error {
	job, err := s.ownJob(c)
	if err != nil {
		return err
	}
	if _, err := s.opt.Jobs.Cancel(c.r.Context(), job.ID); err != nil {
		return err
	}
	if c.who.role != "" { // a person took back what an integration had sent
		s.audit(c, "receipt.cancel", string(job.ID), "", "")
	}
	return c.noContent()
}

func (s *Server) resolveReceipt(c *call) error {
	var outcome, reason string
	var fd *fiscal.DocNumber
	if err := c.decode(textMember("outcome", &outcome).must(), numberMember("fd", &fd), textMember("reason", &reason)); err != nil {
		return err
	}
	if errs := checkResolution(outcome, fd, reason); len(errs) > 0 {
		return contentErrors(errs...)
	}
	job, err := s.ownJob(c)
	if err != nil {
		return err
	}
	var number fiscal.DocNumber
	if fd != nil {
		number = *fd
	}
	job, err = s.opt.Jobs.Resolve(c.r.Context(), c.who.name, job.ID, outcome, number, reason)
	if err != nil {
		return err
	}
	return s.replyJob(c, job)
}

func checkResolution(outcome string, fd *fiscal.DocNumber, reason string) []fiscal.ContentError {
	var errs []fiscal.ContentError
	add := func(path, code, message string) {
		errs = append(errs, fiscal.ContentError{Path: path, Code: code, Message: message})
	}
	switch outcome {
	case OutcomeMade:
		if fd == nil || *fd == 0 {
			add("fd", fiscal.RuleRequired, `The outcome "made" needs "fd", the number of the document that was found.`)
		}
	case OutcomeNotMade:
		if fd != nil {
			add("fd", fiscal.RuleNotAllowed, `The outcome "not_made" has no "fd": leave it out.`)
		}
	default:
		add("outcome", fiscal.RuleUnknownWord, `The outcome must be "made" or "not_made".`)
	}
	if utf8.RuneCountInString(reason) > maxReason {
		add("reason", fiscal.RuleTooLong, fmt.Sprintf("The reason has more than %d characters.", maxReason))
	}
	return errs
}
