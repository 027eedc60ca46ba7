package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"frpoold/config"
	"frpoold/store"
)

// runCheck reads a configuration as the daemon would, and the whole store when asked.
func runCheck(_ context.Context, s streams, args []string) error {
	fs := flag.NewFlagSet("check", flag.ContinueOnError)
	file := fs.String("config", "", "configuration `FILE`; empty checks the defaults")
	data := fs.String("data", "", "`DIR` whose store is checked too; no daemon may be using it")
	if err := parse(fs, s, args); err != nil {
		return err
	}
	cfg, err := config.Load(*file, config.WithEnvironment(os.Getenv))
	if err != nil {
		return err
	}
	if cfg.TLS.Enabled() {
		if _, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
	}
	if _, err := fmt.Fprintln(s.out, "configuration: good"); err != nil {
		return err
	}
	if *data == "" {
		return nil
	}
	st, err := openExisting(*data)
	if err != nil {
		return err
	}
	if err := errors.Join(st.Check(), st.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "store: good")
	return err
}

// openExisting opens the store of a folder; a folder without one is a mistake, not a place for a new one.
func openExisting(dir string) (*store.Store, error) {
	path := filepath.Join(dir, storeFile)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("no store there: %w", err)
	}
	return store.Open(path, store.Options{Now: time.Now})
}

// runBackup fetches a consistent copy of a running daemon's store.
func runBackup(ctx context.Context, s streams, args []string) error {
	fs := flag.NewFlagSet("backup", flag.ContinueOnError)
	url := fs.String("url", "http://127.0.0.1:8080", "the daemon's `URL`")
	token := fs.String("token", "", "operator `token`, where the daemon wants one")
	out := fs.String("out", "frpoold-"+time.Now().Format("20060102-150405")+".db", "`FILE` to write; it must not exist")
	if err := parse(fs, s, args); err != nil {
		return err
	}
	n, err := fetchBackup(ctx, *url, *token, *out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: %d bytes\n", *out, n)
	return err
}

func fetchBackup(ctx context.Context, url, token, out string) (n int64, err error) {
	c, err := newClient(url, 1)
	if err != nil {
		return 0, err
	}
	c.token, c.http.Timeout = token, 0
	resp, err := c.send(ctx, http.MethodGet, "/admin/backup", nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		return 0, errors.Join(readError(resp, body), err)
	}
	f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(f, resp.Body)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(out)) // half a backup is worse than none
	}
	return n, err
}

// runExport writes jobs as NDJSON, from a folder no daemon is using or from a running daemon by way of a backup.
func runExport(ctx context.Context, s streams, args []string) (err error) {
	fs := flag.NewFlagSet("export", flag.ContinueOnError)
	data := fs.String("data", "", "`DIR` of a store no daemon is using")
	url := fs.String("url", "", "`URL` of a running daemon, in place of --data")
	token := fs.String("token", "", "operator `token`, where the daemon wants one")
	from := fs.String("from", "1970-01-01", "first `day` (UTC), by when the receipt was accepted")
	to := fs.String("to", "9999-12-31", "last `day` (UTC)")
	if err := parse(fs, s, args); err != nil {
		return err
	}
	begin, err := time.Parse(time.DateOnly, *from)
	if err != nil {
		return usageError{fmt.Errorf("--from %q: want a day like 2026-11-21", *from)}
	}
	end, err := time.Parse(time.DateOnly, *to)
	if err != nil {
		return usageError{fmt.Errorf("--to %q: want a day like 2026-11-21", *to)}
	}
	if (*data == "") == (*url == "") {
		return usageError{errors.New("either --data or --url is needed")}
	}
	dir := *data
	if *url != "" {
		if dir, err = os.MkdirTemp("", "frpoold-export-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		if _, err := fetchBackup(ctx, *url, *token, filepath.Join(dir, storeFile)); err != nil {
			return err
		}
	}
	st, err := openExisting(dir)
	if err != nil {
		return err
	}
	n, err := st.Export(ctx, s.out, begin, end.AddDate(0, 0, 1))
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.err, "%d jobs\n", n)
	return err
}
