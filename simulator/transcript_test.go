package simulator

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// sheetRack is the register of the sheet's §10: shift 7, receipt 3, FD 41 made at 09:01, the clock at 09:05.
func sheetRack(t *testing.T, o Options) (*Rack, *testClock) {
	t.Helper()
	r, clock := beforeShift7(t, o)
	openTheShift(t, r)
	for range 3 {
		_, err := r.MakeForeignReceipt(t.Context(), 1, 15000)
		require.NoError(t, err)
	}
	clock.move(4 * time.Minute)
	return r, clock
}

// beforeShift7 is the same register after FD 37 at 09:01: two registrations and six shifts.
func beforeShift7(t *testing.T, o Options) (*Rack, *testClock) {
	t.Helper()
	o.INN, o.TaxSystems = "1234567894", fiscal.TaxUSNIncome
	r, clock := newRack(t, o)
	clock.move(-4 * time.Minute)
	// The rack's own first report was made when it was built, four minutes later by now.
	patch(t, r, Patch{ClockOffset: new(4 * time.Minute)})
	must(t, r, 0x12, "02")
	must(t, r, 0x16, registerData+placeData7(o))
	must(t, r, 0x13, "31 32 33 34 35 36 37 38 39 34 20 20 30 30 30 30 30 30 30 30 30 31 30 32 30 36 36 32 20 20 20 20 02 04")
	for shift := range 6 {
		openTheShift(t, r)
		receipts := 4
		if shift == 5 {
			receipts = 3
		}
		for range receipts {
			_, err := r.MakeForeignReceipt(t.Context(), 1, 15000)
			require.NoError(t, err)
		}
		closeTheShift(t, r)
	}
	require.Len(t, documents(t, r), 37)
	// Put the clock right: the archive's times are rewritten as if all had been made at 09:01.
	patch(t, r, Patch{ClockOffset: new(time.Duration(0)), FNExpires: new(deviceTime(t, "2027-06-30T00:00"))})
	d := r.devices[0]
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.reg.archive {
		d.reg.archive[i].Time = d.reg.now()
	}
	copy(d.reg.network[:], []byte{10, 55, 0, 96, 255, 255, 255, 0, 10, 55, 0, 1})
	return r, clock
}

// placeData7 keeps the place of settlement through the re-registration, unless the rack has none.
func placeData7(o Options) string {
	if o.NoPlace {
		return ""
	}
	return automatData
}

// play sends a transcript over a pipe, one connection per command, and compares what comes back.
func play(t *testing.T, r *Rack, name string) {
	t.Helper()
	path := filepath.Join("testdata", "transcripts", name)
	for _, s := range readTranscript(t, path) {
		got := talk(t, r, 1, s.send)
		if !assert.Lenf(t, got, len(s.want), "%s:%d: got % X", path, s.line, got) {
			continue
		}
		for i := range got {
			if !s.mask[i] && got[i] != s.want[i] {
				t.Errorf("%s:%d: byte %d\n got % X\nwant % X", path, s.line, i, got, s.want)
				break
			}
		}
	}
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	t.Run("identify", func(t *testing.T) {
		t.Parallel()
		r, _ := sheetRack(t, Options{Restart: time.Millisecond})
		play(t, r, "identify.txt")
	})
	t.Run("sale", func(t *testing.T) {
		t.Parallel()
		r, clock := beforeShift7(t, Options{NoPlace: true})
		play(t, r, "open_shift.txt")
		for range 3 {
			_, err := r.MakeForeignReceipt(t.Context(), 1, 15000)
			require.NoError(t, err)
		}
		clock.move(4 * time.Minute)
		patch(t, r, Patch{Confirm: new(-1)})
		play(t, r, "sale.txt")
		play(t, r, "close_shift.txt")
		patch(t, r, Patch{Confirm: new(-1)})
		play(t, r, "archive.txt")
	})
	t.Run("correction", func(t *testing.T) {
		t.Parallel()
		r, _ := sheetRack(t, Options{})
		makeSale(t, r)
		patch(t, r, Patch{Confirm: new(-1)})
		must(t, r, 0x27, "")
		must(t, r, 0x28, "")
		play(t, r, "correction.txt")
	})
	t.Run("registration", func(t *testing.T) {
		t.Parallel()
		r, _ := sheetRack(t, Options{})
		patch(t, r, Patch{FN: new(FNFresh)})
		play(t, r, "registration.txt")
	})
	t.Run("ffd12", func(t *testing.T) {
		t.Parallel()
		r, _ := newRack(t, Options{FFD: fiscal.FFD12, TaxSystems: fiscal.TaxUSNIncome, NoPlace: true})
		openTheShift(t, r)
		play(t, r, "ffd12.txt")
	})
	t.Run("refusals", func(t *testing.T) {
		t.Parallel()
		r, _ := sheetRack(t, Options{})
		play(t, r, "refusals.txt")
	})
	t.Run("overdue", func(t *testing.T) {
		t.Parallel()
		r, clock := newRack(t, Options{})
		openTheShift(t, r)
		clock.move(24 * time.Hour)
		must(t, r, 0x23, "")
		must(t, r, 0x10, "")
		clock.move(time.Minute)
		play(t, r, "overdue.txt")
	})
}
