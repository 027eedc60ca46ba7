package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	hashFoo = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
	hashBar = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
)

func env(pairs map[string]string) Option {
	return WithEnvironment(func(key string) string { return pairs[key] })
}

func write(t *testing.T, name, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	return dir
}

func TestLoadWithNothingIsTheDefaults(t *testing.T) {
	t.Parallel()
	c, err := Load("")
	require.NoError(t, err)
	require.Equal(t, Defaults(), c)
}

// environment < file < command line, and an empty data is one that nobody named.
func TestLoadOrder(t *testing.T) {
	t.Parallel()
	state := env(map[string]string{"STATE_DIRECTORY": "/var/lib/frpoold:/var/lib/other"})
	file := filepath.Join(write(t, "a.yaml", "data: /srv/a\nlisten: 127.0.0.1:1\n"), "a.yaml")
	flag := WithOverride(func(c *Config) { c.Data = "/flag" })

	for _, tc := range []struct {
		name    string
		path    string
		options []Option
		want    string
	}{
		{"no environment", "", nil, "frpoold-data"},
		{"empty environment", "", []Option{env(nil)}, "frpoold-data"},
		{"systemd", "", []Option{state}, "/var/lib/frpoold"},
		{"the example's empty data", example, []Option{state}, "/var/lib/frpoold"},
		{"the example by hand", example, nil, "frpoold-data"},
		{"file over systemd", file, []Option{state}, "/srv/a"},
		{"flag over file", file, []Option{state, flag}, "/flag"},
	} {
		c, err := Load(tc.path, tc.options...)
		require.NoError(t, err, tc.name)
		require.Equal(t, tc.want, c.Data, tc.name)
	}
}

func TestCredentialTokensAreAdded(t *testing.T) {
	t.Parallel()
	dir := write(t, TokensCredential, "tokens: [{name: b, role: viewer, sha256: "+hashBar+"}]\n")
	file := filepath.Join(write(t, "a.yaml", "tokens: [{name: a, role: operator, sha256: "+hashFoo+"}]\n"), "a.yaml")

	c, err := Load(file, env(map[string]string{"CREDENTIALS_DIRECTORY": dir}))
	require.NoError(t, err)
	require.Equal(t, []Token{{"a", RoleOperator, NewSecret(hashFoo)}, {"b", RoleViewer, NewSecret(hashBar)}}, c.Tokens)

	// With tokens from the credential alone the daemon may listen outside.
	open := WithOverride(func(c *Config) { c.Listen, c.BehindProxy = ":8080", true })
	_, err = Load("", env(map[string]string{"CREDENTIALS_DIRECTORY": dir}), open)
	require.NoError(t, err)
	_, err = Load("", open)
	require.ErrorContains(t, err, "set at least one token")
}

// The unit always passes the credential; without /etc/frpoold/tokens.yaml it is the text of SetCredential.
func TestCredentialThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), "/nonexistent", write(t, TokensCredential, "tokens: []"), write(t, TokensCredential, "")} {
		c, err := Load("", env(map[string]string{"CREDENTIALS_DIRECTORY": dir}))
		require.NoError(t, err)
		require.Empty(t, c.Tokens)
	}
}

func TestLoadNamesFileAndAllErrors(t *testing.T) {
	t.Parallel()
	dir := write(t, TokensCredential, "token: x\n")
	file := filepath.Join(write(t, "a.yaml", "log: {level: loud, colour: on}\n"), "a.yaml")
	_, err := Load(file, env(map[string]string{"CREDENTIALS_DIRECTORY": dir}))
	require.EqualError(t, err, file+":\n"+
		"log.colour (line 1): unknown key, known here: format, level\n"+
		filepath.Join(dir, TokensCredential)+": token (line 1): unknown key, known here: tokens\n"+
		`log.level: "loud" is unknown, allowed: debug, info, warn, error`)
	var k *KeyError
	require.True(t, errors.As(err, &k))
	require.Equal(t, "log.colour", k.Key)

	_, err = Load("", WithOverride(func(c *Config) { c.Listen = "here" }))
	require.ErrorContains(t, err, "configuration:\nlisten: ")
}

func TestLoadOfWhatIsNoFile(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none.yaml")
	_, err := Load(missing)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, missing)

	_, err = Load(t.TempDir())
	require.ErrorContains(t, err, "is a directory")

	_, err = Parse([]byte(strings.Repeat("#", maxFile+1)))
	require.EqualError(t, err, "longer than 1048576 bytes")
}

// Whatever stands in a file, Parse ends with a configuration that keeps every rule or with an error that says something.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, name := range files {
			b, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			require.NotEmpty(t, err.Error())
			require.Zero(t, c)
			return
		}
		require.NoError(t, c.Validate())
		for name, typ := range c.Types {
			require.NotZero(t, c.DriverOptions(name, typ.Family).Timeouts.Commit)
		}
	})
}
