package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"frpoold/api"
	"frpoold/circuits"
	"frpoold/config"
	"frpoold/dispatcher"
	"frpoold/fiscal"
	"frpoold/pool"
	"frpoold/store"
)

// The types below fit one package's small interface to another's methods. They decide nothing.

// rack is the pool as the registry needs it.
type rack struct {
	pool     *pool.Pool
	registry *circuits.Registry // set once, before the registry is used
}

func (r *rack) Inspect(ctx context.Context, m circuits.Member) (fiscal.Identity, error) {
	id, status, err := r.pool.Inspect(ctx, m.Type, m.ID)
	if err == nil && status.Phase != fiscal.PhaseFiscal {
		err = &circuits.PhaseError{Phase: status.Phase}
	}
	return id, err
}

func (r *rack) Enrol(m circuits.Member, zone *time.Location) error {
	c, err := r.registry.Circuit(m.Circuit)
	if err != nil {
		return err
	}
	return r.pool.Enrol(pool.Enrolment{
		ID: m.ID, Type: m.Type, Circuit: m.Circuit, INN: c.INN(), Zone: zone, Expect: m.Identity, Active: m.Active,
	})
}

func (r *rack) Withdraw(ctx context.Context, id fiscal.DeviceID) error {
	return r.pool.Withdraw(ctx, id)
}
func (r *rack) Holds(id fiscal.DeviceID) (fiscal.JobID, bool) { return r.pool.Holds(id) }

// roster is the registry as the dispatcher needs it.
type roster struct {
	registry *circuits.Registry
	fallback *time.Location
}

func (r *roster) Registered(c fiscal.CircuitID) (known []fiscal.Identity, unknown int, err error) {
	for _, m := range r.registry.Members() {
		switch {
		case m.Circuit != c:
		case m.Identity == nil:
			unknown++
		default:
			known = append(known, *m.Identity)
		}
	}
	return known, unknown, nil
}

func (r *roster) Zone(c fiscal.CircuitID) *time.Location {
	circuit, err := r.registry.Circuit(c)
	if err != nil {
		return r.fallback
	}
	zone, err := time.LoadLocation(circuit.Zone)
	if err != nil {
		return r.fallback
	}
	return zone
}

// journal is the store as the dispatcher needs it.
type journal struct{ *store.Store }

func (j journal) Accept(ctx context.Context, job fiscal.Job, r fiscal.Receipt) (fiscal.Job, bool, error) {
	stored, created, err := j.Store.Accept(ctx, job, r)
	if errors.Is(err, store.ErrBroken) {
		err = &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "store_unsure", RetryAfter: 30,
			Message: "the disk did not say whether the receipt is stored: send it again under the same external_id, and do not sell it under another one"}
	}
	return stored, created, err
}

func (j journal) Known(i fiscal.IntegrationID, externalID string) (fiscal.Job, bool, error) {
	page, _, err := j.Jobs(store.JobFilter{Integration: i, ExternalID: externalID, Limit: 1})
	if err != nil || len(page) == 0 {
		return fiscal.Job{}, false, err
	}
	return page[0], true, nil
}

func (j journal) Job(id fiscal.JobID) (fiscal.Job, error) {
	job, err := j.Store.Job(id)
	if errors.Is(err, store.ErrNotFound) {
		err = &fiscal.UserError{Class: fiscal.ClassNotFound, Code: "receipt_not_found", Message: "there is no receipt " + strconv.Quote(string(id))}
	}
	return job, err
}

// jobs is the dispatcher as the API needs it.
type jobs struct {
	*dispatcher.Dispatcher
	store *store.Store
}

func (j jobs) Submit(ctx context.Context, s api.Submission) (fiscal.Job, bool, error) {
	return j.Dispatcher.Submit(ctx, dispatcher.Submission(s))
}

func (j jobs) Jobs(f api.JobFilter) ([]fiscal.Job, fiscal.JobID, error) {
	page, next, err := j.store.Jobs(store.JobFilter(f))
	if err == nil {
		j.Live(page)
	}
	return page, next, err
}

func (j jobs) Resolve(ctx context.Context, by string, id fiscal.JobID, outcome string, fd fiscal.DocNumber, reason string) (fiscal.Job, error) {
	return j.Dispatcher.Resolve(ctx, by, id, dispatcher.Resolution{Made: outcome == api.OutcomeMade, FD: fd, Reason: reason})
}

// fleet is the pool as the API needs it.
type fleet struct{ *pool.Pool }

func (f fleet) Views() []*fiscal.DeviceView { return f.All() }

func (f fleet) Operate(ctx context.Context, id fiscal.DeviceID, op string) (*fiscal.Document, error) {
	return f.Pool.Operate(ctx, id, pool.Operation(op))
}

// sensors reads the temperature files of types that have one: millidegrees, as Linux hwmon and 1-wire write them.
func sensors(cfg *config.Config) func(typ string, id fiscal.DeviceID) *int {
	return func(typ string, _ fiscal.DeviceID) *int {
		t := cfg.Types[typ].Temperature
		if t.Source != config.TemperatureFile {
			return nil
		}
		text, err := os.ReadFile(t.Path)
		if err != nil {
			return nil
		}
		milli, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			return nil
		}
		celsius := milli / 1000
		return &celsius
	}
}
