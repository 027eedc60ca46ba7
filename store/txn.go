package store

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// txn is one transaction with its buckets at hand. In a write transaction it remembers whether anything was written.
type txn struct {
	tx      *bolt.Tx
	buckets [bucketCount]*bolt.Bucket
	wrote   bool
}

func (t *txn) bucket(b bucket) *bolt.Bucket {
	if t.buckets[b] == nil {
		h := t.tx.Bucket([]byte(bucketNames[b]))
		if h == nil {
			panic(fmt.Sprintf("bucket %s is missing", b)) // Open has seen it; the file changed under us
		}
		h.FillPercent = b.fill()
		t.buckets[b] = h
	}
	return t.buckets[b]
}

// get returns memory of the transaction: copy it or decode it before the transaction ends.
func (t *txn) get(b bucket, key []byte) []byte { return t.bucket(b).Get(key) }

func (t *txn) has(b bucket, key []byte) bool { return t.get(b, key) != nil }

// put stores value, which must stay as it is until the transaction ends.
func (t *txn) put(b bucket, key, value []byte) error {
	t.wrote = true
	return t.bucket(b).Put(key, value)
}

// del removes a key; one that is not there is fine.
func (t *txn) del(b bucket, key []byte) error {
	t.wrote = true
	return t.bucket(b).Delete(key)
}

// next is the bucket's next number, from 1. A number is never given twice, not even after its record was removed.
func (t *txn) next(b bucket) (uint64, error) {
	t.wrote = true
	return t.bucket(b).NextSequence()
}

// scan calls fn for every key from on that begins with prefix, until fn says stop.
func (t *txn) scan(b bucket, prefix, from []byte, fn func(k, v []byte) (more bool, err error)) error {
	c := t.bucket(b).Cursor()
	if bytes.Compare(from, prefix) < 0 {
		from = prefix
	}
	for k, v := c.Seek(from); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		more, err := fn(k, v)
		if err != nil || !more {
			return err
		}
	}
	return nil
}
