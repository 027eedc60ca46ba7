package pool_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

// What Prometheus reads of two devices: one that works, one that never answered. A synctest bubble begins at
// 2000-01-01 00:00 UTC, which is 03:00 on the registers.
func TestMetrics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box, dead := openedShift(), openedShift()
		r := one(t, box)
		dead.never("open", errNoLine)
		r.add(dead, func(e *pool.Enrolment) { e.ID = "10.0.0.2:7778" })
		warm := 41
		box.set(func(b *register) {
			b.status.Temperature = &warm
			b.status.OFD = fiscal.OFDQueue{Count: 4, First: 1, FirstTime: day(1999, 12, 31)}
			b.skew = 2 * time.Minute
		})
		r.made("JOB1")
		box.breaks("register", fault{err: errPerson})
		require.Error(t, r.make("JOB2").Err)
		time.Sleep(poll)
		synctest.Wait()

		const text = `
# HELP frpoold_device_clock_skew_seconds How far the device's clock is ahead of the host's.
# TYPE frpoold_device_clock_skew_seconds gauge
frpoold_device_clock_skew_seconds{device="10.0.0.1:7778"} 115
# HELP frpoold_device_fn_documents Documents in the fiscal storage, of 250000.
# TYPE frpoold_device_fn_documents gauge
frpoold_device_fn_documents{device="10.0.0.1:7778"} 3
# HELP frpoold_device_fn_expires_timestamp_seconds When the fiscal storage expires.
# TYPE frpoold_device_fn_expires_timestamp_seconds gauge
frpoold_device_fn_expires_timestamp_seconds{device="10.0.0.1:7778"} 9.913428e+08
# HELP frpoold_device_gate 1 for each closed gate.
# TYPE frpoold_device_gate gauge
frpoold_device_gate{device="10.0.0.2:7778",gate="offline"} 1
# HELP frpoold_device_ofd_unsent Documents the OFD has not confirmed.
# TYPE frpoold_device_ofd_unsent gauge
frpoold_device_ofd_unsent{device="10.0.0.1:7778"} 4
# HELP frpoold_device_ready 1 while the device can take a receipt.
# TYPE frpoold_device_ready gauge
frpoold_device_ready{device="10.0.0.1:7778"} 1
frpoold_device_ready{device="10.0.0.2:7778"} 0
# HELP frpoold_device_receipts_total Receipts made on the device since the daemon started.
# TYPE frpoold_device_receipts_total counter
frpoold_device_receipts_total{device="10.0.0.1:7778"} 1
frpoold_device_receipts_total{device="10.0.0.2:7778"} 0
# HELP frpoold_device_seen_timestamp_seconds When the status of the device was last read.
# TYPE frpoold_device_seen_timestamp_seconds gauge
frpoold_device_seen_timestamp_seconds{device="10.0.0.1:7778"} 9.46684805e+08
# HELP frpoold_device_temperature_celsius Temperature of the device.
# TYPE frpoold_device_temperature_celsius gauge
frpoold_device_temperature_celsius{device="10.0.0.1:7778"} 41
`
		require.NoError(t, testutil.GatherAndCompare(r.metrics, strings.NewReader(text),
			"frpoold_device_clock_skew_seconds", "frpoold_device_fn_documents", "frpoold_device_fn_expires_timestamp_seconds",
			"frpoold_device_gate", "frpoold_device_ofd_unsent", "frpoold_device_ready", "frpoold_device_receipts_total",
			"frpoold_device_seen_timestamp_seconds", "frpoold_device_temperature_celsius"))

		failed := len(dead.calls("open")) + 1
		ok := len(box.calls()) - 1
		exchanges := fmt.Sprintf(`
# HELP frpoold_exchanges_total Exchanges with registers by device type and result (ok, failed).
# TYPE frpoold_exchanges_total counter
frpoold_exchanges_total{result="failed",type="fake"} %d
frpoold_exchanges_total{result="ok",type="fake"} %d
`, failed, ok)
		require.NoError(t, testutil.GatherAndCompare(r.metrics, strings.NewReader(exchanges), "frpoold_exchanges_total"))
		families, err := r.metrics.Gather()
		require.NoError(t, err)
		for _, f := range families {
			require.True(t, strings.HasPrefix(f.GetName(), "frpoold_"), f.GetName())
		}
		problems, err := testutil.GatherAndLint(r.metrics)
		require.NoError(t, err)
		require.Empty(t, problems)
	})
}

// A device that goes leaves no trace in the metrics.
func TestMetricsOfADeviceThatLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		n, err := testutil.GatherAndCount(r.metrics, "frpoold_device_ready", "frpoold_device_fn_documents")
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.NoError(t, r.Withdraw(t.Context(), eip))
		n, err = testutil.GatherAndCount(r.metrics, "frpoold_device_ready", "frpoold_device_fn_documents")
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// One scrape must not fail because of one odd device: two samples of the same labels would fail all of it.
func TestMetricsOfADeviceWithManyFaults(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		hot := 90
		box.id.FN = "9999078900001234"
		box.id.INN = "500100732259"
		box.status.Phase, box.status.Critical, box.status.Temperature, box.skew = fiscal.PhaseReady, true, &hot, time.Hour
		r := newRack(t, func(o *pool.Options) { o.Policy.RefuseTestFN = true })
		r.add(box)
		r.Hold(eip, "JOB")
		synctest.Wait()
		n, err := testutil.GatherAndCount(r.metrics, "frpoold_device_gate")
		require.NoError(t, err)
		require.Equal(t, len(r.view().Gates), n)
		require.True(t, r.view().TestFN)
	})
}
