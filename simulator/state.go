package simulator

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// stateFile keeps one register on disk: a line of JSON for each change, the last line being the present state and the
// lines with a document making up the archive of the FN in place. A line is one write, so a process killed in the middle
// leaves at most a torn last line, which is dropped. Nothing is synced: the file is meant to outlive the simulator, not
// the machine.
type stateFile struct {
	dir     string
	name    string // without its suffix
	file    *os.File
	size    int64
	pending bytes.Buffer
}

type stateLine struct {
	State *kept   `json:"state"`
	Doc   *record `json:"doc,omitempty"`
}

const stateSuffix = ".ndjson"

// openState reads device n's file in dir into the register, or makes an empty one.
func (d *device) openState(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s := &stateFile{dir: dir, name: fmt.Sprintf("register-%03d", d.n)}
	f, err := os.OpenFile(s.path(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	s.file = f
	good, err := load(f, &d.reg)
	if err == nil {
		err = f.Truncate(good)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("state file %s: %w", s.path(), err), f.Close())
	}
	s.size = good
	d.state = s
	return nil
}

func (s *stateFile) path() string { return filepath.Join(s.dir, s.name+stateSuffix) }

// load reads the lines and returns how long the whole ones are together.
func load(f io.Reader, r *register) (good int64, err error) {
	in := bufio.NewReader(f)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF):
			return good, nil // what is left has no end: it was never whole
		case err != nil:
			return good, err
		}
		line := stateLine{State: &kept{}}
		if err := json.Unmarshal(text, &line); err != nil {
			return good, fmt.Errorf("line %d: %w", n, err)
		}
		if line.State == nil || line.State.Serial == "" {
			return good, fmt.Errorf("line %d has no state", n)
		}
		if line.Doc != nil {
			if line.Doc.FD != r.lastFD()+1 {
				return good, fmt.Errorf("line %d has document %d after %d", n, line.Doc.FD, r.lastFD())
			}
			r.archive = append(r.archive, *line.Doc)
		}
		r.kept = *line.State
		good += int64(len(text))
	}
}

// append writes one line. Lines that could not be written are kept and tried again with the next one.
func (s *stateFile) append(k *kept, doc *record) error {
	if err := json.NewEncoder(&s.pending).Encode(stateLine{k, doc}); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(s.pending.Bytes(), s.size); err != nil {
		return errors.Join(err, s.file.Truncate(s.size)) // no half of a line in the middle of the file
	}
	s.size += int64(s.pending.Len())
	s.pending.Reset()
	return nil
}

// rotate puts the file of an FN that was taken out aside under its number and begins a new one.
func (s *stateFile) rotate(formerFN string) error {
	aside := filepath.Join(s.dir, s.name+"-"+formerFN+stateSuffix)
	if err := errors.Join(s.file.Close(), os.Rename(s.path(), aside)); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	s.file, s.size = f, 0
	return nil
}

// closeState writes what changed since the last document and closes the file. It may be called more than once.
func (d *device) closeState() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == nil {
		return nil
	}
	s := d.state
	d.state = nil
	return errors.Join(s.append(&d.reg.kept, nil), s.file.Close())
}
