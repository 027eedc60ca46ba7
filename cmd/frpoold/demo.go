package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"frpoold/circuits"
	"frpoold/config"
	"frpoold/fiscal"
	"frpoold/simulator"
)

// demo is one run of `frpoold demo`.
type demo struct {
	devices  int
	receipts int
	listen   string
	rackAt   string
	control  string
	data     string
	once     bool
	service  time.Duration
	faults   float64
	seed     uint64

	s      streams
	rack   *simulator.Rack
	daemon *daemon
	client *client
	made   []job
	took   time.Duration
}

// The demo's integration, which README.md uses too.
const (
	demoLogin  = "demo-shop"
	demoSecret = "demo-secret"
)

func runDemo(ctx context.Context, s streams, args []string) error {
	d := &demo{s: s}
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	fs.IntVar(&d.devices, "devices", 8, "software registers")
	fs.IntVar(&d.receipts, "receipts", 300, "receipts to make")
	fs.StringVar(&d.listen, "listen", "127.0.0.1:8080", "`address` of the daemon")
	fs.StringVar(&d.rackAt, "rack", "127.0.0.1:17001", "`address` of the first register")
	fs.StringVar(&d.control, "control", "127.0.0.1:17000", "`address` of the rack's control port")
	fs.StringVar(&d.data, "data", "", "`DIR` of the store; empty takes a temporary one and removes it")
	fs.BoolVar(&d.once, "once", false, "exit after the receipts: 0 if each has exactly one document, else 1")
	fs.DurationVar(&d.service, "service-time", 300*time.Millisecond, "time a register takes to make a document")
	fs.Float64Var(&d.faults, "faults", 0, "share of exchanges that go wrong at random, 0 to 1")
	fs.Uint64Var(&d.seed, "seed", 1, "seed of the receipts and of random faults")
	if err := parse(fs, s, args); err != nil {
		return err
	}
	if d.receipts < 1 || d.devices < 1 || d.faults < 0 || d.faults > 0.5 {
		return usageError{errors.New("--devices and --receipts want at least 1, --faults 0 to 0.5")}
	}
	return d.run(ctx)
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.data == "" {
		if d.data, err = os.MkdirTemp("", "frpoold-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.data)) }()
	}
	d.say("Starting %d software registers and the daemon. Nothing here has legal force.", d.devices)
	d.rack, d.control, err = startRack(ctx, simulator.Options{
		Devices: d.devices, ServiceTime: d.service, Seed: d.seed, Now: time.Now, AutoConfirm: time.Second,
	}, d.rackAt, d.control)
	if err != nil {
		return fmt.Errorf("%w (choose other addresses with --rack and --control)", err)
	}
	defer func() { err = errors.Join(err, d.rack.Close()) }()

	cfg := config.Defaults()
	cfg.Listen, cfg.Data = d.listen, d.data
	if d.faults > 0 {
		// Lost answers are what --faults makes; waiting a minute for each would be true and dull.
		family := cfg.Families[config.FamilyTerminalFA]
		family.Timeouts.Reply, family.Timeouts.Commit, family.Timeouts.Gap = time.Second, 2*time.Second, 500*time.Millisecond
		cfg.Families[config.FamilyTerminalFA] = family
	}
	log := slog.New(slog.NewTextHandler(d.s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	if d.daemon, err = startDaemon(ctx, cfg, log); err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, d.daemon.Stop(stopping))
	}()
	if d.client, err = newClient("http://"+d.daemon.Address(), 64); err != nil {
		return err
	}

	integration, err := d.setUp(ctx)
	if err != nil {
		return err
	}
	if d.faults > 0 {
		d.say("From now on %.0f %% of all exchanges go wrong.", d.faults*100)
		if err := d.setFaults(d.faults); err != nil {
			return err
		}
	}
	if err := d.makeReceipts(ctx, integration); err != nil {
		return err
	}
	if d.faults > 0 {
		if err := d.setFaults(0); err != nil {
			return err
		}
	}
	good, err := d.report(ctx)
	if err != nil {
		return err
	}
	if d.once {
		return good
	}
	if good != nil {
		d.say("\n%v", good)
	}
	d.howToGoOn(integration)
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.daemon.Failed():
		return err
	}
}

func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.s.out, format+"\n", args...) }

