package documents_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/documents"
)

// The beginnings of documents of the accepted types, and of one that is not.
var (
	aPDF   = []byte("%PDF-1.7\n%âãÏÓ\n")
	aJPEG  = []byte("\xff\xd8\xff\xe0\x00\x10JFIF")
	aPNG   = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	aPhoto = []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
	aZip   = []byte("PK\x03\x04 no document")
)

func arguments(process int, files string, more ...string) string {
	return fmt.Sprintf(`{"process":"%d","documentTypeId":203,"files":%s%s}`, process, files, strings.Join(append([]string{""}, more...), ","))
}

func theOnes(e *testenv.Env, t *testing.T, process int) []portal.DocumentSummary {
	t.Helper()
	all, err := e.User().ListDocuments(t.Context(), sandbox.SampleProcess(process))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheListSaysWhatTheBankAsksForAndWhatItRefused(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	result := e.WantCard(t, "list_documents", `{"process":"1043"}`, "Documents of process 1043", "The bank asks for one document that is missing.", "Last three payslips", "Refused")
	var asked, refused []string
	for _, row := range result.Output.(documents.DocumentList).Documents {
		if row.Asked {
			asked = append(asked, row.Type)
		}
		if row.Refused {
			refused = append(refused, row.Type)
		}
	}
	if !slices.Equal(asked, []string{"Last three payslips"}) || !slices.Equal(refused, []string{"Property tax record"}) {
		t.Errorf("asked for %v, refused %v", asked, refused)
	}
	if next := result.Card.Next; !slices.ContainsFunc(next, func(s tools.Step) bool {
		return s.Tool == "add_document" && s.Label == "Add: Last three payslips" && fmt.Sprint(s.Args["documentTypeId"]) == "203"
	}) {
		t.Errorf("the next steps are %v", next)
	}
	e.WantCard(t, "list_documents", `{"process":"1046"}`, "The process has no documents")
	if _, failure := e.Call(t, "list_documents", `{"process":"1051"}`); failure == nil || failure.Kind != tools.NotFound {
		t.Errorf("of another broker's process: %v", failure)
	}
}

func TestADocumentIsAFileWithoutAClientsNameInIts(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	file := e.Files.Give("Recibo Rui Amostra 299999998.PDF", aPDF)
	added := e.MustCall(t, "add_document", arguments(1043, testenv.FilesArg(file), `"title":"Recibo de Rui 299999998"`)).Output.(documents.DocumentsAdded)
	args := fmt.Sprintf(`{"process":"1043","document":"%s"}`, added.Added[0].Document)
	result := e.MustCall(t, "get_document", args)
	defer result.Close()
	got := result.Card.File
	reader, err := got.Open()
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(reader); err != nil || !bytes.Equal(content, aPDF) {
		t.Errorf("got %q, %v", content, err)
	}
	if got.Name != "Last-three-payslips-1043.pdf" || got.MediaType != "application/pdf" || got.Size() != int64(len(aPDF)) {
		t.Errorf("got %s of %s", got.Name, got.MediaType)
	}
	if want := fmt.Sprintf("balcao://processes/%s/documents/%s", sandbox.SampleProcess(1043), added.Added[0].Document); got.URI != want {
		t.Errorf("got %s", got.URI)
	}
	for name, output := range map[string]any{"the document": result.Output, "the list": e.MustCall(t, "list_documents", `{"process":"1043"}`).Output} {
		text, err := json.Marshal(output)
		if err != nil || strings.Contains(string(text), "299999998") {
			t.Errorf("%s shows the tax number: %s, %v", name, text, err)
		}
	}
	if log := e.Log.String() + e.Audit.String(); strings.Contains(log, "Recibo") || strings.Contains(log, "Amostra") {
		t.Error("a log has the title or the name")
	}
	for args, want := range map[string]string{
		fmt.Sprintf(`{"process":"1043","document":"%s"}`, uuid.New()):                                    "document.unknown",
		fmt.Sprintf(`{"process":"1042","document":"%s"}`, added.Added[0].Document):                       "document.unknown",
		fmt.Sprintf(`{"process":"1042","document":"%s"}`, sandbox.SampleDocument(sandbox.SampleOpen, 0)): "",
	} {
		_, failure := e.Call(t, "get_document", args)
		if failure == nil || want != "" && (len(failure.Problems) != 1 || failure.Problems[0].Code != want) {
			t.Errorf("%s: got %v", args, failure)
		}
	}
}

func TestFilesOfEachTypeAreAddedInOrder(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	files := testenv.FilesArg(e.Files.Give("a.pdf", aPDF), e.Files.Give("b.pdf", aJPEG), e.Files.Give("c", aPNG), e.Files.Give("d.HEIC", aPhoto))
	result := e.WantCard(t, "add_document", arguments(1042, files, `"title":"Recibo"`, `"observations":"de 2026"`), "4 documents are in process 1042.")
	added := result.Output.(documents.DocumentsAdded).Added
	if !slices.EqualFunc(added, e.Bank.Documents(sandbox.SampleProcess(1042)), func(a documents.AddedDocument, id uuid.UUID) bool { return a.Document == id }) {
		t.Errorf("added %v", added)
	}
	var names []string
	for i, d := range theOnes(e, t, 1042) {
		names = append(names, d.FileName.Reveal())
		if d.Title.Reveal() != fmt.Sprintf("Recibo %d/4", i+1) || d.Observations.Reveal() != "de 2026" || d.DocumentTypeID != 203 {
			t.Errorf("document %d is %q, %q", i, d.Title.Reveal(), d.Observations.Reveal())
		}
	}
	for i, want := range []string{"a-*.pdf", "b-*.jpg", "c-*.png", "d-*.heic"} { // by what is in them
		begin, end, _ := strings.Cut(want, "*")
		if !strings.HasPrefix(names[i], begin) || !strings.HasSuffix(names[i], end) {
			t.Errorf("file %d is called %s", i, names[i])
		}
	}
}

func TestAFileThatTheBankDoesNotTakeIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{Profile: smallDocuments(t)})
	for name, c := range map[string]struct{ files, want string }{
		"a zip that is called a PDF": {testenv.FilesArg(e.Files.Give("a.pdf", aPDF), e.Files.Give("b.pdf", aZip)), "files file.type error"},
		"too large":                  {testenv.FilesArg(e.Files.Give("a.pdf", append(slices.Clone(aPDF), make([]byte, 4<<20)...))), "files file.too_large error"},
		"empty":                      {testenv.FilesArg(e.Files.Give("a.pdf", nil)), "files file.empty error"},
		"gone":                       {`["upload:gone"]`, "files file.gone error"},
		"nothing":                    {`[]`, "files kind.files error"},
	} {
		_, failure := e.Call(t, "add_document", arguments(1042, c.files))
		if failure == nil || failure.Kind != tools.Invalid || !slices.Equal(testenv.Problems(failure), []string{c.want}) {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	if n := e.Bank.Calls(portal.DocumentCreate); n != 0 {
		t.Errorf("the bank was asked %d times", n)
	}
}

func TestWhatIsPartlyAddedIsSaid(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	files := testenv.FilesArg(e.Files.Give("a.pdf", aPDF), e.Files.Give("b.pdf", aPDF), e.Files.Give("c.png", aPNG))
	remove := e.Bank.Inject(sandbox.Fault{Operation: portal.DocumentCreate, Status: 400, Times: 1, Reply: `{"errors":[{"errorCode":"061600","errorMessage":"O processo tem demasiados documentos"}]}`})
	defer remove()
	result := e.MustCall(t, "add_document", arguments(1042, files), testenv.WithKey("a click"))
	out := result.Output.(documents.DocumentsAdded)
	if len(out.Added) != 2 || len(out.Failed) != 1 || out.Failed[0].Number != 1 || !strings.Contains(out.Failed[0].Reason, "demasiados documentos") {
		t.Errorf("got %+v", out)
	}
	if result.Card.Title != "Not all documents were added" || !strings.Contains(result.Card.Text, "2 of 3") || len(result.Card.Facts) != 1 {
		t.Errorf("the card is %+v", result.Card)
	}
	again := e.MustCall(t, "add_document", arguments(1042, files), testenv.WithKey("a click")).Output.(documents.DocumentsAdded)
	if fmt.Sprint(again) != fmt.Sprint(out) || len(e.Bank.Documents(sandbox.SampleProcess(1042))) != 2 {
		t.Errorf("the same click gives %+v", again)
	}
	if rest := e.MustCall(t, "add_document", arguments(1042, files)).Output.(documents.DocumentsAdded); len(rest.Added) != 3 || len(e.Bank.Documents(sandbox.SampleProcess(1042))) != 3 {
		t.Errorf("the same files again: %+v, and the bank has %d", rest, len(e.Bank.Documents(sandbox.SampleProcess(1042))))
	}
	e.Bank.Inject(sandbox.Fault{Operation: portal.DocumentCreate, Status: 400, Times: 2})
	two := testenv.FilesArg(e.Files.Give("d.pdf", aPDF), e.Files.Give("e.pdf", aPDF))
	if _, failure := e.Call(t, "add_document", arguments(1042, two)); failure == nil || failure.Kind != tools.Refused {
		t.Errorf("of none: %v", failure)
	}
}

// Each file is stored once, whatever becomes of the bank's answers.
func TestADocumentIsAddedOnceWhateverBecomesOfTheAnswer(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{
		"its answer is lost": {DropAfter: true}, "it is lost": {DropBefore: true}, "the bank fails": {Status: 503}, "nonsense comes": {Body: sandbox.Garbage},
		"the session ends": {ExpireSession: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := testenv.Start(t, testenv.Options{Runner: shortCalls})
			files := testenv.FilesArg(e.Files.Give("a.pdf", aPDF), e.Files.Give("b.pdf", aPDF), e.Files.Give("c.pdf", aPDF))
			fault.Operation, fault.Times = portal.DocumentCreate, 1
			e.MustCall(t, "add_document", arguments(1042, testenv.FilesArg(e.Files.Give("z.pdf", aPDF))))
			e.Bank.Inject(fault)
			var result tools.Result
			waittest.Eventually(t, "the call is done", func() bool {
				var failure *tools.Error
				result, failure = e.Call(t, "add_document", arguments(1042, files), testenv.WithKey("a click"))
				if failure != nil && failure.Kind != tools.Unclear && failure.Kind != tools.Busy {
					t.Fatal(failure)
				}
				return failure == nil
			})
			if n := len(e.Bank.Documents(sandbox.SampleProcess(1042))); n != 4 || len(result.Output.(documents.DocumentsAdded).Added) != 3 {
				t.Errorf("the bank has %d documents, and the output is %+v", n, result.Output)
			}
		})
	}
}

