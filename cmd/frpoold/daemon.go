package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"frpoold/api"
	"frpoold/circuits"
	"frpoold/config"
	"frpoold/dispatcher"
	"frpoold/fiscal"
	"frpoold/integration/callback"
	"frpoold/integration/native"
	"frpoold/pool"
	"frpoold/store"
)

// daemon is the wired program. Start order: store, pool, dispatcher (which holds the devices of unsettled jobs), registry
// (which starts the workers), callbacks, HTTP. Stop order is the reverse of the flow of work: HTTP, dispatcher intake and
// work, workers, callbacks, store.
type daemon struct {
	log        *slog.Logger
	store      *store.Store
	pool       *pool.Pool
	dispatcher *dispatcher.Dispatcher
	registry   *circuits.Registry
	callbacks  *callback.Sender
	server     *http.Server
	listener   net.Listener
	failed     chan error

	background sync.WaitGroup
	stopBack   context.CancelFunc // callbacks and retention
	endStreams context.CancelFunc // long polls and event streams
}

// startDaemon wires and starts everything. After an error nothing is left running.
func startDaemon(ctx context.Context, cfg config.Config, log *slog.Logger) (_ *daemon, err error) {
	d := &daemon{log: log, failed: make(chan error, 1), stopBack: func() {}, endStreams: func() {}}
	defer func() {
		if err != nil {
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
			defer cancel()
			err = errors.Join(err, d.Stop(stopping))
		}
	}()

	// The address first: a port that is taken is the most common mistake, and must not touch the store.
	if d.listener, err = listen(ctx, cfg); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, err
	}
	if d.store, err = store.Open(filepath.Join(cfg.Data, storeFile), store.Options{Now: time.Now, Log: log}); err != nil {
		return nil, err
	}

	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	events := api.NewBroker(eventBuffer)
	d.pool = pool.New(d.poolOptions(&cfg, events), metrics)
	if err := d.startWork(ctx, &cfg, events, metrics); err != nil {
		return nil, err
	}
	return d, d.startDoors(ctx, &cfg, events, metrics)
}

const (
	eventBuffer = 256 // events a slow watcher may lag behind
	purgeEvery  = time.Hour
)

func listen(ctx context.Context, cfg config.Config) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w (choose another address with --listen)", err)
	}
	if !cfg.TLS.Enabled() {
		return l, nil
	}
	cert, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tls: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}), nil
}

