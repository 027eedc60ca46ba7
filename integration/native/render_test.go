package native

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

var at = time.Date(2026, 3, 14, 9, 5, 0, 0, time.FixedZone("", 3*3600))

func TestRenderQueued(t *testing.T) {
	t.Parallel()
	b, err := Body(fiscal.Job{
		ID: "0123456789abcdef", Circuit: 3, Integration: 7, ExternalID: "order-1001", Digest: "secret", State: fiscal.JobQueued,
		Operation: fiscal.Sell, Total: 15000, CreatedAt: at, UpdatedAt: at, Deadline: at.Add(24 * time.Hour),
		Needs: fiscal.Needs{TaxSystem: fiscal.TaxOSN},
	})
	require.NoError(t, err)
	assert.Equal(t, `{"id":"0123456789abcdef","external_id":"order-1001","status":"queued",`+
		`"created_at":"2026-03-14T06:05:00Z","updated_at":"2026-03-14T06:05:00Z","deadline":"2026-03-15T06:05:00Z",`+
		`"operation":"sell","total":150.00,"integration":7,"circuit":3,"attempts":[],"error":null}`, string(b))
}

func TestRenderMade(t *testing.T) {
	t.Parallel()
	clock, _ := fiscal.NewDeviceTime(2026, 3, 14, 9, 5)
	d := fiscal.Document{Kind: fiscal.KindReceipt, FN: "9999078900000001", Number: 42, Sign: 3449555941, Time: clock, Shift: 7, Receipt: 12,
		Operation: fiscal.Sell, Total: 15000}
	data := fiscal.NewFiscalData(d, fiscal.Identity{Serial: "550199000001", RNM: "0000000001020662", INN: "1234567894"}, "10.0.0.1:7777", at.Location())
	j := fiscal.Job{
		ID: "0123456789abcdef", State: fiscal.JobMade, Operation: fiscal.Sell, Total: 15000, CallbackURL: "https://shop.example/cb",
		Attempts: []fiscal.Attempt{{
			Device: "10.0.0.1:7777", Reason: "least busy", StartedAt: at.UTC(), Result: "made",
			Baseline: &fiscal.Baseline{FN: "9999078900000001", LastFD: 41, Stamp: fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: "0123456789abcdef"}},
			Evidence: &fiscal.Evidence{After: &fiscal.DocumentRef{Last: 42}, Found: &d, Verdict: "ours by its stamp"},
		}},
		Fiscal: &data,
	}
	next := at.Add(time.Minute)
	b, err := json.Marshal(Render(j,
		fiscal.Delivery{ID: 1, Tries: 2, NextTry: next, LastError: "answered 500"}, fiscal.Delivery{ID: 2, Tries: 40, LastError: "no such host"}))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(b, &got))
	assert.Equal(t, map[string]any{
		"fn": "9999078900000001", "fd": 42.0, "fp": "3449555941", "datetime": "2026-03-14T09:05:00+03:00", "shift_number": 7.0,
		"receipt_number": 12.0, "total": 150.0, "rnm": "0000000001020662", "sn": "550199000001", "inn": "1234567894",
		"eip": "10.0.0.1:7777", "qr": "t=20260314T0905&s=150.00&fn=9999078900000001&i=42&fp=3449555941&n=1",
	}, got["fiscal"])
	assert.Equal(t, []any{
		map[string]any{"tries": 2.0, "next_try": "2026-03-14T06:06:00Z", "last_error": "answered 500"},
		map[string]any{"tries": 40.0, "next_try": nil, "last_error": "no such host"},
	}, got["callbacks"])
	attempt := got["attempts"].([]any)[0].(map[string]any)
	assert.Equal(t, "10.0.0.1:7777", attempt["device"])
	assert.Equal(t, "2026-03-14T06:05:00Z", attempt["started_at"])
	assert.Equal(t, 41.0, attempt["baseline"].(map[string]any)["last_fd"])
	assert.Equal(t, "ours by its stamp", attempt["evidence"].(map[string]any)["verdict"])
	assert.Nil(t, got["error"])

	b, err = Body(j)
	require.NoError(t, err)
	assert.NotContains(t, string(b), "evidence", "a callback goes to a shop, evidence may show the receipts of others")
	assert.Contains(t, string(b), `"last_fd":41`)
	assert.NotContains(t, string(b), "callbacks")
	assert.NotNil(t, j.Attempts[0].Evidence, "the job itself stays as it is")
}

func TestRenderRefused(t *testing.T) {
	t.Parallel()
	b, err := Body(fiscal.Job{State: fiscal.JobRefused, Operation: fiscal.Sell, Failure: &fiscal.Failure{Code: "content", Message: "no"}})
	require.NoError(t, err)
	assert.Contains(t, string(b), `"error":{"code":"content","message":"no"}`)
	assert.NotContains(t, string(b), `"fiscal"`)
	_, err = Body(fiscal.Job{ID: "x"})
	assert.Error(t, err, "a job without a state is no job")
}
