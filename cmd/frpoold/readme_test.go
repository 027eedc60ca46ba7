package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeSession runs the first session of both READMEs word for word against the demo they begin with, on the ports they
// name. Ports that are taken make it fail, with the demo's own sentence.
func TestReadmeSession(t *testing.T) {
	for _, name := range []string{"README.md", "README.ru.md"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("../../" + name)
			require.NoError(t, err)
			session := sessionOf(t, string(text))
			require.Contains(t, session, "/int/2/receipts")

			demo := start(t, "demo", "--receipts", "20", "--service-time", "20ms")
			demo.await(`keeps serving`)
			// -f turns an HTTP error into a failed command; nothing else differs from what a person types.
			script := "set -eo pipefail\ncurl() { command curl -fS \"$@\"; echo; }\n" + session
			cmd := exec.Command("bash", "-c", script)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s\n%s", session, out)
			assert.Contains(t, string(out), `"status":"made"`)
			assert.Contains(t, string(out), `"rnm":`)
			assert.Contains(t, string(out), `"title":"ООО «Демо», второй магазин"`)
			made := regexp.MustCompile(`"id":"([0-9A-Z]{16})"`).FindStringSubmatch(string(out))
			require.NotNil(t, made)
			assert.Contains(t, string(out[strings.LastIndex(string(out), `"status":"made"`):]), made[1], "the register's archive has the receipt's stamp")
			demo.signal(syscall.SIGINT)
			assert.Equal(t, 0, demo.wait())
		})
	}
}

// sessionOf joins the shell blocks of the section about the first session.
func sessionOf(t *testing.T, text string) string {
	t.Helper()
	_, section, ok := strings.Cut(text, "<!-- session -->")
	require.True(t, ok, "the README marks its session")
	section, _, ok = strings.Cut(section, "<!-- end of session -->")
	require.True(t, ok)
	var b strings.Builder
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		b.WriteString(m[1])
	}
	return b.String()
}
