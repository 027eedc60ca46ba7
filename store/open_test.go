package store_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

func TestOpenNeedsAClock(t *testing.T) {
	t.Parallel()
	_, err := store.Open(filepath.Join(t.TempDir(), "x.db"), store.Options{})
	require.ErrorContains(t, err, "Options.Now")
}

func TestReopenKeepsEverything(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "frpoold.db")
	s := storetest.OpenAt(t, path)
	accept(t, s, aJob(1))
	require.NoError(t, <-s.Advance(fiscal.JobQueued, sending(aJob(1))))
	accept(t, s, aJob(2))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is fine")

	s = storetest.OpenAt(t, path, func(o *store.Options) { o.FullCheck = true })
	assert.Equal(t, path, s.Path())
	jobs, err := s.Unfinished()
	require.NoError(t, err)
	assert.Equal(t, []fiscal.Job{sending(aJob(1)), aJob(2)}, jobs)
	r, err := s.Receipt(jobID(2))
	require.NoError(t, err)
	assert.Equal(t, aReceipt(), r)
}

func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	info, err := os.Stat(s.Path())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestSecondDaemonIsToldSo(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	accept(t, s, aJob(1))
	_, err := store.Open(s.Path(), store.Options{Timeout: 20 * time.Millisecond, Now: time.Now})
	require.ErrorIs(t, err, store.ErrLocked)
	assert.Contains(t, err.Error(), "another frpoold is already running")
	accept(t, s, aJob(2))
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "frpoold.db")
	s := storetest.OpenAt(t, path)
	require.NoError(t, s.Close())
	setSchema := func(v string) {
		db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte(v)) }))
		require.NoError(t, db.Close())
	}
	for _, c := range []struct {
		version string
		want    error
	}{{"2", store.ErrSchema}, {"x", store.ErrCorrupt}, {"0", store.ErrCorrupt}} {
		setSchema(c.version)
		_, err := store.Open(path, store.Options{Now: time.Now})
		require.ErrorIs(t, err, c.want, "schema %s", c.version)
	}
	setSchema("1")
}

func TestForeignBboltFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err }))
	require.NoError(t, db.Close())
	_, err = store.Open(path, store.Options{Now: time.Now})
	require.ErrorIs(t, err, store.ErrCorrupt)
	assert.Contains(t, err.Error(), "not one of frpoold")
}

// A crash between the creation of the file and the first transaction leaves a file without buckets.
func TestUnfinishedCreationIsFinished(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "frpoold.db")
	db, err := bolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	accept(t, storetest.OpenAt(t, path), aJob(1))

	empty := filepath.Join(t.TempDir(), "frpoold.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	accept(t, storetest.OpenAt(t, empty), aJob(1))
}

func TestOpenTellsWhatTheFileSystemSays(t *testing.T) {
	t.Parallel()
	_, err := store.Open(filepath.Join(t.TempDir(), "missing", "frpoold.db"), store.Options{Now: time.Now})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = store.Open(t.TempDir(), store.Options{Now: time.Now})
	require.Error(t, err)
	require.NotErrorIs(t, err, store.ErrCorrupt, "a folder is not a damaged store")
}

// Every damage is an error with a sentence, never a crash of the process: of Open, or at the latest of Check.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	whole := storeBytes(t, 200)
	const page = 4096
	cases := map[string]func([]byte) []byte{
		"text":                    func([]byte) []byte { return []byte("this is no store\n") },
		"zeros":                   func(b []byte) []byte { return make([]byte, len(b)) },
		"one page":                func(b []byte) []byte { return b[:page] },
		"less than two pages":     func(b []byte) []byte { return b[:page+page/2] },
		"only the first pages":    func(b []byte) []byte { return b[:2*page] },
		"half":                    func(b []byte) []byte { return b[:len(b)/2] },
		"both first pages broken": func(b []byte) []byte { b[100] ^= 1; b[20] ^= 1; b[page+20] ^= 1; return b },
		"all behind them zero":    func(b []byte) []byte { clear(b[2*page:]); return b },
		"all behind them noise": func(b []byte) []byte {
			for i := range b[2*page:] {
				b[2*page+i] = byte(i*7 + i>>8)
			}
			return b
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "frpoold.db")
			require.NoError(t, os.WriteFile(path, damage(bytes.Clone(whole)), 0o600))
			_, err := store.Open(path, store.Options{Now: time.Now, FullCheck: true})
			require.ErrorIs(t, err, store.ErrCorrupt)
			assert.Contains(t, err.Error(), "restore a backup")
			if name == "half" {
				assert.Contains(t, err.Error(), "its own record says")
			}
		})
	}
}

