package api

import (
	"context"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

func loadDocument(t *testing.T) *openapi3.T {
	t.Helper()
	raw, err := openapiJSON()
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	require.NoError(t, err)
	return doc
}

func TestDocumentIsValid(t *testing.T) {
	t.Parallel()
	require.NoError(t, loadDocument(t).Validate(context.Background(), openapi3.EnableExamplesValidation()))
}

// The table and the document list the same routes, and the document's security says what the table's access says.
func TestDocumentMatchesRoutes(t *testing.T) {
	t.Parallel()
	doc := loadDocument(t)
	inTable := map[string]access{}
	for _, r := range routes {
		inTable[r.method+" "+r.path] = r.access
	}
	require.Len(t, inTable, len(routes), "a route stands in the table twice")
	inDocument := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			key := method + " " + path
			inDocument[key] = true
			acc, known := inTable[key]
			require.True(t, known, "%s is documented and not in the table", key)
			require.Equal(t, acc == accessOwnRead || acc == accessOwnWrite, allows(doc, op, "integration"), "%s: security", key)
			require.Equal(t, acc != accessPublic, allows(doc, op, "token"), "%s: security", key)
			forbids := op.Responses.Status(http.StatusForbidden) != nil
			require.Equal(t, acc != accessPublic && acc != accessOwnRead, forbids, "%s: is 403 possible?", key)
			require.NotEmpty(t, op.OperationID, key)
			require.NotEmpty(t, op.Summary, key)
		}
	}
	for key := range inTable {
		require.True(t, inDocument[key], "%s is in the table and not documented", key)
	}
}

func allows(doc *openapi3.T, op *openapi3.Operation, scheme string) bool {
	list := doc.Security
	if op.Security != nil {
		list = *op.Security
	}
	for _, alternative := range list {
		if _, ok := alternative[scheme]; ok {
			return true
		}
	}
	return false
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	a := newWorld(t, withTokens).get("/openapi.json").ok(http.StatusOK)
	require.Equal(t, "3.0.3", a.at("openapi"))
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
}
