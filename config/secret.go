package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that never appears in output: not through fmt with any verb, nor slog, JSON or YAML, nor by a
// conversion to string. Reveal is the only way to it. An empty secret shows as empty, so that a person sees that it is
// not set.
type Secret struct{ text string }

const mask = "***"

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal gives the text itself.
func (s Secret) Reveal() string { return s.text }

func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return mask
}

// Format masks every verb; String alone would leave %x and %#v open.
func (s Secret) Format(f fmt.State, _ rune) {
	// A fmt.State reports write errors to nobody.
	_, _ = io.WriteString(f, s.String())
}

// LogValue masks the secret in slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks the secret in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret itself, from a file.
func (s *Secret) UnmarshalText(b []byte) error {
	s.text = string(b)
	return nil
}
