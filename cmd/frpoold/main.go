// Command frpoold fiscalises receipts on racks of cash registers. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // a rack's zone must not depend on what the host has installed
)

// command is one word of the command line.
type command struct {
	name, summary string
	run           func(ctx context.Context, s streams, args []string) error
}

// streams are a command's ends, so that tests can hold them.
type streams struct{ out, err io.Writer }

func commands() []command {
	return []command{
		{"serve", "run the daemon (the default)", runServe},
		{"simulate", "run a rack of software registers", runSimulate},
		{"demo", "run rack and daemon together and make receipts", runDemo},
		{"load", "send receipts to a running daemon and measure", runLoad},
		{"check", "check a configuration file and, with --data, a store", runCheck},
		{"backup", "copy the store of a running daemon", runBackup},
		{"export", "write stored jobs as NDJSON", runExport},
		{"version", "print the version", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := dispatch(ctx, streams{os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// dispatch runs the command that args name and turns its end into an exit code: 0 done, 1 failed, 2 wrong use.
func dispatch(ctx context.Context, s streams, args []string) int {
	name := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		err := c.run(ctx, s, args)
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.As(err, new(usageError)):
			_, _ = fmt.Fprintf(s.err, "frpoold %s: %v\n", name, err)
			return 2
		default:
			_, _ = fmt.Fprintf(s.err, "frpoold %s: %v\n", name, err)
			return 1
		}
	}
	if name != "help" {
		_, _ = fmt.Fprintf(s.err, "frpoold: unknown command %q\n", name)
	}
	usage(s.err)
	return 2
}

func usage(w io.Writer) {
	_, _ = fmt.Fprintln(w, "usage: frpoold [command] [flags]; frpoold command -h lists a command's flags")
	for _, c := range commands() {
		_, _ = fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
	}
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// parse reads a command's flags; words behind them are a mistake.
func parse(fs *flag.FlagSet, s streams, args []string) error {
	fs.SetOutput(s.err)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if fs.NArg() > 0 {
		return usageError{fmt.Errorf("%q is not a flag", fs.Arg(0))}
	}
	return nil
}

// version is what `go build` knows of the source.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value
		}
	}
	if v == "" {
		v = "(devel)"
	}
	return v
}

func runVersion(_ context.Context, s streams, args []string) error {
	fs := flag.NewFlagSet("version", flag.ContinueOnError)
	if err := parse(fs, s, args); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.out, "frpoold", version())
	return err
}
