package callback

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// MaxURL is the longest callback address, in characters.
const MaxURL = 512

// Rules of CheckURL, as content errors name them.
const (
	RuleBadURL        = "bad_callback_url"
	RulePrivateTarget = "private_callback_url"
)

// AddressError says why an address cannot be called.
type AddressError struct {
	Rule   string // RuleBadURL or RulePrivateTarget
	Reason string // one sentence
}

func (e *AddressError) Error() string { return e.Reason }

// CheckURL checks a callback address when it is given: absolute, http or https, no password in it, and not a literal
// address of a private network unless those are allowed. A name is not looked up. It fails with *AddressError.
func CheckURL(raw string, allowPrivate bool) error {
	bad := func(format string, args ...any) error {
		return &AddressError{RuleBadURL, fmt.Sprintf(format, args...)}
	}
	if n := len([]rune(raw)); n > MaxURL {
		return bad("callback_url has %d characters: at most %d are allowed", n, MaxURL)
	}
	if strings.IndexFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) >= 0 {
		return bad("callback_url holds a blank or a control character: percent-encode it")
	}
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Opaque != "" {
		return bad("callback_url must be an absolute http or https address, such as https://shop.example/fiscal")
	}
	if u.User != nil {
		return bad("callback_url must not hold a user name or password: check the signature of the callback instead")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" {
		return bad("callback_url names no host: give one such as https://shop.example/fiscal")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return bad("callback_url has port %s: it must be from 1 to 65535", p)
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if !allowPrivate && !Public(ip) {
			return &AddressError{RulePrivateTarget, fmt.Sprintf(
				"callback_url points to %s, an address of a private or reserved network: give a public one", ip)}
		}
		return nil
	}
	if !allowPrivate && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
		return &AddressError{RulePrivateTarget, "callback_url points to this very host: give a public address"}
	}
	// Resolvers of the old school read 127.1, 0x7f000001 and 2130706433 as addresses. A name never ends in a number.
	if last := host[strings.LastIndexByte(host, '.')+1:]; numeric(last) {
		return bad("callback_url has host %q, which is neither a name nor an address in full: write 192.0.2.1 with four numbers", host)
	}
	return nil
}

func numeric(label string) bool {
	if _, err := strconv.ParseUint(label, 0, 64); err == nil {
		return true
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

// reserved are the networks that stand for nobody on the internet, beyond those netip knows (RFC 6890).
var reserved = func() []netip.Prefix {
	var list []netip.Prefix
	for _, s := range []string{
		"0.0.0.0/8",       // this network
		"100.64.0.0/10",   // carriers' own
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // relays to IPv6
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"240.0.0.0/4",     // reserved and broadcast
		"2001::/23",       // protocol assignments, Teredo among them
		"2001:db8::/32",   // documentation
		"3fff::/20",       // documentation
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

var (
	globalIPv6 = netip.MustParsePrefix("2000::/3")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
)

// Public reports that an address belongs to the internet at large: not private, loopback, link-local, multicast or
// reserved. An IPv6 address that carries an IPv4 one is judged by that.
func Public(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	switch {
	case nat64.Contains(ip):
		b := ip.As16()
		return Public(netip.AddrFrom4([4]byte(b[12:])))
	case sixToFour.Contains(ip):
		b := ip.As16()
		return Public(netip.AddrFrom4([4]byte(b[2:6])))
	case ip.Is6() && !globalIPv6.Contains(ip):
		return false
	}
	if !ip.IsValid() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
