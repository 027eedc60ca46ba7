package fiscal

import "strings"

// StampTag says where on a document a stamp travels.
type StampTag uint16

// Places of the stamp, in the order they are tried. StampNone means the client filled both.
const (
	StampNone       StampTag = 0
	StampCheckProps StampTag = 1192 // 16 characters, the whole stamp
	StampUserProps  StampTag = 1084 // name StampName, value the stamp
)

// StampName is the name (tag 1085) under which a stamp travels as a user attribute.
const StampName = "frpoold"

// Stamp is what a receipt carries so that it can be recognised in the archive.
type Stamp struct {
	Tag   StampTag `json:"tag"`
	Value string   `json:"value,omitempty"` // at most 16 characters
}

// ChooseStamp places the job's id on the receipt without displacing a value the client sent (design.md §5.2).
//
// Tag 1192 is preferred: it is short and exists in every format. At FFD 1.05 and 1.1 a refund leaves it empty, because
// there the tax service reads it as the fiscal sign of the receipt being repaired (domain/ffd.md §6.1); the stamp then
// goes to 1084. With both taken by the client there is no stamp, and settling goes by the client's own values.
func ChooseStamp(id JobID, r *Receipt, ffd FFD) Stamp {
	refund := r.Operation == SellRefund || r.Operation == BuyRefund
	switch {
	case r.CheckProps == "" && (ffd == FFD12 || !refund):
		return Stamp{StampCheckProps, string(id)}
	case r.UserProps == nil:
		return Stamp{StampUserProps, string(id)}
	case r.CheckProps == "":
		return Stamp{StampCheckProps, string(id)}
	default:
		return Stamp{Tag: StampNone}
	}
}

// Marks are the attributes of a receipt that settling compares: tags 1192 and 1084 as they stand in a document.
type Marks struct {
	CheckProps string     `json:"check_props,omitempty"`
	UserProps  *UserProps `json:"user_props,omitempty"`
}

// Equal reports whether all attributes are the same.
func (m Marks) Equal(o Marks) bool {
	if m.CheckProps != o.CheckProps || (m.UserProps == nil) != (o.UserProps == nil) {
		return false
	}
	return m.UserProps == nil || *m.UserProps == *o.UserProps
}

// MarksOf are the attributes the receipt will have in the archive once stamped.
func MarksOf(r *Receipt, s Stamp) Marks {
	m := Marks{CheckProps: r.CheckProps, UserProps: r.UserProps}
	switch s.Tag {
	case StampCheckProps:
		m.CheckProps = s.Value
	case StampUserProps:
		m.UserProps = &UserProps{Name: StampName, Value: s.Value}
	case StampNone:
	}
	return m
}

// On reports that a document with marks m carries the stamp. The value is ours alone, so it counts wherever it stands and
// whatever became of the client's own marks. Without a stamp nothing carries it.
func (s Stamp) On(m Marks) bool {
	if s.Tag == StampNone || s.Value == "" {
		return false
	}
	return strings.TrimSpace(m.CheckProps) == s.Value || m.UserProps != nil && strings.TrimSpace(m.UserProps.Value) == s.Value
}