func (d *daemon) poolOptions(cfg *config.Config, events *api.Broker) pool.Options {
	g := cfg.Gates
	return pool.Options{
		Open: opener(cfg),
		Dial: dialer(cfg),
		Policy: pool.Policy{
			TemperatureWarn: g.Temperature.Warn, TemperatureStop: g.Temperature.Stop, TemperatureResume: g.Temperature.Resume,
			SkewWarn: g.ClockSkew.Warn, SkewStop: g.ClockSkew.Stop, OFDOverdue: g.OFDOverdue,
			FNDocuments: fiscal.DocNumber(g.FNDocuments), FNExpiresStop: g.FNExpiresStop, RefuseTestFN: cfg.RefuseTestFN,
		},
		Printing:        func(typ string) bool { return cfg.Types[typ].PrintReports },
		Temperature:     sensors(cfg),
		PollInterval:    cfg.Pool.PollInterval,
		BackoffMin:      cfg.Pool.BackoffMin,
		BackoffMax:      cfg.Pool.BackoffMax,
		DoubtRetry:      cfg.Pool.DoubtRetry,
		Exchanges:       cfg.Pool.Exchanges,
		FailedExchanges: cfg.Pool.FailedExchanges,
		MaxShiftAge:     cfg.Shifts.MaxAge,
		Cashier:         cfg.Shifts.Cashier.Fiscal(),
		Changed:         func(id fiscal.DeviceID, c fiscal.CircuitID) { d.dispatcher.Wake(id, c) },
		Publish:         events.Publish,
		Now:             time.Now,
		Rand:            newRand(),
		Log:             d.log,
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }

// startWork starts what makes receipts: dispatcher, registry and workers, in the order that holds unsettled devices first.
func (d *daemon) startWork(ctx context.Context, cfg *config.Config, events *api.Broker, metrics prometheus.Registerer) error {
	zone, err := cfg.Location()
	if err != nil {
		return err
	}
	r := &rack{pool: d.pool}
	d.registry = circuits.NewRegistry(d.store, r, circuits.Options{
		Types:            cfg.TypeFamilies(),
		IntegrationTypes: map[string]func(string, string) []fiscal.ContentError{nativeType: native.CheckParams},
		DefaultZone:      cfg.TimeZone,
		RefuseTestFN:     cfg.RefuseTestFN,
		Audit:            d.store.AppendAudit,
		Now:              time.Now,
	})
	r.registry = d.registry
	d.dispatcher = dispatcher.New(d.pool, journal{d.store}, &roster{d.registry, zone}, dispatcher.Options{
		PerCircuit: cfg.Queue.PerCircuit,
		Total:      cfg.Queue.Total,
		Deadline:   cfg.Queue.Deadline,
		DoubtRetry: cfg.Pool.DoubtRetry,
		Audit:      d.store.AppendAudit,
		Publish:    func(e fiscal.Event) { events.Publish(e); d.kickCallbacks(e) },
		Now:        time.Now,
		Rand:       newRand(),
		Log:        d.log,
	}, metrics)
	if d.callbacks, err = callback.New(d.store, callback.Sources{Job: d.dispatcher.Job, Secret: d.secret, Body: native.Body}, callback.Options{
		AllowPrivate: cfg.Callbacks.AllowPrivate,
		Now:          time.Now,
		Rand:         newRand(),
		Log:          d.log,
		Metrics:      metrics,
	}); err != nil {
		return err
	}
	if err := d.dispatcher.Start(ctx); err != nil {
		return err
	}
	err = d.registry.Start(ctx)
	var enrol *circuits.EnrolError
	if errors.As(err, &enrol) {
		d.log.Error("some devices could not be started; the others work", "error", err)
	} else if err != nil {
		return err
	}
	return d.enrolUnsettled(r)
}

// kickCallbacks wakes the sender for a job that put a callback into the outbox.
func (d *daemon) kickCallbacks(e fiscal.Event) {
	if e.Job != nil && e.Job.State.Final() && e.Job.CallbackURL != "" {
		d.callbacks.Kick()
	}
}

// nativeType is the integration type of frpoold's own receipt API.
const nativeType = "native"

// enrolUnsettled starts workers for inactive devices that hold a job in doubt: a device that was deactivated with a
// question open must still answer it.
func (d *daemon) enrolUnsettled(r *rack) error {
	for _, id := range d.dispatcher.UnsettledDevices() {
		m, err := d.registry.Member(id)
		if err != nil {
			d.log.Error("a receipt is in doubt on a device that no circuit has; settle it with POST /receipts/{id}/resolve", "device", string(id))
			continue
		}
		c, err := d.registry.Circuit(m.Circuit)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(c.Zone)
		if err != nil {
			return err
		}
		if err := r.Enrol(m, zone); err != nil {
			d.log.Error("a device with a receipt in doubt could not be started", "device", string(id), "error", err)
		}
	}
	return nil
}

// startDoors starts what the outside sees: callbacks, retention and HTTP.
func (d *daemon) startDoors(ctx context.Context, cfg *config.Config, events *api.Broker, metrics *prometheus.Registry) error {
	back, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stopBack = stop
	d.background.Go(func() {
		if err := d.callbacks.Run(back); err != nil && !errors.Is(err, context.Canceled) {
			d.log.Error("callbacks ended", "error", err)
		}
	})
	d.background.Go(func() { d.keepRetention(back, cfg) })

	streams, end := context.WithCancel(context.WithoutCancel(ctx))
	d.endStreams = end
	server := api.New(api.Options{
		Circuits:       d.registry,
		Fleet:          fleet{d.pool},
		Jobs:           jobs{d.dispatcher, d.store},
		Deliveries:     d.store,
		Admin:          d.store,
		Events:         events,
		Native:         native.Options{AllowPrivateCallbacks: cfg.Callbacks.AllowPrivate},
		Tokens:         tokens(cfg.Tokens),
		TrustForwarded: cfg.BehindProxy,
		Registry:       metrics,
		Ready:          d.ready,
		Healthy:        d.healthy,
		Version:        version(),
		SpoolDir:       cfg.Data,
		Shutdown:       streams,
		Now:            time.Now,
		Log:            d.log,
	})
	d.server = &http.Server{
		Handler:           server.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	d.background.Go(func() {
		if err := d.server.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- err
		}
	})
	return nil
}

func tokens(list []config.Token) []api.Token {
	out := make([]api.Token, len(list))
	for i, t := range list {
		out[i] = api.Token{Name: t.Name, Role: api.Role(t.Role), Hash: t.SHA256.Reveal()}
	}
	return out
}

// secret is what an integration's callbacks are signed with.
func (d *daemon) secret(id fiscal.IntegrationID) (string, error) {
	i, err := d.registry.Integration(id)
	return i.Param2, err
}

// probeLimit bounds what /readyz and /healthz wait for.
const probeLimit = 2 * time.Second

// ready is what keeps the daemon from taking receipts.
func (d *daemon) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
	defer cancel()
	if err := d.dispatcher.Alive(ctx); err != nil {
		return err
	}
	return d.store.Writable(ctx)
}

