package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
)

// Limits, mounts and SIGKILL hit a whole process, so these tests run parts of themselves in a child: this binary again,
// told by an environment variable what to be.
const childVar = "FRPOOLD_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	child, path, _ := strings.Cut(os.Getenv(childVar), " ")
	roles := map[string]func(string) error{"limit": limitedChild, "tmpfs": tmpfsChild, "accept": acceptingChild}
	if role, ok := roles[child]; ok {
		if err := role(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(role, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+role+" "+path)
	return cmd
}

func TestFullDiskByFileSizeLimit(t *testing.T) {
	t.Parallel()
	out, err := child("limit", filepath.Join(t.TempDir(), "frpoold.db")).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// limitedChild lets the file grow to a limit below its present length, inside of what bbolt has reserved: a write fails
// in the middle of a commit, as on a full disk. Then it lifts the limit.
func limitedChild(path string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write then fails with EFBIG
	limit := func(n uint64) error {
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: math.MaxUint64})
	}
	return fillUp(path, syscall.EFBIG, func() error { return limit(400 << 10) }, func() error { return limit(math.MaxUint64) })
}

func TestFullDiskByMount(t *testing.T) {
	t.Parallel()
	cmd := child("tmpfs", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), errNoMount.Error()) {
		t.Skipf("this host gives no mount namespace: %v %s", err, out)
	}
	require.NoError(t, err, "%s", out)
}

var errNoMount = errors.New("cannot mount")

// tmpfsChild fills a small file system of its own, and makes it larger then.
func tmpfsChild(dir string) error {
	mount := func(flags uintptr, size string) error {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, "size="+size); err != nil {
			return fmt.Errorf("%w: %w", errNoMount, err)
		}
		return nil
	}
	if err := mount(0, "1m"); err != nil {
		return err
	}
	return fillUp(filepath.Join(dir, "frpoold.db"), syscall.ENOSPC,
		func() error { return nil }, func() error { return mount(syscall.MS_REMOUNT, "16m") })
}

// fillUp accepts jobs until the disk takes no more, looks whether everything that was accepted is there and nothing
// else, makes room, and goes on.
func fillUp(path string, full syscall.Errno, tighten, relax func() error) error {
	s, err := store.Open(path, store.Options{Now: time.Now})
	if err != nil {
		return err
	}
	if err := tighten(); err != nil {
		return err
	}
	ctx, n := context.Background(), 0
	for ; err == nil; n++ {
		_, _, err = s.Accept(ctx, aJob(n), aReceipt())
	}
	refused := n - 1
	if !errors.Is(err, store.ErrWrite) || !errors.Is(err, full) {
		return fmt.Errorf("the full disk came as: %w", err)
	}
	if refused < 100 {
		return fmt.Errorf("only %d jobs fitted", refused)
	}
	if _, err := s.Job(jobID(refused)); !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("the refused job: %w", err)
	}
	if stored, created, err := s.Accept(ctx, aJob(0), aReceipt()); err != nil || created || stored.ID != jobID(0) {
		return fmt.Errorf("a repeat needs no room: created %v, %w", created, err)
	}
	// Jobs in work go on as long as pages that are free already suffice; whoever gets an answer gets the true one.
	moved := map[fiscal.JobID]bool{}
	for i := range refused {
		err := <-s.Advance(fiscal.JobQueued, withState(aJob(i), fiscal.JobCanceled))
		if err != nil && !errors.Is(err, store.ErrWrite) {
			return fmt.Errorf("move on a full disk: %w", err)
		}
		moved[jobID(i)] = err == nil
	}
	if err := s.Check(); err != nil {
		return fmt.Errorf("while full: %w", err)
	}
	if err := relax(); err != nil {
		return err
	}
	if _, created, err := s.Accept(ctx, aJob(refused), aReceipt()); err != nil || !created {
		return fmt.Errorf("with room again: created %v, %w", created, err)
	}
	if err := errors.Join(s.Check(), s.Close()); err != nil {
		return err
	}
	if s, err = store.Open(path, store.Options{Now: time.Now, FullCheck: true}); err != nil {
		return err
	}
	for i := range refused + 1 {
		j, err := s.Job(jobID(i))
		if err != nil {
			return fmt.Errorf("accepted and lost: %w", err)
		}
		if want := moved[j.ID]; want != (j.State == fiscal.JobCanceled) {
			return fmt.Errorf("job %s: answered %v, stored %s", j.ID, want, j.State)
		}
	}
	return s.Close()
}

// Whatever was confirmed before a SIGKILL is there after it, and the file is sound.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "frpoold.db")
	for round := range 5 {
		cmd := child("accept", path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var confirmed []string
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if confirmed = append(confirmed, lines.Text()); len(confirmed) == 200+round*37 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait() // it was killed
		require.NotEmpty(t, confirmed)

		s, err := store.Open(path, store.Options{Now: time.Now, FullCheck: true})
		require.NoError(t, err)
		for _, line := range confirmed {
			id, state, _ := strings.Cut(line, " ")
			j, err := s.Job(fiscal.JobID(id))
			require.NoError(t, err)
			if state == "sending" {
				assert.NotEqual(t, fiscal.JobQueued, j.State, id)
			}
		}
		require.NoError(t, s.Close())
	}
}

// acceptingChild takes jobs, moves them on, and prints what was confirmed, until it is killed.
func acceptingChild(path string) error {
	s, err := store.Open(path, store.Options{Now: time.Now})
	if err != nil {
		return err
	}
	jobs, err := s.Unfinished()
	if err != nil {
		return err
	}
	first := 0
	if len(jobs) > 0 {
		last := strings.TrimLeft(string(jobs[len(jobs)-1].ID), "J0")
		if first, err = strconv.Atoi(last); err != nil {
			return err
		}
		first += 1000
	}
	failed := make(chan error)
	for w := range 8 {
		go func() {
			for i := first + w; ; i += 8 {
				if _, _, err := s.Accept(context.Background(), aJob(i), aReceipt()); err != nil {
					failed <- err
				}
				fmt.Println(jobID(i), "queued")
				if err := <-s.Advance(fiscal.JobQueued, sending(aJob(i))); err != nil {
					failed <- err
				}
				fmt.Println(jobID(i), "sending")
			}
		}()
	}
	return <-failed
}
