package processes

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// Check says what a process seems to lack before it is submitted. The bank does not publish what it wants: what it does not say
// itself is marked as a guess, and prevents nothing.
var Check = tools.Define(Toolset, tools.Spec{
	Name: "check_process", Effect: tools.Reads, Core: true,
	Next: tools.Next{
		"submit_process": {"process"}, "get_process": {"process"}, "get_esis": {"process"}, "update_process": {"process"},
		"create_borrower": {"process"}, "update_borrower": {"process", "borrower"},
		"update_property": {"process"}, "add_document": {"process", "documentTypeId"}, "replace_document": {"process", "document"},
	},
	Example: `{"process":"1042"}`,
}, func(ctx context.Context, call *tools.Call, in tools.OfProcess) (ProcessCheck, error) {
	return check(ctx, call, in.Process)
})

// ProcessCheck is what a process seems to lack.
type ProcessCheck struct {
	Process   uuid.UUID `json:"process"`
	Number    int64     `json:"number"`
	Status    string    `json:"status" pii:"open"`
	Submitted bool      `json:"submitted"` // it was handed to the bank, or has ended
	Missing   []Missing `json:"missing"`
	Unread    []string  `json:"unread,omitempty" pii:"open"` // parts that could not be read: of these it is not known

	amount    pii.Money
	borrowers int
	assistant bool // reads the table without its buttons
}

// Missing is one thing that a process seems to lack.
type Missing struct {
	What     string    `json:"what" pii:"open"`
	Who      pii.Name  `json:"who,omitzero"`
	Borrower uuid.UUID `json:"borrower,omitzero"`
	Guess    bool      `json:"guess,omitzero"`            // Balcão takes it to be missing; the bank has not said so
	Mend     string    `json:"mend,omitempty" pii:"open"` // the tool that mends it

	document uuid.UUID // to replace
	kind     int32     // of a document to add
}

func (m Missing) text() string {
	if who := m.Who.String(); who != "" {
		return who + ": " + m.What
	}
	return m.What
}

// check reads what a process has, all parts at once.
func check(ctx context.Context, call *tools.Call, ref tools.ProcessRef) (ProcessCheck, error) {
	process, err := call.ProcessDetail(ctx, ref)
	if err != nil {
		return ProcessCheck{}, err
	}
	found := tools.FoundProcess{ID: process.ProcessUniqueID, Number: process.ProcessNumber, StatusID: process.ProcessStatusID, Status: process.ProcessStatusDescription}
	state := call.State(ctx, found)
	say := call.Say(call.Actor.Lang)
	done := ProcessCheck{
		Process: found.ID, Number: found.Number, Status: call.Word(ctx, process, "ProcessStatusID"),
		Submitted: tools.Submitted(state) || state.Ends != profile.Open, Missing: []Missing{}, amount: process.LoanAmount, assistant: call.Actor.Assistant,
	}
	var borrowers []portal.Borrower
	var property, documents []Missing
	var noProperty, noDocuments string // what could not be read
	var group errgroup.Group           // a part that cannot be read does not hide the others
	group.Go(func() (err error) {
		borrowers, err = call.Borrowers(ctx, found.ID)
		return err
	})
	group.Go(func() error {
		properties, err := call.Bank.ListProperties(ctx, found.ID)
		if err != nil {
			noProperty = say("part.property")
			return nil
		}
		property = propertyMissing(say, properties)
		return nil
	})
	group.Go(func() error {
		all, err := call.Bank.ListDocuments(ctx, found.ID)
		if err != nil {
			noDocuments = say("part.documents")
			return nil
		}
		documents = documentsMissing(ctx, call, all)
		return nil
	})
	if err := group.Wait(); err != nil {
		return ProcessCheck{}, err
	}
	done.borrowers = len(borrowers)
	for _, part := range []string{noProperty, noDocuments} {
		if part != "" {
			done.Unread = append(done.Unread, part)
		}
	}
	terms := termsMissing(say, process)
	whole := len(terms) == 0
	done.Missing = append(done.Missing, terms...)
	isKey := func(b portal.Borrower) bool {
		return call.Checks().KeyBorrower(validation.Item{ID: &b.BorrowerTypeID, Description: b.BorrowerTypeDescription})
	}
	if !slices.ContainsFunc(borrowers, isKey) {
		whole = false
		done.Missing = append(done.Missing, Missing{What: say("missing.key_borrower"), Guess: true, Mend: "create_borrower"})
	}
	for _, borrower := range borrowers {
		if lacks := borrowerMissing(say, borrower, call.Now()); lacks != "" {
			one := Missing{What: lacks, Borrower: borrower.BorrowerUniqueID, Guess: true, Mend: "update_borrower"}
			if borrower.Personal != nil {
				one.Who = borrower.Personal.Name
			}
			done.Missing = append(done.Missing, one)
		}
	}
	done.Missing = slices.Concat(done.Missing, property, documents)
	if whole {
		reasons, read := esisMissing(ctx, call, found.ID)
		if !read {
			done.Unread = append(done.Unread, say("part.esis"))
		}
		done.Missing = append(done.Missing, reasons...)
	}
	return done, nil
}

