// Package deploy_test checks the files of this folder with the tools that will read them: systemd, promtool, and the
// program's own configuration. On a workstation a tool that is not installed is skipped; in CI it has to be there.
package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"frpoold/config"

	"github.com/stretchr/testify/require"
)

const unit = "frpoold.service"

// tool is a program of the host.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing; .ci/run installs it", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// run gives everything a program prints, and whether it was content.
func run(t *testing.T, stdin, name string, args ...string) (out string, ok bool) {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
	b, err := cmd.CombinedOutput()
	return string(b), err == nil
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// settings are the values of each key of the unit, in order.
func settings(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for line := range strings.Lines(read(t, unit)) {
		line = strings.TrimSpace(line)
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			out[key] = append(out[key], value)
		}
	}
	return out
}

// complaints are the lines in which systemd-analyze verify names our unit. It also reads the units of the host that ours
// mentions, which are not ours to mend.
func complaints(t *testing.T, text string) (lines []string) {
	t.Helper()
	// verify wants the program to exist, and this host need not have frpoold installed.
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), unit)
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, "/usr/bin/frpoold", self)), 0o600))
	out, ok := run(t, "", "systemd-analyze", "verify", "--recursive-errors=no", path)
	for line := range strings.Lines(out) {
		if strings.Contains(line, unit) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if !ok && len(lines) == 0 {
		lines = append(lines, "systemd-analyze verify failed: "+out)
	}
	return lines
}

func TestUnitVerifies(t *testing.T) {
	t.Parallel()
	require.Empty(t, complaints(t, read(t, unit)))
}

// verify exits with 0 for a key it does not know; complaints has to see it all the same.
func TestVerifySeesMistakes(t *testing.T) {
	t.Parallel()
	for _, mistake := range [][2]string{{"PrivateTmp=", "PrivateTmpp="}, {"WatchdogSec=30", "WatchdogSec=soon"}, {"ExecStart=/", "ExecStart="}} {
		broken := strings.Replace(read(t, unit), mistake[0], mistake[1], 1)
		require.NotEqual(t, read(t, unit), broken)
		require.NotEmpty(t, complaints(t, broken), mistake[1])
	}
}

// design.md §10: exposure of at most 2.0, which systemd counts in tenths.
func TestUnitExposure(t *testing.T) {
	t.Parallel()
	out, ok := run(t, "", "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", "./"+unit)
	require.True(t, ok, out)
	require.Contains(t, out, "Overall exposure level for "+unit)
}

func TestUnitKeepsItsContract(t *testing.T) {
	t.Parallel()
	s := settings(t)
	for key, want := range map[string][]string{
		"Type":                {"notify"},
		"NotifyAccess":        {"main"},
		"WatchdogSec":         {"30"},
		"ExecStart":           {"/usr/bin/frpoold serve --config /etc/frpoold/frpoold.yaml"},
		"StateDirectory":      {"frpoold"},
		"SupplementaryGroups": {"dialout"},
		"DeviceAllow":         {"char-ttyS rw", "char-ttyUSB rw", "char-ttyACM rw"},
		"LoadCredential":      {config.TokensCredential + ":/etc/frpoold/tokens.yaml"},
	} {
		require.Equal(t, want, s[key], key)
	}
	stop, err := strconv.Atoi(s["TimeoutStopSec"][0])
	require.NoError(t, err)
	require.Greater(t, time.Duration(stop)*time.Second, config.MaxShutdownTimeout+10*time.Second,
		"systemd must not kill a daemon that still settles receipts")
}

// What the daemon sees without /etc/frpoold/tokens.yaml has to be no tokens, not an error.
func TestUnitsDefaultCredential(t *testing.T) {
	t.Parallel()
	id, text, ok := strings.Cut(settings(t)["SetCredential"][0], ":")
	require.True(t, ok)
	require.Equal(t, config.TokensCredential, id)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, id), []byte(text), 0o600))
	c, err := config.Load("", config.WithEnvironment(func(key string) string {
		return map[string]string{"CREDENTIALS_DIRECTORY": dir}[key]
	}))
	require.NoError(t, err)
	require.Empty(t, c.Tokens)
}

// Installed as it is, the example starts, and the store lies where systemd made a place for it.
func TestExampleIsValid(t *testing.T) {
	t.Parallel()
	c, err := config.Load("frpoold.example.yaml", config.WithEnvironment(func(key string) string {
		return map[string]string{"STATE_DIRECTORY": "/var/lib/" + settings(t)["StateDirectory"][0]}[key]
	}))
	require.NoError(t, err)
	require.Equal(t, "/var/lib/frpoold", c.Data)
}

func TestSysusers(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "etc"), 0o750))
	out, ok := run(t, read(t, "sysusers.conf"), "systemd-sysusers", "--root="+root, "-")
	require.True(t, ok, out)
	user := settings(t)["User"][0]
	require.Equal(t, user, settings(t)["Group"][0])
	require.Regexp(t, `(?m)^`+user+`:x:\d+:\d+:[^:]*:/var/lib/frpoold:\S*nologin$`, read(t, filepath.Join(root, "etc/passwd")))
	require.Regexp(t, `(?m)^`+user+`:x:\d+:$`, read(t, filepath.Join(root, "etc/group")))

	_, ok = run(t, "u frpoold - \"half a quote\n", "systemd-sysusers", "--root="+root, "-")
	require.False(t, ok, "systemd-sysusers takes anything")
}

var udevKey = regexp.MustCompile(`^[A-Z]+(\{[A-Za-z_.]+\})?(==|!=|=|\+=|:=)"[^"]*"$`)

// systemd 252 has no udevadm verify yet: the grammar of one rule, and that each jump lands.
func TestUdevRules(t *testing.T) {
	t.Parallel()
	jumps, labels := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(read(t, "99-frpoold.rules")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for key := range strings.SplitSeq(line, ", ") {
			require.Regexp(t, udevKey, key)
			name, value, _ := strings.Cut(key, "=")
			switch name {
			case "GOTO":
				jumps[value] = true
			case "LABEL":
				labels[value] = true
			}
		}
	}
	require.Equal(t, labels, jumps)
	require.Contains(t, read(t, "99-frpoold.rules"), `GROUP="`+settings(t)["SupplementaryGroups"][0]+`"`)
}
