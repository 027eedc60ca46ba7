package simulator

import (
	"math"
	"time"
)

// thermal is the temperature of a register's processor: it warms with each document and cools towards the shelf's.
type thermal struct {
	fixed   *int // °C set by hand; nil lets the model decide
	shelf   float64
	excess  float64 // °C above the shelf at the time of the last change
	changed time.Time
}

const (
	heatPerDocument = 0.04 // °C; at three documents a second a register settles some 14 °C above its shelf
	coolingTime     = 2 * time.Minute
)

func (t *thermal) above(now time.Time) float64 {
	if t.changed.IsZero() {
		return 0
	}
	passed := max(now.Sub(t.changed), 0)
	return t.excess * math.Exp(-passed.Seconds()/coolingTime.Seconds())
}

// work adds the heat of one document.
func (t *thermal) work(now time.Time) {
	t.excess = t.above(now) + heatPerDocument
	t.changed = now
}

// celsius is the reading, as the signed byte a register sends.
func (t *thermal) celsius(now time.Time) int8 {
	if t.fixed != nil {
		return int8(*t.fixed)
	}
	return int8(math.Round(min(t.shelf+t.above(now), 125)))
}
