package simulator

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/driver/wire/terminalfa"
)

// overTCP sends a request to device 1 over a real socket and reads until the connection ends or patience is over.
func overTCP(t *testing.T, r *Rack, b []byte, patience time.Duration) (reply []byte, err error) {
	t.Helper()
	c := dial(t, r, 1)
	_, err = c.Write(b)
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	reply, err = io.ReadAll(c)
	require.NoError(t, c.Close())
	return reply, err
}

// readyToCommit brings device 1 to where 0x24 makes a receipt.
func readyToCommit(t *testing.T, r *Rack) {
	t.Helper()
	must(t, r, 0x23, "")
	must(t, r, 0x2B, item150)
	must(t, r, 0x2D, payment150)
}

// TestFaults: what the client sees of each kind, and whether the receipt was made.
func TestFaults(t *testing.T) {
	t.Parallel()
	const short, long = 150 * time.Millisecond, 10 * time.Second
	silent := os.ErrDeadlineExceeded
	for _, c := range []struct {
		fault    Fault
		patience time.Duration
		made     bool
		err      error // how the connection ended; nil: in good order
		check    func(t *testing.T, good, got []byte)
	}{
		{Fault{Kind: DropRequest}, short, false, silent, isEmpty},
		{Fault{Kind: DropReply}, short, true, silent, isEmpty},
		{Fault{Kind: DelayRequest, Delay: 20 * time.Millisecond}, long, true, nil, isWhole},
		{Fault{Kind: DelayReply, Delay: 20 * time.Millisecond}, long, true, nil, isWhole},
		{Fault{Kind: DelayReply, Delay: time.Second}, short, true, silent, isEmpty},
		{Fault{Kind: SplitReply, Delay: 20 * time.Millisecond}, long, true, nil, isWhole},
		{Fault{Kind: SplitReply, Delay: time.Second}, short, true, silent, func(t *testing.T, _, got []byte) {
			assert.Equal(t, []byte{0xB6, 0x29}, got)
		}},
		{Fault{Kind: NoiseBefore}, long, true, nil, func(t *testing.T, good, got []byte) {
			require.Len(t, got, len(good)+16)
			isWhole(t, good, got[16:])
			assert.NotContains(t, got[:16], byte(0xB6))
		}},
		{Fault{Kind: NoiseAfter, AfterBytes: 3}, long, true, nil, func(t *testing.T, good, got []byte) {
			require.Len(t, got, len(good)+3)
			isWhole(t, good, got[:len(good)])
		}},
		{Fault{Kind: CorruptCRC}, long, true, nil, isCorrupt},
		{Fault{Kind: CorruptData}, long, true, nil, isCorrupt},
		{Fault{Kind: RepeatReply}, long, true, nil, func(t *testing.T, good, got []byte) {
			require.Len(t, got, 2*len(good))
			assert.Equal(t, got[:len(good)], got[len(good):])
		}},
		{Fault{Kind: CutRequest}, long, false, syscall.ECONNRESET, isEmpty},
		{Fault{Kind: CutRequest, AfterBytes: 7}, long, false, syscall.ECONNRESET, isEmpty},
		{Fault{Kind: CutReply}, long, true, nil, func(t *testing.T, good, got []byte) { assert.Len(t, got, len(good)/2) }},
		{Fault{Kind: CutReply, AfterBytes: 1}, long, true, nil, func(t *testing.T, _, got []byte) { assert.Equal(t, []byte{0xB6}, got) }},
		{Fault{Kind: HalfReply}, short, true, silent, func(t *testing.T, good, got []byte) { assert.Len(t, got, len(good)/2) }},
		{Fault{Kind: Rubbish}, long, true, nil, func(t *testing.T, _, got []byte) { assert.Len(t, got, 32) }},
		{Fault{Kind: ResetBefore}, long, false, syscall.ECONNRESET, isEmpty},
		{Fault{Kind: ResetAfter}, long, true, syscall.ECONNRESET, isEmpty},
		{Fault{Kind: CloseAfter}, long, true, nil, isEmpty},
		{Fault{Kind: RefuseCode, Code: 0x03}, long, false, nil, isRefusal},
		{Fault{Kind: RefuseAfter, Code: 0x03}, long, true, nil, isRefusal},
		{Fault{Kind: RebootBefore, Delay: 20 * time.Millisecond}, long, false, syscall.ECONNRESET, isEmpty},
		{Fault{Kind: RebootAfter, Delay: 20 * time.Millisecond}, long, true, syscall.ECONNRESET, isEmpty},
		{Fault{Kind: Hang}, short, false, silent, isEmpty},
	} {
		name := string(c.fault.Kind)
		if c.fault.Delay == time.Second {
			name += ", beyond patience"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := listening(t, Options{})
			openTheShift(t, r)
			good := request(t, 0, makeSale(t, r))
			readyToCommit(t, r)
			c.fault.Count, c.fault.Command = 1, AnyDocument
			require.NoError(t, r.Inject(1, c.fault))
			got, err := overTCP(t, r, request(t, 0x24, unhex(t, form150)), c.patience)
			if c.err == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.err)
			}
			c.check(t, good, got)
			assertMade(t, r, c.made)
		})
	}
}

