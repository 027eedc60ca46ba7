package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"frpoold/driver"
	"frpoold/fiscal"

	"golang.org/x/text/encoding/charmap"
)

const (
	day             = 24 * time.Hour
	maxCashier      = 64   // characters of tag 1021
	maxStatusOffset = 1022 // last byte of the longest answer
)

var typeName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// Validate checks every rule and joins all that are broken, each a *KeyError.
func (c *Config) Validate() error {
	var k checker
	k.server(c)
	k.tokens(c.Tokens)
	k.zone("time_zone", c.TimeZone)
	for _, name := range sortedKeys(c.Families) {
		k.family("families."+name, name, c.Families[name])
	}
	for _, name := range sortedKeys(c.Types) {
		k.deviceType("types."+name, name, c.Types[name])
	}
	k.pool(c.Pool)
	k.gates(c.Gates)
	k.duration("shifts.max_age", c.Shifts.MaxAge, time.Minute, 23*time.Hour+50*time.Minute)
	k.cashier(c.Shifts.Cashier)
	k.queue(c.Queue)
	k.number("store.retention_days", c.Store.RetentionDays, 1, 3660)
	k.duration("shutdown_timeout", c.ShutdownTimeout, time.Second, MaxShutdownTimeout)
	return errors.Join(k.errs...)
}

type checker struct{ errs []error }

func (k *checker) fail(key, format string, args ...any) {
	k.errs = append(k.errs, &KeyError{Key: key, Problem: fmt.Sprintf(format, args...)})
}

// duration reports whether v is in range. Rules between two values are checked only when both are: one mistake, one
// message.
func (k *checker) duration(key string, v, least, most time.Duration) bool {
	if v < least || v > most {
		k.fail(key, "%s is out of range, allowed: %s to %s", short(v), short(least), short(most))
		return false
	}
	return true
}

// number reports whether v is in range.
func (k *checker) number(key string, v, least, most int) bool {
	if v < least || v > most {
		k.fail(key, "%d is out of range, allowed: %d to %d", v, least, most)
		return false
	}
	return true
}

func (k *checker) word(key, v string, allowed ...string) {
	if !slices.Contains(allowed, v) {
		k.fail(key, "%q is unknown, allowed: %s", v, strings.Join(allowed, ", "))
	}
}

// server checks who can reach the API: an address that other hosts reach needs both secrecy and tokens, because without
// tokens every caller is an operator.
func (k *checker) server(c *Config) {
	local, err := loopback(c.Listen)
	if err != nil {
		k.fail("listen", "%v", err)
	} else if !local {
		if !c.TLS.Enabled() && !c.BehindProxy {
			k.fail("listen", "%s can be reached from other hosts: set tls.cert and tls.key, or behind_proxy: true when a proxy in front ends TLS, or listen on 127.0.0.1", c.Listen)
		}
		if len(c.Tokens) == 0 {
			k.fail("tokens", "listen %s can be reached from other hosts: set at least one token {name, role, sha256}, where sha256 is what printf %%s TOKEN | sha256sum prints", c.Listen)
		}
	}
	k.word("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.word("log.format", c.Log.Format, "text", "json")
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		k.fail("tls", "cert and key go together: set both or neither")
	}
}

// loopback reports whether only this host reaches addr.
func loopback(addr string) (bool, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("%q is no address: write host:port, like 127.0.0.1:8080 or [::1]:8080", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false, fmt.Errorf("%q is no port, allowed: 0 to 65535", port)
	}
	if host == "localhost" {
		return true, nil
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback(), nil
}

func (k *checker) tokens(list []Token) {
	names, hashes := map[string]bool{}, map[string]bool{}
	for i, t := range list {
		key := fmt.Sprintf("tokens[%d]", i)
		hash := strings.ToLower(t.SHA256.Reveal())
		switch {
		case t.Name == "":
			k.fail(key+".name", "is empty: the audit log shows who did what by it")
		case names[t.Name]:
			k.fail(key+".name", "%q is given to two tokens: the audit log could not tell them apart", t.Name)
		}
		names[t.Name] = true
		k.word(key+".role", string(t.Role), string(RoleOperator), string(RoleViewer))
		if _, err := t.Sum(); err != nil {
			k.fail(key+".sha256", "is not 64 hex digits: use what printf %%s TOKEN | sha256sum prints")
			continue
		}
		if hashes[hash] {
			k.fail(key+".sha256", "is the hash of an earlier token: give each caller a token of its own")
		}
		hashes[hash] = true
	}
}

func (k *checker) zone(key, name string) {
	// time.LoadLocation takes "" for UTC and "Local" for the host's zone; a file means neither.
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		k.fail(key, "%q is no time zone, allowed: a name of the IANA database, like Europe/Moscow or Asia/Yekaterinburg", name)
	}
}

func (k *checker) family(key, name string, f Family) {
	k.word(key, name, FamilyTerminalFA, FamilyShtrihM)
	k.timeouts(key+".timeouts", f.Timeouts)
}