// setUp builds the circuit through the daemon's own HTTP API, as an operator would with curl.
func (d *demo) setUp(ctx context.Context) (fiscal.IntegrationID, error) {
	var circuit circuits.Circuit
	if _, err := d.client.do(ctx, http.MethodPost, "/fcircuit", map[string]string{"inn": string(simulator.DefaultINN), "title": "ООО «Демо»"}, &circuit); err != nil {
		return 0, fmt.Errorf("creating the circuit: %w", err)
	}
	// Activating asks the register, so many at once save time on a big rack.
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, device := range d.rack.Devices() {
		g.Go(func() error {
			body := map[string]string{"type": "terminalfa", "eip": device.Address}
			if _, err := d.client.do(gctx, http.MethodPost, fmt.Sprintf("/fcircuit/%d/fr", circuit.ID), body, nil); err != nil {
				return fmt.Errorf("adding %s: %w", device.Address, err)
			}
			if _, err := d.client.do(gctx, http.MethodPatch, "/frs/"+url.PathEscape(device.Address)+"/activate", nil, nil); err != nil {
				return fmt.Errorf("activating %s: %w", device.Address, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	var integration struct {
		ID fiscal.IntegrationID `json:"id"`
	}
	body := map[string]string{"type": nativeType, "param1": demoLogin, "param2": demoSecret}
	if _, err := d.client.do(ctx, http.MethodPost, fmt.Sprintf("/fcircuit/%d/int", circuit.ID), body, &integration); err != nil {
		return 0, fmt.Errorf("creating the integration: %w", err)
	}
	if _, err := d.client.do(ctx, http.MethodPatch, fmt.Sprintf("/int/%d/activate", integration.ID), nil, nil); err != nil {
		return 0, fmt.Errorf("activating the integration: %w", err)
	}
	return integration.ID, nil
}

// setFaults makes a share of the exchanges with every register go wrong at random.
func (d *demo) setFaults(share float64) error {
	for _, device := range d.rack.Devices() {
		if err := d.rack.Patch(device.N, simulator.Patch{Random: &simulator.RandomFaults{Probability: share}}); err != nil {
			return err
		}
	}
	return nil
}

// makeReceipts posts them all as a shop would and waits for each.
func (d *demo) makeReceipts(ctx context.Context, integration fiscal.IntegrationID) error {
	bar := newProgress(d.s, d.receipts, "receipts made")
	defer bar.finish()
	shop := *d.client
	shop.user, shop.password = demoLogin, demoSecret
	random := rand.New(rand.NewPCG(d.seed, 2))
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	d.made = make([]job, d.receipts)
	for i := range d.receipts {
		body := sampleReceipt(random, fmt.Sprintf("order-%d", 1001+i), fiscal.TaxUSNIncome, 1+random.IntN(3))
		j := &d.made[i]
		if _, err := shop.do(ctx, http.MethodPost, fmt.Sprintf("/int/%d/receipts", integration), body, j); err != nil {
			return fmt.Errorf("posting a receipt: %w", err)
		}
		g.Go(func() error {
			for !j.Status.AtRest() {
				if _, err := shop.do(ctx, http.MethodGet, "/receipts/"+string(j.ID)+"?wait=60s", nil, j); err != nil {
					return err
				}
			}
			bar.add(1)
			return nil
		})
	}
	err := g.Wait()
	d.took = time.Since(began)
	return err
}

// howToGoOn prints curl lines that work while the demo keeps serving.
func (d *demo) howToGoOn(integration fiscal.IntegrationID) {
	base := "http://" + d.daemon.Address()
	first := d.rack.Devices()[0].Address
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		host, port = first, ""
	}
	d.say(`
The daemon keeps serving on %[1]s. In another terminal:

  curl -s %[1]s/frs
  curl -s %[1]s/frs/%[2]s:%[3]s
  curl -s %[1]s/fcircuit/%[4]s
  curl -s -u %[5]s:%[6]s %[1]s/int/%[7]d/receipts -d '{"external_id":"order-1","operation":"sell","tax_system":"usn_income",
    "customer":{"contact":"buyer@example.com"},"payments":{"electronic":150.00},
    "items":[{"name":"Кофе 0.2 л","price":150.00,"quantity":1,"sum":150.00,"vat":"none","payment_method":"full_payment","subject":"commodity"}]}'
  curl -s '%[1]s/int/%[7]d/receipts?external_id=order-1'
  curl -s %[1]s/metrics | grep frpoold_

What really is in the registers' memories: curl -s http://%[8]s/devices/1/documents
Stop with Ctrl-C.`,
		base, host, port, simulator.DefaultINN, demoLogin, demoSecret, integration, d.control)
}