// assertMade waits for the register to be back and asks it for its last FD number: 3 without the receipt, 4 with it.
func assertMade(t *testing.T, r *Rack, made bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		d, err := r.Device(1)
		require.NoError(t, err)
		return d.Power
	}, 5*time.Second, time.Millisecond)
	want := byte(3)
	if made {
		want = 4
	}
	status := must(t, r, 0x08, "")
	assert.Equal(t, want, status[26], "last FD")
}

func isEmpty(t *testing.T, _, got []byte) { t.Helper(); assert.Empty(t, got) }

// isWhole compares but for receipt number, FD number, sign and check.
func isWhole(t *testing.T, good, got []byte) {
	t.Helper()
	require.Len(t, got, len(good))
	assert.Equal(t, good[:5], got[:5])
	_, err := terminalfa.ReadFrame(bytes.NewReader(got), nil)
	assert.NoError(t, err)
}

func isCorrupt(t *testing.T, good, got []byte) {
	t.Helper()
	require.Len(t, got, len(good))
	_, err := terminalfa.ReadFrame(bytes.NewReader(got), nil)
	assert.ErrorIs(t, err, terminalfa.ErrCRC)
}

func isRefusal(t *testing.T, _, got []byte) {
	t.Helper()
	assert.Equal(t, terminalfa.AppendRefusal(nil, 0x03), got)
}

// TestEveryKindIsTested keeps the tables whole.
func TestEveryKindIsTested(t *testing.T) {
	t.Parallel()
	assert.Len(t, allKinds, len(faultKinds))
	for _, k := range allKinds {
		assert.Contains(t, faultKinds, k)
	}
	assert.Equal(t, Hang, allKinds[len(allKinds)-1], "random faults leave it out by its place")
}

// TestFaultChoice: command, skip, count and the order of laying.
func TestFaultChoice(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	lay := func(f Fault) { require.NoError(t, r.Inject(1, f)) }
	lay(Fault{Kind: RefuseCode, Code: 0x7F, Command: Command(0x01), Skip: 1, Count: 2})
	lay(Fault{Kind: RefuseCode, Code: 0x30, Command: AnyCommand, Skip: 3})
	var got []refusal
	for range 6 {
		got = append(got, refusedWith(t, r, 0x01, ""))
	}
	assert.Equal(t, []refusal{0, 0x7F, 0x7F, 0, 0, 0x30}, got)
	assert.Equal(t, noFN, refusedWith(t, r, 0x08, ""))
	d, err := r.Device(1)
	require.NoError(t, err)
	assert.Len(t, d.Faults, 1, "the spent one is gone")
	require.NoError(t, r.ClearFaults(1))
	assert.Equal(t, done, refusedWith(t, r, 0x01, ""))
	lay(Fault{Kind: RefuseCode, Code: 0x03, Command: AnyDocument, Count: 1})
	must(t, r, 0x21, "01")
	assert.Equal(t, fnFailure, refusedWith(t, r, 0x22, ""))
	must(t, r, 0x22, "")
}

