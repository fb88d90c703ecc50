package portal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/portal"
)

var document = uuid.MustParse("0c3f2e6a-534b-4e9d-8b0d-8f1a2b3c4d5e")

// pdf returns a document of n bytes.
func pdf(n int) []byte {
	data := []byte("%PDF-1.7\n")
	for i := range n - len(data) {
		data = append(data, byte(i*7+i>>8))
	}
	return data[:n]
}

// spooled returns a content of data.
func spooled(t testing.TB, data []byte) *spool.File {
	t.Helper()
	file, err := spool.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestADocumentIsReadInEveryFormThatItsBase64MayHave(t *testing.T) {
	t.Parallel()
	data := pdf(100_001)
	plain := base64.StdEncoding.EncodeToString(data)
	lines := ""
	for rest := plain; rest != ""; {
		n := min(76, len(rest))
		lines, rest = lines+rest[:n]+`\r\n`, rest[n:]
	}
	for name, text := range map[string]string{
		"plain":              plain,
		"in lines":           lines,
		"with escapes":       strings.NewReplacer("/", `\/`, "+", `\u002B`, "A", `\u0041`).Replace(plain),
		"for URLs":           base64.URLEncoding.EncodeToString(data),
		"without padding":    base64.RawStdEncoding.EncodeToString(data),
		"both":               base64.RawURLEncoding.EncodeToString(data),
		"as the data of URL": "data:application/pdf;base64," + plain,
	} {
		for _, around := range []string{
			`{"fileName":"recibo.pdf","title":"Recibo","content":"` + text + `"}`,
			`{"content":"` + text + `","title":"Recibo","fileName":"recibo.pdf"}`,
			" \n{ \"CONTENT\" : \n\"" + text + `", "title":"Recibo", "pages":[{"content":null},"content",1e3,true], "fileName": "recibo.pdf", "other":{"a":"\ud83d\ude00\"\\"}}`,
		} {
			_, config := overTCP(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, around) })
			config.MaxReply = 8 << 10
			got, err := as(t, config, maria).Document(t.Context(), process, document)
			if err != nil {
				t.Errorf("%s in %.40s…: %v", name, around, err)
				continue
			}
			if got.FileName.Reveal() != "recibo.pdf" || got.Title.Reveal() != "Recibo" || !bytes.Equal(contentOf(t, got.File), data) {
				t.Errorf("%s in %.40s…: got another document", name, around)
			}
		}
	}
}

func TestAReplyThatHasNoDocumentIsNotUnderstood(t *testing.T) {
	t.Parallel()
	content := base64.StdEncoding.EncodeToString(pdf(50_000))
	for name, c := range map[string]struct {
		reply string
		says  string
	}{
		"no base64":        {`{"content":"não!"}`, "the document is not base64"},
		"cut base64":       {`{"content":"` + content[:101] + `"}`, "the document is not base64"},
		"another name":     {`{"file":"` + content + `","title":"x"}`, "the reply has no content; came {file:"},
		"null":             {`{"content":null}`, "the reply has no content"},
		"no text":          {`{"content":[1]}`, "another type"},
		"no JSON":          {`<html>`, "not understood"},
		"a broken escape":  {`{"content":"\x"}`, "a string is not JSON"},
		"nothing":          {``, ""},
		"too many fields":  {`{"a":[` + strings.Repeat(`"xxxxxxxxxxxxxxx",`, 3000) + `"x"]}`, "the reply is too large"},
		"too large":        {`{"content":"` + base64.StdEncoding.EncodeToString(pdf(70_001)) + `"}`, "the document is too large"},
		"a text at an end": {`{"content":"` + content, ""},
	} {
		bank, config := overTCP(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, c.reply) })
		config.MaxReply, config.MaxContent, config.ReadAttempts = 32<<10, 70_000, 1
		got, err := as(t, config, maria).Document(t.Context(), process, document)
		if err == nil {
			t.Errorf("%s: got %v", name, got)
			continue
		}
		if kind := portal.KindOf(err); kind != portal.Garbled && c.says != "" || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), content[:20]) {
			t.Errorf("%s: got %v", name, err)
		}
		if is := errors.Is(err, spool.ErrTooLarge); is != (name == "too large") {
			t.Errorf("%s: too large is %v", name, is)
		}
		if len(bank.calls) != 1 {
			t.Errorf("%s: %d calls", name, len(bank.calls))
		}
	}
}

