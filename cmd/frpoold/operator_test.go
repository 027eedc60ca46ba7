package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/simulator"
)

// impatient is a configuration whose deadlines a test can wait for.
func impatient(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "frpoold.yaml")
	require.NoError(t, os.WriteFile(name, []byte(`
families:
  terminalfa:
    timeouts: {connect: 1s, reply: 1s, commit: 2s, gap: 500ms}
pool: {poll_interval: 1s, backoff_min: 100ms, backoff_max: 1s, doubt_retry: 500ms}
`), 0o600))
	return name
}

// evidenced is a receipt with what the operator's page of evidence shows.
type evidenced struct {
	job
	Attempts []fiscal.Attempt `json:"attempts"`
}

// TestNeedsAPerson loses the answer to a receipt and replaces the FN before anybody can ask: no evidence is left, so the
// receipt waits for a person with all that is known, its register takes nothing else, and the person's word ends it.
func TestNeedsAPerson(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		word map[string]any
		want fiscal.JobState
	}{
		{map[string]any{"outcome": "made", "fd": 3, "reason": "on the OFD's list"}, fiscal.JobMade},
		{map[string]any{"outcome": "not_made", "reason": "the old FN was read"}, fiscal.JobRefused},
	} {
		t.Run(tt.want.String(), func(t *testing.T) {
			t.Parallel()
			rack := newRack(t, simulator.Options{Devices: 1, Seed: 21})
			_, c := serve(t, t.TempDir(), "--config", impatient(t))
			s := openShop(t, c, rack)
			ask(t, c, http.MethodPost, "/frs/"+rack.Devices()[0].Address+"/shift/open", nil, nil)
			require.NoError(t, rack.Inject(1, simulator.Fault{Kind: simulator.RebootAfter, Command: 0x24, Count: 1, Delay: 1500 * time.Millisecond}))
			random, _ := seeded(t)
			var j evidenced
			ask(t, c, http.MethodPost, s.path(), sampleReceipt(random, "order-1", fiscal.TaxUSNIncome, 1), &j)
			require.Eventually(t, func() bool { return len(receiptsIn(t, rack)) == 1 }, waitLong, waitShort, "the register made it")
			oldFN := rack.Devices()[0].FN
			replace := simulator.FNReplace
			require.NoError(t, rack.Patch(1, simulator.Patch{FN: &replace}))

			waiting := untilRest(t, c, j.ID)
			require.Equal(t, fiscal.JobOperator, waiting.Status)
			ask(t, c, http.MethodGet, "/receipts/"+string(j.ID), nil, &j)
			last := j.Attempts[len(j.Attempts)-1]
			require.NotNil(t, last.Baseline)
			assert.Equal(t, oldFN, last.Baseline.FN)
			assert.EqualValues(t, 2, last.Baseline.LastFD)
			require.NotNil(t, last.Evidence)
			assert.NotEqual(t, oldFN, last.Evidence.After.FN)
			assert.Contains(t, last.Evidence.Verdict, oldFN)
			assert.NotEmpty(t, last.Evidence.Exchanges)
			assert.Contains(t, j.Error.Message, "/resolve")
			var queue struct{ Items []job }
			ask(t, c, http.MethodGet, "/receipts?status=operator", nil, &queue)
			require.Len(t, queue.Items, 1)
			assert.Contains(t, refused(t, c, http.MethodDelete, "/frs/"+rack.Devices()[0].Address, nil).Message, string(j.ID))

			// Deactivating it answers at once; it stays in sight, and cannot be activated before the receipt is seen to.
			eip := rack.Devices()[0].Address
			status, err := c.do(t.Context(), http.MethodPatch, "/frs/"+eip+"/deactivate", nil, nil)
			require.NoError(t, err)
			assert.Equal(t, http.StatusAccepted, status)
			var frs []struct {
				EIP     string        `json:"eip"`
				Reasons []fiscal.Gate `json:"reasons"`
			}
			ask(t, c, http.MethodGet, "/frs", nil, &frs)
			require.Len(t, frs, 1)
			assert.NotEmpty(t, frs[0].Reasons)
			assert.Equal(t, "device_in_doubt", refused(t, c, http.MethodPatch, "/frs/"+eip+"/activate", nil).Code)

			path := "/receipts/" + string(j.ID) + "/resolve"
			assert.Equal(t, http.StatusUnprocessableEntity, refused(t, c, http.MethodPost, path, map[string]any{"outcome": "made"}).Status)
			assert.Equal(t, "contradicts_archive", refused(t, c, http.MethodPost, path, map[string]any{"outcome": "made", "fd": 2}).Code)
			ask(t, c, http.MethodPost, path, tt.word, &j)
			assert.Equal(t, tt.want, j.Status)
			ask(t, c, http.MethodPost, path, tt.word, &j) // the same word again
			assert.Equal(t, tt.want, j.Status)
			var audit struct{ Items []fiscal.AuditEntry }
			ask(t, c, http.MethodGet, "/audit?limit=1000", nil, &audit)
			resolved := 0
			for _, e := range audit.Items {
				if e.Action == "receipt.resolve" {
					resolved++
				}
			}
			assert.Equal(t, 1, resolved)
			require.Eventually(t, func() bool {
				_, err := c.do(t.Context(), http.MethodPatch, "/frs/"+eip+"/activate", nil, nil)
				return err == nil
			}, waitLong, waitShort, "with the receipt settled the new FN can be accepted")
		})
	}
}

// TestForeignDocuments has a stranger use the register between our baseline and our receipt's fate, with the same sum. Only
// the stamp tells whose document is whose.
func TestForeignDocuments(t *testing.T) {
	t.Parallel()
	rack := newRack(t, simulator.Options{Devices: 1, Seed: 23})
	_, c := serve(t, t.TempDir(), "--config", impatient(t))
	s := openShop(t, c, rack)
	random, _ := seeded(t)
	var made []job
	post := func(external string) fiscal.JobID {
		var j job
		ask(t, c, http.MethodPost, s.path(), sampleReceipt(random, external, fiscal.TaxUSNIncome, 1), &j)
		return j.ID
	}
	made = append(made, untilRest(t, c, post("order-1"))) // proves that this register keeps stamps
	total := made[0].Fiscal.Total

	for _, kind := range []simulator.FaultKind{simulator.ResetBefore, simulator.ResetAfter} {
		require.NoError(t, rack.Inject(1, simulator.Fault{Kind: kind, Command: 0x24, Count: 1}))
		// Nobody can connect anew until the stranger is done: 04 is asked only then.
		require.NoError(t, rack.Inject(1, simulator.Fault{Kind: simulator.ResetBefore, Command: 0x04}))
		id := post("order-" + string(kind))
		require.Eventually(t, func() bool {
			var j job
			ask(t, c, http.MethodGet, "/receipts/"+string(id), nil, &j)
			return j.Status == fiscal.JobInDoubt
		}, waitLong, waitShort)
		_, err := rack.MakeForeignReceipt(t.Context(), 1, total)
		require.NoError(t, err)
		require.NoError(t, rack.ClearFaults(1))
		made = append(made, untilRest(t, c, id))
	}
	archive := receiptsIn(t, rack)
	for _, j := range made {
		require.Equal(t, fiscal.JobMade, j.Status, "%s", j)
		require.Len(t, archive[string(j.ID)], 1)
		assert.Equal(t, archive[string(j.ID)][0].FD, j.Fiscal.FD)
	}
	assert.Len(t, archive[""], 2, "the stranger's")
}
