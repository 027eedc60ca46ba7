package dispatcher

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frpoold/fiscal"
)

type metrics struct {
	accepted *prometheus.CounterVec
	receipts *prometheus.CounterVec
	seconds  prometheus.Histogram
	inDoubt  *prometheus.CounterVec
	settled  *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, d *Dispatcher) *metrics {
	m := &metrics{
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "frpoold_receipts_accepted_total", Help: "Receipt jobs accepted.",
		}, []string{"circuit"}),
		receipts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "frpoold_receipts_total", Help: "Receipt jobs that ended, by result (made, refused, canceled, expired).",
		}, []string{"circuit", "result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "frpoold_receipt_seconds", Help: "From acceptance to a made receipt.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43200},
		}),
		inDoubt: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "frpoold_in_doubt_total", Help: "Receipts that fell in doubt on a device.",
		}, []string{"device"}),
		settled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "frpoold_settled_total", Help: "Receipts in doubt that were settled, by verdict (made, absent, undecided).",
		}, []string{"verdict"}),
	}
	for _, v := range []verdict{made, absent, undecided} {
		m.settled.WithLabelValues(v.String())
	}
	reg.MustRegister(m.accepted, m.receipts, m.seconds, m.inDoubt, m.settled, collector{d})
	return m
}

// finished counts a job that is over.
func (m *metrics) finished(j *fiscal.Job, now time.Time) {
	m.receipts.WithLabelValues(label(j.Circuit), j.State.String()).Inc()
	if j.State == fiscal.JobMade {
		m.seconds.Observe(now.Sub(j.CreatedAt).Seconds())
	}
}

func label(c fiscal.CircuitID) string { return strconv.FormatUint(uint64(c), 10) }

// collector asks the loop at scrape time.
type collector struct{ d *Dispatcher }

var (
	descJobs  = prometheus.NewDesc("frpoold_jobs", "Receipt jobs not at an end, by state.", []string{"state"}, nil)
	descQueue = prometheus.NewDesc("frpoold_queue_jobs", "Receipt jobs of a circuit that wait for a device.", []string{"circuit"}, nil)
)

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- descJobs
	ch <- descQueue
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	states := map[fiscal.JobState]int{fiscal.JobQueued: 0, fiscal.JobAssigned: 0, fiscal.JobSending: 0, fiscal.JobInDoubt: 0, fiscal.JobOperator: 0}
	queues := map[fiscal.CircuitID]int{}
	if err := c.d.call(func() {
		for _, e := range c.d.jobs {
			states[e.job.State]++
		}
		for id, q := range c.d.queues {
			queues[id] = q.count
		}
	}); err != nil {
		return
	}
	for s, n := range states {
		ch <- prometheus.MustNewConstMetric(descJobs, prometheus.GaugeValue, float64(n), s.String())
	}
	for id, n := range queues {
		ch <- prometheus.MustNewConstMetric(descQueue, prometheus.GaugeValue, float64(n), label(id))
	}
}