func TestADocumentIsSentPieceByPieceUnderTheNamesOfTheProfile(t *testing.T) {
	t.Parallel()
	kind := int32(203)
	for _, size := range []int{9, 10, 11, 12 << 10, 12<<10 + 1, 300_000} {
		data := pdf(size)
		sent := portal.DocumentRequest{
			DocumentTitle: pii.New[pii.Title](`Recibo de "março" content-x`), DocumentTypeID: &kind, FileName: pii.New[pii.Title]("recibo.pdf"),
			DocumentObservations: pii.New[pii.FreeText]("duas\nlinhas"), Content: spooled(t, data),
		}
		for name, c := range map[string]struct{ file, want string }{
			"built in": {``, `{"documentTitle":%t,"documentTypeID":203,"fileName":"recibo.pdf","documentObservations":"duas\nlinhas","documentContent":%c}`},
			"another": {`
				operations.documentCreate.path = "/documents"
				operations.documentCreate.body = { processUniqueId = "process", documentTitle = "doc.title", documentTypeID = "doc.type", documentContent = "doc.base64", documentObservations = "" }
				forms.ids.process = "integer"
				forms.numbers = "text"
				operations.processDetail.path = "/process/{processUniqueId}"
			`, `{"process":"77","doc":{"title":%t,"type":"203","base64":%c},"fileName":"recibo.pdf"}`},
		} {
			var length int64
			var encoding []string
			bank, config := overTCP(t, func(w http.ResponseWriter, r *http.Request) {
				length, encoding = r.ContentLength, r.TransferEncoding
				io.WriteString(w, `{"operationStatus":{"operationStatusCode":"080101"},"additionalData":{"documentUniqueID":"`+document.String()+`"}}`)
			})
			of := process
			if c.file != "" {
				config.Profile = overlay(t, c.file)
				of = uuid.UUID{6: 0x80, 8: 0x80, 15: 77}
			}
			created, err := as(t, config, maria).CreateDocument(t.Context(), of, sent)
			if err != nil || created.DocumentUniqueID != document {
				t.Fatalf("%s: got %+v, %v", name, created, err)
			}
			title, _ := json.Marshal(sent.DocumentTitle.Reveal())
			want := strings.NewReplacer("%t", string(title), "%c", `"`+base64.StdEncoding.EncodeToString(data)+`"`).Replace(c.want)
			if got := bank.bodies[0]; !sameJSON(t, got, want) {
				t.Errorf("%s: sent %.200s", name, got)
			}
			if length != int64(len(bank.bodies[0])) || encoding != nil {
				t.Errorf("%s: a length of %d in %v for %d bytes", name, length, encoding, len(bank.bodies[0]))
			}
		}
	}
}

// sameJSON reports whether two JSON values are the same.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var one, other any
	if err := errors.Join(json.Unmarshal([]byte(a), &one), json.Unmarshal([]byte(b), &other)); err != nil {
		t.Fatal(err)
	}
	first, _ := json.Marshal(one)
	second, _ := json.Marshal(other)
	return bytes.Equal(first, second)
}

