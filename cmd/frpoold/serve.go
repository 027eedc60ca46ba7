package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"frpoold/config"
)

// runServe is the daemon from its first word to its last.
func runServe(ctx context.Context, s streams, args []string) error {
	cfg, err := serveConfig(s, args)
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log, s)
	d, err := startDaemon(ctx, cfg, log)
	if err != nil {
		return err
	}
	log.Info("serving", "listen", d.Address(), "data", cfg.Data, "version", version())
	if len(cfg.Tokens) == 0 {
		log.Info("no tokens are configured: every local caller is an operator")
	}
	watchdog, stopWatchdog := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatchdog()
	notify(log, sd.SdNotifyReady)
	go feedWatchdog(watchdog, d, log)

	select {
	case <-ctx.Done():
		log.Info("stopping: finishing the receipts in work", "at_most", cfg.ShutdownTimeout.String())
	case err = <-d.Failed():
		log.Error("the HTTP server failed", "error", err)
	}
	notify(log, sd.SdNotifyStopping)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
	defer cancel()
	if stopErr := d.Stop(stopping); stopErr != nil {
		// What was not finished is in the store as it is and is settled at the next start: a late stop is no failure of
		// the promise, and not one of the process.
		log.Warn("not everything had finished in time", "error", stopErr)
	}
	log.Info("stopped")
	return err
}

// serveConfig joins defaults, environment, file and flags.
func serveConfig(s streams, args []string) (config.Config, error) {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	file := fs.String("config", "", "configuration `FILE` (YAML)")
	listen := fs.String("listen", "", "`address` to serve on (default 127.0.0.1:8080)")
	data := fs.String("data", "", "`DIR` of the store (default $STATE_DIRECTORY, else ./frpoold-data)")
	proxy := fs.Bool("behind-proxy", false, "a proxy in front ends TLS: allow another address than loopback without certificates")
	level := fs.String("log-level", "", "debug, info, warn or error")
	format := fs.String("log-format", "", "text or json")
	if err := parse(fs, s, args); err != nil {
		return config.Config{}, err
	}
	return config.Load(*file, config.WithEnvironment(os.Getenv), config.WithOverride(func(c *config.Config) {
		override(&c.Listen, *listen)
		override(&c.Data, *data)
		c.BehindProxy = c.BehindProxy || *proxy
		override(&c.Log.Level, *level)
		override(&c.Log.Format, *format)
	}))
}

func override(to *string, flag string) {
	if flag != "" {
		*to = flag
	}
}

// newLogger writes to standard error, which systemd keeps.
func newLogger(l config.Log, s streams) *slog.Logger {
	o := &slog.HandlerOptions{Level: l.Threshold()}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}

func notify(log *slog.Logger, state string) {
	if _, err := sd.SdNotify(false, state); err != nil {
		log.Warn("systemd could not be notified", "error", err)
	}
}

// feedWatchdog tells systemd that the dispatcher's loop answers. Nothing else feeds it: a loop that hangs must be noticed
// even while timers run.
func feedWatchdog(ctx context.Context, d *daemon, log *slog.Logger) {
	interval, err := sd.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		alive, cancel := context.WithTimeout(ctx, interval/3)
		err := d.Alive(alive)
		cancel()
		switch {
		case err == nil:
			notify(log, sd.SdNotifyWatchdog)
		case !errors.Is(err, context.Canceled):
			log.Error("the dispatcher does not answer, the watchdog is not fed", "error", err)
		}
	}
}

// storeFile is the store inside the data folder.
const storeFile = "frpoold.db"
