package mcpapp_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/redistest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAnAssistantWorksOverEveryTransport(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, func(s *options) { s.redis = redistest.Start(t) })
			a := variant.start(t, e)
			contains(t, a.info.Instructions, "masked", "warnings", "never instructions")

			found := succeeded(t, a.call(t, "find_processes", map[string]any{"text": "1042"}))
			contains(t, text(found), "## ", "| 1042 |", "Next: list_borrowers {")
			process := sandbox.SampleProcess(sandbox.SampleOpen).String()
			contains(t, fmt.Sprint(found.StructuredContent), process)

			wrong := failed(t, a.call(t, "create_borrower", withArg(validBorrower(), "personal.taxId", "299999999")), "personal.taxId", "nif.check_digit")
			lacks(t, wrong, "299999999", "Rui", "rui@example.com", "912345678")

			typo := failed(t, a.call(t, "create_borrower", withArg(validBorrower(), "personal.taxID", "299999998")), "args.misplaced", "«taxID» belongs at personal.taxId")
			lacks(t, typo, "299999998")

			created := succeeded(t, a.call(t, "create_borrower", validBorrower()))
			contains(t, text(created), "Rui A.", "Next: get_esis {")

			listed := succeeded(t, a.call(t, "list_borrowers", map[string]any{"process": process}))
			everything := text(listed) + fmt.Sprint(listed.StructuredContent)
			contains(t, everything, "Rui A.", "••••••998", "Maria E.")
			lacks(t, everything, "Amostra", "299999998")

			esis := succeeded(t, a.call(t, "get_esis", map[string]any{"process": 1042}))
			link := linkOf(t, esis)
			if link.URI != "balcao://processes/"+process+"/esis" || link.MIMEType != "application/pdf" || link.Name != "FINE-1042.pdf" || *link.Size < 1000 {
				t.Errorf("the link is %+v", link)
			}
			lacks(t, text(esis), "JVBERi0") // %PDF- as base64
			pdf := a.readPDF(t, link.URI)
			if int64(len(pdf)) != *link.Size || !strings.HasPrefix(pdf, "%PDF-") {
				t.Errorf("read %d bytes beginning %.8q", len(pdf), pdf)
			}
			lacks(t, e.log.String(), "Rui", "Amostra", "299999998", "rui@example.com", "912345678", "1850.5")
			contains(t, e.log.String(), `"via":"`+strings.ToLower(strings.Fields(variant.name)[0])+" "+variant.protocol+`"`)
		})
	}
}

func linkOf(t *testing.T, result *mcp.CallToolResult) mcp.ResourceLink {
	t.Helper()
	for _, content := range result.Content {
		if link, ok := content.(mcp.ResourceLink); ok {
			return link
		}
	}
	t.Fatalf("no link in %+v", result.Content)
	return mcp.ResourceLink{}
}

func (a *assistant) readPDF(t *testing.T, uri string) string {
	t.Helper()
	read, err := a.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
	must(t, err)
	blob, ok := read.Contents[0].(mcp.BlobResourceContents)
	if !ok || len(read.Contents) != 1 || blob.URI != uri || blob.MIMEType != "application/pdf" {
		t.Fatalf("read %T at %s", read.Contents[0], blob.URI)
	}
	content, err := base64.StdEncoding.DecodeString(blob.Blob)
	must(t, err)
	return string(content)
}

func TestAWarningIsConfirmedByAPersonFirst(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			args := withArg(withArg(validBorrower(), "personal.name", "Amostra"), "idempotencyKey", "k-1") // the key outlives the warning
			confirmed := a.confirmed(t, "create_borrower", args, "name.words", "warning")
			failed(t, a.call(t, "create_borrower", withArg(confirmed, "personal.mobile", "913456789")), "name.words", "confirmation.arguments")
			succeeded(t, a.call(t, "create_borrower", confirmed))
		})
	}
}

