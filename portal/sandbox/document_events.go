package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/internal/words"
)

// documentDecided is the action of a document that the bank accepts.
const documentDecided = "documentDecided"

// AskForDocument makes the bank ask for a document of a process, and notify its broker. Its type is chosen at random.
func (b *Bank) AskForDocument(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.ask(p)
		return nil
	})
}

// ask adds a request for a document of a random type. The caller holds the bank's lock.
func (b *Bank) ask(p *process) {
	kinds := items("documentTypes", b.dialect(""))
	kind := kinds[b.rng.IntN(len(kinds))].ID
	all := documentsOf.row(b, p.id)
	if len(*all) < maxDocuments {
		*all = append(*all, document{id: uuid.New(), kind: kind, status: fileRequested, at: b.now()})
	}
	b.recordAction(p, notification{NotificationTypeID: documentAsked, DocumentTypeID: kind})
}

// DecideDocument makes the bank accept or refuse a document that it has received; its broker is notified of a refusal. It fails with
// [ErrNoDocument].
func (b *Bank) DecideDocument(of, id uuid.UUID, accept bool) error {
	return b.withProcess(of, func(p *process) error {
		all := *documentsOf.row(b, p.id)
		at := slices.IndexFunc(all, func(d document) bool { return d.id == id && d.file != nil })
		if at < 0 {
			return ErrNoDocument
		}
		if all[at].status = fileAccepted; !accept {
			b.refuseDocument(p, &all[at])
		}
		return nil
	})
}

// refuseDocument refuses a document. The caller holds the bank's lock.
func (b *Bank) refuseDocument(p *process, d *document) {
	d.status = fileRefused
	b.recordAction(p, notification{NotificationTypeID: documentRefused, DocumentTypeID: d.kind})
}

// Documents returns the ids of the documents of a process that the bank has, oldest first, for tests to see what was sent.
func (b *Bank) Documents(process uuid.UUID) (ids []uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range *documentsOf.row(b, process) {
		if d.file != nil {
			ids = append(ids, d.id)
		}
	}
	return ids
}

// decideSome accepts or refuses a document that the bank has received, or asks for one. The caller holds the bank's lock.
func (b *Bank) decideSome(p *process) {
	all := *documentsOf.row(b, p.id)
	at := slices.IndexFunc(all, func(d document) bool { return d.status == fileReceived })
	switch luck := b.rng.IntN(4); {
	case at < 0:
		b.ask(p)
	case luck == 0:
		b.refuseDocument(p, &all[at])
	default:
		all[at].status = fileAccepted
		p.touch(b.now(), documentDecided)
	}
}

// SampleDocument returns the id of a document of a sample process, counted from 0.
func SampleDocument(number, index int) uuid.UUID { return sampleID("document", number, index) }

// The documents of the sample processes: of the first the bank asks for pay slips; the couple's are accepted, refused and
// asked for; of the process in analysis all are accepted.
var documentsOfSamples = map[int64][]document{
	SampleOpen: {{kind: 203, status: fileRequested}},
	SampleCouple: {
		{kind: 201, status: fileAccepted}, {kind: 401, status: fileRefused}, {kind: 203, status: fileRequested}, {kind: 301, status: fileReceived},
	},
	SampleAnalysis: {{kind: 201, status: fileAccepted}, {kind: 203, status: fileAccepted}, {kind: 401, status: fileAccepted}},
	SampleClosed:   {{kind: 501, status: fileAccepted}},
}

// sampleDocuments returns the documents that a sample process begins with.
func sampleDocuments(b *Bank, id uuid.UUID) []document {
	p, known := b.store.processes[id]
	if !known {
		return nil
	}
	all := slices.Clone(documentsOfSamples[p.number])
	for i := range all {
		d := &all[i]
		d.id, d.at = SampleDocument(int(p.number), i), p.created.Add(time.Duration(i+1)*time.Hour)
		if d.status == fileRequested {
			continue
		}
		what := describe("documentTypes", &d.kind, b.dialect(words.Portuguese))
		d.title, d.name = what, strings.ToLower(strings.ReplaceAll(what, " ", "-"))+".pdf"
		page := samplePage(fmt.Sprintf("%d", p.number))
		file, err := spool.Read(strings.NewReader(page), int64(len(page)))
		if err != nil {
			b.config.Log.Error("sample document not made", "error", err)
			continue
		}
		d.file = file
	}
	return all
}

// samplePage returns a PDF of one page with a line of ASCII.
func samplePage(line string) string {
	text := "BT /F1 24 Tf 72 720 Td (" + line + ") Tj ET"
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	page, table := "%PDF-1.4\n", "0000000000 65535 f \n"
	for i, object := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", len(page))
		page += fmt.Sprintf("%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	return page + fmt.Sprintf("xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table, len(objects)+1, len(page))
}