func TestACitizenCardsCopyNeedsItsHoldersConsent(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	files := testenv.FilesArg(e.Files.Give("cc.jpg", aJPEG))
	card := func(more string) string {
		return fmt.Sprintf(`{"process":"1043","documentTypeId":101,"files":%s%s}`, files, more)
	}
	holder := sandbox.SampleBorrower(1043, 1).String()
	for name, c := range map[string]struct{ more, want string }{
		"without":               {``, "consent consent.needed error"},
		"refused":               {`,"consent":false`, "consent consent.needed error"},
		"nobody's":              {`,"consent":true,"consentGiven":"2026-11-20"`, "consentOf consent.holder error"},
		"of no borrower":        {`,"consent":true,"consentGiven":"2026-11-20","consentOf":"` + uuid.NewString() + `"`, "consentOf consent.holder error"},
		"without a day":         {`,"consent":true,"consentOf":"` + holder + `"`, "consentGiven consent.day error"},
		"that will be given":    {`,"consent":true,"consentOf":"` + holder + `","consentGiven":"2999-01-01"`, "consentGiven consent.future error"},
		"of a borrower's other": {`,"consent":true,"consentGiven":"2026-11-20","consentOf":"` + sandbox.SampleBorrower(1042, 0).String() + `"`, "consentOf consent.holder error"},
	} {
		_, failure := e.Call(t, "add_document", card(c.more))
		if failure == nil || failure.Kind != tools.Invalid || !slices.Equal(testenv.Problems(failure), []string{c.want}) {
			t.Errorf("%s: got %v", name, failure)
		}
	}
	_, failure := e.Call(t, "add_document", card(``), testenv.AsAssistant)
	if failure == nil || !slices.Equal(testenv.Problems(failure), []string{"documentTypeId consent.people error"}) || !strings.Contains(failure.Problems[0].Text, "/document new") {
		t.Errorf("an assistant's: %v", failure)
	}
	if n := e.Bank.Calls(portal.DocumentCreate); n != 0 {
		t.Fatalf("the bank was asked %d times", n)
	}
	e.MustCall(t, "add_document", card(`,"consent":true,"consentOf":"`+holder+`","consentGiven":"2026-11-20"`))
	if entry, _ := e.Audit.Last(); !strings.Contains(entry, `"consent":{"holder":"`+holder+`","given":"2026-11-20"}`) {
		t.Errorf("the audit log has %s", entry)
	}
	e.MustCall(t, "add_document", strings.Replace(card(``), "101", "102", 1)) // a passport
	cards := theOnes(e, t, 1043)
	id := cards[slices.IndexFunc(cards, func(d portal.DocumentSummary) bool { return d.DocumentTypeID == 101 })].DocumentUniqueID
	replaced := fmt.Sprintf(`{"process":"1043","document":"%s","file":%s`, id, strings.Trim(testenv.FilesArg(e.Files.Give("cc2.jpg", aJPEG)), "[]"))
	if _, failure := e.Call(t, "replace_document", replaced+"}"); failure == nil || !slices.Equal(testenv.Problems(failure), []string{"consent consent.needed error"}) {
		t.Errorf("replaced without: %v", failure)
	}
	e.MustCall(t, "replace_document", replaced+`,"consent":true,"consentOf":"`+holder+`","consentGiven":"2026-11-20"}`)
}

