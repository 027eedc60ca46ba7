package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"frpoold/fiscal"
)

// schemaVersion is the layout below. A file with a higher one is refused; a lower one is brought up in steps at open.
const schemaVersion = 1

// bucket numbers the top-level buckets of the file.
//
//	bucket          key                                value
//	meta            schema | created | probe           decimal number | RFC 3339 time | RFC 3339 time
//	circuits        circuit id, 8 bytes                circuits.Circuit, JSON
//	devices         eip                                circuits.Member, JSON
//	integrations    integration id, 8 bytes            circuits.Integration, JSON
//	jobs            job id                             fiscal.Job, JSON
//	receipts        job id                             fiscal.Receipt, JSON, written once
//	unfinished      job id                             fiscal.JobState, 1 byte: the state of every job that is not final
//	external        integration id, 8 bytes + ext. id  job id
//	by_integration  integration id, 8 bytes + job id   empty
//	outbox          delivery id, 8 bytes               fiscal.Delivery, JSON
//	outbox_due      next try, 8 bytes + delivery id    empty; not for deliveries that were given up
//	outbox_job      job id + 0x00 + delivery id        empty
//	audit           sequence, 8 bytes                  fiscal.AuditEntry, JSON
//	shifts          FN number                          shiftRecord, JSON: the newest shift of the FN
//
// All numbers are big-endian, so that a cursor walks them in order; times are nanoseconds since 1970.
type bucket uint8

const (
	bucketMeta bucket = iota
	bucketCircuits
	bucketDevices
	bucketIntegrations
	bucketJobs
	bucketReceipts
	bucketUnfinished
	bucketExternal
	bucketByIntegration
	bucketOutbox
	bucketOutboxDue
	bucketOutboxJob
	bucketAudit
	bucketShifts
	bucketCount
)

var bucketNames = [bucketCount]string{
	"meta", "circuits", "devices", "integrations", "jobs", "receipts", "unfinished", "external", "by_integration",
	"outbox", "outbox_due", "outbox_job", "audit", "shifts",
}

func (b bucket) String() string { return bucketNames[b] }

// fill is how full a page is left when it is split. Buckets that only grow at their end are packed; the rest keep
// bbolt's half, which leaves room for records that grow (jobs) or come in between.
func (b bucket) fill() float64 {
	switch b {
	case bucketReceipts, bucketAudit:
		return 0.95
	default:
		return bolt.DefaultFillPercent
	}
}

// Keys of the meta bucket.
var (
	metaSchema  = []byte("schema")
	metaCreated = []byte("created")
	metaProbe   = []byte("probe")
)

func numberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func externalKey(i fiscal.IntegrationID, external string) []byte {
	k := make([]byte, 0, 8+len(external))
	return append(binary.BigEndian.AppendUint64(k, uint64(i)), external...)
}

func byIntegrationKey(i fiscal.IntegrationID, id fiscal.JobID) []byte {
	return externalKey(i, string(id))
}

func dueKey(t time.Time, id uint64) []byte {
	k := make([]byte, 0, 16)
	k = binary.BigEndian.AppendUint64(k, uint64(max(t.UnixNano(), 0)))
	return binary.BigEndian.AppendUint64(k, id)
}

// deliveriesOf is the common beginning of a job's keys in outbox_job.
func deliveriesOf(id fiscal.JobID) []byte { return append([]byte(id), 0) }

func outboxJobKey(id fiscal.JobID, delivery uint64) []byte {
	return binary.BigEndian.AppendUint64(deliveriesOf(id), delivery)
}

// lastNumber is the 8-byte number at the end of a key.
func lastNumber(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

// decode reads a record; b may be memory of a transaction, the result never is.
func decode[T any](from bucket, key, b []byte) (T, error) {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("%w: record %q of %s: %w", ErrCorrupt, key, from, err)
	}
	return v, nil
}