func (k *checker) timeouts(key string, t driver.Timeouts) {
	k.duration(key+".connect", t.Connect, 10*time.Millisecond, time.Minute)
	reply := k.duration(key+".reply", t.Reply, 10*time.Millisecond, 5*time.Minute)
	commit := k.duration(key+".commit", t.Commit, 10*time.Millisecond, 5*time.Minute)
	k.duration(key+".gap", t.Gap, 10*time.Millisecond, time.Minute)
	if reply && commit && t.Commit < t.Reply {
		k.fail(key+".commit", "%s is shorter than reply %s: a register takes longer for a document than for an answer", short(t.Commit), short(t.Reply))
	}
}

func (k *checker) deviceType(key, name string, t Type) {
	if !typeName.MatchString(name) {
		k.fail(key, "is no name for a type, allowed: up to 32 of a-z 0-9 _ - with a letter first")
	}
	k.word(key+".family", t.Family, FamilyTerminalFA, FamilyShtrihM, FamilyAuto)
	k.temperature(key+".temperature", t.Temperature)
}

func (k *checker) temperature(key string, t Temperature) {
	k.word(key+".source", t.Source, TemperatureNone, TemperatureStatusTail, TemperatureFile)
	k.number(key+".offset", t.Offset, statusTailOffset, maxStatusOffset)
	switch {
	case t.Source == TemperatureFile && !filepath.IsAbs(t.Path):
		k.fail(key+".path", "%q is no absolute path: source file reads a sensor like /sys/class/hwmon/hwmon0/temp1_input", t.Path)
	case t.Source != TemperatureFile && t.Path != "":
		k.fail(key+".path", "is read by source file only: set source: file or remove path")
	}
}

func (k *checker) pool(p Pool) {
	k.duration("pool.poll_interval", p.PollInterval, 100*time.Millisecond, 5*time.Minute)
	least := k.duration("pool.backoff_min", p.BackoffMin, 10*time.Millisecond, time.Minute)
	most := k.duration("pool.backoff_max", p.BackoffMax, 10*time.Millisecond, 10*time.Minute)
	if least && most && p.BackoffMin > p.BackoffMax {
		k.fail("pool.backoff_min", "%s is longer than backoff_max %s", short(p.BackoffMin), short(p.BackoffMax))
	}
	// Two seconds are promised to whoever waits for a job in doubt (design.md §12).
	k.duration("pool.doubt_retry", p.DoubtRetry, 10*time.Millisecond, 2*time.Second)
	k.number("pool.exchanges", p.Exchanges, 1, 1000)
	k.number("pool.failed_exchanges", p.FailedExchanges, 1, 1000)
}

func (k *checker) gates(g Gates) {
	t := g.Temperature
	warn := k.number("gates.temperature.warn", t.Warn, 0, 125)
	stop := k.number("gates.temperature.stop", t.Stop, 0, 125)
	resume := k.number("gates.temperature.resume", t.Resume, 0, 125)
	if warn && stop && t.Warn > t.Stop {
		k.fail("gates.temperature.warn", "%d is above stop %d: the warning would come too late", t.Warn, t.Stop)
	}
	if resume && stop && t.Resume >= t.Stop {
		k.fail("gates.temperature.resume", "%d is not below stop %d: a register at the limit would flap", t.Resume, t.Stop)
	}
	warn = k.duration("gates.clock_skew.warn", g.ClockSkew.Warn, time.Second, 12*time.Hour)
	stop = k.duration("gates.clock_skew.stop", g.ClockSkew.Stop, time.Minute, 12*time.Hour)
	if warn && stop && g.ClockSkew.Warn > g.ClockSkew.Stop {
		k.fail("gates.clock_skew.warn", "%s is above stop %s: the warning would come too late", short(g.ClockSkew.Warn), short(g.ClockSkew.Stop))
	}
	// At 30 days the storage itself refuses everything, even closing the shift.
	k.duration("gates.ofd_overdue", g.OFDOverdue, time.Minute, 29*day)
	k.number("gates.fn_documents", g.FNDocuments, 1, fiscal.FNCapacity)
	k.duration("gates.fn_expires_stop", g.FNExpiresStop, 0, 90*day)
}

func (k *checker) cashier(c Cashier) {
	if n := utf8.RuneCountInString(c.Name); n > maxCashier {
		k.fail("shifts.cashier.name", "has %d characters, allowed: at most %d", n, maxCashier)
	}
	for _, r := range c.Name {
		if _, ok := charmap.CodePage866.EncodeRune(r); !ok {
			k.fail("shifts.cashier.name", "%q is not in CP866, the registers' alphabet: use another character", r)
			break
		}
	}
	if c.INN != "" && !c.INN.Valid() {
		k.fail("shifts.cashier.inn", "%q is no INN: 10 or 12 digits with right check digits", string(c.INN))
	}
	if c.INN != "" && c.Name == "" {
		k.fail("shifts.cashier.name", "is empty: a cashier with an INN has a name")
	}
}

func (k *checker) queue(q Queue) {
	one := k.number("queue.per_circuit", q.PerCircuit, 1, 1_000_000)
	all := k.number("queue.total", q.Total, 1, 10_000_000)
	if one && all && q.PerCircuit > q.Total {
		k.fail("queue.per_circuit", "%d is above total %d", q.PerCircuit, q.Total)
	}
	k.duration("queue.deadline", q.Deadline, time.Second, 30*day)
}

// short writes a duration without its zero tail: 24h, not 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
