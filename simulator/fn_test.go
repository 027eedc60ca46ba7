package simulator

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestShiftCounters: 0x20 while open and after (§5.1, §15).
func TestShiftCounters(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	assert.Equal(t, []byte{0, 0, 0, 0, 0}, must(t, r, 0x20, ""))
	openTheShift(t, r)
	assert.Equal(t, []byte{1, 1, 0, 0, 0}, must(t, r, 0x20, ""))
	makeSale(t, r)
	reply := makeSale(t, r)
	assert.Equal(t, []byte{2, 0}, reply[:2], "second receipt")
	assert.Equal(t, []byte{1, 1, 0, 2, 0}, must(t, r, 0x20, ""))
	closeTheShift(t, r)
	assert.Equal(t, []byte{0, 1, 0, 4, 0}, must(t, r, 0x20, ""), "four documents, the reports included")
	closing := documents(t, r)[4].TLV
	all, _ := tlvs(closing).find(1111)
	receipts, _ := tlvs(closing).find(1118)
	assert.Equal(t, [2]uint64{4, 2}, [2]uint64{number(all), number(receipts)})
	openTheShift(t, r)
	assert.Equal(t, []byte{1, 0}, makeSale(t, r)[:2], "receipts begin anew with each shift")
	assert.Equal(t, []byte{1, 2, 0, 1, 0}, must(t, r, 0x20, ""))
}

// TestShift24h: receipts may begin and end until exactly 24 hours of age (§11.4, §15).
func TestShift24h(t *testing.T) {
	t.Parallel()
	r, clock := newRack(t, Options{})
	openTheShift(t, r)
	clock.move(24 * time.Hour)
	makeSale(t, r)
	must(t, r, 0x23, "")
	must(t, r, 0x2B, item150)
	must(t, r, 0x2D, payment150)
	clock.move(time.Minute)
	assert.Equal(t, shiftTooLong, refusedWith(t, r, 0x24, form150))
	assert.Equal(t, openReceipt, must(t, r, 0x08, "")[1], "the refused receipt still hangs")
	must(t, r, 0x10, "")
	assert.Equal(t, shiftTooLong, refusedWith(t, r, 0x23, ""))
	must(t, r, 0x27, "")
	must(t, r, 0x28, "")
	closeTheShift(t, r)
	openTheShift(t, r)
	makeSale(t, r)
}

// TestClockBackwards: 0x07, with an hour's grace for the opening of a shift (§5.2, §15).
func TestClockBackwards(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	openTheShift(t, r)
	patch(t, r, Patch{ClockOffset: new(-time.Minute)})
	for _, command := range []byte{0x23, 0x25, 0x27} {
		assert.Equal(t, badFNTime, refusedWith(t, r, command, ""))
	}
	assert.Equal(t, badFNTime, refusedWith(t, r, 0x29, "01"))
	patch(t, r, Patch{ClockOffset: new(time.Duration(0))})
	must(t, r, 0x23, "")
	must(t, r, 0x2B, item150)
	must(t, r, 0x2D, payment150)
	patch(t, r, Patch{ClockOffset: new(-time.Minute)})
	assert.Equal(t, badFNTime, refusedWith(t, r, 0x24, form150), "asked again when the document is made")
	must(t, r, 0x10, "")
	patch(t, r, Patch{ClockOffset: new(time.Duration(0))})
	closeTheShift(t, r)
	patch(t, r, Patch{ClockOffset: new(-61 * time.Minute)})
	assert.Equal(t, badFNTime, refusedWith(t, r, 0x21, "01"))
	patch(t, r, Patch{ClockOffset: new(-time.Hour)})
	openTheShift(t, r)
}

