package config

import (
	"crypto/sha256"
	"os"
	"reflect"
	"testing"
	"time"

	"frpoold/driver"
	"frpoold/fiscal"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const example = "../deploy/frpoold.example.yaml"

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	c := Defaults()
	require.NoError(t, c.Validate())
	for _, empty := range []string{"", "\n", "# nothing\n", "---\n", "~\n"} {
		c, err := Parse([]byte(empty))
		require.NoError(t, err, "%q", empty)
		require.Equal(t, Defaults(), c, "%q", empty)
	}
}

// Whoever installs the example gets what whoever installs nothing gets, and sees every key.
func TestExampleIsTheDefaults(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(example)
	require.NoError(t, err)
	kept, err := os.ReadFile("testdata/good/full.yaml")
	require.NoError(t, err)
	require.Equal(t, string(shipped), string(kept), "testdata/good/full.yaml is a copy of deploy/frpoold.example.yaml")

	c, err := Parse(shipped)
	require.NoError(t, err)
	want := Defaults()
	want.Tokens = []Token{}
	for name, typ := range want.Types {
		typ.VATRates = []fiscal.VAT{}
		want.Types[name] = typ
	}
	require.Equal(t, want, c)

	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal(shipped, &doc))
	requireKeys(t, "", doc.Content[0], reflect.TypeFor[Config]())
}

// requireKeys fails for a key of typ that n does not show.
func requireKeys(t *testing.T, path string, n *yaml.Node, typ reflect.Type) {
	t.Helper()
	entries := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		entries[n.Content[i].Value] = n.Content[i+1]
	}
	switch typ.Kind() {
	case reflect.Struct:
		for i := range typ.NumField() {
			name := typ.Field(i).Tag.Get("yaml")
			require.Contains(t, entries, name, "%s does not show %s.%s", example, path, name)
			requireKeys(t, path+"."+name, entries[name], typ.Field(i).Type)
		}
	case reflect.Map:
		for name, e := range entries {
			requireKeys(t, path+"."+name, e, typ.Elem())
		}
	}
}

func TestFileChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	c, err := Load("testdata/good/outside.yaml")
	require.NoError(t, err)

	require.Equal(t, "0.0.0.0:8443", c.Listen)
	require.True(t, c.TLS.Enabled())
	require.True(t, c.RefuseTestFN)
	require.Equal(t, Defaults().Pool, c.Pool)
	require.Equal(t, fiscal.Cashier{Name: "Иванова А. П.", INN: "500100732259"}, c.Shifts.Cashier.Fiscal())

	// One timeout changed, its neighbours and the other family did not.
	want := defaultFamily()
	want.Timeouts.Reply = 2 * time.Second
	require.Equal(t, map[string]Family{FamilyTerminalFA: want, FamilyShtrihM: defaultFamily()}, c.Families)

	// A built-in type keeps its family, a new one begins with the defaults.
	require.Equal(t, map[string]string{
		"terminalfa": "terminalfa", "kitonlinef": "terminalfa", "shtrihm": "shtrihm", "pkfa12": "auto", "kassa-7": "terminalfa",
	}, c.TypeFamilies())
	require.Equal(t, Temperature{Source: "file", Offset: 22, Path: "/sys/class/hwmon/hwmon0/temp1_input"}, c.Types["kassa-7"].Temperature)

	loc, err := c.Location()
	require.NoError(t, err)
	require.Equal(t, "Asia/Yekaterinburg", loc.String())
}

func TestDriverOptions(t *testing.T) {
	t.Parallel()
	c, err := Load("testdata/good/outside.yaml")
	require.NoError(t, err)

	pk := c.DriverOptions("pkfa12", FamilyTerminalFA)
	require.Equal(t, 2*time.Second, pk.Timeouts.Reply)
	require.True(t, pk.PrintReports)
	require.Equal(t, driver.TemperatureSource{StatusTail: true, Offset: 22}, pk.Temperature)
	require.Zero(t, pk.VATRates)

	own := c.DriverOptions("kassa-7", FamilyTerminalFA)
	require.Equal(t, fiscal.VATSet(0).With(fiscal.VATNone).With(fiscal.VAT22), own.VATRates)
	require.Zero(t, own.Temperature, "a sensor file is read by the pool, not by the driver")

	gone := c.DriverOptions("removed from the file", "unknown")
	require.Equal(t, driver.Options{Timeouts: defaultFamily().Timeouts}, gone)
}

func TestTokenSum(t *testing.T) {
	t.Parallel()
	c, err := Load("testdata/good/outside.yaml")
	require.NoError(t, err)
	sum, err := c.Tokens[0].Sum()
	require.NoError(t, err)
	require.Equal(t, sha256.Sum256([]byte("foo")), sum, "upper-case digits count as well")

	_, err = Token{Name: "a", SHA256: NewSecret("abcd")}.Sum()
	require.EqualError(t, err, "token a: the hash is not 64 hex digits")
}

func TestLogThreshold(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]string{"debug": "DEBUG", "info": "INFO", "warn": "WARN", "error": "ERROR", "": "INFO"} {
		require.Equal(t, want, Log{Level: level}.Threshold().String())
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.1.2.3:0": true, "[::1]:8080": true, "localhost:8080": true, "[::ffff:127.0.0.1]:80": true,
		"0.0.0.0:8080": false, "[::]:8080": false, ":8080": false, "10.0.0.1:8080": false, "rack:8080": false,
	} {
		got, err := loopback(addr)
		require.NoError(t, err, addr)
		require.Equal(t, want, got, addr)
	}
}
