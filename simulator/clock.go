package simulator

import (
	"time"

	"frpoold/fiscal"
)

// now is the register's clock: the host's in the register's zone, plus what it was set off by.
func (r *register) now() fiscal.DeviceTime {
	return fiscal.DeviceTimeAt(r.hostNow().Add(r.kept.ClockOffset), r.zone)
}

// setClock moves the register's clock to the beginning of the minute t.
func (r *register) setClock(t fiscal.DeviceTime) {
	r.kept.ClockOffset = t.In(r.zone).Sub(r.hostNow())
}

// unixSeconds is the UNIX value of local time read as if it were UTC.
func unixSeconds(t fiscal.DeviceTime) uint32 {
	return uint32(t.In(time.UTC).Unix())
}

// dt5 is the binary date and time of sheet §3.
func dt5(t fiscal.DeviceTime) [5]byte {
	year, month, day, hour, minute := t.Fields()
	return [5]byte{byte(year - 2000), byte(month), byte(day), byte(hour), byte(minute)}
}

// dayOf is midnight of t.
func dayOf(t fiscal.DeviceTime) fiscal.DeviceTime {
	year, month, day, _, _ := t.Fields()
	d, _ := fiscal.NewDeviceTime(year, month, day, 0, 0)
	return d
}

// addDays is midnight, so many days after t.
func addDays(t fiscal.DeviceTime, days int) fiscal.DeviceTime {
	year, month, day, _, _ := t.Fields()
	moved := time.Date(year, time.Month(month), day+days, 0, 0, 0, 0, time.UTC)
	return fiscal.DeviceTimeAt(moved, time.UTC)
}