// TestStorageEnd: a full or expired FN makes no receipt, and still closes (§15).
func TestStorageEnd(t *testing.T) {
	t.Parallel()
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		r, _ := newRack(t, Options{Capacity: 10})
		openTheShift(t, r)
		for range 7 {
			makeSale(t, r)
		}
		assert.Equal(t, warnMemory, must(t, r, 0x08, "")[4], "9 of 10")
		makeSale(t, r)
		assert.Equal(t, archiveFull, refusedWith(t, r, 0x23, ""))
		closeTheShift(t, r)
		assert.Equal(t, archiveFull, refusedWith(t, r, 0x21, "01"))
		patch(t, r, Patch{Confirm: new(-1)})
		must(t, r, 0x14, "")
		must(t, r, 0x17, cashierData)
		must(t, r, 0x15, "")
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		r, clock := newRack(t, Options{})
		patch(t, r, Patch{FNExpires: new(deviceTime(t, "2026-04-14T00:00"))})
		assert.Equal(t, []byte{26, 4, 14, 29, 1}, must(t, r, 0x07, ""))
		warnings := func() byte { return must(t, r, 0x08, "")[4] }
		assert.Zero(t, warnings())
		openTheShift(t, r)
		clock.move(24 * time.Hour)
		assert.Equal(t, warnResource, warnings(), "30 days")
		clock.move(27 * 24 * time.Hour)
		patch(t, r, Patch{Confirm: new(-1)})
		closeTheShift(t, r)
		openTheShift(t, r)
		assert.Equal(t, warnResource|warnReplaceNow, warnings(), "3 days")
		clock.move(3 * 24 * time.Hour)
		closeTheShift(t, r)
		openTheShift(t, r)
		makeSale(t, r)
		clock.move(15 * time.Hour)
		assert.Equal(t, fnLifeOver, refusedWith(t, r, 0x23, ""), "the day after its last")
		closeTheShift(t, r)
	})
	t.Run("critical", func(t *testing.T) {
		t.Parallel()
		r, _ := newRack(t, Options{})
		patch(t, r, Patch{Critical: new(true)})
		assert.Equal(t, byte(1), must(t, r, 0x01, "")[17])
		assert.Equal(t, warnCritical, must(t, r, 0x08, "")[4])
		assert.Equal(t, fnFailure, refusedWith(t, r, 0x21, "01"))
	})
}

// TestOFD: the queue, who confirms it and what its age does (§11.6, domain/ffd.md §3.4).
func TestOFD(t *testing.T) {
	t.Parallel()
	r, clock := newRack(t, Options{AutoConfirm: time.Minute})
	state := func() (bits byte, count, first int) {
		b := must(t, r, 0x50, "")
		require.Len(t, b, 13)
		return b[0], int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint32(b[4:]))
	}
	check := func(bits byte, count, first int) {
		t.Helper()
		gotBits, gotCount, gotFirst := state()
		assert.Equal(t, [3]int{int(bits), count, first}, [3]int{int(gotBits), gotCount, gotFirst})
		assert.Equal(t, count, int(binary.LittleEndian.Uint16(must(t, r, 0x32, ""))))
	}
	check(3, 1, 1)
	openTheShift(t, r)
	makeSale(t, r)
	check(3, 3, 1)
	clock.move(61 * time.Second)
	check(3, 2, 2)
	patch(t, r, Patch{OFD: new(false)})
	clock.move(time.Hour)
	check(2, 2, 2)
	assert.Equal(t, byte(0), must(t, r, 0x30, "02 00 00 00")[1])
	patch(t, r, Patch{OFD: new(true)})
	check(3, 2, 2)
	clock.move(time.Minute)
	assert.Equal(t, byte(1), must(t, r, 0x30, "02 00 00 00")[1])
	clock.move(time.Minute)
	check(1, 0, 0)
	assert.Equal(t, make([]byte, 11), must(t, r, 0x50, "")[2:], "an empty queue is all zero")
	makeSale(t, r)
	check(3, 1, 4)

	patch(t, r, Patch{OFD: new(false)})
	clock.move(48*time.Hour + time.Minute)
	assert.Equal(t, warnOFD, must(t, r, 0x08, "")[4])
	closeTheShift(t, r)
	clock.move(29 * 24 * time.Hour)
	assert.Equal(t, ofdWaitsTooLong, refusedWith(t, r, 0x21, "01"))
	patch(t, r, Patch{Confirm: new(-1)})
	openTheShift(t, r)
}

// TestFNReplaced: a new number, a new archive, the registration carried over; then the first registration by hand.
func TestFNReplaced(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	openTheShift(t, r)
	makeSale(t, r)
	before, err := r.Device(1)
	require.NoError(t, err)
	patch(t, r, Patch{FN: new(FNReplace)})
	after, err := r.Device(1)
	require.NoError(t, err)
	assert.Equal(t, "9999078900000001", before.FN)
	assert.Equal(t, "9999078901000001", after.FN)
	assert.Equal(t, before.Serial, after.Serial)
	assert.Equal(t, before.RNM, after.RNM)
	assert.Equal(t, uint32(1), after.Documents)
	assert.Equal(t, byte(11), must(t, r, 0x30, "01 00 00 00")[0])
	openTheShift(t, r)
	assert.Equal(t, []byte{1, 0, 3, 0, 0, 0}, makeSale(t, r)[:6])

	patch(t, r, Patch{FN: new(FNFresh)})
	assert.Equal(t, byte(1), must(t, r, 0x08, "")[0])
	must(t, r, 0x12, "01")
	assert.Equal(t, openReRegNewFN, must(t, r, 0x08, "")[1])
	must(t, r, 0x16, registerData)
	must(t, r, 0x13, registerForm+"01")
	assert.Equal(t, byte(3), must(t, r, 0x08, "")[0])
}

