package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// paySlip is a document that the bank asks for.
func paySlip(t *testing.T, content []byte) portal.DocumentRequest {
	t.Helper()
	file, err := spool.Read(bytes.NewReader(content), 40<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return portal.DocumentRequest{
		DocumentTitle: pii.New[pii.Title]("Recibo de março"), DocumentTypeID: number(203), FileName: pii.New[pii.Title]("recibo.pdf"), Content: file,
	}
}

func scan(n int) []byte { return append([]byte("%PDF-1.7\n"), make([]byte, n)...) }

func contentOf(t *testing.T, d portal.Document) []byte {
	t.Helper()
	defer d.Close()
	reader, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestADocumentIsAddedChangedAndRemoved(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	user, ctx, process := d.user(t), t.Context(), sandbox.SampleProcess(sandbox.SampleOpen)
	before, err := user.ListDocuments(ctx, process)
	if err != nil || len(before) != 1 || before[0].DocumentUniqueID != sandbox.SampleDocument(sandbox.SampleOpen, 0) || before[0].DocumentStatusDescription != "Missing" || before[0].DocumentTypeID != 203 {
		t.Fatalf("the bank asks for %+v, %v", before, err)
	}
	content := scan(3 << 20)
	created, err := user.CreateDocument(ctx, process, paySlip(t, content))
	if err != nil || created.OperationStatus.Code != "060111" || !slices.Equal(d.Documents(process), []uuid.UUID{created.DocumentUniqueID}) {
		t.Fatalf("%+v, %v", created, err)
	}
	all, err := user.ListDocuments(ctx, process)
	if err != nil || len(all) != 1 || all[0].DocumentStatusDescription != "Received" || all[0].Title.Reveal() != "Recibo de março" || all[0].FileName.Reveal() != "recibo.pdf" {
		t.Errorf("it replaces the request: %+v, %v", all, err)
	}
	got, err := user.Document(ctx, process, created.DocumentUniqueID)
	if err != nil || got.FileName.Reveal() != "recibo.pdf" || !bytes.Equal(contentOf(t, got), content) {
		t.Errorf("another document came back: %v, %v", got, err)
	}
	if _, err := user.UpdateDocument(ctx, process, created.DocumentUniqueID, portal.DocumentRequest{DocumentObservations: pii.New[pii.FreeText]("só a frente")}); err != nil {
		t.Fatal(err)
	}
	if err := d.DecideDocument(process, created.DocumentUniqueID, false); err != nil {
		t.Fatal(err)
	}
	if all, err := user.ListDocuments(ctx, process); err != nil || all[0].DocumentStatusDescription != "Refused" || all[0].Observations.Reveal() != "só a frente" {
		t.Errorf("%+v, %v", all, err)
	}
	photo := append([]byte("\x89PNG\r\n\x1a\n"), scan(100)...)
	if _, err := user.UpdateDocument(ctx, process, created.DocumentUniqueID, portal.DocumentRequest{Content: paySlip(t, photo).Content}); err != nil {
		t.Fatal(err)
	}
	if all, err := user.ListDocuments(ctx, process); err != nil || all[0].DocumentStatusDescription != "Received" || all[0].Title.Reveal() != "Recibo de março" {
		t.Errorf("what is omitted stays: %+v, %v", all, err)
	}
	if got, err := user.Document(ctx, process, created.DocumentUniqueID); err != nil || !bytes.Equal(contentOf(t, got), photo) {
		t.Errorf("the content is not replaced: %v", err)
	}
	if _, err := user.DeleteDocument(ctx, process, created.DocumentUniqueID); err != nil {
		t.Fatal(err)
	}
	if _, err := user.Document(ctx, process, created.DocumentUniqueID); portal.MissingReason(err) != portal.DocumentMissing {
		t.Errorf("of a document that was removed: %v", err)
	}
	if after, err := user.Process(ctx, process); err != nil || after.LastActionDescription != "Document removed" {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestTheSamplesHaveDocumentsThatAreMissingRefusedAndAccepted(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	user, ctx, process := d.user(t), t.Context(), sandbox.SampleProcess(sandbox.SampleCouple)
	all, err := user.ListDocuments(ctx, process)
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for i, each := range all {
		states = append(states, each.DocumentStatusDescription)
		got, err := user.Document(ctx, process, sandbox.SampleDocument(sandbox.SampleCouple, i))
		if each.DocumentStatusDescription == "Missing" {
			if failure, ok := errors.AsType[*portal.Error](err); !ok || failure.Messages[0].Reason != "document.noContent" {
				t.Errorf("of a document that it asks for: %v", err)
			}
		} else if content := contentOf(t, got); err != nil || !bytes.HasPrefix(content, []byte("%PDF-")) || !bytes.HasSuffix(content, []byte("%%EOF\n")) {
			t.Errorf("document %d is %.20q, %v", i, content, err)
		}
	}
	if want := []string{"Accepted", "Refused", "Missing", "Received"}; !slices.Equal(states, want) {
		t.Errorf("got %v, want %v", states, want)
	}
}

func TestADocumentIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		process int
		change  func(*portal.DocumentRequest)
		want    portal.Reason
		field   string
	}{
		"of another type than it seems": {1042, func(d *portal.DocumentRequest) { d.Content = paySlip(t, []byte("PK\x03\x04 a zip")).Content }, "document.type", "documentContent"},
		"of nothing":                    {1042, func(d *portal.DocumentRequest) { d.Content = paySlip(t, nil).Content }, "document.empty", "documentContent"},
		"too large":                     {1042, func(d *portal.DocumentRequest) { d.Content = paySlip(t, scan(20<<20)).Content }, "document.size", ""},
		"without a content":             {1042, func(d *portal.DocumentRequest) { d.Content = nil }, "field.required", "documentContent"},
		"without a title":               {1042, func(d *portal.DocumentRequest) { d.DocumentTitle = pii.Title{} }, "field.required", "documentTitle"},
		"without a type":                {1042, func(d *portal.DocumentRequest) { d.DocumentTypeID = nil }, "field.required", "documentTypeID"},
		"of an unknown type":            {1042, func(d *portal.DocumentRequest) { d.DocumentTypeID = number(999) }, "field.id", "documentTypeID"},
		"with a long title":             {1042, func(d *portal.DocumentRequest) { d.DocumentTitle = pii.New[pii.Title](strings.Repeat("ã", 101)) }, "field.length", "documentTitle"},
		"of a process that has ended":   {1049, nil, "process.state", ""},
		"of another broker's process":   {1051, nil, "process.missing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newHarness(t, sandbox.Config{})
			document := paySlip(t, scan(100))
			if c.change != nil {
				c.change(&document)
			}
			_, err := d.user(t).CreateDocument(t.Context(), sandbox.SampleProcess(c.process), document)
			failure, ok := errors.AsType[*portal.Error](err)
			if !ok || failure.Kind != portal.Refused || len(failure.Messages) != 1 || failure.Messages[0].Reason != c.want || failure.Messages[0].Field != c.field {
				t.Errorf("got %v, %+v", err, failure)
			}
		})
	}
}

func TestABodyThatHasNoDocumentIsRefused(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	path := "/v1/processes/" + sandbox.SampleProcess(sandbox.SampleOpen).String() + "/document"
	whole := `{"documentTitle":"x","documentTypeID":203,"fileName":"x.pdf","documentContent":"` + base64.StdEncoding.EncodeToString(scan(10)) + `"}`
	for name, c := range map[string]struct {
		body, media string
		status      int
	}{
		"the right one":   {whole, "application/json", 200},
		"no base64":       {strings.Replace(whole, "JVBE", "não!", 1), "application/json", 400},
		"a mark":          {`{"documentTitle":"x","documentTypeID":203,"fileName":"x.pdf","other":1}`, "application/json", 400},
		"a list":          {strings.Replace(whole, `"documentContent":"`, `"documentContent":["`, 1), "application/json", 400},
		"no JSON":         {"<xml/>", "application/json", 400},
		"nothing":         {"", "application/json", 400},
		"cut":             {whole[:len(whole)-4], "application/json", 400},
		"a form":          {whole, "application/x-www-form-urlencoded", 415},
		"a long title":    {strings.Replace(whole, `"documentTitle":"x"`, `"documentTitle":["`+strings.Repeat(`x","`, 30_000)+`x"]`, 1), "application/json", 413},
		"an unknown name": {strings.Replace(whole, `"documentTitle"`, `"title"`, 1), "application/json", 400},
	} {
		header := http.Header{"Authorization": {"Bearer " + d.token}, "Content-Type": {c.media}}
		if got := d.send(t, "POST", path, c.body, header); got.status != c.status {
			t.Errorf("%s: got %d %s, %v", name, got.status, got.body, got.err)
		}
	}
	if n := len(d.Documents(sandbox.SampleProcess(sandbox.SampleOpen))); n != 1 {
		t.Errorf("%d documents were stored", n)
	}
	header := http.Header{"Authorization": {"Bearer other"}, "Content-Type": {"application/json"}}
	if got := d.send(t, "POST", path, whole, header); got.status != 401 {
		t.Errorf("without a session: got %d %s", got.status, got.body)
	}
}

func TestAFaultOfADocumentIsThatOfAnyOperation(t *testing.T) {
	for name, c := range map[string]struct {
		fault sandbox.Fault
		kind  portal.Kind
		kept  int
	}{
		"its answer is lost": {sandbox.Fault{DropAfter: true}, portal.Unclear, 1},
		"it is lost":         {sandbox.Fault{DropBefore: true}, portal.Unclear, 0},
		"the bank fails":     {sandbox.Fault{Status: 503}, portal.Unclear, 0},
	} {
		d := newHarness(t, sandbox.Config{})
		process := sandbox.SampleProcess(sandbox.SampleOpen)
		c.fault.Operation, c.fault.Times = portal.DocumentCreate, 1
		d.Inject(c.fault)
		_, err := d.user(t).CreateDocument(t.Context(), process, paySlip(t, scan(300<<10)))
		if portal.KindOf(err) != c.kind || len(d.Documents(process)) != c.kept {
			t.Errorf("%s: got %v, and %d are kept", name, err, len(d.Documents(process)))
		}
	}
	d := newHarness(t, sandbox.Config{})
	d.Inject(sandbox.Fault{Operation: portal.DocumentGet, Body: sandbox.Truncated, Times: 1})
	process := sandbox.SampleProcess(sandbox.SampleCouple)
	if got, err := d.user(t).Document(t.Context(), process, sandbox.SampleDocument(sandbox.SampleCouple, 0)); err != nil || len(contentOf(t, got)) == 0 {
		t.Errorf("a read that was cut is repeated: %v", err)
	}
	if n := d.Calls(portal.DocumentGet); n != 2 {
		t.Errorf("%d calls", n)
	}
}
