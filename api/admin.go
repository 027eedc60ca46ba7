package api

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"frpoold/fiscal"
)

func (s *Server) listAudit(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	limit, err := q.limit()
	if err != nil {
		return err
	}
	text, given, err := q.text("after")
	if err != nil {
		return err
	}
	var after uint64
	if given {
		var ok bool
		if after, ok = pathNumber(text); !ok {
			return badParameter("after", `must be the "next" of the page before`)
		}
	}
	page, next, err := s.opt.Admin.Audit(after, limit)
	if err != nil {
		return err
	}
	cursor := ""
	if next != 0 {
		cursor = strconv.FormatUint(next, 10)
	}
	return c.reply(http.StatusOK, newList(page, cursor))
}

// backupTime is how long one piece of a backup may take on its way to the client.
const backupTime = 30 * time.Second

// getBackup puts the copy into a file first. The store copies from inside a read transaction, and one held open by a
// slow client would in time stop the writers; a file also has a length, so a broken download shows.
func (s *Server) getBackup(c *call) error {
	if !s.backup.TryLock() {
		return conflict("backup_running", "A backup is being made already: wait for its end.", nil)
	}
	defer s.backup.Unlock()
	f, err := os.CreateTemp(s.opt.SpoolDir, "frpoold-backup-*")
	if err != nil {
		return spoolFailed(err)
	}
	defer func() { _ = f.Close() }()
	if err := os.Remove(f.Name()); err != nil { // it lives as long as it is open, and a crash leaves no secrets behind
		return spoolFailed(err)
	}
	size, err := s.opt.Admin.Backup(f)
	if err != nil {
		return spoolFailed(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return spoolFailed(err)
	}
	s.audit(c, "store.backup", "store", "", fmt.Sprintf("%d bytes", size)) // it holds the integrations' secrets
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="frpoold-%s.db"`, s.opt.Now().UTC().Format("20060102T150405Z")))
	c.w.WriteHeader(http.StatusOK)
	_, err = io.Copy(&patient{w: c.w, now: s.opt.Now, limit: backupTime}, f)
	if err != nil {
		s.log.Warn("a backup was not taken whole", "request_id", c.id, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func spoolFailed(err error) error {
	return &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "backup_failed", Message: fmt.Sprintf("The backup could not be made: %v.", err), RetryAfter: 60}
}
