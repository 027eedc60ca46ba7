package dispatcher

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// times is a script of n equal turns.
func times(n int, t turn) []turn {
	out := make([]turn, n)
	for i := range out {
		out[i] = t
	}
	return out
}

// A receipt that no register takes, for a reason that is not plainly its content, costs the others behind it little.
func TestReceiptThatNobodyTakes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, z := newBox("a"), newBox("z")
		a.gates, z.gates = []fiscal.GateCode{fiscal.GateBusy}, []fiscal.GateCode{fiscal.GateBusy}
		b := started(t, a, z)
		poison := b.submit(func(s *Submission) { s.Deadline = time.Now().Add(time.Hour) })
		// Only the first receipt of the bench fails, whichever device it comes to.
		b.fleet.set(func() { a.refuses, z.refuses, a.gates, z.gates = poison, poison, nil, nil })
		began := time.Now()
		var others []fiscal.JobID
		for range 200 {
			others = append(others, b.submit())
		}
		for _, id := range others {
			b.ends(id, fiscal.JobMade)
		}
		require.Less(t, time.Since(began), 45*time.Second, "200 receipts of 0.3 s on two devices, and a few tries of one that fails")
		job := b.ends(poison, fiscal.JobExpired)
		require.Contains(t, job.Failure.Message, "none was made")
		require.Less(t, len(b.of("task "+string(poison))), 200, "an hour of tries with growing pauses")
	})
}

// Jobs that wait for a register that is away do not hold up others of the same integration, however many they are.
func TestRareNeedsDoNotBlock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rare, common := newBox("rare"), newBox("common")
		rare.who.TaxSystems, rare.gates = fiscal.TaxOSN, []fiscal.GateCode{fiscal.GateOffline}
		b := started(t, rare, common)
		for range 200 {
			b.submit(func(s *Submission) { s.Receipt.TaxSystem = fiscal.TaxOSN })
		}
		began := time.Now()
		b.ends(b.submit(), fiscal.JobMade)
		require.Less(t, time.Since(began), time.Second)
	})
}

// A register that makes nothing of what it is sent does not get the same receipt again while another is idle.
func TestAbsentGoesElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bad, good := newBox("bad"), newBox("good")
		for range 5 {
			bad.add(fiscal.Document{Kind: fiscal.KindReceipt}) // the most used storage is chosen first
		}
		bad.script = times(100, turn{err: errSilent})
		b := started(t, bad, good)
		job := b.ends(b.submit(), fiscal.JobMade)
		require.Len(t, job.Attempts, 2)
		require.EqualValues(t, "bad", job.Attempts[0].Device)
		require.EqualValues(t, "good", job.Attempts[1].Device)
	})
}

// A register that calls every shift expired gets one more chance, and then another register has its turn.
func TestExpiredTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		bad, good := newBox("bad"), newBox("good")
		bad.add(fiscal.Document{Kind: fiscal.KindReceipt})
		bad.script = times(100, turn{err: errExpired})
		b := started(t, bad, good)
		job := b.ends(b.submit(), fiscal.JobMade)
		require.Len(t, job.Attempts, 3)
		require.EqualValues(t, "bad", job.Attempts[1].Device, "it renewed its shift")
		require.EqualValues(t, "good", job.Attempts[2].Device)
	})
}

// A word that was given about an attempt on one device is not taken for another attempt on another device.
func TestResolveOfAnAttemptThatIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, z := newBox("a"), newBox("z")
		a.add(fiscal.Document{Kind: fiscal.KindReceipt})
		a.script = []turn{{err: errSilent}}
		a.blind = errNoLine
		z.script = []turn{{lost: true, err: errSilent}}
		z.blind = errNoLine
		b := started(t, a, z)
		id := b.submit()
		time.Sleep(time.Second)
		doubtful := b.is(id, fiscal.JobInDoubt)
		asked := doubtful.Last()
		require.EqualValues(t, "a", asked.Device)
		b.fleet.set(func() { a.blind = nil })
		time.Sleep(time.Minute)
		elsewhere := b.is(id, fiscal.JobInDoubt)
		require.EqualValues(t, "z", elsewhere.Last().Device)
		var err error
		require.NoError(t, b.call(func() {
			err = b.resolve("anna", asked, id, Resolution{}, nil, fiscal.Identity{}, make(chan struct{}))
		}))
		require.Equal(t, "receipt_moved_on", problem(t, err).Code)
		b.is(id, fiscal.JobInDoubt)
		require.EqualValues(t, id, b.fleet.held("z"))
	})
}