// termsMissing returns what a process does not ask for yet.
func termsMissing(say tools.Say, process portal.Process) []Missing {
	var lacks []string
	for _, part := range []struct {
		name   string
		absent bool
	}{
		{"amount", process.LoanAmount.IsZero()},
		{"term", process.LoanDurationMonths == nil},
		{"product", process.ProductPurposeID == nil},
		{"purpose", process.LoanPurposeID == nil},
		{"scheme", process.ProductSchemeID == nil},
	} {
		if part.absent {
			lacks = append(lacks, say("missing."+part.name))
		}
	}
	if lacks == nil {
		return nil
	}
	return []Missing{{What: strings.Join(lacks, ", "), Guess: true, Mend: "update_process"}}
}

// borrowerMissing returns what is missing of a borrower's data, "" if nothing is.
func borrowerMissing(say tools.Say, borrower portal.Borrower, now time.Time) string {
	personal, income := cmp.Or(borrower.Personal, &portal.PersonalData{}), cmp.Or(borrower.Financial, &portal.FinancialData{})
	work := cmp.Or(borrower.Professional, &portal.ProfessionalData{})
	earns := slices.ContainsFunc([]pii.Money{income.IncomeWagesPensions, income.IncomeGreenReceipts, income.IncomeRents, income.IncomeOthers}, func(m pii.Money) bool {
		amount, _ := m.Reveal()
		return amount.IsPositive()
	})
	expires, err := time.Parse(time.DateOnly, personal.IdentificationDocumentExpiredDate.Reveal())
	var lacks []string
	for _, part := range []struct {
		name   string
		absent bool
	}{
		{"name", personal.Name.IsZero()},
		{"birth_date", personal.BirthDate.IsZero()},
		{"tax_id", personal.TaxID.IsZero()},
		{"phone", personal.Mobile.IsZero() && personal.Phone.IsZero()},
		{"email", personal.Email.IsZero()},
		{"document", personal.IdentificationDocumentTypeID == nil || personal.IdentificationDocumentNumber.IsZero()},
		{"document_expired", err == nil && expires.Before(now.AddDate(0, 0, -1))},
		{"marital_status", personal.MaritalStatusID == nil},
		{"address", personal.Address.IsZero() || personal.ZipCode.IsZero()},
		{"income", !earns},
		{"employment", work.EmploymentSituationID == nil},
	} {
		if part.absent {
			lacks = append(lacks, say("missing."+part.name))
		}
	}
	return strings.Join(lacks, ", ")
}

// propertyMissing returns what is missing of the property.
func propertyMissing(say tools.Say, properties []portal.Property) []Missing {
	if len(properties) == 0 {
		return []Missing{{What: say("missing.property"), Guess: true}}
	}
	var lacks []string
	for _, part := range []struct {
		name   string
		absent bool
	}{
		{"property_price", properties[0].AcquisitionAmount.IsZero()},
		{"property_where", properties[0].CountyID == nil},
	} {
		if part.absent {
			lacks = append(lacks, say("missing."+part.name))
		}
	}
	if lacks == nil {
		return nil
	}
	return []Missing{{What: strings.Join(lacks, ", "), Guess: true, Mend: "update_property"}}
}

