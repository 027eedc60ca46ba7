package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TokensCredential is the file in $CREDENTIALS_DIRECTORY whose tokens are added to those of the configuration. It has one
// key, tokens, so that the hashes can stay out of a file that everybody reads.
const TokensCredential = "tokens.yaml"

// Option adds a source of configuration to Load.
type Option func(*sources)

type sources struct {
	getenv    func(string) string
	overrides []func(*Config)
}

// WithEnvironment takes what systemd gives: $STATE_DIRECTORY is what an empty data means, and $CREDENTIALS_DIRECTORY may hold
// TokensCredential. getenv is os.Getenv in the daemon.
func WithEnvironment(getenv func(string) string) Option {
	return func(s *sources) { s.getenv = getenv }
}

// WithOverride changes what the file said, before the rules are checked: the command line.
func WithOverride(change func(*Config)) Option {
	return func(s *sources) { s.overrides = append(s.overrides, change) }
}

// Load builds the configuration: defaults, then the file and the tokens of the environment, then the overrides; a data
// folder that none of them names is the environment's. An empty path means no file. The result has passed Validate. The error names every bad key and every broken rule at once; a missing file is
// fs.ErrNotExist.
func Load(path string, options ...Option) (Config, error) {
	s := sources{getenv: func(string) string { return "" }}
	for _, o := range options {
		o(&s)
	}
	c := Defaults()
	c.Data = ""
	var errs []error
	if path != "" {
		errs = append(errs, decodeFile(path, &c))
	}
	tokens, err := credentialTokens(s.getenv("CREDENTIALS_DIRECTORY"))
	c.Tokens = append(c.Tokens, tokens...)
	errs = append(errs, err)
	for _, change := range s.overrides {
		change(&c)
	}
	if c.Data == "" {
		// With several directories systemd separates them by colons; the first is ours.
		c.Data, _, _ = strings.Cut(s.getenv("STATE_DIRECTORY"), ":")
	}
	if c.Data == "" {
		c.Data = defaultData
	}
	errs = append(errs, c.Validate())
	if err := errors.Join(errs...); err != nil {
		if path != "" {
			return Config{}, fmt.Errorf("%s:\n%w", path, err)
		}
		return Config{}, fmt.Errorf("configuration:\n%w", err)
	}
	return c, nil
}

// Parse is Load for bytes, without an environment.
func Parse(b []byte) (Config, error) {
	c := Defaults()
	err := decode(b, &c)
	if c.Data == "" {
		c.Data = defaultData
	}
	if err := errors.Join(err, c.Validate()); err != nil {
		return Config{}, err
	}
	return c, nil
}

// credentialTokens reads the tokens in dir. No dir and no file in it are both no tokens.
func credentialTokens(dir string) ([]Token, error) {
	if dir == "" {
		return nil, nil
	}
	path := filepath.Join(dir, TokensCredential)
	var c struct {
		Tokens []Token `yaml:"tokens"`
	}
	if err := decodeFile(path, &c); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c.Tokens, nil
}

func decodeFile(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	// The file was only read: nothing can be lost by closing it.
	_ = f.Close()
	if err != nil {
		return err
	}
	return decode(b, into)
}
