package simulator

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// TestStateSurvives: archive, counters, clock and confirmations come back; the open document does not.
func TestStateSurvives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := newRack(t, Options{Devices: 2, StateDir: dir})
	openTheShift(t, r)
	makeSale(t, r)
	patch(t, r, Patch{Confirm: new(2), ClockOffset: new(time.Hour)})
	must(t, r, 0x76, tlv(30040, []byte("ofd.example.org")...))
	readyToCommit(t, r)
	want, wantDocuments := r.Devices(), documents(t, r)
	ofd := must(t, r, 0x77, "")
	require.NoError(t, r.Close())

	r, _ = newRack(t, Options{Devices: 2, StateDir: dir})
	got := r.Devices()
	for i := range want {
		want[i].OpenDocument, want[i].Exchanges, want[i].Temperature = 0, 0, got[i].Temperature
	}
	assert.Equal(t, []byte{openReceipt}, []byte{4}, "sheet §6.2")
	got[0].Exchanges, got[1].Exchanges = 0, 0
	assert.Equal(t, want, got)
	assert.Equal(t, wantDocuments, documents(t, r))
	assert.Equal(t, ofd, must(t, r, 0x77, ""))
	assert.Equal(t, []byte{2, 0, 4, 0, 0, 0}, makeSale(t, r)[:6], "receipt 2, FD 4")
}

// TestStateTornLine: what a killed process left unfinished never was.
func TestStateTornLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "register-001.ndjson")
	r, _ := newRack(t, Options{StateDir: dir})
	openTheShift(t, r)
	require.NoError(t, r.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	torn := append([]byte(`{"state":{"serial":"`), bytes.Repeat([]byte("5"), 10_000)...)
	require.NoError(t, os.WriteFile(path, append(whole, torn...), 0o600))
	r, _ = newRack(t, Options{StateDir: dir})
	assert.Len(t, documents(t, r), 2)
	makeSale(t, r)
	require.NoError(t, r.Close())
	r, _ = newRack(t, Options{StateDir: dir})
	assert.Len(t, documents(t, r), 3)
}

// TestStateKilled: every document is on disk before its reply, so a process that just vanishes loses none.
func TestStateKilled(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	r, _ := newRack(t, Options{StateDir: dir})
	openTheShift(t, r)
	makeSale(t, r)
	left, err := os.ReadFile(filepath.Join(dir, "register-001.ndjson"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(copied, "register-001.ndjson"), left, 0o600))
	again, _ := newRack(t, Options{StateDir: copied})
	assert.Equal(t, documents(t, r), documents(t, again))
}

// TestStateOfReplacedFN: the former FN's file is put aside, and the new archive begins at 1.
func TestStateOfReplacedFN(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := newRack(t, Options{StateDir: dir})
	openTheShift(t, r)
	patch(t, r, Patch{FN: new(FNReplace)})
	openTheShift(t, r)
	patch(t, r, Patch{FN: new(FNRemove)})
	want := r.Devices()[0]
	require.NoError(t, r.Close())
	assert.FileExists(t, filepath.Join(dir, "register-001-9999078900000001.ndjson"))
	r, _ = newRack(t, Options{StateDir: dir})
	assert.Equal(t, want.Serial, r.Devices()[0].Serial)
	assert.Empty(t, r.Devices()[0].FN)
	patch(t, r, Patch{FN: new(FNInsert)})
	assert.Equal(t, "9999078901000001", r.Devices()[0].FN)
	assert.Len(t, documents(t, r), 2)
}

// TestStateErrors: a file that cannot be what it says stops the rack with a sentence.
func TestStateErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, want string }{
		"not JSON":  {"hello\n", "line 1: invalid character"},
		"no state":  {"{}\n", "line 1 has no state"},
		"a gap":     {`{"state":{"serial":"1"},"doc":{"fd":2,"time":"","first":""}}` + "\n", "line 1 has document 2 after 0"},
		"other INN": {`{"state":{"serial":"1","fn":{"number":"1","expires":"","shift":{"opened_at":""},"registrations":[{"inn":"5544332219","time":""}]}}}` + "\n", "the kept state is of INN 5544332219, not 7704849611"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "register-001.ndjson"), []byte(c.content), 0o600))
			_, err := New(Options{Devices: 1, Now: newClock().now, StateDir: dir})
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "device 1: ")
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := New(Options{Devices: 1, Now: newClock().now, StateDir: file})
	assert.Error(t, err)
}

// TestStateNotWritten: a register whose disk fails goes on, says so, and catches up later.
func TestStateNotWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, _ := newRack(t, Options{StateDir: dir})
	d := r.devices[0]
	path := filepath.Join(dir, "register-001.ndjson")
	swap := func(flag int) {
		f, err := os.OpenFile(path, flag, 0)
		require.NoError(t, err)
		d.mu.Lock()
		defer d.mu.Unlock()
		require.NoError(t, d.state.file.Close())
		d.state.file = f
	}
	swap(os.O_RDONLY) // every write fails
	openTheShift(t, r)
	swap(os.O_RDWR)
	makeSale(t, r)
	require.NoError(t, r.Close())
	r, _ = newRack(t, Options{StateDir: dir})
	assert.Len(t, documents(t, r), 3)
}
