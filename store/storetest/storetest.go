// Package storetest opens stores for tests, and checks them when the test ends.
//
// It must be used by tests only. A store that does not pass store.Check at the end fails the test that used it.
package storetest

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/store"
)

// Open is a new store in a folder of its own. The test may close it; it is checked all the same.
func Open(t testing.TB, change ...func(*store.Options)) *store.Store {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "frpoold.db"), change...)
}

// OpenAt opens the store at path.
func OpenAt(t testing.TB, path string, change ...func(*store.Options)) *store.Store {
	t.Helper()
	opt := store.Options{Timeout: 10 * time.Second, Now: time.Now}
	for _, c := range change {
		c(&opt)
	}
	s, err := store.Open(path, opt)
	require.NoError(t, err)
	t.Cleanup(func() {
		err := s.Check()
		if errors.Is(err, store.ErrClosed) {
			err = checkClosed(path, opt)
		}
		require.NoError(t, errors.Join(err, s.Close()))
	})
	return s
}

// checkClosed checks a store that the test closed; one that is open again has a Cleanup of its own.
func checkClosed(path string, opt store.Options) error {
	opt.Timeout, opt.FullCheck = 50*time.Millisecond, true
	s, err := store.Open(path, opt)
	if errors.Is(err, store.ErrLocked) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Close()
}
