// Package frpoold_test checks what no package can check about itself: who imports whom (docs/architecture.md, the picture)
// and the house rules of the source files.
package frpoold_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "frpoold/"

// layer is one place in the picture. In patterns a * stands for one path element; in may and tests the same * as in pkg
// stands for the same element, so a driver family sees its own codec and no other.
type layer struct {
	pkg   string
	may   []string // packages of ours that it may import
	tests []string // more that its tests may import
	why   string
}

// layers is the picture of docs/architecture.md from the bottom up, first match wins. A package that stands nowhere in it
// fails: whoever adds one decides here what it may know.
var layers = []layer{
	{pkg: "fiscal", why: "it is the vocabulary that everybody shares"},
	{pkg: "circuits", may: []string{"fiscal"}, tests: []string{"store", "store/storetest"}, why: "it is rules about circuits, whatever stores them or runs registers"},
	{pkg: "driver/link", may: []string{"fiscal"}, why: "it moves bytes and knows no protocol"},
	{pkg: "driver/wire/*", may: []string{"fiscal"}, why: "it is bytes only, shared by the two ends, and has the beliefs of neither"},
	{pkg: "driver", may: []string{"driver/link", "fiscal"}, why: "it is the contract and names no family"},
	{pkg: "driver/drivertest", may: []string{"driver", "driver/link", "fiscal"}, why: "the suite must pass on any family"},
	{pkg: "driver/probe", may: []string{"driver/link", "fiscal"}, tests: []string{"simulator"}, why: "it asks which family answers and belongs to none"},
	{
		pkg: "driver/*", may: []string{"driver", "driver/link", "driver/wire/*", "fiscal"},
		tests: []string{"driver/drivertest", "simulator"}, why: "a family knows its own codec, no other family, and no jobs",
	},
	{
		pkg: "simulator", may: []string{"driver/link", "driver/wire/+", "fiscal"},
		why: "a register in software shares bytes with the driver, never its beliefs",
	},
	{pkg: "store", may: []string{"circuits", "fiscal"}, tests: []string{"store/storetest"}, why: "it knows records, not who makes them"},
	{pkg: "store/storetest", may: []string{"store", "circuits", "fiscal"}, why: "it opens stores for tests"},
	{
		pkg: "pool", may: []string{"driver", "driver/link", "fiscal"},
		why: "a worker drives any family through the contract",
	},
	{
		pkg: "dispatcher", may: []string{"pool", "circuits", "fiscal"}, tests: []string{"store", "store/storetest", "driver", "driver/link"},
		why: "it decides about jobs; registers and the store stand behind interfaces that it declares",
	},
	{pkg: "integration/*", may: []string{"integration/callback", "dispatcher", "circuits", "fiscal"}, why: "a dialect of clients knows jobs, no registers and no other dialect"},
	{pkg: "ofd/*", may: []string{"dispatcher", "circuits", "fiscal"}, why: "an operator's API knows documents, no registers"},
	{
		pkg: "api", may: []string{"dispatcher", "pool", "circuits", "integration/+", "fiscal"},
		tests: []string{"store", "store/storetest"}, why: "HTTP in, JSON out; it has no knowledge of devices",
	},
	{pkg: "config", may: []string{"driver", "fiscal"}, why: "it knows values, not what they are used for"},
	{
		pkg: "cmd/*",
		may: []string{
			"api", "circuits", "config", "dispatcher", "driver", "driver/link", "driver/+", "fiscal", "integration/+",
			"ofd/+", "pool", "simulator", "store",
		},
		tests: []string{"driver/wire/+", "store/storetest"},
		why:   "it is the one place that knows everything but bytes",
	},
	{pkg: "deploy", tests: []string{"config"}, why: "it is files; its tests read them as the program does"},
	{pkg: ".", why: "it has only these tests"},
}

// outside are modules that few packages may know, so that they can be replaced, or that no program needs.
var outside = []struct {
	path string
	only []string
	why  string
}{
	{"go.etcd.io/bbolt", []string{"store"}, "another database may have to stand behind the store one day"},
	{"go.yaml.in/yaml/v3", []string{"config", "api"}, "YAML is the form of the configuration and of openapi.yaml, and of nothing else"},
	{"github.com/stretchr/testify", nil, "it is for tests"},
}

// goPackage is what go list says about one package.
type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// name is the path inside the module; "." is the module itself.
func name(importPath string) (ours string, ok bool) {
	if importPath+"/" == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module)
}

// match reports whether path has the shape of pattern. star is what * stands for: empty lets it stand for anything and
// gives back what it was. + always stands for any one element.
func match(pattern, path, star string) (found string, ok bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return "", false
	}
	for i, w := range want {
		switch {
		case w == "+":
		case w == "*" && (star == "" || star == have[i]):
			found = have[i]
		case w != have[i]:
			return "", false
		}
	}
	return found, true
}

func allowed(patterns []string, path, star string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		_, ok := match(p, path, star)
		return ok
	})
}

// check gives one sentence for each import of p that the picture does not have.
func check(p goPackage) (faults []string) {
	self, _ := name(p.ImportPath)
	at, star := -1, ""
	for i := range layers {
		if s, ok := match(layers[i].pkg, self, ""); ok {
			at, star = i, s
			break
		}
	}
	if at < 0 {
		return []string{fmt.Sprintf("%s stands nowhere in the picture: decide what it may import and add it to layers in arch_test.go", self)}
	}
	l := layers[at]
	look := func(imports []string, test bool) {
		may, who, list := l.may, self, strings.Join(l.may, ", ")
		if test {
			may, who = append(slices.Clone(l.may), l.tests...), "a test of "+self
			list = strings.Join(may, ", ")
		}
		if list == "" {
			list = "nothing of ours"
		}
		for _, path := range imports {
			if dep, ok := name(path); ok {
				if dep != self && !allowed(may, dep, star) {
					faults = append(faults, fmt.Sprintf("%s imports %s: %s; allowed: %s", who, dep, l.why, list))
				}
				continue
			}
			for _, o := range outside {
				if !test && strings.HasPrefix(path, o.path) && !slices.Contains(o.only, self) && !strings.HasSuffix(self, "test") {
					faults = append(faults, fmt.Sprintf("%s imports %s: %s", self, path, o.why))
				}
			}
		}
	}
	look(p.Imports, false)
	look(p.TestImports, true)
	look(p.XTestImports, true)
	return faults
}