// healthy is what is broken in the process itself.
func (d *daemon) healthy() error {
	ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
	defer cancel()
	return d.dispatcher.Alive(ctx)
}

// keepRetention exports and removes finished jobs that are older than the retention.
func (d *daemon) keepRetention(ctx context.Context, cfg *config.Config) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		before := time.Now().AddDate(0, 0, -cfg.Store.RetentionDays)
		if err := d.purge(ctx, cfg.Data, before); err != nil && ctx.Err() == nil {
			d.log.Error("old jobs could not be exported and removed", "error", err)
		}
	}
}

// purge appends what it removes to a file of the day, which is on disk before anything is gone.
func (d *daemon) purge(ctx context.Context, dir string, before time.Time) (err error) {
	name := filepath.Join(dir, "export-"+time.Now().UTC().Format("2006-01-02")+".ndjson")
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := d.store.Purge(ctx, before, f)
	size, statErr := f.Seek(0, 2)
	err = errors.Join(err, statErr, f.Close())
	if err == nil && size == 0 {
		return os.Remove(name)
	}
	if n > 0 {
		d.log.Info("old jobs exported and removed", "jobs", n, "file", name, "before", before.UTC().Format(time.RFC3339))
	}
	return err
}

// doorsLimit is how long a request may go on after the daemon was told to stop.
const doorsLimit = 3 * time.Second

func (d *daemon) closeDoors(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, doorsLimit)
	defer cancel()
	if err := d.server.Shutdown(ctx); err != nil {
		d.log.Info("requests that did not end in time are cut", "error", err)
		_ = d.server.Close()
	}
}

// Address is where the daemon listens.
func (d *daemon) Address() string { return d.listener.Addr().String() }

// Failed tells that the HTTP server ended by itself.
func (d *daemon) Failed() <-chan error { return d.failed }

// Alive answers when the dispatcher's loop does.
func (d *daemon) Alive(ctx context.Context) error { return d.dispatcher.Alive(ctx) }

// Stop ends everything in order: intake and HTTP, receipts in work, workers, callbacks, store. Receipts on the wire are finished; what cannot be finished before ctx is done stays in
// the store as it is and is settled at the next start.
func (d *daemon) Stop(ctx context.Context) error {
	var errs []error
	d.endStreams()
	if d.server == nil && d.listener != nil {
		errs = append(errs, d.listener.Close())
	}
	// A client that is slow to ask must not keep the registers at work: both stop side by side, and whoever posts
	// meanwhile is told to come back.
	var doors sync.WaitGroup
	if d.server != nil {
		doors.Go(func() { d.closeDoors(ctx) })
	}
	if d.dispatcher != nil {
		errs = append(errs, d.dispatcher.Stop(ctx))
	}
	doors.Wait()
	if d.pool != nil {
		errs = append(errs, d.pool.Close(ctx))
	}
	d.stopBack()
	d.background.Wait()
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}
