package deploy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// metric is what the daemon shows at /metrics.
type metric struct {
	labels    []string
	histogram bool
}

// metrics is the closed list that alerts and panels may use.
var metrics = map[string]metric{
	"frpoold_jobs":                                {labels: []string{"state"}},
	"frpoold_receipts_total":                      {labels: []string{"circuit", "result"}},
	"frpoold_receipt_seconds":                     {histogram: true},
	"frpoold_device_ready":                        {labels: []string{"device"}},
	"frpoold_device_gate":                         {labels: []string{"device", "gate"}},
	"frpoold_device_temperature_celsius":          {labels: []string{"device"}},
	"frpoold_device_ofd_unsent":                   {labels: []string{"device"}},
	"frpoold_device_fn_documents":                 {labels: []string{"device"}},
	"frpoold_device_fn_expires_timestamp_seconds": {labels: []string{"device"}},
	"frpoold_device_clock_skew_seconds":           {labels: []string{"device"}},
	"frpoold_exchanges_total":                     {labels: []string{"type", "result"}},
	"frpoold_in_doubt_total":                      {labels: []string{"device"}},
	"frpoold_settled_total":                       {labels: []string{"verdict"}},
	"frpoold_queue_jobs":                          {labels: []string{"circuit"}},
	"frpoold_http_requests_total":                 {labels: []string{"route", "method", "code"}},
	"frpoold_http_request_duration_seconds":       {labels: []string{"route", "method"}, histogram: true},
	"frpoold_http_login_failures_total":           {},
	"frpoold_callback_tries_total":                {labels: []string{"result"}},
	"up":                                          {labels: []string{"job", "instance"}},
}

var (
	series   = regexp.MustCompile(`\b(frpoold_\w+|up)\b(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	grouping = regexp.MustCompile(`\b(?:by|on|without|ignoring)\s*\(([^)]*)\)`)
	suffix   = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// requireKnown fails for a metric that does not exist, or a label that the metrics of the expression do not have.
func requireKnown(t *testing.T, where, expr string) {
	t.Helper()
	have := map[string]bool{}
	found := series.FindAllStringSubmatch(expr, -1)
	require.NotEmpty(t, found, "%s: no metric in %s", where, expr)
	for _, m := range found {
		name := m[1]
		if base := suffix.ReplaceAllString(name, ""); metrics[base].histogram {
			require.NotEqual(t, base, name, "%s: a histogram has only _bucket, _sum and _count in %s", where, expr)
			name, have["le"] = base, true
		}
		known, ok := metrics[name]
		require.True(t, ok, "%s: there is no %s, used in %s", where, name, expr)
		labels := known.labels
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			require.Contains(t, labels, l[1], "%s: %s has no such label in %s", where, name, expr)
		}
		for _, l := range labels {
			have[l] = true
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(g[1], ",") {
			require.True(t, have[strings.TrimSpace(l)], "%s: nothing has the label %s in %s", where, l, expr)
		}
	}
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

var labelOf = regexp.MustCompile(`\$labels\.(\w+)`)

func TestAlerts(t *testing.T) {
	t.Parallel()
	var f ruleFile
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "alerts.yaml")), &f))
	tests := read(t, "alerts_test.yaml")
	seen := map[string]bool{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			require.Regexp(t, `^Frpoold[A-Z]\w+$`, r.Alert)
			require.False(t, seen[r.Alert], "%s is there twice", r.Alert)
			seen[r.Alert] = true
			requireKnown(t, r.Alert, r.Expr)
			require.Contains(t, []string{"info", "warning", "critical"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.NotEmpty(t, r.Annotations["description"], r.Alert)
			for _, text := range r.Annotations {
				for _, l := range labelOf.FindAllStringSubmatch(text, -1) {
					require.True(t, labelled(r.Expr, l[1]), "%s: the text uses a label that the expression does not give: %s", r.Alert, l[1])
				}
			}
			require.Contains(t, tests, `alertname="`+r.Alert+`"`, "%s never fires in alerts_test.yaml", r.Alert)
		}
	}
	require.NotEmpty(t, seen)
}

// labelled reports whether the result of expr has the label: by grouping when it groups, else from its metrics.
func labelled(expr, label string) bool {
	if strings.HasPrefix(expr, "sum by") {
		return slices.Contains(strings.FieldsFunc(grouping.FindStringSubmatch(expr)[1], func(r rune) bool { return r == ',' || r == ' ' }), label)
	}
	return slices.Contains(metrics[series.FindStringSubmatch(expr)[1]].labels, label)
}

func TestAlertsWithPromtool(t *testing.T) {
	t.Parallel()
	out, ok := run(t, "", "promtool", "check", "rules", "alerts.yaml")
	require.True(t, ok, out)
	out, ok = run(t, "", "promtool", "test", "rules", "alerts_test.yaml")
	require.True(t, ok, out)
}

type dashboard struct {
	Title         string
	UID           string
	SchemaVersion int `json:"schemaVersion"`
	Panels        []panel
	Templating    struct {
		List []struct {
			Name  string
			Type  string
			Query json.RawMessage
		}
	}
}

type panel struct {
	ID      int
	Title   string
	GridPos struct{ X, Y, W, H int } `json:"gridPos"`
	Targets []struct {
		RefID        string `json:"refId"`
		Expr         string
		LegendFormat string `json:"legendFormat"`
	}
}

var legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)

func TestDashboard(t *testing.T) {
	t.Parallel()
	var d dashboard
	require.NoError(t, json.Unmarshal([]byte(read(t, "dashboard.json")), &d))
	require.Equal(t, "frpoold", d.UID)
	require.NotZero(t, d.SchemaVersion)
	require.NotEmpty(t, d.Panels)

	ids := map[int]bool{}
	cells := map[[2]int]string{}
	var rules []rule
	for _, p := range d.Panels {
		require.False(t, ids[p.ID], "panel id %d is there twice", p.ID)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				require.Empty(t, cells[[2]int{x, y}], "%s lies over another panel", p.Title)
				cells[[2]int{x, y}] = p.Title
			}
		}
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			requireKnown(t, p.Title, target.Expr)
			for _, l := range legendLabel.FindAllStringSubmatch(target.LegendFormat, -1) {
				require.Contains(t, target.Expr+strings.Join(metrics[series.FindStringSubmatch(target.Expr)[1]].labels, " "), l[1], p.Title)
			}
			rules = append(rules, rule{Alert: "Panel", Expr: strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"), Labels: map[string]string{"panel": p.Title + target.RefID}})
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			requireKnown(t, "variable "+v.Name, string(v.Query))
		}
	}
	checkExpressions(t, rules)
}

// checkExpressions lets promtool parse what Grafana will send.
func checkExpressions(t *testing.T, rules []rule) {
	t.Helper()
	b, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "panels.yaml")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	out, ok := run(t, "", "promtool", "check", "rules", path)
	require.True(t, ok, out)
}
