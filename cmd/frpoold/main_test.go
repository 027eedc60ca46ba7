package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runAsProgram makes the test binary behave as frpoold: system tests start it as a child process.
const runAsProgram = "FRPOOLD_RUN_AS_PROGRAM"

// cpuProfile names a file for the CPU profile of such a child, for benchmarks.
const cpuProfile = "FRPOOLD_CPU_PROFILE"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		if name := os.Getenv(cpuProfile); name != "" {
			f, err := os.Create(name)
			if err != nil || pprof.StartCPUProfile(f) != nil {
				os.Exit(3)
			}
		}
		code := dispatch(ctx, streams{os.Stdout, os.Stderr}, os.Args[1:])
		pprof.StopCPUProfile()
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// process is a frpoold child process.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	mu     sync.Mutex // guards log
	log    bytes.Buffer
	lines  chan string
	exited chan error
}

// start runs frpoold with args. Whatever happens, it is gone when the test ends.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	p := &process{t: t, cmd: exec.Command(exe, args...), lines: make(chan string, 4096), exited: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), runAsProgram+"=1")
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	errOut, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	var readers sync.WaitGroup
	for _, r := range []io.Reader{out, errOut} {
		readers.Go(func() { p.read(r) })
	}
	go func() {
		readers.Wait()
		close(p.lines)
		p.exited <- p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		for range p.lines { // until both streams have ended
		}
		if t.Failed() {
			t.Logf("output of frpoold %v:\n%s", args, p.output())
		}
	})
	return p
}

func (p *process) read(r io.Reader) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		p.mu.Lock()
		p.log.WriteString(s.Text() + "\n")
		p.mu.Unlock()
		select {
		case p.lines <- s.Text():
		default: // nobody waits for this line
		}
	}
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// await waits for a line that matches and returns its first group.
func (p *process) await(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	limit := time.After(time.Minute)
	for {
		select {
		case line, ok := <-p.lines:
			if m := re.FindStringSubmatch(line); m != nil {
				return m[len(m)-1]
			}
			if !ok {
				require.FailNow(p.t, "the process ended without the line", "%s in\n%s", pattern, p.output())
			}
		case <-limit:
			require.FailNow(p.t, "the line did not come", "%s in\n%s", pattern, p.output())
		}
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// wait is the end of the process and its exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		require.FailNow(p.t, "the process did not end", p.output())
		return -1
	}
}

// serve starts a daemon over dir on a free port and returns a client for it.
func serve(t testing.TB, dir string, args ...string) (*process, *client) {
	t.Helper()
	p := start(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir}, args...)...)
	address := p.await(`msg=serving listen=(\S+)`)
	c, err := newClient("http://"+address, 32)
	require.NoError(t, err)
	return p, c
}

// ask is client.do where failing is a failed test.
func ask(t testing.TB, c *client, method, path string, in, out any) {
	t.Helper()
	_, err := c.do(t.Context(), method, path, in, out)
	require.NoError(t, err, "%s %s", method, path)
}

// refused is client.do where succeeding is a failed test.
func refused(t *testing.T, c *client, method, path string, in any) *apiError {
	t.Helper()
	_, err := c.do(t.Context(), method, path, in, nil)
	require.Error(t, err, "%s %s", method, path)
	var e *apiError
	require.ErrorAs(t, err, &e)
	return e
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, 0, "frpoold "},
		{[]string{"nonsense"}, 2, `unknown command "nonsense"`},
		{[]string{"serve", "--nonsense"}, 2, "not defined: -nonsense"},
		{[]string{"serve", "extra"}, 2, `"extra" is not a flag`},
		{[]string{"serve", "--listen", "0.0.0.0:8080"}, 1, "tokens"},
		{[]string{"serve", "--config", "/does/not/exist.yaml"}, 1, "no such file"},
		{[]string{"simulate", "--family", "shtrihm"}, 2, "simulates terminalfa"},
		{[]string{"load"}, 2, "--int is needed"},
		{[]string{"load", "--int", "1", "--url", "nonsense"}, 2, "want something like"},
		{[]string{"export"}, 2, "either --data or --url"},
		{[]string{"export", "--data", "/does/not/exist"}, 1, "no store there"},
		{[]string{"check"}, 0, "configuration: good"},
		{[]string{"demo", "--faults", "0.9"}, 2, "--faults 0 to 0.5"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			code := dispatch(context.Background(), streams{&out, &out}, tt.args)
			assert.Equal(t, tt.code, code)
			assert.Contains(t, out.String(), tt.says)
		})
	}
}

func TestDemoOnce(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string][]string{
		"healthy":     nil,
		"with faults": {"--faults", "0.03", "--seed", "7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			args := append([]string{"demo", "--once", "--devices", "4", "--receipts", "60", "--service-time", "20ms",
				"--listen", "127.0.0.1:0", "--rack", "127.0.0.1:0", "--control", "127.0.0.1:0"}, extra...)
			code := dispatch(t.Context(), streams{&out, &out}, args)
			require.Equal(t, 0, code, out.String())
			assert.Contains(t, out.String(), "each has exactly one document")
			assert.Contains(t, out.String(), "Its QR code says: t=")
		})
	}
}

func TestStopWhileIdle(t *testing.T) {
	t.Parallel()
	p, c := serve(t, t.TempDir())
	ask(t, c, http.MethodGet, "/readyz", nil, nil)
	p.signal(syscall.SIGTERM)
	assert.Equal(t, 0, p.wait())
	assert.Contains(t, p.output(), "msg=stopped")
}

func TestSecondDaemonOnOneStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	serve(t, dir)
	second := start(t, "serve", "--listen", "127.0.0.1:0", "--data", dir)
	assert.Equal(t, 1, second.wait())
	assert.Contains(t, second.output(), "another")
}

func TestBackupCheckExport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, c := serve(t, dir)
	ask(t, c, http.MethodPost, "/fcircuit", map[string]string{"inn": "7704849611", "title": "ООО"}, nil)
	backup := filepath.Join(t.TempDir(), storeFile)
	run := func(args ...string) string {
		var out bytes.Buffer
		require.Equal(t, 0, dispatch(t.Context(), streams{&out, &out}, args), out.String())
		return out.String()
	}
	assert.Contains(t, run("backup", "--url", c.base, "--out", backup), "bytes")
	assert.Contains(t, run("check", "--data", filepath.Dir(backup)), "store: good")
	assert.Contains(t, run("export", "--url", c.base), "0 jobs")
	p.signal(syscall.SIGTERM)
	require.Equal(t, 0, p.wait())
	assert.Contains(t, run("export", "--data", dir), "0 jobs")

	// A half or wrong file must not be taken for a store.
	require.NoError(t, os.WriteFile(backup, []byte("no store"), 0o600))
	var out bytes.Buffer
	assert.Equal(t, 1, dispatch(t.Context(), streams{&out, &out}, []string{"check", "--data", filepath.Dir(backup)}))
}
