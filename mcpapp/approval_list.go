package mcpapp

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// approvalsPage is what a person is shown. It has personal data in clear, for her alone.
type approvalsPage struct {
	Lang    words.Lang
	Title   string // the key of a text
	Token   string
	Alert   string // "" for none
	Closes  string // when the session ends
	News    []news
	Groups  []approvalGroup
	Index   []link // to the cards, if there are several
	Empty   bool   // nothing waits
	Renews  bool   // the page looks again by itself, because nothing is there to be decided
	Onward  bool   // it leads to what waits by itself
	Linked  bool   // it has a link to what waits
	Form    *formPage
	Confirm *approvalCard
}

// Say returns a text with args as names and values in turn.
func (p approvalsPage) Say(key string, args ...any) string { return sayTo(p.Lang, key, args...) }

// Show returns a part of the page together with the page, for a template.
func (p approvalsPage) Show(part any) any {
	return struct {
		Page approvalsPage
		Of   any
	}{p, part}
}

// Home is the address of what waits.
func (p approvalsPage) Home() string { return approvalPath }

// link leads to a part of the page.
type link struct{ ID, Text string }

// news is what happened: done, failed or ended without its call.
type news struct {
	Kind  string // "done", "failed" or "ended"
	Title string
	Text  []string
	Facts []tools.Fact
}

// approvalGroup has approvals of one process, which may be approved together.
type approvalGroup struct {
	Cards []approvalCard
	All   bool // each can be approved as it is, none deletes, and there are several
}

// approvalCard is one approval.
type approvalCard struct {
	ID, Title         string
	Status            tools.ApprovalStatus
	Asker, Asked, End string
	About             []cardFact // what it is about: the process, the borrower
	Name              string     // the first text of what it creates or sends: a name, a subject; "" if it has none
	Sections          []cardSection
	Missing           []string // the labels of fields that are not filled in
	Problems          []string // what else is wrong
	Warnings          []string
	Altered           bool
	Earlier           string // why an approval could not be done; "" if none was tried
	Unread            string // why it cannot be shown
	Deletes           bool
	Form              bool // it has something that she can change
	Seen              string
}

// Open reports whether the person can decide.
func (c approvalCard) Open() bool { return c.Status.Open() }

// Changeable reports whether there is a form of it in which she can change something.
func (c approvalCard) Changeable() bool { return c.Open() && c.Form }

// cardSection is a part of a form, filled in.
type cardSection struct {
	Title string
	Facts []cardFact
}

// cardFact is a value, or what changes from what to what.
type cardFact struct {
	Label, Before, Value string
	Changes              bool
}

// showApprovals shows all that waits for a person.
func (a *App) showApprovals(d *decision) {
	page := approvalsPage{Title: "approvals.title", News: d.session.latest()}
	open, err := a.config.Runner.OpenApprovals(d.r.Context(), d.actor)
	if err != nil {
		d.tell(d.failed(d.say("approvals.unread"), err))
		d.show(http.StatusServiceUnavailable, page)
		return
	}
	at, making, decidable := map[string]int{}, []string(nil), false
	for _, approval := range open {
		if approval.Status == tools.ApprovalApproved {
			making = append(making, approval.ID)
		}
		decidable = decidable || approval.Status.Open()
		card, shown := a.cardOf(d, approval)
		if !shown {
			continue
		}
		about := approval.About
		if len(card.About) > 0 { // as the bank calls it, however the assistant named it
			about = card.About[0].Value
		}
		group, known := at[about]
		if !known || about == "" {
			group = len(page.Groups)
			page.Groups, at[about] = append(page.Groups, approvalGroup{All: true}), group
		}
		g := &page.Groups[group]
		g.Cards, g.All = append(g.Cards, card), g.All && card.Seen != "" && !card.Deletes
	}
	for i := range page.Groups {
		for _, card := range page.Groups[i].Cards {
			page.Index = append(page.Index, link{card.ID, card.indexed()})
		}
		page.Groups[i].All = page.Groups[i].All && len(page.Groups[i].Cards) > 1
	}
	if page.Empty = len(page.Groups) == 0; page.Empty {
		page.Title = "approvals.none"
	}
	for _, id := range d.session.follows(making) {
		a.tellOutcome(d, id)
	}
	if len(d.news) > 0 {
		d.session.tell(d.news)
		page.News = nil
	}
	page.Renews = page.Empty || !decidable && len(making) > 0
	d.show(http.StatusOK, page)
}

