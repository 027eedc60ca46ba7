package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a run is: a bar on a terminal, a line per tenth elsewhere, so that a log stays readable.
type progress struct {
	mu    sync.Mutex
	s     streams
	bar   *progressbar.ProgressBar // nil without a terminal
	what  string
	total int
	done  int
}

func newProgress(s streams, total int, what string) *progress {
	p := &progress{s: s, what: what, total: total}
	if f, ok := s.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(s.err), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("receipts"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(40), progressbar.OptionClearOnFinish())
	}
	return p
}

func (p *progress) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.done
	p.done += n
	if p.bar != nil {
		_ = p.bar.Add(n) //nolint:errcheck // a bar that cannot be drawn is no reason to stop
		return
	}
	if p.done*10/p.total != before*10/p.total {
		_, _ = fmt.Fprintf(p.s.err, "%s: %d of %d\n", p.what, p.done, p.total)
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish() //nolint:errcheck // as above
	}
}
