package mcpapp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/portal/sandbox"
)

// readText returns a resource that is a text, and its media type.
func (a *assistant) readText(t *testing.T, uri string) (content, mediaType string) {
	t.Helper()
	read, err := a.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
	must(t, err)
	text, ok := read.Contents[0].(mcp.TextResourceContents)
	if !ok || len(read.Contents) != 1 || text.URI != uri {
		t.Fatalf("read %+v", read.Contents)
	}
	return text.Text, text.MIMEType
}

func TestAResultIsAResourceWithTheTextOfTheCall(t *testing.T) {
	t.Parallel()
	borrower := sandbox.SampleBorrower(sandbox.SampleCouple, 0).String()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			for uri, c := range map[string]struct {
				tool string
				args map[string]any
				want []string
			}{
				"balcao://processes/1043": {"get_process", map[string]any{"process": "1043"}, []string{"1043", "I. M."}},
				"balcao://processes/" + sandbox.SampleProcess(sandbox.SampleCouple).String(): {"get_process", map[string]any{"process": "1043"}, nil},
				"balcao://processes/1043/borrowers/" + borrower:                              {"get_borrower", map[string]any{"process": "1043", "borrower": borrower}, []string{"••••••"}},
				"balcao://lists/maritalStatuses":                                             {"search_taxonomy", map[string]any{"taxonomy": "maritalStatuses"}, []string{"Married"}},
				"balcao://lists/Estado%20civil":                                              {"search_taxonomy", map[string]any{"taxonomy": "maritalStatuses"}, nil},
			} {
				read, mediaType := a.readText(t, uri)
				called := text(succeeded(t, a.call(t, c.tool, c.args)))
				if mediaType != "text/markdown" || !strings.HasPrefix(called, read) || read == "" {
					t.Errorf("%s is %s, and the call says %s: %s", uri, mediaType, called, read)
				}
				lacks(t, read, "Next:")
			}
			count := strings.Count(e.log.String(), `"tool":"get_process","actor":"ana","outcome":"done"`)
			if count != 4 {
				t.Errorf("%d calls of get_process went through the runner, want 4", count)
			}
		})
	}
}

func TestAResourceIsForThoseWhoMayCallItsTool(t *testing.T) {
	t.Parallel()
	codes := map[string]error{legacy: mcp.ErrResourceNotFound, modern: mcp.ErrInvalidParams}
	borrower := sandbox.SampleBorrower(sandbox.SampleCouple, 0).String()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			of := start(t, asActor("rita")) // of another broker
			a := variant.start(t, of)
			for _, uri := range []string{
				"balcao://processes/1043", "balcao://processes/" + sandbox.SampleProcess(sandbox.SampleCouple).String(),
				"balcao://processes/1043/borrowers/" + borrower, "balcao://processes/1051/borrowers/" + borrower, "balcao://lists/none",
			} {
				_, err := a.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
				if !errors.Is(err, codes[variant.protocol]) {
					t.Errorf("%s: %v", uri, err)
				}
			}
			if read, _ := a.readText(t, "balcao://processes/1051"); !strings.Contains(read, "1051") {
				t.Errorf("her own: %s", read)
			}
		})
	}
}
