package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	defaultTimeout = time.Second
	fileMode       = 0o600 // buyers' contacts and integrations' secrets are inside

	// addressSpace is reserved for the file's mapping; it costs no memory. When a file outgrows its mapping, bbolt must
	// wait for every reader before it can write on, and a backup over a slow line is a reader for minutes.
	addressSpace int64 = 64 << 30
)

// Open opens the store at path, or creates it. It fails with ErrLocked, ErrSchema, ErrCorrupt, or what the file system
// says.
//
// # Decision: what is checked at each start
//
// Context: design.md §7 asks for an integrity check on start and for a start within two seconds with a million jobs. A
// full check (every page, every index) reads the whole file, gigabytes of it.
//
// Decision: Open checks what can be checked in constant time and what a torn or foreign file fails: the pages that point
// to the rest carry valid checksums, the file is as long as they say, the schema is ours, every bucket is there and its
// first and last records can be reached, every unfinished job can be read (Unfinished, called next by the dispatcher).
// Check does the rest, on demand: `frpoold check`, Options.FullCheck.
//
// Consequences: a page that went bad in the middle of the file is found when it is read, as ErrCorrupt of that read,
// or by a check. A crash alone cannot make one: bbolt never overwrites a page that the last durable state needs.
func Open(path string, o Options) (*Store, error) {
	if o.Now == nil {
		return nil, errors.New("store: Options.Now is missing")
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{path: path, now: o.Now}
	if err := guard(func() error { return s.open(o) }); err != nil {
		if s.db != nil {
			_ = s.db.Close() // the first error is the one to tell
		}
		return nil, explain(path, err)
	}
	s.w = newWriter(s.db, o.Log)
	go s.w.run()
	if o.FullCheck {
		if err := s.Check(); err != nil {
			_ = s.Close()
			return nil, explain(path, err)
		}
	}
	return s, nil
}

func (s *Store) open(o Options) error {
	info, err := os.Stat(s.path)
	fresh := errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
	if err != nil && !fresh {
		return err
	}
	if !fresh {
		if !info.Mode().IsRegular() {
			return errors.New("this is no file")
		}
		if err := checkLength(s.path, o.Timeout); err != nil {
			return err
		}
	}
	if s.db, err = openFile(s.path, o.Timeout); err != nil {
		return err
	}
	if fresh {
		if err := syncDir(filepath.Dir(s.path)); err != nil {
			return err
		}
	}
	if err := s.prepare(fresh); err != nil {
		return err
	}
	return s.db.View(quickCheck)
}

func openFile(path string, timeout time.Duration) (*bolt.DB, error) {
	opt := bolt.Options{
		Timeout:         timeout,
		FreelistType:    bolt.FreelistMapType,
		NoStatistics:    true,
		InitialMmapSize: int(min(addressSpace, math.MaxInt/8)),
	}
	db, err := bolt.Open(path, fileMode, &opt)
	if errors.Is(err, syscall.ENOMEM) { // a host that limits address space: then the mapping grows with the file
		opt.InitialMmapSize = 0
		db, err = bolt.Open(path, fileMode, &opt)
	}
	return db, err
}

// checkLength compares the file's length with what its own record says, through a second, read-only look: a writing
// one would already follow pointers behind the end of the file.
func checkLength(path string, timeout time.Duration) error {
	db, err := bolt.Open(path, fileMode, &bolt.Options{ReadOnly: true, Timeout: timeout, NoStatistics: true})
	var file *fs.PathError
	switch {
	case errors.Is(err, berrors.ErrTimeout), errors.As(err, &file):
		return err
	case err != nil: // whatever bbolt finds wrong with the first pages; not all of it has a sentinel
		return fmt.Errorf("%w: its first pages cannot be read (%w)", ErrCorrupt, err)
	}
	defer func() { _ = db.Close() }() // nothing was written
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return db.View(func(tx *bolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: the file has %d bytes, its own record says %d", ErrCorrupt, info.Size(), tx.Size())
		}
		return nil
	})
}

// syncDir makes the name of a new file durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// prepare creates the buckets of a new file, or brings an older schema up to date.
func (s *Store) prepare(fresh bool) error {
	version := schemaVersion
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		version, err = schemaOf(tx, fresh)
		return err
	})
	if err != nil || version == schemaVersion && !fresh {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for b := range bucketCount {
			if _, err := tx.CreateBucketIfNotExists([]byte(b.String())); err != nil {
				return err
			}
		}
		t := &txn{tx: tx}
		if err := t.put(bucketMeta, metaCreated, []byte(s.now().UTC().Format(time.RFC3339))); err != nil {
			return err
		}
		return t.put(bucketMeta, metaSchema, strconv.AppendInt(nil, schemaVersion, 10))
	})
}

// schemaOf reads the version of a file. A file that was created and never got its buckets counts as fresh.
func schemaOf(tx *bolt.Tx, fresh bool) (int, error) {
	meta := tx.Bucket([]byte(bucketMeta.String()))
	if fresh || meta == nil {
		if first, _ := tx.Cursor().First(); first != nil {
			return 0, fmt.Errorf("%w: it is a bbolt file, but not one of frpoold", ErrCorrupt)
		}
		return 0, nil
	}
	version, err := strconv.Atoi(string(meta.Get(metaSchema)))
	switch {
	case err != nil || version < 1:
		return 0, fmt.Errorf("%w: its schema version %q is no number", ErrCorrupt, meta.Get(metaSchema))
	case version > schemaVersion:
		return 0, fmt.Errorf("%w (schema %d, this version knows %d)", ErrSchema, version, schemaVersion)
	}
	return version, nil
}

// quickCheck reaches for both ends of every bucket.
func quickCheck(tx *bolt.Tx) error {
	for b := range bucketCount {
		h := tx.Bucket([]byte(b.String()))
		if h == nil {
			return fmt.Errorf("%w: the bucket %s is missing", ErrCorrupt, b)
		}
		c := h.Cursor()
		first, _ := c.First()
		last, _ := c.Last()
		if (first == nil) != (last == nil) {
			return fmt.Errorf("%w: the bucket %s has only one end", ErrCorrupt, b)
		}
	}
	return nil
}

// explain puts bbolt's errors into words of ours.
func explain(path string, err error) error {
	if errors.Is(err, berrors.ErrTimeout) {
		err = ErrLocked
	}
	return fmt.Errorf("store %s: %w", path, err)
}