func TestADocumentIsReplacedOnceAndKeepsWhatIsNotGiven(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]sandbox.Fault{"as it should": {}, "its answer is lost": {DropAfter: true, Times: 1}, "it is lost": {DropBefore: true, Times: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := testenv.Start(t, testenv.Options{Runner: shortCalls})
			id := sandbox.SampleDocument(1043, 3) // received, and not decided
			args := fmt.Sprintf(`{"process":"1043","document":"%s","file":%s}`, id, strings.Trim(testenv.FilesArg(e.Files.Give("mapa.png", aPNG)), "[]"))
			before := theOnes(e, t, 1043)[3]
			if fault.Operation = portal.DocumentUpdate; fault.Times > 0 {
				e.Bank.Inject(fault)
			}
			waittest.Eventually(t, "the call is done", func() bool {
				_, failure := e.Call(t, "replace_document", args, testenv.WithKey("a click"))
				return failure == nil
			})
			after := theOnes(e, t, 1043)[3]
			if after.DocumentUniqueID != id || after.Title != before.Title || after.DocumentTypeID != before.DocumentTypeID || !strings.HasPrefix(after.FileName.Reveal(), "mapa-") {
				t.Errorf("got %+v", after)
			}
			got, err := e.User().Document(t.Context(), sandbox.SampleProcess(1043), id)
			if err != nil || !bytes.Equal(got.Head(), aPNG) {
				t.Errorf("got %q, %v", got.Head(), err)
			}
			got.Close()
		})
	}
	e := testenv.Start(t, testenv.Options{})
	accepted := fmt.Sprintf(`{"process":"1043","document":"%s","file":%s}`, sandbox.SampleDocument(1043, 0), strings.Trim(testenv.FilesArg(e.Files.Give("irs.pdf", aPDF)), "[]"))
	if _, failure := e.Call(t, "replace_document", accepted); failure == nil || failure.Kind != tools.Unconfirmed || failure.Problems[0].Code != "replace.accepted" {
		t.Errorf("what the bank has accepted: %v", failure)
	}
	e.MustCall(t, "replace_document", accepted, testenv.Confirmed("replace.accepted"))
}

