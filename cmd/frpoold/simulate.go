package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"frpoold/config"
	"frpoold/fiscal"
	"frpoold/simulator"
)

// runSimulate runs a rack until it is interrupted.
func runSimulate(ctx context.Context, s streams, args []string) error {
	o := simulator.Options{Now: time.Now}
	fs := flag.NewFlagSet("simulate", flag.ContinueOnError)
	family := fs.String("family", "terminalfa", "protocol family; this version simulates terminalfa")
	fs.IntVar(&o.Devices, "devices", 8, "registers in the rack")
	listen := fs.String("listen", "127.0.0.1:17001", "`address` of the first register; the others follow port by port")
	control := fs.String("control", "127.0.0.1:17000", "`address` of the control port; empty for none")
	fs.DurationVar(&o.ServiceTime, "service-time", 300*time.Millisecond, "time the storage takes to make a document")
	inn := fs.String("inn", string(simulator.DefaultINN), "INN the registers are registered for")
	fs.TextVar(&o.FFD, "ffd", fiscal.FFD105, "format of the fiscal data: 1.05, 1.1 or 1.2")
	profile := fs.String("profile", string(simulator.TerminalFA), "kind of register: terminalfa, kitonlinef or pkfa12")
	fs.Uint64Var(&o.Seed, "seed", 1, "seed of numbers and random faults")
	fs.StringVar(&o.StateDir, "state", "", "`DIR` that keeps the registers' memory; empty keeps nothing")
	fs.DurationVar(&o.AutoConfirm, "ofd-confirms", time.Second, "the OFD confirms a document this often; 0 never")
	fs.BoolVar(&o.Strict, "strict", false, "refuse tags a command does not list")
	faults := fs.Float64("faults", 0, "share of exchanges that go wrong at random, 0 to 1")
	logs := config.Log{Format: "text"}
	fs.StringVar(&logs.Level, "log-level", "info", "debug, info, warn or error")
	if err := parse(fs, s, args); err != nil {
		return err
	}
	if *family != "terminalfa" {
		return usageError{fmt.Errorf("--family %q: this version simulates terminalfa", *family)}
	}
	o.INN, o.Profile = fiscal.INN(*inn), simulator.Profile(*profile)
	o.Random = simulator.RandomFaults{Probability: *faults}
	o.Log = newLogger(logs, s)
	rack, controlAt, err := startRack(ctx, o, *listen, *control)
	if err != nil {
		return err
	}
	if err := printRack(s.out, rack, controlAt); err != nil {
		return errors.Join(err, rack.Close())
	}
	<-ctx.Done()
	return rack.Close()
}

// startRack makes a rack and lets it listen. controlAt is where its control port is, empty without one.
func startRack(ctx context.Context, o simulator.Options, listen, control string) (rack *simulator.Rack, controlAt string, err error) {
	if o.StateDir != "" {
		if err := os.MkdirAll(o.StateDir, 0o700); err != nil {
			return nil, "", err
		}
	}
	if rack, err = simulator.New(o); err != nil {
		return nil, "", err
	}
	err = rack.Listen(ctx, listen)
	if err == nil && control != "" {
		controlAt, err = rack.ListenControl(ctx, control)
	}
	if err != nil {
		return nil, "", errors.Join(err, rack.Close())
	}
	return rack, controlAt, nil
}

// printRack shows where the registers are, so that they can be added with curl.
func printRack(w io.Writer, rack *simulator.Rack, control string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "A rack of software registers. Documents made here have no legal force.\n\nregister\taddress\tserial\tFN\tINN\tFFD\tdocuments")
	for _, d := range rack.Devices() {
		_, _ = fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\t%s\t%d\n", d.N, d.Address, d.Serial, d.FN, d.INN, d.FFD, d.Documents)
	}
	if control != "" {
		_, _ = fmt.Fprintf(tw, "\ncontrol port: curl http://%s/devices\n", control)
	}
	_, _ = fmt.Fprintln(tw, "stop with Ctrl-C")
	return tw.Flush()
}