func TestFaultMistakes(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	for want, f := range map[string]Fault{
		`unknown fault kind "x"`:          {Kind: "x"},
		"count -1 and skip 0":             {Kind: DropReply, Count: -1},
		"after_bytes 9999":                {Kind: CutReply, AfterBytes: 9999},
		"after_bytes 4 of a cut_request":  {Kind: CutRequest, AfterBytes: 4},
		"a delay_reply fault needs":       {Kind: DelayReply},
		"delay 1h0m0s":                    {Kind: DelayReply, Delay: time.Hour},
		"a refuse_code fault needs":       {Kind: RefuseCode},
		"a drop_reply fault has no code":  {Kind: DropReply, Code: 3},
		"fault command 4096 is no":        {Kind: DropReply, Command: 0x1000},
		"no device 2: they are numbered ": {},
	} {
		n := 1
		if f.Kind == "" {
			n = 2
		}
		assert.ErrorContains(t, r.Inject(n, f), want)
	}
	for want, f := range map[string]RandomFaults{
		"probability 2 of random faults": {Probability: 2},
		`unknown fault kind "y"`:         {Kinds: []FaultKind{"y"}},
		"delay -1ns of random faults":    {Delay: -1},
	} {
		assert.ErrorContains(t, r.Patch(1, Patch{Random: &f}), want)
	}
}

// TestRandomFaults: the same seed and the same requests fail the same way; no fault ever loses or doubles a document.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	const seed = 42
	t.Logf("seed %d", seed)
	run := func() (outcomes []string, documents uint32) {
		r, _ := newRack(t, Options{Seed: seed, Restart: time.Millisecond})
		openTheShift(t, r)
		for range 10 {
			readyToCommit(t, r)
			before, err := r.Device(1)
			require.NoError(t, err)
			patch(t, r, Patch{Random: &RandomFaults{
				Probability: 0.7, Delay: time.Millisecond, Command: AnyDocument,
				Kinds: []FaultKind{CorruptCRC, RepeatReply, Rubbish, ResetBefore, ResetAfter, CloseAfter, RefuseCode, RefuseAfter, CutReply, NoiseBefore},
			}})
			outcomes = append(outcomes, hexOf(talk(t, r, 1, request(t, 0x24, unhex(t, form150)))))
			patch(t, r, Patch{Random: &RandomFaults{}})
			after, err := r.Device(1)
			require.NoError(t, err)
			assert.LessOrEqual(t, after.Documents-before.Documents, uint32(1))
			must(t, r, 0x10, "")
			documents = after.Documents
		}
		return outcomes, documents
	}
	first, made := run()
	second, again := run()
	assert.Equal(t, first, second)
	assert.Equal(t, made, again)
	assert.Greater(t, len(unique(first)), 5, "some were struck, differently")
}

func unique(list []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		out[s] = true
	}
	return out
}

// TestRandomPick: every parameter a pick leaves is one check accepts.
func TestRandomPick(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	f := RandomFaults{Probability: 1}
	seen := map[FaultKind]bool{}
	for range 2000 {
		hit := f.pick(r.devices[0].rand)
		seen[hit.Kind] = true
		if hit.Kind == CutRequest {
			hit.AfterBytes = 0 // its least is put in when it strikes
		}
		require.NoError(t, hit.check())
	}
	assert.Len(t, seen, len(allKinds)-1, "all but Hang")
}

// TestCutRequestOnPipe: on a line without buffers the client's own write breaks off.
func TestCutRequestOnPipe(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	require.NoError(t, r.Inject(1, Fault{Kind: CutRequest, Command: Command(0x30), AfterBytes: 8, Count: 1}))
	assert.Equal(t, done, refusedWith(t, r, 0x08, ""), "another command passes whole")
	near, far := net.Pipe()
	require.NoError(t, r.Accept(1)(far))
	n, err := near.Write(request(t, 0x30, []byte{1, 0, 0, 0}))
	assert.Equal(t, 8, n)
	assert.ErrorIs(t, err, io.ErrClosedPipe)
	assert.Equal(t, done, refusedWith(t, r, 0x30, "01 00 00 00"), "the fault is spent")
}