func TestTheSameKeyMakesOneBorrower(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variant.start(t, e)
			before := len(e.bank.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen)))
			first := succeeded(t, a.call(t, "create_borrower", withArg(validBorrower(), "idempotencyKey", "k-1")))
			second := succeeded(t, a.call(t, "create_borrower", withArg(validBorrower(), "idempotencyKey", "k-1")))
			if text(first) != text(second) || fmt.Sprint(first.StructuredContent) != fmt.Sprint(second.StructuredContent) {
				t.Errorf("two answers:\n%s\n%s", text(first), text(second))
			}
			if made := len(e.bank.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen))) - before; made != 1 {
				t.Errorf("made %d borrowers", made)
			}
			lacks(t, failed(t, a.call(t, "create_borrower", withArg(withArg(validBorrower(), "idempotencyKey", "k-1"), "personal.mobile", "913456789"))), "913456789")
			failure := failed(t, a.call(t, "create_borrower", withArg(validBorrower(), "idempotencyKey", strings.Repeat("é", 129))), "idempotencyKey", "128")
			_, id, _ := strings.Cut(failure, "Reference: ")
			contains(t, e.log.String(), id)
			failed(t, a.call(t, "create_borrower", withArg(validBorrower(), "confirmation", []string{"name.words"})), "- confirmation:")
		})
	}
}

func TestAReaderIsOfferedAndMayCallOnlyReads(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			e := start(t, asActor("reader"))
			a := variant.start(t, e)
			for _, tool := range a.tools(t) {
				if !*tool.Annotations.ReadOnlyHint {
					t.Errorf("%s is offered", tool.Name)
				}
			}
			failed(t, a.call(t, "create_borrower", validBorrower()), "not permitted")
			if n := e.bank.Calls("borrowerCreate"); n != 0 {
				t.Errorf("the bank was called %d times", n)
			}
			lacks(t, text(succeeded(t, a.call(t, "list_borrowers", map[string]any{"process": 1042}))), "create_borrower")
		})
	}
}

func TestAStrangerIsOfferedNothing(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			a := variant.start(t, start(t, asActor("nobody")))
			if offered := a.tools(t); len(offered) != 0 {
				t.Errorf("%d tools are offered", len(offered))
			}
			templates, err := a.ListResourceTemplates(t.Context(), mcp.ListResourceTemplatesRequest{})
			must(t, err)
			if len(templates.ResourceTemplates) != 0 {
				t.Errorf("%d documents are offered", len(templates.ResourceTemplates))
			}
			failed(t, a.call(t, "find_processes", nil), "not permitted")
		})
	}
}

func TestAMissingDocumentHasTheCodeOfItsRevision(t *testing.T) {
	t.Parallel()
	codes := map[string]error{"2025-11-25": mcp.ErrResourceNotFound, "2026-07-28": mcp.ErrInvalidParams} // -32002, -32602
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			a := variant.start(t, start(t))
			for _, uri := range []string{
				"balcao://processes/999999/esis",
				"balcao://processes/299999998x/esis",
				"balcao://processes/" + sandbox.SampleProcess(sandbox.SampleOthers).String() + "/esis", // of another broker
				"balcao://borrowers/299999998",
				"file:///etc/passwd",
			} {
				_, err := a.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: uri}})
				if !errors.Is(err, codes[variant.protocol]) {
					t.Fatalf("%s: %v, want %v", uri, err, codes[variant.protocol])
				}
				lacks(t, err.Error(), "299999998", "passwd")
			}
		})
	}
}

func TestADocumentThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for _, variant := range variants {
		for name, c := range map[string]struct {
			fault sandbox.Fault
			want  string
		}{
			"no bank":     {sandbox.Fault{Operation: portal.ProcessESISGet, Status: 503}, "cannot be reached"},
			"not a reply": {sandbox.Fault{Operation: portal.ProcessESISGet, Body: sandbox.HTML}, "with the reference "},
		} {
			t.Run(name+" "+variant.name, func(t *testing.T) {
				t.Parallel()
				e := start(t)
				e.bank.Inject(c.fault)
				a := variant.start(t, e)
				_, err := a.ReadResource(t.Context(), mcp.ReadResourceRequest{Params: mcp.ReadResourceParams{URI: "balcao://processes/1042/esis"}})
				if !errors.Is(err, mcp.ErrInternalError) {
					t.Fatalf("got %v", err)
				}
				contains(t, err.Error(), c.want)
				lacks(t, err.Error(), "<", "html", "goroutine")
			})
		}
	}
}
