package api

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The callers of the table below, in its order. "own" and "other" are integrations; the samples are about the receipts
// of "own".
var callers = []struct {
	name   string
	tokens bool
	who    as
}{
	{"local", false, asNobody},
	{"operator", true, asToken(operatorToken)},
	{"viewer", true, asToken(viewerToken)},
	{"own", true, asIntegration("own", "own-secret")},
	{"other", true, asIntegration("other", "other-secret")},
	{"wrong password", true, asIntegration("own", "guess")},
	{"wrong token", true, asToken("guess")},
	{"anonymous", true, asNobody},
	{"local own", false, asIntegration("own", "own-secret")},
	{"local other", false, asIntegration("other", "other-secret")},
	{"local wrong password", false, asIntegration("own", "guess")},
	{"local wrong token", false, asToken(operatorToken)}, // no tokens are configured: none is right
}

// Who may call what (design.md §12), as the status of a request that is right in itself.
var accessTable = []struct {
	method, target, route, body string
	want                        string // one status for each caller
}{
	//                                                                                     local op  view own  other pw  tok anon  l.own l.oth l.pw l.tok
	{"POST", "/int/5402/receipts", "/int/{id}/receipts", receiptBody, "                    202   202 403  202  404   401 401 401   202   404   401  401"},
	{"GET", "/int/5402/receipts", "/int/{id}/receipts", "", "                              200   200 200  200  404   401 401 401   200   404   401  401"},
	{"GET", "/receipts", "/receipts", "", "                                                200   200 200  403  403   401 401 401   403   403   401  401"},
	{"GET", "/receipts/" + string(madeJob), "/receipts/{id}", "", "                        200   200 200  200  404   401 401 401   200   404   401  401"},
	{"DELETE", "/receipts/" + string(queuedJob), "/receipts/{id}", "", "                   204   204 403  204  404   401 401 401   204   404   401  401"},
	{"POST", "/receipts/" + string(operatorJob) + "/resolve", "/receipts/{id}/resolve", `{"outcome":"made","fd":42}`,
		"                                                                                  200   200 403  403  403   401 401 401   403   403   401  401"},
	{"GET", "/frs", "/frs", "", "                                                          200   200 200  403  403   401 401 401   403   403   401  401"},
	{"GET", "/frs/" + seedEIP, "/frs/{eip}", "", "                                         200   200 200  403  403   401 401 401   403   403   401  401"},
	{"DELETE", "/frs/" + idleEIP, "/frs/{eip}", "", "                                      204   204 403  403  403   401 401 401   403   403   401  401"},
	{"GET", "/frs/" + seedEIP + "/exchanges", "/frs/{eip}/exchanges", "", "                200   200 200  403  403   401 401 401   403   403   401  401"},
	{"PATCH", "/frs/" + idleEIP + "/activate", "/frs/{eip}/activate", "", "                200   200 403  403  403   401 401 401   403   403   401  401"},
	{"PATCH", "/frs/" + seedEIP + "/deactivate", "/frs/{eip}/deactivate", "", "            200   200 403  403  403   401 401 401   403   403   401  401"},
	{"POST", "/frs/" + seedEIP + "/shift/open", "/frs/{eip}/shift/open", "", "             200   200 403  403  403   401 401 401   403   403   401  401"},
	{"POST", "/frs/" + seedEIP + "/shift/close", "/frs/{eip}/shift/close", "", "           200   200 403  403  403   401 401 401   403   403   401  401"},
	{"POST", "/frs/" + seedEIP + "/clock", "/frs/{eip}/clock", "", "                       200   200 403  403  403   401 401 401   403   403   401  401"},
	{"POST", "/frs/" + seedEIP + "/report", "/frs/{eip}/report", "", "                     200   200 403  403  403   401 401 401   403   403   401  401"},
	{"GET", "/fcircuit", "/fcircuit", "", "                                                200   200 200  403  403   401 401 401   403   403   401  401"},
	{"POST", "/fcircuit", "/fcircuit", `{"inn":"7707083893","title":"x"}`, "               201   201 403  403  403   401 401 401   403   403   401  401"},
	{"GET", "/fcircuit/770900467024", "/fcircuit/{inn}", "", "                             200   200 200  403  403   401 401 401   403   403   401  401"},
	{"POST", "/fcircuit/7/fr", "/fcircuit/{id}/fr", `{"type":"terminalfa","eip":"a:1"}`, " 201   201 403  403  403   401 401 401   403   403   401  401"},
	{"POST", "/fcircuit/7/int", "/fcircuit/{id}/int", `{"type":"native","param1":"a","param2":"b"}`,
		"                                                                                  201   201 403  403  403   401 401 401   403   403   401  401"},
	{"GET", "/int/5402", "/int/{id}", "", "                                                200   200 200  403  403   401 401 401   403   403   401  401"},
	{"DELETE", "/int/5402", "/int/{id}", "", "                                             204   204 403  403  403   401 401 401   403   403   401  401"},
	{"PATCH", "/int/5402/activate", "/int/{id}/activate", "", "                            200   200 403  403  403   401 401 401   403   403   401  401"},
	{"PATCH", "/int/5402/deactivate", "/int/{id}/deactivate", "", "                        200   200 403  403  403   401 401 401   403   403   401  401"},
	{"GET", "/audit", "/audit", "", "                                                      200   200 200  403  403   401 401 401   403   403   401  401"},
	{"GET", "/admin/backup", "/admin/backup", "", "                                        200   200 403  403  403   401 401 401   403   403   401  401"},
	{"GET", "/events", "/events", "", "                                                    200   200 200  403  403   401 401 401   403   403   401  401"},
	{"GET", "/healthz", "/healthz", "", "                                                  200   200 200  200  200   401 401 200   200   200   401  401"},
	{"GET", "/readyz", "/readyz", "", "                                                    200   200 200  200  200   401 401 200   200   200   401  401"},
	{"GET", "/metrics", "/metrics", "", "                                                  200   200 200  403  403   401 401 401   403   403   401  401"},
	{"GET", "/openapi.json", "/openapi.json", "", "                                        200   200 200  200  200   401 401 200   200   200   401  401"},
}

func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, row := range accessTable {
		covered[row.method+" "+row.route] = true
		want := strings.Fields(row.want)
		require.Len(t, want, len(callers), row.route)
		for i, caller := range callers {
			t.Run(row.method+" "+row.route+" "+caller.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, func(o *Options) {
					if caller.tokens {
						withTokens(o)
					}
				})
				if row.route == "/events" { // it ends with the client or the daemon
					w.stop()
				}
				a := w.do(row.method, row.target, row.body, caller.who)
				require.Equal(t, want[i], strconv.Itoa(a.status), "%s", a.body)
				switch a.status {
				case http.StatusUnauthorized:
					require.Len(t, a.header.Values("WWW-Authenticate"), 2)
				case http.StatusForbidden:
					a.failed(http.StatusForbidden, "forbidden")
				}
				if a.status >= 400 {
					require.Empty(t, w.jobs.submit.ExternalID)
					require.Empty(t, w.jobs.resolved)
					require.Empty(t, w.fleet.calls)
					require.Empty(t, w.circuits.calls)
				}
			})
		}
	}
	for _, r := range routes {
		require.True(t, covered[r.method+" "+r.path], "%s %s is not in the table of access", r.method, r.path)
	}
	require.Len(t, accessTable, len(routes))
}
