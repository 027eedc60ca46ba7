package store

import (
	"errors"
	"fmt"

	"frpoold/fiscal"
)

// Errors of Open.
var (
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("another frpoold is already running on this store: stop it first, or give this one its own --data directory")
	// ErrSchema says that the file was written by a newer frpoold.
	ErrSchema = errors.New("the store was written by a newer frpoold: install that version again, or restore a backup made before the upgrade")
	// ErrCorrupt says that the file is damaged. Its text is followed by what was found.
	ErrCorrupt = errors.New("the store is damaged: stop the daemon, keep the file, and restore a backup")
)

// Errors of operations.
var (
	// ErrNotFound says that there is no such record.
	ErrNotFound = errors.New("no such record")
	// ErrExists says that the key of a new record is taken.
	ErrExists = errors.New("the record exists already")
	// ErrClosed says that the store was closed before the operation was written.
	ErrClosed = errors.New("the store is closed")
	// ErrWrite says that the disk did not take the write, and that nothing of it was applied.
	ErrWrite = errors.New("the store could not write to disk")
	// ErrBroken says that the disk did not confirm a write, so nothing is known of it and nothing more is written.
	ErrBroken = errors.New("the disk did not confirm a write, so the store stopped writing: check the disk and restart the daemon")
	// ErrNotStored says that a job cannot be stored as it is; the text says why. It is a fault of the caller.
	ErrNotStored = errors.New("the job cannot be stored")
)

// StateError says that a job does not stand where the caller believes it stands.
type StateError struct {
	ID   fiscal.JobID
	Want fiscal.JobState
	Have fiscal.JobState
}

func (e *StateError) Error() string {
	return fmt.Sprintf("the job %s is stored as %s, not as %s", e.ID, e.Have, e.Want)
}

// Stored is the state the job is stored in.
func (e *StateError) Stored() fiscal.JobState { return e.Have }
