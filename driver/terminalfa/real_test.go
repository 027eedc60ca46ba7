package terminalfa_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/driver/drivertest"
	"frpoold/driver/link"
	"frpoold/driver/terminalfa"
	"frpoold/fiscal"
)

// The suite against a register of metal: FRPOOLD_TEST_KKT names its host:port. Nothing that makes a document is done
// unless FRPOOLD_TEST_KKT_RECEIPTS=1, and then some hundreds are, so its FN had better be a debug one (МГМ).
func TestConformanceOfRealRegister(t *testing.T) {
	address := os.Getenv("FRPOOLD_TEST_KKT")
	if address == "" {
		t.Skip("set FRPOOLD_TEST_KKT to the host:port of a Terminal-FA or KIT Online-F to run the suite against it")
	}
	receipts := os.Getenv("FRPOOLD_TEST_KKT_RECEIPTS") == "1"
	if !receipts {
		t.Log("reading only: set FRPOOLD_TEST_KKT_RECEIPTS=1 to let the suite make documents, on a debug FN only")
	}
	drivertest.RunAlone(t, func(t *testing.T) drivertest.Bench {
		dialer := link.TCP{Address: address, Timeout: production.Connect}
		o := driver.Options{Timeouts: production}
		own, err := terminalfa.Open(t.Context(), dialer, o)
		require.NoError(t, err)
		id, err := own.Identify(t.Context())
		require.NoError(t, err)
		if receipts {
			require.True(t, fiscal.TestFN(id.FN), "FN %s is not a debug storage: the suite makes no documents on it", id.FN)
		}
		l := drivertest.Limits{
			Items: 20, ItemAgents: id.Agents, ReceiptAgents: id.Agents, TransferName: 64, Address: 164, SupplierName: 64,
			NeedsPlace: id.FFD != fiscal.FFD12 && id.Place == "",
			Subjects:   []fiscal.Subject{fiscal.SubjectCommodity, fiscal.SubjectService},
		}
		if id.FFD == fiscal.FFD12 {
			l.ReceiptAgents = 0
		}
		start, err := own.LastDocument(t.Context())
		require.NoError(t, err)
		first := max(start.Last, 3) - 2
		return drivertest.Bench{
			Open: terminalfa.Open, Dialer: dialer, Options: o, Now: time.Now,
			Impatience: driver.Timeouts{Connect: 5 * time.Second, Reply: 5 * time.Second, Commit: 10 * time.Second, Gap: 2 * time.Second},
			Stride:     41, SilentStride: 97,
			ReadOnly: !receipts, Identity: id, Limits: l,
			// The truth is read with the driver itself: there is no other way into an archive of metal.
			Archive: func() []drivertest.Document {
				last, err := own.LastDocument(t.Context())
				require.NoError(t, err)
				var list []drivertest.Document
				for n := first; n <= last.Last; n++ {
					doc, err := own.Document(t.Context(), n)
					require.NoError(t, err)
					doc.Full = false
					list = append(list, drivertest.Document{Document: doc})
				}
				return list
			},
		}
	})
}
