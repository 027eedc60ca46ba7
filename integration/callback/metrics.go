package callback

import "github.com/prometheus/client_golang/prometheus"

// metrics of a Sender. The results are a closed set.
type metrics struct {
	delivered prometheus.Counter
	failed    prometheus.Counter
	givenUp   prometheus.Counter
	seconds   prometheus.Histogram
	inFlight  prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	tries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "frpoold_callback_tries_total",
		Help: "Callbacks sent to clients, by result: delivered, failed (will be tried again), given_up.",
	}, []string{"result"})
	m := &metrics{
		delivered: tries.WithLabelValues("delivered"),
		failed:    tries.WithLabelValues("failed"),
		givenUp:   tries.WithLabelValues("given_up"),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "frpoold_callback_seconds",
			Help:    "Time a try of a callback took, in seconds, whatever came of it.",
			Buckets: []float64{.01, .03, .1, .3, 1, 3, 10},
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "frpoold_callback_in_flight",
			Help: "Callbacks being sent right now.",
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{tries, m.seconds, m.inFlight} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