func TestImports(t *testing.T) {
	t.Parallel()
	// -e: a package that does not compile still has imports, and its own test says what is wrong with it.
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	packages := 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; packages++ {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			require.NoError(t, err)
		}
		for _, fault := range check(p) {
			t.Error(fault)
		}
	}
	require.Greater(t, packages, 5, "go list found next to nothing")
}

// The checker itself: each import rule of docs/architecture.md, broken once.
func TestImportsAreCaught(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pkg, dep string
		test     bool // only a test imports it
		want     string
	}{
		{pkg: "fiscal", dep: "frpoold/circuits", want: "fiscal imports circuits: it is the vocabulary that everybody shares; allowed: nothing of ours"},
		{pkg: "circuits", dep: "frpoold/store", want: "circuits imports store"},
		{pkg: "circuits", dep: "frpoold/store", test: true},
		{pkg: "circuits", dep: "frpoold/pool", test: true, want: "a test of circuits imports pool"},
		{pkg: "driver/link", dep: "frpoold/driver", want: "driver/link imports driver"},
		{pkg: "driver/wire/terminalfa", dep: "frpoold/driver/terminalfa", want: "driver/wire/terminalfa imports driver/terminalfa"},
		{pkg: "driver/terminalfa", dep: "frpoold/driver/wire/terminalfa"},
		{pkg: "driver/terminalfa", dep: "frpoold/driver/wire/shtrihm", want: "driver/terminalfa imports driver/wire/shtrihm"},
		{pkg: "driver/terminalfa", dep: "frpoold/driver/shtrihm", want: "driver/terminalfa imports driver/shtrihm"},
		{pkg: "driver/terminalfa", dep: "frpoold/pool", want: "driver/terminalfa imports pool"},
		{pkg: "driver/terminalfa", dep: "frpoold/simulator", want: "driver/terminalfa imports simulator"},
		{pkg: "driver/terminalfa", dep: "frpoold/simulator", test: true},
		{pkg: "driver/drivertest", dep: "frpoold/driver/terminalfa", want: "driver/drivertest imports driver/terminalfa"},
		{pkg: "pool", dep: "frpoold/driver"},
		{pkg: "pool", dep: "frpoold/driver/terminalfa", want: "pool imports driver/terminalfa"},
		{pkg: "pool", dep: "frpoold/driver/terminalfa", test: true, want: "a test of pool imports driver/terminalfa"},
		{pkg: "simulator", dep: "frpoold/driver/wire/terminalfa"},
		{pkg: "simulator", dep: "frpoold/driver", want: "simulator imports driver"},
		{pkg: "simulator", dep: "frpoold/driver/terminalfa", test: true, want: "a test of simulator imports driver/terminalfa"},
		{pkg: "simulator", dep: "frpoold/pool", want: "simulator imports pool"},
		{pkg: "simulator", dep: "frpoold/dispatcher", want: "simulator imports dispatcher"},
		{pkg: "dispatcher", dep: "frpoold/store", want: "dispatcher imports store"},
		{pkg: "dispatcher", dep: "frpoold/store", test: true},
		{pkg: "dispatcher", dep: "frpoold/api", want: "dispatcher imports api"},
		{pkg: "api", dep: "frpoold/driver/terminalfa", want: "api imports driver/terminalfa"},
		{pkg: "api", dep: "frpoold/simulator", want: "api imports simulator"},
		{pkg: "cmd/frpoold", dep: "frpoold/simulator"},
		{pkg: "cmd/frpoold", dep: "frpoold/driver/shtrihm"},
		{pkg: "cmd/frpoold", dep: "frpoold/driver/wire/terminalfa", want: "cmd/frpoold imports driver/wire/terminalfa"},
		{pkg: "integration/native", dep: "frpoold/integration/paykeeper", want: "integration/native imports integration/paykeeper"},
		{pkg: "config", dep: "frpoold/cmd/frpoold", want: "config imports cmd/frpoold"},
		{pkg: "toolbox", dep: "fmt", want: "toolbox stands nowhere in the picture"},
		{pkg: "dispatcher", dep: "go.etcd.io/bbolt", want: "dispatcher imports go.etcd.io/bbolt"},
		{pkg: "store", dep: "go.etcd.io/bbolt"},
		{pkg: "pool", dep: "github.com/stretchr/testify/require", want: "pool imports github.com/stretchr/testify/require: it is for tests"},
		{pkg: "pool", dep: "github.com/stretchr/testify/require", test: true},
		{pkg: "driver/drivertest", dep: "github.com/stretchr/testify/require"},
	} {
		p := goPackage{ImportPath: module + tc.pkg}
		if tc.test {
			p.TestImports = []string{tc.dep}
			x := goPackage{ImportPath: p.ImportPath, XTestImports: p.TestImports}
			require.Equal(t, check(p), check(x), "a test is a test, in the package or beside it")
		} else {
			p.Imports = []string{tc.dep}
		}
		faults := check(p)
		if tc.want == "" {
			require.Empty(t, faults)
			continue
		}
		require.Len(t, faults, 1, tc.want)
		require.Contains(t, faults[0], tc.want)
	}
}
