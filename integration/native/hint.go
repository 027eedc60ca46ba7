package native

import "strings"

// hints are for names that other APIs use, or that clients will try.
var hints = map[string]string{
	"mark_code":             "marking codes are not supported by this version",
	"mark_quantity":         "marking codes are not supported by this version",
	"product_codes":         "marking codes are not supported by this version",
	"payment_object":        "here it is called subject",
	"sno":                   "here it is called tax_system",
	"vats":                  "VAT sums are worked out by the register, give each item its vat",
	"measurement":           "here it is called measurement_unit",
	"email":                 "here it is called contact",
	"phone":                 "here it is called contact",
	"client":                "here it is called customer",
	"company":               "give tax_system, sender_email and payment_address in the body itself",
	"receipt":               "give its members in the body itself",
	"service":               "give callback_url in the body itself",
	"cashless_payments":     "details of cashless payments are not supported by this version",
	"sectoral_check_props":  "industry attributes are not supported by this version",
	"sectoral_item_props":   "industry attributes are not supported by this version",
	"operating_check_props": "operational attributes are not supported by this version",
}

// hint says what to write instead of an unknown member.
func hint(name string, fields []field) string {
	if h, ok := hints[strings.ToLower(name)]; ok {
		return h
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		if strings.EqualFold(f.name, name) {
			return "its name is " + f.name
		}
		known[i] = f.name
	}
	return "known here are " + strings.Join(known, ", ")
}
