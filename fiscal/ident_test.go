package fiscal

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Vectors of domain/ffd.md §8.
func TestINN(t *testing.T) {
	t.Parallel()
	for _, n := range []INN{"7704849611", "7714731464", "5544332219", "7709364346", "771901532574", "500100732259", "7704000000"} {
		assert.True(t, n.Valid(), n)
	}
	for _, n := range []INN{
		"7722345678", "1234567891", "331122667723", "", "770484961", "77048496110", "7704849612", "771901532575", "771901532564",
		"770484961١", "77048-9611", " 704849611", "0000000000", NoINN,
	} {
		assert.False(t, n.Valid(), n)
	}
}

func TestDeviceTime(t *testing.T) {
	t.Parallel()
	at, ok := NewDeviceTime(2026, 3, 14, 9, 5)
	require.True(t, ok)
	assert.Equal(t, "2026-03-14T09:05", at.String())
	assert.Equal(t, "14.03.2026 09:05", at.Format("02.01.2006 15:04"))
	for _, bad := range [][5]int{{2026, 2, 30, 0, 0}, {2026, 13, 1, 0, 0}, {2026, 1, 1, 24, 0}, {2026, 1, 1, 0, 60}, {2026, 0, 1, 0, 0}} {
		_, ok := NewDeviceTime(bad[0], bad[1], bad[2], bad[3], bad[4])
		assert.False(t, ok, bad)
	}
	moscow := time.FixedZone("MSK", 3*3600)
	assert.Equal(t, "2026-03-14T09:05:00+03:00", at.In(moscow).Format(time.RFC3339))
	assert.Equal(t, at, DeviceTimeAt(time.Date(2026, 3, 14, 6, 5, 59, 7, time.UTC), moscow), "seconds are dropped")
	later, _ := NewDeviceTime(2026, 3, 14, 10, 0)
	assert.Equal(t, 55*time.Minute, later.Sub(at))
	y, mo, d, h, mi := at.Fields()
	assert.Equal(t, []int{2026, 3, 14, 9, 5}, []int{y, mo, d, h, mi})

	b, err := json.Marshal([]DeviceTime{at, {}})
	require.NoError(t, err)
	assert.Equal(t, `["2026-03-14T09:05",""]`, string(b))
	var back []DeviceTime
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, []DeviceTime{at, {}}, back)
	assert.True(t, back[1].IsZero())
	assert.Error(t, json.Unmarshal([]byte(`["14.03.2026"]`), &back))
}

func TestSignAndTestFN(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "4294967295", Sign(0xFFFFFFFF).String())
	assert.Equal(t, "899945832", Sign(899945832).String(), "no padding")
	assert.True(t, TestFN("9999078900000001"))
	assert.False(t, TestFN("7381440800357213"))
}
