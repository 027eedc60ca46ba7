package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
	"frpoold/simulator"
)

// newRack is a rack of software registers in this process, reachable for a daemon in another one.
func newRack(t testing.TB, o simulator.Options) *simulator.Rack {
	t.Helper()
	o.Now = time.Now
	rack, _, err := startRack(t.Context(), o, "127.0.0.1:0", "")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, rack.Close()) })
	return rack
}

// shop is an integration of a circuit that has every register of a rack.
type shop struct {
	integration fiscal.IntegrationID
	circuit     fiscal.CircuitID
}

// openShop creates circuit and integration and activates everything.
func openShop(t testing.TB, c *client, rack *simulator.Rack) shop {
	t.Helper()
	var circuit circuits.Circuit
	ask(t, c, http.MethodPost, "/fcircuit", map[string]string{"inn": string(simulator.DefaultINN), "title": "ООО «Тест»"}, &circuit)
	for _, d := range rack.Devices() {
		ask(t, c, http.MethodPost, fmt.Sprintf("/fcircuit/%d/fr", circuit.ID), map[string]string{"type": "terminalfa", "eip": d.Address}, nil)
		ask(t, c, http.MethodPatch, "/frs/"+url.PathEscape(d.Address)+"/activate", nil, nil)
	}
	var integration struct{ ID fiscal.IntegrationID }
	ask(t, c, http.MethodPost, fmt.Sprintf("/fcircuit/%d/int", circuit.ID), map[string]string{"type": "native", "param1": "shop", "param2": "shop-secret"}, &integration)
	ask(t, c, http.MethodPatch, fmt.Sprintf("/int/%d/activate", integration.ID), nil, nil)
	return shop{integration.ID, circuit.ID}
}

func (s shop) path() string { return fmt.Sprintf("/int/%d/receipts", s.integration) }

// receiptsIn are the receipts in the archives of a rack, by stamp.
func receiptsIn(t *testing.T, rack *simulator.Rack) map[string][]simulator.Document {
	t.Helper()
	out := map[string][]simulator.Document{}
	for _, d := range rack.Devices() {
		archive, err := rack.Documents(d.N)
		require.NoError(t, err)
		for _, doc := range archive {
			if doc.Kind == fiscal.KindReceipt {
				out[doc.Stamp] = append(out[doc.Stamp], doc)
			}
		}
	}
	return out
}

// oneEach checks that every job is made, has exactly one document that says what the job says, and that no document is
// without a job.
func oneEach(t *testing.T, rack *simulator.Rack, made []job) {
	t.Helper()
	archive := receiptsIn(t, rack)
	total := 0
	for _, docs := range archive {
		total += len(docs)
	}
	assert.Equal(t, len(made), total, "receipts in the archives")
	for _, j := range made {
		require.Equal(t, fiscal.JobMade, j.Status, "%s", j)
		docs := archive[string(j.ID)]
		if assert.Len(t, docs, 1, "documents of %s", j.ExternalID) {
			assert.Equal(t, docs[0].FD, j.Fiscal.FD)
			assert.Equal(t, docs[0].FP, j.Fiscal.FP)
			assert.Equal(t, docs[0].Total, j.Fiscal.Total)
			assert.Equal(t, docs[0].Shift, int(j.Fiscal.ShiftNumber))
			assert.Equal(t, docs[0].Receipt, int(j.Fiscal.ReceiptNumber))
		}
	}
}

// untilRest long-polls a job to its rest.
func untilRest(t testing.TB, c *client, id fiscal.JobID) job {
	t.Helper()
	var j job
	limit := time.Now().Add(90 * time.Second)
	for !j.Status.AtRest() {
		require.True(t, time.Now().Before(limit), "receipt %s does not come to rest: %s", id, j)
		ask(t, c, http.MethodGet, "/receipts/"+string(id)+"?wait=20s", nil, &j)
	}
	return j
}

// How long a test waits for what must come, and how often it looks.
const (
	waitLong  = 30 * time.Second
	waitShort = 20 * time.Millisecond
)

// seeded prints its seed, so that a failed run can be repeated.
func seeded(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 3)), seed
}