// documentsMissing returns the documents that the bank asks for or has refused, in its own words.
func documentsMissing(ctx context.Context, call *tools.Call, documents []portal.DocumentSummary) (missing []Missing) {
	say := call.Say(call.Actor.Lang)
	for _, document := range documents {
		status := call.Checks().FileStatus(validation.Item{ID: document.DocumentStatusID, Description: document.DocumentStatusDescription})
		if status != validation.FileRequested && status != validation.FileRefused {
			continue
		}
		one := Missing{What: say("missing.document_"+string(status), "kind", call.Word(ctx, document, "DocumentTypeID")), Mend: "add_document", kind: document.DocumentTypeID}
		if status == validation.FileRefused {
			one.Mend, one.document = "replace_document", document.DocumentUniqueID
		}
		missing = append(missing, one)
	}
	return missing
}

// esisMissing returns why the bank makes no ESIS of the process; read is false if that is not known. The reasons are the
// bank's own.
func esisMissing(ctx context.Context, call *tools.Call, process uuid.UUID) (reasons []Missing, read bool) {
	_, err := call.Bank.ProcessESIS(ctx, process, portal.ESISOptions{})
	if err == nil {
		return nil, true
	}
	failure, ok := errors.AsType[*portal.Error](err)
	if !ok || failure.Kind != portal.Refused {
		return nil, false
	}
	for _, message := range failure.Messages {
		text := ""
		switch {
		case message.Known:
			text = message.Reason.Text(string(call.Actor.Lang), message.Field)
		case !call.Actor.Assistant: // only who asked reads it
			text = tools.Clean(message.Text)
		}
		if text != "" {
			reasons = append(reasons, Missing{What: text, Mend: "get_esis"})
		}
	}
	if reasons == nil {
		reasons = []Missing{{What: call.Say(call.Actor.Lang)("missing.esis"), Mend: "get_esis"}}
	}
	return reasons, true
}

// Card implements [tools.Carder].
func (p ProcessCheck) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title", "number", p.Number)}
	var texts []string
	switch {
	case p.Submitted:
		texts = append(texts, say("card.submitted", "status", p.Status))
	case len(p.Missing) == 0:
		texts = append(texts, say("card.complete"))
	default:
		texts = append(texts, say("card.missing"))
	}
	if len(p.Unread) > 0 {
		texts = append(texts, say("card.unread", "parts", strings.Join(p.Unread, ", ")))
	}
	card.Text = strings.Join(texts, " ")
	guess := false
	for _, one := range p.Missing {
		row, source := one.text(), say("source.bank")
		if one.Guess {
			source, guess = say("source.guess"), true
		}
		cells := []string{row, source}
		if p.assistant {
			cells = append(cells, one.Mend, borrowerID(one))
		}
		card.Table.Rows = append(card.Table.Rows, cells)
		step := tools.NextStep(cmp.Or(one.Mend, "get_process"), "process", p.Process)
		switch {
		case one.Borrower != uuid.Nil:
			step.Args["borrower"] = one.Borrower
		case one.document != uuid.Nil:
			step.Args["document"] = one.document
		case one.kind != 0:
			step.Args["documentTypeId"] = one.kind
		}
		if step.Form = one.Mend != "" && one.Mend != "get_esis"; step.Form {
			step = step.Labelled(say("step.mend"))
		}
		card.Table.Steps = append(card.Table.Steps, step)
	}
	if card.Table.Rows != nil {
		card.Table.Columns = []string{say("label.missing"), say("label.source")}
		if p.assistant {
			card.Table.Columns = append(card.Table.Columns, say("label.mend"), say("label.borrower"))
		}
	}
	if guess {
		card.Text += " " + say("card.guess")
	}
	if !p.Submitted {
		card.Next = append(card.Next, tools.NextStep("submit_process", "process", p.Process))
	}
	card.Next = append(card.Next, tools.NextStep("get_process", "process", p.Process))
	return card
}

func borrowerID(m Missing) string {
	if m.Borrower == uuid.Nil {
		return ""
	}
	return m.Borrower.String()
}