// cardOf returns an approval as it is now; shown is false if it ended meanwhile.
func (a *App) cardOf(d *decision, approval tools.Approval) (card approvalCard, shown bool) {
	review, err := a.config.Runner.Review(d.r.Context(), d.actor, approval.ID)
	if err == nil {
		return reviewCard(d.actor.Lang, review), !review.Status.Decided() || review.Status == tools.ApprovalRemoved
	}
	failure := tools.AsError(err)
	card = askedCard(d.actor.Lang, approval)
	if failure.Tool == nil { // it is gone
		return card, false
	}
	card.Title, card.Unread, card.Form = failure.Tool.Title(d.actor.Lang), failure.What(d.actor.Lang), hasForm(failure.Tool)
	if _, known := a.config.Runner.ToolOf(approval); !known && len(failure.Problems) > 0 {
		card.Unread = failure.Problems[0].Text
	}
	return card, true
}

// askedCard returns who asked for an approval, since when and until when.
func askedCard(lang words.Lang, approval tools.Approval) approvalCard {
	moment := func(t time.Time) string { return t.In(lisbon.Zone).Format(book.Say(lang, "approvals.moment", nil)) }
	card := approvalCard{ID: approval.ID, Status: approval.Status, Asked: moment(approval.Asked), End: moment(approval.Expires)}
	if card.Asker = visible(approval.Client); card.Asker == "" {
		card.Asker = book.Say(lang, "approvals.an_assistant", nil)
	}
	return card
}

// reviewCard returns a review as a card.
func reviewCard(lang words.Lang, review tools.Review) approvalCard {
	card := askedCard(lang, review.Approval)
	card.Title, card.Altered, card.Seen = review.Of.Title(lang), review.Altered, review.Seen
	card.Deletes, card.Form = review.Of.Effect == tools.Deletes, hasForm(review.Of)
	for _, section := range review.Sections {
		about := !slices.ContainsFunc(review.Of.FieldsOn(section.Page), func(f tools.Field) bool { return !f.Refers() })
		shown := cardSection{Title: section.Title}
		for _, fact := range section.Facts {
			shown.Facts = append(shown.Facts, cardFactOf(review.Of, fact))
		}
		if card.Name == "" && !review.Of.Edits {
			card.Name = nameIn(review.Of.FieldsOn(section.Page), lang, shown.Facts)
		}
		if about { // the labels say what a title would
			card.About = append(card.About, shown.Facts...)
		} else {
			card.Sections = append(card.Sections, shown)
		}
	}
	for _, p := range inOrder(review.Of, review.Problems) {
		field, known := review.Of.Field(p.Path)
		switch text := problemText(lang, review.Of, p); {
		case p.Severity != tools.Blocks:
			card.Warnings = append(card.Warnings, text)
		case known && (p.Code == "required" || p.Code == "expected"):
			card.Missing = append(card.Missing, field.Label(lang))
		default:
			card.Problems = append(card.Problems, text)
		}
	}
	if review.Failure != "" {
		card.Earlier = (&tools.Error{Kind: review.Failure, Tool: review.Of}).What(lang)
	}
	return card
}

// hasForm reports whether a tool has a field besides what it is about.
func hasForm(tool *tools.Tool) bool {
	return slices.ContainsFunc(tool.Fields, func(f tools.Field) bool { return !f.Refers() && !f.Hidden() })
}

// inOrder returns problems in the order of the fields of the form, those of no field first.
func inOrder(tool *tools.Tool, problems []tools.Problem) []tools.Problem {
	at := func(p tools.Problem) int {
		return slices.IndexFunc(tool.Fields, func(f tools.Field) bool { return f.Path == p.Path })
	}
	return slices.SortedStableFunc(slices.Values(problems), func(p, q tools.Problem) int { return at(p) - at(q) })
}

// indexed names a card among others: its title, whom or what it is about, and the process.
func (c approvalCard) indexed() string {
	parts := []string{c.Title}
	if c.Name == "" && len(c.About) > 1 {
		c.Name, _, _ = strings.Cut(c.About[1].Value, " · ")
	}
	if c.Name != "" {
		parts = append(parts, c.Name)
	}
	if len(c.About) > 0 {
		parts = append(parts, c.About[0].Value)
	}
	return strings.Join(parts, " · ")
}

