package frpoold_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxLines is where a file has more than one job. 250 are normal, 400 a reason to look.
const maxLines = 450

// longFiles are the exceptions from maxLines, each with its reason.
var longFiles = map[string]string{}

// clockFiles may ask the process for the time or for randomness; everything else takes now or *rand.Rand from whoever
// makes it, and can so be tested at any time of any day. cmd/ wires the real ones in and needs no entry.
var clockFiles = map[string]string{
	"driver/link/tcp.go":            "the deadline of a socket is the process's own clock",
	"driver/link/pipe.go":           "as tcp.go, for tests of everything above",
	"driver/probe/probe.go":         "the deadline of a line",
	"driver/terminalfa/exchange.go": "deadlines of a line; how long an exchange took",
	"driver/terminalfa/trace.go":    "how long an exchange took",
	"driver/terminalfa/status.go":   "Status.ReadAt, to be compared with the register's own clock",
	"store/storetest/storetest.go":  "opens stores for tests",
}

// fromTheProcess are the functions of a package that take time or randomness from the process. For packages of random
// numbers it is everything but the makers of a generator.
var (
	clockFuncs = []string{"Now", "Since", "Until"}
	randMakers = []string{"New", "NewPCG", "NewChaCha8", "NewSource", "NewZipf", "Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf"}
	randPaths  = []string{"math/rand", "math/rand/v2", "crypto/rand"}
)

// source is one Go file of the repository.
type source struct {
	path  string // with slashes, from the root
	file  *ast.File
	fset  *token.FileSet
	lines int
}

func (s *source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s *source) at(p token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(p).Line)
}

func parse(t *testing.T, name string, text any) *source {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	require.NoError(t, err)
	return &source{path: filepath.ToSlash(name), file: f, fset: fset, lines: fset.File(f.FileStart).LineCount()}
}

// sources are all Go files but those in testdata and hidden folders.
func sources(t *testing.T) (list []*source) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			list = append(list, parse(t, name, nil))
		}
		return nil
	}))
	require.NotEmpty(t, list)
	return list
}

// borrowed are the places where s takes time or randomness from the process, called or passed on.
func borrowed(s *source) (places []string) {
	taken := map[string]func(string) bool{}
	for _, imp := range s.file.Imports {
		p, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			continue
		}
		local := path.Base(strings.TrimSuffix(p, "/v2"))
		if imp.Name != nil {
			local = imp.Name.Name
		}
		switch {
		case p == "time":
			taken[local] = func(f string) bool { return slices.Contains(clockFuncs, f) }
		case slices.Contains(randPaths, p):
			taken[local] = func(f string) bool { return !slices.Contains(randMakers, f) }
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// A name with an object is a variable that hides the package.
		if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil && taken[x.Name] != nil && taken[x.Name](sel.Sel.Name) {
			places = append(places, fmt.Sprintf("%s: %s.%s", s.at(sel.Pos()), x.Name, sel.Sel.Name))
		}
		return true
	})
	return places
}

func TestTimeAndRandomnessArePassedIn(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.test() || strings.HasPrefix(s.path, "cmd/") {
			continue
		}
		places := borrowed(s)
		used[s.path] = len(places) > 0
		if clockFiles[s.path] != "" {
			continue
		}
		for _, p := range places {
			t.Errorf("%s: take now func() time.Time or *rand.Rand in the constructor; cmd passes the real one", p)
		}
	}
	for name := range clockFiles {
		require.True(t, used[name], "%s is in clockFiles and needs no exception: remove it", name)
	}
}

var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`)

func notes(s *source) (places []string) {
	for _, g := range s.file.Comments {
		for _, c := range g.List {
			if w := unfinished.FindString(c.Text); w != "" {
				places = append(places, fmt.Sprintf("%s: %s", s.at(c.Pos()), w))
			}
		}
	}
	return places
}

func TestNothingIsLeftForLater(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, p := range notes(s) {
			t.Errorf("%s: do it now, or file an issue", p)
		}
	}
}

func TestFilesHaveOneJob(t *testing.T) {
	t.Parallel()
	long := map[string]bool{}
	for _, s := range sources(t) {
		long[s.path] = s.lines > maxLines
		if long[s.path] && longFiles[s.path] == "" {
			t.Errorf("%s has %d lines, allowed are %d: it has more than one job; split it by job", s.path, s.lines, maxLines)
		}
	}
	for name := range longFiles {
		require.True(t, long[name], "%s is in longFiles and is not long: remove it", name)
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		dir := path.Dir(s.path)
		documented[dir] = documented[dir] || s.file.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: say what it owns, what it must not know and how it fails", dir)
		}
	}
}

// The checkers themselves.
func TestStyleChecksCatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"call", "import \"time\"\nvar a = time.Now()", []string{"a.go:3: time.Now"}},
		{"value", "import \"time\"\nvar a = time.Now", []string{"a.go:3: time.Now"}},
		{"since", "import \"time\"\nfunc f(t time.Time) time.Duration { return time.Since(t) }", []string{"a.go:3: time.Since"}},
		{"renamed", "import clock \"time\"\nvar a = clock.Now()", []string{"a.go:3: clock.Now"}},
		{"other names of time", "import \"time\"\nvar a = time.Second", nil},
		{"global random", "import \"math/rand/v2\"\nvar a = rand.IntN(3)", []string{"a.go:3: rand.IntN"}},
		{"random for keys", "import \"crypto/rand\"\nvar a = rand.Text()", []string{"a.go:3: rand.Text"}},
		{"own generator", "import \"math/rand/v2\"\nvar a = rand.New(rand.NewPCG(1, 2))", nil},
		{"a variable called rand", "import \"math/rand/v2\"\nfunc f(rand *rand.Rand) int { return rand.IntN(3) }", nil},
		{"a field", "type s struct{ time interface{ Now() int } }\nfunc f(s s) int { return s.time.Now() }", nil},
	} {
		require.Equal(t, tc.want, borrowed(parse(t, "a.go", "package a\n"+tc.text)), tc.name)
	}
	word := "TO" + "DO"
	require.Equal(t, []string{"a.go:3: " + word}, notes(parse(t, "a.go", "package a\nvar s = \""+word+"\"\n// "+word+" later\n")))
}
