package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// badFiles has the exact message for each file of testdata/bad.
var badFiles = map[string]string{
	// The form of the file.
	"syntax":              "yaml: line 1: did not find expected ',' or '}'",
	"two_documents":       "more than one YAML document; keep the first and remove the rest from the line --- on",
	"not_a_mapping":       "line 1: takes a group of keys, each on a line of its own",
	"unknown_key":         "log.colour (line 2): unknown key, known here: format, level",
	"unknown_key_in_list": "tokens[0].secret (line 2): unknown key, known here: name, role, sha256",
	"duplicate_key":       "data (line 2): given twice; remove one",
	"no_value":            "types (line 1): has no value; give it one, or remove the key to keep the default",
	"alias": "data (line 1): anchors and aliases are not taken; write the value out\n" +
		"tls.cert (line 2): anchors and aliases are not taken; write the value out\n" +
		"tls.key (line 2): anchors and aliases are not taken; write the value out",
	"merge_key":       "log.<< (line 1): is no plain key; anchors, aliases and merge keys are not taken",
	"group_for_value": "listen (line 1): is a list or a group of keys; it takes one value",
	"value_for_group": "pool (line 1): takes a group of keys, each on a line of its own",
	"value_for_list":  "tokens (line 1): takes a list, like [a, b]",
	"duration":        `pool.poll_interval (line 1): "5" is no duration; write it like 500ms, 30s or 23h30m`,
	"boolean":         `behind_proxy (line 1): "yes" is neither true nor false`,
	"number":          `queue.total (line 1): "many" is no whole number`,
	"vat_word": `types.terminalfa.vat_rates[1] (line 1): unknown vat "vat18", known: ` +
		"[none vat0 vat5 vat7 vat10 vat20 vat22 vat105 vat107 vat110 vat120 vat122]",

	// The rules, all that are broken at once and each mistake once.
	"several": "log.colour (line 1): unknown key, known here: format, level\n" +
		`log.level: "loud" is unknown, allowed: debug, info, warn, error` + "\n" +
		`log.format: "xml" is unknown, allowed: text, json` + "\n" +
		"queue.total: -1 is out of range, allowed: 1 to 10000000",
	"listen_form": `listen: "8080" is no address: write host:port, like 127.0.0.1:8080 or [::1]:8080`,
	"listen_port": `listen: "80800" is no port, allowed: 0 to 65535`,
	"listen_open": "listen: 0.0.0.0:8080 can be reached from other hosts: set tls.cert and tls.key, or behind_proxy: true when a proxy in front ends TLS, or listen on 127.0.0.1\n" +
		"tokens: listen 0.0.0.0:8080 can be reached from other hosts: set at least one token {name, role, sha256}, where sha256 is what printf %s TOKEN | sha256sum prints",
	"listen_without_tls":    "listen: rack.example:8080 can be reached from other hosts: set tls.cert and tls.key, or behind_proxy: true when a proxy in front ends TLS, or listen on 127.0.0.1",
	"listen_without_tokens": "tokens: listen :8443 can be reached from other hosts: set at least one token {name, role, sha256}, where sha256 is what printf %s TOKEN | sha256sum prints",
	"log_level":             `log.level: "verbose" is unknown, allowed: debug, info, warn, error`,
	"log_format":            `log.format: "logfmt" is unknown, allowed: text, json`,
	"tls_half":              "tls: cert and key go together: set both or neither",
	"token_name":            "tokens[0].name: is empty: the audit log shows who did what by it",
	"token_name_twice":      `tokens[1].name: "a" is given to two tokens: the audit log could not tell them apart`,
	"token_role":            `tokens[0].role: "admin" is unknown, allowed: operator, viewer`,
	"token_hash":            "tokens[0].sha256: is not 64 hex digits: use what printf %s TOKEN | sha256sum prints",
	"token_hash_twice":      "tokens[1].sha256: is the hash of an earlier token: give each caller a token of its own",
	"time_zone":             `time_zone: "MSK" is no time zone, allowed: a name of the IANA database, like Europe/Moscow or Asia/Yekaterinburg`,
	"time_zone_empty":       `time_zone: "" is no time zone, allowed: a name of the IANA database, like Europe/Moscow or Asia/Yekaterinburg`,
	"time_zone_local":       `time_zone: "Local" is no time zone, allowed: a name of the IANA database, like Europe/Moscow or Asia/Yekaterinburg`,
	"family_name":           `families.atol: "atol" is unknown, allowed: terminalfa, shtrihm`,
	"timeouts_range": "families.shtrihm.timeouts.connect: 0s is out of range, allowed: 10ms to 1m\n" +
		"families.shtrihm.timeouts.reply: 10m is out of range, allowed: 10ms to 5m\n" +
		"families.shtrihm.timeouts.commit: 6m is out of range, allowed: 10ms to 5m\n" +
		"families.shtrihm.timeouts.gap: 2m is out of range, allowed: 10ms to 1m",
	"commit_shorter_than_reply": "families.terminalfa.timeouts.commit: 5s is shorter than reply 20s: a register takes longer for a document than for an answer",
	"type_name":                 "types.Terminal FA: is no name for a type, allowed: up to 32 of a-z 0-9 _ - with a letter first",
	"type_without_family":       `types.mypos.family: "" is unknown, allowed: terminalfa, shtrihm, auto`,
	"temperature_source":        `types.pkfa12.temperature.source: "guess" is unknown, allowed: none, status_tail, file`,
	"temperature_offset":        "types.pkfa12.temperature.offset: 21 is out of range, allowed: 22 to 1022",
	"temperature_path":          `types.pkfa12.temperature.path: "" is no absolute path: source file reads a sensor like /sys/class/hwmon/hwmon0/temp1_input`,
	"temperature_path_unused":   "types.pkfa12.temperature.path: is read by source file only: set source: file or remove path",
	"pool_ranges": "pool.poll_interval: 1ms is out of range, allowed: 100ms to 5m\n" +
		"pool.backoff_min: 1ms is out of range, allowed: 10ms to 1m\n" +
		"pool.backoff_max: 1h is out of range, allowed: 10ms to 10m\n" +
		"pool.doubt_retry: 3s is out of range, allowed: 10ms to 2s\n" +
		"pool.exchanges: 0 is out of range, allowed: 1 to 1000\n" +
		"pool.failed_exchanges: 1001 is out of range, allowed: 1 to 1000",
	"backoff_order": "pool.backoff_min: 20s is longer than backoff_max 10s",
	"temperature_range": "gates.temperature.warn: -1 is out of range, allowed: 0 to 125\n" +
		"gates.temperature.stop: 126 is out of range, allowed: 0 to 125\n" +
		"gates.temperature.resume: -1 is out of range, allowed: 0 to 125",
	"temperature_warn":   "gates.temperature.warn: 76 is above stop 75: the warning would come too late",
	"temperature_resume": "gates.temperature.resume: 75 is not below stop 75: a register at the limit would flap",
	"clock_skew_range": "gates.clock_skew.warn: 0s is out of range, allowed: 1s to 12h\n" +
		"gates.clock_skew.stop: 24h is out of range, allowed: 1m to 12h",
	"clock_skew_order":     "gates.clock_skew.warn: 10m is above stop 5m: the warning would come too late",
	"ofd_overdue":          "gates.ofd_overdue: 720h is out of range, allowed: 1m to 696h",
	"fn_documents":         "gates.fn_documents: 250001 is out of range, allowed: 1 to 250000",
	"fn_expires_stop":      "gates.fn_expires_stop: -1h is out of range, allowed: 0s to 2160h",
	"shift_age":            "shifts.max_age: 24h is out of range, allowed: 1m to 23h50m",
	"cashier_length":       "shifts.cashier.name: has 71 characters, allowed: at most 64",
	"cashier_alphabet":     "shifts.cashier.name: '😀' is not in CP866, the registers' alphabet: use another character",
	"cashier_inn":          `shifts.cashier.inn: "500100732258" is no INN: 10 or 12 digits with right check digits`,
	"cashier_without_name": "shifts.cashier.name: is empty: a cashier with an INN has a name",
	"queue_ranges": "queue.per_circuit: 0 is out of range, allowed: 1 to 1000000\n" +
		"queue.total: 0 is out of range, allowed: 1 to 10000000\n" +
		"queue.deadline: 0s is out of range, allowed: 1s to 720h",
	"queue_order": "queue.per_circuit: 20000 is above total 10000",
	"retention":   "store.retention_days: 0 is out of range, allowed: 1 to 3660",
	"shutdown":    "shutdown_timeout: 2m is out of range, allowed: 1s to 1m15s",
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for name, want := range badFiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(filepath.Join("testdata", "bad", name+".yaml"))
			require.NoError(t, err)
			_, err = Parse(b)
			require.EqualError(t, err, want)
		})
	}
}

// A file that no line of the table reads would show nothing.
func TestEveryBadFileIsInTheTable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, len(badFiles))
	for _, f := range files {
		require.Contains(t, badFiles, strings.TrimSuffix(filepath.Base(f), ".yaml"))
	}
}
