package main

import (
	"context"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"frpoold/fiscal"
)

// frState is what the report reads of GET /frs.
type frState struct {
	EIP         fiscal.DeviceID `json:"eip"`
	SN          string          `json:"sn"`
	Temperature *int            `json:"mcu_temperature"`
	Ready       bool            `json:"ready"`
	FS          struct {
		ShiftIsOpen bool `json:"shift_is_open"`
	} `json:"fs"`
}

// report prints what was made and compares it with the registers' memories. good is nil when every receipt has exactly one
// document and no document is without a receipt.
func (d *demo) report(ctx context.Context) (good, err error) {
	var frs []frState
	if _, err := d.client.do(ctx, http.MethodGet, "/frs", nil, &frs); err != nil {
		return nil, err
	}
	if err := d.table(frs); err != nil {
		return nil, err
	}
	shown := 0
	for _, j := range d.made {
		if j.Fiscal == nil || shown == 2 {
			continue
		}
		shown++
		d.say("\nReceipt %s:\n%s\nIts QR code says: %s", j.ExternalID, pretty(j.Fiscal), j.Fiscal.QR)
	}
	good = d.audit()
	rate := float64(len(d.made)) / d.took.Seconds()
	if good == nil {
		d.say("\n%d receipts in %s (%.1f a second): each has exactly one document in the registers' memories.", len(d.made), d.took.Round(10*time.Millisecond), rate)
	}
	return good, nil
}

func (d *demo) table(frs []frState) error {
	perDevice := map[fiscal.DeviceID][]fiscal.FiscalData{}
	for _, j := range d.made {
		if j.Fiscal != nil {
			perDevice[j.Fiscal.EIP] = append(perDevice[j.Fiscal.EIP], *j.Fiscal)
		}
	}
	tw := tabwriter.NewWriter(d.s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(tw, "\ndevice\tserial\treceipts\tlast FD\tshift\ttemperature\tmean time\t")
	for _, fr := range frs {
		made := perDevice[fr.EIP]
		var last fiscal.FiscalData
		for _, f := range made {
			if f.FD > last.FD {
				last = f
			}
		}
		shift := "closed"
		if fr.FS.ShiftIsOpen {
			shift = fmt.Sprintf("%d open", last.ShiftNumber)
		}
		temperature := "-"
		if fr.Temperature != nil {
			temperature = fmt.Sprintf("%d °C", *fr.Temperature)
		}
		mean := "-"
		if v, ok := d.daemon.pool.View(fr.EIP); ok && v.Service > 0 {
			mean = v.Service.Round(time.Millisecond).String()
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%s\t%s\t%s\t\n", fr.EIP, fr.SN, len(made), last.FD, shift, temperature, mean)
	}
	return tw.Flush()
}

// audit reads the archives of all registers, past the daemon, and compares.
func (d *demo) audit() error {
	documents := map[string]int{} // by FN and FD
	stamps := map[string]int{}
	for _, device := range d.rack.Devices() {
		archive, err := d.rack.Documents(device.N)
		if err != nil {
			return err
		}
		for _, doc := range archive {
			if doc.Kind == fiscal.KindReceipt {
				documents[key(device.FN, doc.FD)]++
				stamps[doc.Stamp]++
			}
		}
	}
	for _, j := range d.made {
		switch {
		case j.Status != fiscal.JobMade || j.Fiscal == nil:
			return fmt.Errorf("receipt %s was not made: %s", j.ExternalID, j)
		case documents[key(j.Fiscal.FN, j.Fiscal.FD)] != 1:
			return fmt.Errorf("receipt %s says document %d of FN %s, which the register does not have", j.ExternalID, j.Fiscal.FD, j.Fiscal.FN)
		case stamps[string(j.ID)] != 1:
			return fmt.Errorf("receipt %s has %d documents in the registers' memories", j.ExternalID, stamps[string(j.ID)])
		}
	}
	if len(documents) != len(d.made) {
		return fmt.Errorf("the registers made %d receipts for %d jobs", len(documents), len(d.made))
	}
	return nil
}

func key(fn string, fd fiscal.DocNumber) string { return fmt.Sprintf("%s/%d", fn, fd) }