// A refusal before the content is read says that nothing was changed, and so does one of an expired session.
func TestABankThatRefusesADocumentGetsNoContent(t *testing.T) {
	t.Parallel()
	data := pdf(2 << 20)
	for name, c := range map[string]struct {
		status int
		kind   portal.Kind
		calls  int
	}{
		"refused":           {400, portal.Refused, 1},
		"too many":          {429, portal.TooMany, 1},
		"too large":         {413, portal.Refused, 1},
		"the session ended": {401, portal.Unauthorized, 2},
	} {
		calls, config := withLogins(t, func(w http.ResponseWriter, _ *http.Request) { // which reads no body
			w.Header().Set("Connection", "close")
			w.WriteHeader(c.status)
			io.WriteString(w, `{"errors":[{"errorMessage":"não"}]}`)
		})
		_, err := as(t, config, maria).CreateDocument(t.Context(), process, portal.DocumentRequest{Content: spooled(t, data)})
		wantKind(t, err, c.kind)
		if got := calls(); got != c.calls {
			t.Errorf("%s: %d calls", name, got)
		}
	}
}

// withLogins serves logins, and all other calls with serve. It returns the number of the other calls.
func withLogins(t *testing.T, serve http.HandlerFunc) (calls func() int, config portal.Config) {
	t.Helper()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/authentication") {
			io.WriteString(w, `"token"`)
			return
		}
		n++
		serve(w, r)
	}))
	t.Cleanup(server.Close)
	_, config = overTCP(t, http.NotFound)
	config.BaseURL = server.URL
	return func() int { return n }, config
}

func TestAnUnclearDocumentIsNotSentAgain(t *testing.T) {
	t.Parallel()
	calls, config := withLogins(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	_, err := as(t, config, maria).UpdateDocument(t.Context(), process, document, portal.DocumentRequest{Content: spooled(t, pdf(200_000))})
	wantKind(t, err, portal.Unclear)
	if calls() != 1 {
		t.Errorf("it was sent %d times", calls())
	}
	closed := spooled(t, pdf(200_000))
	closed.Close()
	if _, err := as(t, config, maria).CreateDocument(t.Context(), process, portal.DocumentRequest{Content: closed}); err == nil || calls() != 1 {
		t.Errorf("a content that is gone is sent: %v", err)
	}
}

func TestDocumentsAreListedAndDeleted(t *testing.T) {
	t.Parallel()
	bank, config := overTCP(t, inTurn(
		text(200, `{"documentList":[{"documentUniqueID":"`+document.String()+`","documentTypeID":203,"documentTypeDescription":"Recibos","statusID":1,
			"statusDescription":"Recebido","documentTitle":"Março","fileName":"r.pdf","creationDate":"2026-11-20T10:00:00"}]}`),
		text(200, `[]`), text(200, `{}`), text(204, ``), text(400, `{"errors":[{"errorMessage":"O documento não existe ou não é deste processo."}]}`),
	))
	user := as(t, config, maria)
	all, err := user.ListDocuments(t.Context(), process)
	if err != nil || len(all) != 1 || all[0].DocumentUniqueID != document || *all[0].DocumentStatusID != 1 || all[0].Title.Reveal() != "Março" || all[0].CreationDate.IsZero() {
		t.Errorf("got %+v, %v", all, err)
	}
	if all, err := user.ListDocuments(t.Context(), process); err != nil || len(all) != 0 {
		t.Errorf("of none: got %v, %v", all, err)
	}
	if _, err := user.ListDocuments(t.Context(), process); portal.KindOf(err) != portal.Garbled {
		t.Errorf("without a list: %v", err)
	}
	if _, err := user.DeleteDocument(t.Context(), process, document); err != nil {
		t.Error(err)
	}
	if _, err := user.DeleteDocument(t.Context(), process, document); !portal.IsMissing(err) || portal.MissingReason(err) != portal.DocumentMissing {
		t.Errorf("got %v", err)
	}
	if last := bank.calls[len(bank.calls)-1]; last.Method != http.MethodDelete || !strings.HasSuffix(last.URL.Path, "/document/"+document.String()) {
		t.Errorf("called %s %s", last.Method, last.URL.Path)
	}
}