// TestLateExecution: a request given up by its client is still executed, and what comes after it waits.
func TestLateExecution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRack(t, Options{})
		openTheShift(t, r)
		readyToCommit(t, r)
		require.NoError(t, r.Inject(1, Fault{Kind: DelayRequest, Delay: 25 * time.Second, Command: AnyDocument, Count: 1}))
		near, far := net.Pipe()
		require.NoError(t, r.Accept(1)(far))
		_, err := near.Write(request(t, 0x24, unhex(t, form150)))
		require.NoError(t, err)
		require.NoError(t, near.Close())
		begin := time.Now()
		status := must(t, r, 0x08, "")
		assert.Equal(t, byte(3), status[26], "the receipt")
		assert.Equal(t, 25*time.Second, time.Since(begin))
	})
}

// TestHungUpInTheQueue: a request whose client left while it waited its turn is still executed (§15).
func TestHungUpInTheQueue(t *testing.T) {
	t.Parallel()
	r, _ := listening(t, Options{})
	openTheShift(t, r)
	readyToCommit(t, r)
	require.NoError(t, r.Inject(1, Fault{Kind: Hang, Count: 1}))
	first, second := dial(t, r, 1), dial(t, r, 1)
	_, err := first.Write(request(t, 0x08, nil))
	require.NoError(t, err)
	_, err = second.Write(request(t, 0x24, unhex(t, form150)))
	require.NoError(t, err)
	require.NoError(t, second.Close())
	third := dial(t, r, 1)
	_, err = third.Write(request(t, 0x08, nil))
	require.NoError(t, err)
	require.NoError(t, first.Close())
	status, err := io.ReadAll(third)
	require.NoError(t, err)
	require.Len(t, status, 37)
	assert.Equal(t, byte(3), status[5+26], "last FD")
}

// TestServiceTime: the FN works so long for documents, everything else is immediate.
func TestServiceTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRack(t, Options{ServiceTime: 300 * time.Millisecond})
		took := func(code byte, data string, want time.Duration) {
			t.Helper()
			begin := time.Now()
			must(t, r, code, data)
			assert.Equal(t, want, time.Since(begin), "%02X", code)
		}
		took(0x21, "01", 0)
		took(0x22, "", 300*time.Millisecond)
		took(0x23, "", 0)
		took(0x2B, item150, 0)
		took(0x2D, payment150, 0)
		took(0x24, form150, 300*time.Millisecond)
		begin := time.Now()
		assert.Equal(t, noReceipt, refusedWith(t, r, 0x24, form150))
		assert.Zero(t, time.Since(begin), "a refusal costs the FN nothing")
		patch(t, r, Patch{ServiceTime: new(time.Second)})
		took(0x29, "01", 0)
		took(0x2A, "", time.Second)
	})
}

// TestHangHoldsOthers: while one client hangs the next one waits, and is served once the first has gone.
func TestHangHoldsOthers(t *testing.T) {
	t.Parallel()
	r, _ := listening(t, Options{})
	require.NoError(t, r.Inject(1, Fault{Kind: Hang, Count: 1}))
	first, second := dial(t, r, 1), dial(t, r, 1)
	ask := request(t, 0x08, nil)
	_, err := first.Write(ask)
	require.NoError(t, err)
	_, err = second.Write(ask)
	require.NoError(t, err)
	require.NoError(t, second.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, err = second.Read(make([]byte, 1))
	require.True(t, errors.Is(err, os.ErrDeadlineExceeded))
	require.NoError(t, first.Close())
	require.NoError(t, second.SetReadDeadline(time.Now().Add(5*time.Second)))
	reply, err := io.ReadAll(second)
	require.NoError(t, err)
	assert.Len(t, reply, 37)
}