// A page that goes bad while the daemon runs, or that the quick check does not look at, fails the read that meets it.
func TestDamagedPageIsFoundByCheckAndByItsReader(t *testing.T) {
	t.Parallel()
	whole := storeBytes(t, 200)
	const page = 4096
	found := 0
	for at := 2 * page; at < len(whole); at += page {
		b := bytes.Clone(whole)
		clear(b[at : at+page])
		path := filepath.Join(t.TempDir(), "frpoold.db")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		s, err := store.Open(path, store.Options{Now: time.Now})
		if err != nil {
			require.ErrorIs(t, err, store.ErrCorrupt)
			found++
			continue
		}
		if err := s.Check(); err != nil {
			require.ErrorIs(t, err, store.ErrCorrupt)
			found++
		}
		for i := range 200 {
			if _, err := s.Job(jobID(i)); err != nil {
				require.ErrorIs(t, err, store.ErrCorrupt)
			}
		}
		require.NoError(t, s.Close())
	}
	assert.Greater(t, found, 20, "pages in use")
}

// The disk stops delivering pages of an open store: reads and writes that need them fail, and the process lives.
func TestPagesLostWhileOpen(t *testing.T) {
	t.Parallel()
	s, err := store.Open(filepath.Join(t.TempDir(), "frpoold.db"), store.Options{Now: time.Now})
	require.NoError(t, err)
	for i := range 200 {
		accept(t, s, aJob(i))
	}
	require.NoError(t, os.Truncate(s.Path(), 2*4096))
	_, err = s.Job(jobID(1))
	require.ErrorIs(t, err, store.ErrCorrupt)
	_, err = s.Unfinished()
	require.ErrorIs(t, err, store.ErrCorrupt)
	require.ErrorIs(t, <-s.Advance(fiscal.JobQueued, sending(aJob(1))), store.ErrCorrupt)
	_, _, err = s.Accept(context.Background(), aJob(999), aReceipt())
	require.ErrorIs(t, err, store.ErrCorrupt)
	require.ErrorIs(t, s.Check(), store.ErrCorrupt)
	require.NoError(t, s.Close())
}

// storeBytes is the file of a store with n jobs, without the unused room at its end.
func storeBytes(t *testing.T, n int) []byte {
	t.Helper()
	s := storetest.Open(t)
	for i := range n {
		accept(t, s, aJob(i))
	}
	var b bytes.Buffer
	_, err := s.Backup(&b)
	require.NoError(t, err)
	return b.Bytes()
}

func TestBackupIsAStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, os.WriteFile(path, storeBytes(t, 20), 0o600))
	s := storetest.OpenAt(t, path)
	jobs, err := s.Unfinished()
	require.NoError(t, err)
	assert.Len(t, jobs, 20)
	accept(t, s, aJob(99))
}

func TestBackupTellsThatTheReaderIsGone(t *testing.T) {
	t.Parallel()
	_, err := storetest.Open(t).Backup(brokenPipe{})
	require.ErrorContains(t, err, "backup:")
}

// closingPipe closes the store in the middle of a backup.
type closingPipe struct {
	s    *store.Store
	done chan error
}

func (p *closingPipe) Write(b []byte) (int, error) {
	if p.done == nil {
		p.done = make(chan error, 1)
		go func() { p.done <- p.s.Close() }()
		for p.s.Writable(context.Background()) == nil { // until Close has begun
		}
	}
	return len(b), nil
}

func TestCloseEndsABackup(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	accept(t, s, aJob(1))
	pipe := closingPipe{s: s}
	_, err := s.Backup(&pipe)
	require.ErrorIs(t, err, store.ErrClosed)
	require.NoError(t, <-pipe.done)
}

func TestAfterClose(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	require.NoError(t, s.Close())
	_, _, err := s.Accept(context.Background(), aJob(1), aReceipt())
	require.ErrorIs(t, err, store.ErrClosed)
	require.ErrorIs(t, <-s.Advance(fiscal.JobQueued, sending(aJob(1))), store.ErrClosed)
	require.ErrorIs(t, s.Writable(context.Background()), store.ErrClosed)
	_, err = s.Job(jobID(1))
	require.ErrorIs(t, err, store.ErrClosed)
	_, err = s.Unfinished()
	require.ErrorIs(t, err, store.ErrClosed)
	require.ErrorIs(t, s.Check(), store.ErrClosed)
}

func TestWritable(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	require.NoError(t, s.Writable(context.Background()))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Writable(ctx); err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
}
