package circuits

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"frpoold/fiscal"
)

const (
	serialPrefix = "serial:"
	maxAddress   = 255 // characters; a host name has at most 253
)

// ErrAddress is in the chain of every error of ParseDeviceID; the text before it says what is wrong.
var ErrAddress = errors.New(`an eip is "host:port" or "serial:/dev/NAME"`)

// ParseDeviceID reads an eip and brings it into the one form under which it is stored, so that the same register cannot
// be added twice under two spellings: lower-case host, shortest form of an IP address, a port without leading zeros, a
// device path without dots. The parameters behind the "?" of a serial line are kept as they are.
func ParseDeviceID(s string) (fiscal.DeviceID, error) {
	if len(s) > maxAddress {
		return "", fmt.Errorf("the eip has %d characters, at most %d are allowed: %w", len(s), maxAddress, ErrAddress)
	}
	if rest, ok := strings.CutPrefix(s, serialPrefix); ok {
		return parseSerial(s, rest)
	}
	return parseTCP(s)
}

func parseSerial(s, rest string) (fiscal.DeviceID, error) {
	file, params, query := strings.Cut(rest, "?")
	clean := path.Clean(file)
	if !strings.HasPrefix(clean, "/dev/") || badText(rest) {
		return "", fmt.Errorf("the serial line of %q must be a path below /dev/: %w", s, ErrAddress)
	}
	if query && params != "" {
		clean += "?" + params
	}
	return fiscal.DeviceID(serialPrefix + clean), nil
}

func parseTCP(s string) (fiscal.DeviceID, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", fmt.Errorf("the eip %q has no port: %w", s, ErrAddress)
	}
	host, port := s[:i], s[i+1:]
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || !decimal(port) {
		return "", fmt.Errorf("the port %q of the eip %q is not a number from 1 to 65535: %w", port, s, ErrAddress)
	}
	host, err = parseHost(s, host)
	if err != nil {
		return "", err
	}
	return fiscal.DeviceID(host + ":" + strconv.FormatUint(n, 10)), nil
}

func parseHost(s, host string) (string, error) {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		if err != nil || !closed || !a.Is6() {
			return "", fmt.Errorf("the host of the eip %q is no IPv6 address in brackets: %w", s, ErrAddress)
		}
		return "[" + a.String() + "]", nil
	}
	if host == "" {
		return "", fmt.Errorf("the eip %q has no host: %w", s, ErrAddress)
	}
	if strings.ContainsRune(host, ':') {
		return "", fmt.Errorf("the IPv6 host of the eip %q must stand in brackets: %w", s, ErrAddress)
	}
	if strings.IndexFunc(host, notHostname) >= 0 {
		return "", fmt.Errorf("the host of the eip %q has a character no host name has: %w", s, ErrAddress)
	}
	if numeric := host[strings.LastIndexByte(host, '.')+1:]; decimal(numeric) {
		a, err := netip.ParseAddr(host)
		if err != nil {
			return "", fmt.Errorf("the host of the eip %q is no IPv4 address: %w", s, ErrAddress)
		}
		return a.String(), nil
	}
	return strings.ToLower(host), nil
}

func notHostname(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
}

func badText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0
}

// line is the physical line of a device: two eips that differ in serial parameters only share it.
func line(id fiscal.DeviceID) string {
	s, _, _ := strings.Cut(string(id), "?")
	return s
}

// canonical is the stored form of an id that came from outside; an id that cannot be read stays as it is and is then
// simply not found.
func canonical(id fiscal.DeviceID) fiscal.DeviceID {
	if c, err := ParseDeviceID(string(id)); err == nil {
		return c
	}
	return id
}
