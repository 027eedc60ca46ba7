package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds what is read as configuration, in bytes.
const maxFile = 1 << 20

// KeyError is one thing wrong with one key.
type KeyError struct {
	Key     string // path as a person writes it: "tokens[0].role"; empty for the file as a whole
	Line    int    // in the file; 0 when the value itself breaks a rule
	Problem string // what is wrong and what is allowed
}

func (e *KeyError) Error() string {
	var where string
	switch {
	case e.Key != "" && e.Line > 0:
		where = fmt.Sprintf("%s (line %d): ", e.Key, e.Line)
	case e.Key != "":
		where = e.Key + ": "
	case e.Line > 0:
		where = fmt.Sprintf("line %d: ", e.Line)
	}
	return where + e.Problem
}

// decode reads one YAML document over what is already in into, a pointer to a struct with yaml tags: what the file does
// not mention keeps its value, also inside the entries of a map.
//
// It walks the nodes itself. yaml's own strict mode (KnownFields) names Go types and lines instead of keys, takes an empty value for
// "leave it", and replaces an entry of a map where the file only means to change one key of it.
func decode(b []byte, into any) error {
	if len(b) > maxFile {
		return &KeyError{Problem: fmt.Sprintf("longer than %d bytes", maxFile)}
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(b))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return &KeyError{Problem: "more than one YAML document; keep the first and remove the rest from the line --- on"}
	}
	root := doc.Content[0]
	if isNull(root) {
		return nil
	}
	var d decoder
	d.value("", root, reflect.ValueOf(into).Elem())
	return errors.Join(d.errs...)
}

type decoder struct{ errs []error }

func (d *decoder) fail(key string, n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, &KeyError{Key: key, Line: n.Line, Problem: fmt.Sprintf(format, args...)})
}

var durationType = reflect.TypeFor[time.Duration]()

// value sets v, which can be addressed, from n. On an error v keeps what it had, so that the rules over whole values
// are still checked for everything else.
func (d *decoder) value(key string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(key, n, "anchors and aliases are not taken; write the value out")
		return
	}
	if isNull(n) {
		d.fail(key, n, "has no value; give it one, or remove the key to keep the default")
		return
	}
	_, text := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch kind := v.Kind(); {
	case kind == reflect.Struct && !text:
		d.structure(key, n, v)
	case kind == reflect.Map && !text:
		d.mapping(key, n, v)
	case kind == reflect.Slice && !text:
		d.list(key, n, v)
	default:
		if n.Kind != yaml.ScalarNode {
			d.fail(key, n, "is a list or a group of keys; it takes one value")
			return
		}
		d.scalar(key, n, v)
	}
}

func (d *decoder) structure(key string, n *yaml.Node, v reflect.Value) {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		fields[v.Type().Field(i).Tag.Get("yaml")] = v.Field(i)
	}
	d.entries(key, n, func(path, name string, value *yaml.Node) {
		f, ok := fields[name]
		if !ok {
			d.fail(path, value, "unknown key, known here: %s", strings.Join(sortedKeys(fields), ", "))
			return
		}
		d.value(path, value, f)
	})
}

func (d *decoder) mapping(key string, n *yaml.Node, v reflect.Value) {
	d.entries(key, n, func(path, name string, value *yaml.Node) {
		entry := reflect.New(v.Type().Elem())
		if old := v.MapIndex(reflect.ValueOf(name)); old.IsValid() {
			entry.Elem().Set(old)
		} else if e, ok := entry.Interface().(interface{ setDefaults() }); ok {
			e.setDefaults()
		}
		d.value(path, value, entry.Elem())
		v.SetMapIndex(reflect.ValueOf(name), entry.Elem())
	})
}

func (d *decoder) entries(key string, n *yaml.Node, each func(path, name string, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fail(key, n, "takes a group of keys, each on a line of its own")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		path := strings.TrimPrefix(key+"."+name.Value, ".")
		switch {
		case name.Kind != yaml.ScalarNode || name.ShortTag() == "!!merge":
			d.fail(path, name, "is no plain key; anchors, aliases and merge keys are not taken")
		case seen[name.Value]:
			d.fail(path, name, "given twice; remove one")
		default:
			seen[name.Value] = true
			each(path, name.Value, value)
		}
	}
}

// list replaces what v had: a list in the file is the whole list.
func (d *decoder) list(key string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.fail(key, n, "takes a list, like [a, b]")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, e := range n.Content {
		d.value(fmt.Sprintf("%s[%d]", key, i), e, out.Index(i))
	}
	v.Set(out)
}

func (d *decoder) scalar(key string, n *yaml.Node, v reflect.Value) {
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := t.UnmarshalText([]byte(n.Value)); err != nil {
			d.fail(key, n, "%v", err)
		}
		return
	}
	if v.Type() == durationType {
		t, err := time.ParseDuration(n.Value)
		if err != nil {
			d.fail(key, n, "%q is no duration; write it like 500ms, 30s or 23h30m", n.Value)
			return
		}
		v.SetInt(int64(t))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			d.fail(key, n, "%q is neither true nor false", n.Value)
			return
		}
		v.SetBool(n.Value == "true")
	case reflect.Int:
		i, err := strconv.ParseInt(n.Value, 10, 0)
		if err != nil {
			d.fail(key, n, "%q is no whole number", n.Value)
			return
		}
		v.SetInt(i)
	default:
		d.fail(key, n, "cannot be set from a file: %s is no type the decoder knows", v.Type())
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