func TestAPersonConfirmsThatADocumentIsRemoved(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	args := fmt.Sprintf(`{"process":"1043","document":"%s"}`, sandbox.SampleDocument(1043, 1))
	if _, failure := e.Call(t, "remove_document", args); failure == nil || failure.Kind != tools.Unconfirmed || !strings.Contains(failure.Problems[0].Text, "Property tax record") {
		t.Errorf("got %v", failure)
	}
	e.Bank.Inject(sandbox.Fault{Operation: portal.DocumentDelete, DropAfter: true, Times: 1})
	e.MustCall(t, "remove_document", args, testenv.Confirmed("remove.document"))
	if slices.Contains(e.Bank.Documents(sandbox.SampleProcess(1043)), sandbox.SampleDocument(1043, 1)) {
		t.Error("it is still there")
	}
	if _, failure := e.Call(t, "add_document", arguments(1049, testenv.FilesArg(e.Files.Give("a.pdf", aPDF)))); failure == nil || failure.Kind != tools.Closed {
		t.Errorf("added to a closed process: %v", failure)
	}
}

// smallDocuments returns a profile of a bank that takes documents of 4 MB.
func smallDocuments(t *testing.T) *profile.Profile {
	t.Helper()
	p, err := profile.Read("bank.toml", []byte("operations.documentCreate.content.size = 4194304"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shortCalls(c *tools.Config) { c.CallTimeout = 2 * time.Second }