// nameIn returns the value of the first text among fields, "" if none is given.
func nameIn(fields []tools.Field, lang words.Lang, facts []cardFact) string {
	for _, field := range fields {
		if field.Kind.Control != tools.ControlText || field.Refers() {
			continue
		}
		if at := slices.IndexFunc(facts, func(f cardFact) bool { return f.Label == field.Label(lang) }); at >= 0 {
			return facts[at].Value
		}
	}
	return ""
}

// MissingText names the fields that are not filled in.
func (c approvalCard) MissingText() string { return strings.Join(c.Missing, ", ") }

// cardFactOf returns a fact, with what an editor changes from what to what.
func cardFactOf(tool *tools.Tool, fact tools.ReviewFact) cardFact {
	value := inClear(fact.Value)
	if before, after, changes := strings.Cut(value, "\n→ "); changes && tool.Edits {
		return cardFact{Label: fact.Label, Before: before, Value: after, Changes: true}
	}
	return cardFact{Label: fact.Label, Value: value}
}

// problemText returns a problem in clear, with the name of its field.
func problemText(lang words.Lang, tool *tools.Tool, p tools.Problem) string {
	text := p.Statement()
	if !p.Clear.IsZero() {
		text = inClear(p.Clear)
	}
	if tool != nil {
		if field, known := tool.Field(p.Path); known && !field.Hidden() {
			return field.Label(lang) + ": " + text
		}
	}
	return text
}

// inClear returns personal data as the person who decides sees it. Only the page reveals it.
func inClear(text pii.Private) string { return visible(text.Reveal()) }

// visible replaces what cannot be seen in a text by a character that can.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// approveShown approves one approval, or several of a process in their order, as they were shown. Where one cannot be done, those
// after it wait.
func (a *App) approveShown(d *decision) {
	ids, seen := d.r.PostForm["id"], d.r.PostForm["seen"]
	for i, id := range ids {
		if i >= len(seen) {
			break
		}
		if !a.approve(d, id, tools.Approved{Seen: seen[i]}) {
			break
		}
	}
	d.back()
}

// approve approves an approval and tells the person what happened.
func (a *App) approve(d *decision, id string, given tools.Approved) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.r.Context()), a.config.CallTimeout) // its outcome counts, whoever waits for the page
	defer cancel()
	result, err := a.config.Runner.Approve(ctx, d.actor, id, given)
	if err != nil {
		d.tell(d.failed(a.titleOf(d, err), err))
		return false
	}
	defer result.Close()
	d.tell(doneNews(result.Card))
	return true
}

// doneNews says what was done.
func doneNews(card tools.Card) news {
	said := news{Kind: "done", Title: visible(card.Title), Facts: card.Facts}
	for _, text := range []string{card.Text, card.Note} {
		if text != "" {
			said.Text = append(said.Text, visible(text))
		}
	}
	return said
}

// tellOutcome tells the person how an approval ended that she has seen being done.
func (a *App) tellOutcome(d *decision, id string) {
	review, err := a.config.Runner.Outcome(d.r.Context(), d.actor, id)
	if err != nil {
		return
	}
	switch review.Status {
	case tools.ApprovalDone:
		d.tell(doneNews(review.Card))
	case tools.ApprovalFailed:
		failure := &tools.Error{Kind: review.Failure, Tool: review.Of, Problems: review.Approval.Problems}
		d.tell(d.failed(review.Of.Title(d.actor.Lang), failure))
	}
}

// titleOf says what could not be done.
func (a *App) titleOf(d *decision, err error) string {
	tool := tools.AsError(err).Tool
	if tool == nil {
		return d.say("approvals.not_done")
	}
	return tool.Title(d.actor.Lang)
}

// rejectShown ends an approval without its call.
func (a *App) rejectShown(d *decision) {
	reason := strings.TrimSpace(d.r.PostForm.Get("reason"))
	if utf8.RuneCountInString(reason) > maxReason {
		reason = string([]rune(reason)[:maxReason])
	}
	if err := a.config.Runner.Reject(d.r.Context(), d.actor, d.r.PostForm.Get("id"), reason); err != nil {
		d.tell(d.failed(a.titleOf(d, err), err))
	} else {
		d.tell(news{Kind: "ended", Title: d.say("approvals.rejected"), Text: []string{d.say("approvals.assistant_learns")}})
	}
	d.back()
}
