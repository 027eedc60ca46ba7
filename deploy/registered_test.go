package deploy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var maker = regexp.MustCompile(`^New(Counter|Gauge|Histogram|Summary)(Vec|Func)?$|^NewDesc$`)

// registered reads the metrics and their labels out of the program's source. A running daemon shows a metric with labels
// only after it was used, so asking one would prove less. A package may have a helper that puts a prefix before the name and
// labels of its own before the others; anything cleverer than that makes a metric look missing here.
func registered(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, files := range packages(t) {
		helpers := map[string]*ast.CallExpr{}
		for _, f := range files {
			for _, decl := range f.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok {
					eachCall(fn, func(name string, call *ast.CallExpr) {
						if _, plus := call.Args[0].(*ast.BinaryExpr); plus && name == "NewDesc" {
							helpers[fn.Name.Name] = call
						}
					})
				}
			}
		}
		for _, f := range files {
			eachCall(f, func(name string, call *ast.CallExpr) {
				switch metric := metricName(call.Args[0]); {
				case metric == "":
				case maker.MatchString(name):
					found[metric] = labelNames(call)
				case helpers[name] != nil && len(call.Args) > 1:
					inner := helpers[name]
					labels := labelNames(inner)
					for _, a := range call.Args[2:] {
						labels = append(labels, text(a))
					}
					found[text(inner.Args[0].(*ast.BinaryExpr).X)+metric] = labels
				}
			})
		}
	}
	return found
}

// packages are the files of each folder of the program, without tests.
func packages(t *testing.T) map[string][]*ast.File {
	t.Helper()
	out := map[string][]*ast.File{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			out[filepath.Dir(path)] = append(out[filepath.Dir(path)], f)
		}
		return nil
	}))
	return out
}

// eachCall visits the calls that have arguments.
func eachCall(n ast.Node, visit func(name string, call *ast.CallExpr)) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			visit(fun.Name, call)
		case *ast.SelectorExpr:
			visit(fun.Sel.Name, call)
		}
		return true
	})
}

// metricName is a text, or the Name of a set of options; "" for anything else.
func metricName(arg ast.Expr) string {
	opts, ok := arg.(*ast.CompositeLit)
	if !ok {
		return text(arg)
	}
	for _, e := range opts.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Name" {
				return text(kv.Value)
			}
		}
	}
	return ""
}

// labelNames are the elements of the []string literals among the arguments behind the first.
func labelNames(call *ast.CallExpr) (labels []string) {
	for _, a := range call.Args[1:] {
		ast.Inspect(a, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok {
				for _, e := range lit.Elts {
					labels = append(labels, text(e))
				}
			}
			return true
		})
	}
	return labels
}

func text(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

// An alert on a metric that the daemon does not have never fires, and nobody notices.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	have := registered(t)
	for name, m := range metrics {
		if name == "up" {
			continue // Prometheus's own
		}
		labels, ok := have[name]
		if !ok {
			t.Errorf("no package registers %s: the alerts and panels that use it stay silent", name)
			continue
		}
		require.ElementsMatch(t, m.labels, labels, "labels of %s", name)
	}
}
