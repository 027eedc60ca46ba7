package pool

import (
	"github.com/prometheus/client_golang/prometheus"

	"frpoold/fiscal"
)

// metrics are what cannot be read from snapshots at scrape time.
type metrics struct {
	exchanges *prometheus.CounterVec
}

func newMetrics() *metrics {
	return &metrics{
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "frpoold_exchanges_total",
			Help: "Exchanges with registers by device type and result (ok, failed).",
		}, []string{"type", "result"}),
	}
}

// collector makes the device gauges from the snapshots at each scrape, so that a device that is removed leaves no trace.
type collector struct{ pool *Pool }

var (
	descReady       = deviceDesc("ready", "1 while the device can take a receipt.")
	descGate        = deviceDesc("gate", "1 for each closed gate.", "gate")
	descTemperature = deviceDesc("temperature_celsius", "Temperature of the device.")
	descUnsent      = deviceDesc("ofd_unsent", "Documents the OFD has not confirmed.")
	descDocuments   = deviceDesc("fn_documents", "Documents in the fiscal storage, of 250000.")
	descExpires     = deviceDesc("fn_expires_timestamp_seconds", "When the fiscal storage expires.")
	descSkew        = deviceDesc("clock_skew_seconds", "How far the device's clock is ahead of the host's.")
	descSeen        = deviceDesc("seen_timestamp_seconds", "When the status of the device was last read.")
	descReceipts    = deviceDesc("receipts_total", "Receipts made on the device since the daemon started.")
)

func deviceDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("frpoold_device_"+name, help, append([]string{"device"}, labels...), nil)
}

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descReady, descGate, descTemperature, descUnsent, descDocuments, descExpires, descSkew, descSeen, descReceipts} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	c.pool.mu.RLock()
	workers := make([]*worker, 0, len(c.pool.workers))
	for _, w := range c.pool.workers {
		workers = append(workers, w)
	}
	c.pool.mu.RUnlock()
	for _, w := range workers {
		v := w.view.Load()
		gauge := func(d *prometheus.Desc, value float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{string(v.ID)}, labels...)...)
		}
		ready := 0.0
		if v.Ready() {
			ready = 1
		}
		gauge(descReady, ready)
		for _, g := range v.Gates {
			gauge(descGate, 1, string(g.Code))
		}
		ch <- prometheus.MustNewConstMetric(descReceipts, prometheus.CounterValue, float64(v.Receipts), string(v.ID))
		if v.Status == nil {
			continue
		}
		gauge(descSeen, float64(v.SeenAt.UnixMilli())/1000)
		statusGauges(gauge, v, w)
	}
}

func statusGauges(gauge func(*prometheus.Desc, float64, ...string), v *fiscal.DeviceView, w *worker) {
	s := v.Status
	if s.Temperature != nil {
		gauge(descTemperature, float64(*s.Temperature))
	}
	gauge(descUnsent, float64(s.OFD.Count))
	gauge(descDocuments, float64(s.Document.Last))
	if !v.Identity.FNExpires.IsZero() {
		gauge(descExpires, float64(v.Identity.FNExpires.In(w.zone).Unix()))
	}
	if ahead, ok := skew(facts{status: s, zone: w.zone}); ok {
		gauge(descSkew, ahead.Seconds())
	}
}