// TestForeignReceipt: someone else's receipt takes the next number and spoils ours.
func TestForeignReceipt(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"1.05":          {},
		"no place":      {NoPlace: true},
		"not automatic": {Profile: KITOnlineF, Modes: modeInternet},
		"1.2":           {FFD: 4, NoPlace: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRack(t, o)
			fd, err := r.MakeForeignReceipt(t.Context(), 1, 12345)
			require.NoError(t, err)
			assert.EqualValues(t, 3, fd, "after the opening of the shift")
			must(t, r, 0x23, "")
			fd, err = r.MakeForeignReceipt(t.Context(), 1, 100)
			require.NoError(t, err)
			assert.EqualValues(t, 4, fd)
			assert.Equal(t, noReceipt, refusedWith(t, r, 0x2D, payment150), "ours was cancelled")
			doc := documents(t, r)[2]
			assert.Equal(t, "123.45", doc.Total.String())
			assert.Equal(t, "Чужой товар", doc.Items[0].Name)
		})
	}
	r, _ := newRack(t, Options{})
	_, err := r.MakeForeignReceipt(t.Context(), 1, 0)
	assert.Error(t, err)
	_, err = r.MakeForeignReceipt(t.Context(), 2, 1)
	assert.EqualError(t, err, "no device 2: they are numbered from 1 to 1")
	patch(t, r, Patch{FN: new(FNRemove)})
	_, err = r.MakeForeignReceipt(t.Context(), 1, 1)
	assert.ErrorContains(t, err, "the register refused 23 begin receipt: 0x30")
}

// TestHangingDocument: left open by hands, cancelled by hands or by 0x10.
func TestHangingDocument(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	patch(t, r, Patch{HangDocument: new(true)})
	assert.Equal(t, []byte{openShiftOpen, 0}, must(t, r, 0x08, "")[1:3])
	must(t, r, 0x10, "")
	openTheShift(t, r)
	patch(t, r, Patch{HangDocument: new(true)})
	assert.Equal(t, []byte{openReceipt, 1}, must(t, r, 0x08, "")[1:3])
	assert.Equal(t, badState, refusedWith(t, r, 0x23, ""))
	patch(t, r, Patch{HangDocument: new(false)})
	makeSale(t, r)
}

// TestTemperature: the pkfa12 tail, the model and the hand (design.md §6).
func TestTemperature(t *testing.T) {
	t.Parallel()
	plain, _ := newRack(t, Options{})
	assert.Len(t, must(t, plain, 0x01, ""), 22)
	r, clock := newRack(t, Options{Profile: PKFA12, LastVAT: 12})
	status := must(t, r, 0x01, "")
	require.Len(t, status, 23)
	assert.EqualValues(t, 39, int8(status[22]))
	for range 100 {
		_, err := r.MakeForeignReceipt(t.Context(), 1, 100)
		require.NoError(t, err)
	}
	assert.EqualValues(t, 43, int8(must(t, r, 0x01, "")[22]), "work warms it")
	clock.move(10 * time.Minute)
	assert.EqualValues(t, 39, int8(must(t, r, 0x01, "")[22]), "and it cools down")
	patch(t, r, Patch{Temperature: new(-7)})
	assert.EqualValues(t, -7, int8(must(t, r, 0x01, "")[22]))
	patch(t, r, Patch{TemperatureModel: new(true)})
	assert.EqualValues(t, 39, int8(must(t, r, 0x01, "")[22]))
}

// TestSeeds: racks of one seed are the same, of another not; no two registers share a number.
func TestSeeds(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, seed := range []uint64{0, 1, 77} {
		r, _ := newRack(t, Options{Devices: 3, Seed: seed})
		for _, d := range r.Devices() {
			for _, number := range []string{d.Serial, d.FN, d.RNM} {
				assert.False(t, seen[number], number)
				seen[number] = true
			}
			assert.Len(t, d.FN, 16)
			assert.Equal(t, "9999", d.FN[:4])
			assert.True(t, validRNM(d.RNM, string(d.INN), d.Serial))
			assert.True(t, d.INN.Valid())
		}
	}
}
