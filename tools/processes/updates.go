package processes

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// Updates lists the changes of the processes and simulations that the actor's person may see.
var Updates = tools.Define(Toolset, tools.Spec{
	Name: "process_updates", Effect: tools.Reads, Core: true, NeedsHistory: true,
	Next:    tools.Next{"process_updates": {"since"}},
	Example: `{"since":"48h"}`,
}, func(ctx context.Context, call *tools.Call, in SinceWhen) (ProcessUpdates, error) {
	since, _ := parseSince(in.Since, call.Now())
	horizon, err := call.History().Horizon(ctx)
	if err != nil {
		return ProcessUpdates{}, tools.StoreError(err)
	}
	changes, err := call.History().Since(ctx, since, updatesRead, call.Actor.Lang, states(ctx, call))
	if err != nil {
		return ProcessUpdates{}, tools.StoreError(err)
	}
	visibility, err := visible(ctx, call, changes)
	if err != nil {
		return ProcessUpdates{}, err
	}
	updates, size := ProcessUpdates{Updates: []ProcessUpdate{}, since: since, horizon: horizon}, 0
	updates.KnownFrom, updates.Checked = moment(horizon.From), moment(horizon.Checked)
	for i, each := range changes {
		visible, asked := visibility[each.Subject]
		row := updateOf(each)
		if each.Moved && visible && each.Process != uuid.Nil {
			row.turn = call.State(ctx, tools.FoundProcess{ID: each.Process, Number: each.Number, StatusID: each.StatusID, Status: each.Status}).Turn
		}
		size += row.size(visible)
		if !asked || size > maxUpdatesSize {
			updates.Next = each.At.UTC().Format(time.RFC3339Nano)
			return updates, nil
		}
		if visible {
			updates.Updates = append(updates.Updates, row)
		}
		if i == updatesRead-1 { // there may be more at the same time: better listed twice than never
			updates.Next = each.At.UTC().Format(time.RFC3339Nano)
		}
	}
	return updates, nil
})

const (
	updatesRead    = 200  // of the history, for one result
	subjectsAsked  = 40   // processes and simulations of which a result has changes
	maxUpdatesSize = 3600 // bytes of the rows of a result, as data and as text
	maxUpdateText  = 240  // characters of one change
	maxTurnText    = 50   // bytes that say whose turn it is
)

// visible reports which of the processes and simulations the actor's person may see, for at most subjectsAsked of them.
func visible(ctx context.Context, call *tools.Call, changes []tools.ProcessChange) (map[tools.Subject]bool, error) {
	var asked []tools.Subject
	for _, each := range changes {
		if !slices.Contains(asked, each.Subject) && len(asked) < subjectsAsked {
			asked = append(asked, each.Subject)
		}
	}
	return call.Visible(ctx, asked)
}

// states returns the bank's descriptions of its statuses by id, in the actor's language; nil if they cannot be read.
func states(ctx context.Context, call *tools.Call) map[int32]string {
	list, err := call.List(ctx, "workflowStatesProposal")
	if err != nil {
		return nil
	}
	described := make(map[int32]string, len(list.Items))
	for _, item := range list.Items {
		described[item.ID] = item.Description
	}
	return described
}

// SinceWhen is the time from which changes are listed: a day, a time, or a number of hours ago; "" is a day ago.
type SinceWhen struct {
	Since string `json:"since,omitzero" page:"since" validate:"omitempty,text=40" pii:"open"`
}

// CheckFields implements [tools.FieldChecker].
func (s SinceWhen) CheckFields(_ context.Context, call *tools.Call) []tools.Problem {
	slashed := call.Actor.Assistant && strings.Contains(s.Since, "/") // of 3/7/2026 it is not clear which number is the month
	if _, ok := parseSince(s.Since, call.Now()); !ok || slashed {
		return []tools.Problem{call.Problem("since", "since.format")}
	}
	return nil
}

var hoursAgo = regexp.MustCompile(`^(\d{1,4})\s*h?$`)

func parseSince(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return now.Add(-24 * time.Hour), true
	}
	if parts := hoursAgo.FindStringSubmatch(text); parts != nil {
		hours, _ := strconv.Atoi(parts[1])
		return now.Add(-time.Duration(hours) * time.Hour), true
	}
	if _, err := validation.ParseDateInput(text); err == nil {
		return tools.Day(text).Begins(), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// ProcessUpdates has changes of processes, the newest last.
type ProcessUpdates struct {
	Updates []ProcessUpdate `json:"updates"`
	Next    string          `json:"next,omitempty" pii:"open"` // the since of the next result; "" if this is all
	// KnownFrom and Checked are the time of which every change is known, in RFC 3339; "" if none is.
	KnownFrom string `json:"knownFrom,omitempty" pii:"open"`
	Checked   string `json:"checked,omitempty" pii:"open"`

	since   time.Time
	horizon tools.Horizon
}

// moment returns a time in RFC 3339, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// limits says what is not known of the changes since the time that was asked for, "" if all are.
func (p ProcessUpdates) limits(say tools.Say) string {
	shown := func(t time.Time) string { return t.In(lisbon.Zone).Format(say("format.moment_of_year")) }
	if p.horizon.From.IsZero() {
		return say("card.unknown")
	}
	var texts []string
	if p.since.Before(p.horizon.From) {
		texts = append(texts, say("card.begins", "when", shown(p.horizon.From)))
	}
	if p.horizon.Late {
		texts = append(texts, say("card.late", "when", shown(p.horizon.Checked)))
	}
	return strings.Join(texts, " ")
}

// ProcessUpdate is one change of a process or of a simulation.
type ProcessUpdate struct {
	Number     int64  `json:"number,omitzero"`
	Simulation int64  `json:"simulation,omitzero"`    // its number, instead of that of a process
	At         string `json:"at,omitzero" pii:"open"` // RFC 3339, to the second
	What       string `json:"what,omitzero" pii:"open"`
	at         time.Time
	turn       profile.Turn // who acts next, after a change of the status
}

func updateOf(m tools.ProcessChange) ProcessUpdate {
	what := strings.Join(m.What, "; ")
	if what == "" {
		what = m.Status
	}
	runes := []rune(tools.Clean(what))
	if len(runes) > maxUpdateText {
		runes = append(runes[:maxUpdateText-1], '…')
	}
	row := ProcessUpdate{Number: m.Number, At: m.At.UTC().Format(time.RFC3339), What: string(runes), at: m.At}
	if m.Simulation != uuid.Nil {
		row.Number, row.Simulation = 0, m.Number
	}
	return row
}

// size returns the bytes of a row in a result, as data and as text; 0 if it is not listed.
func (m ProcessUpdate) size(listed bool) int {
	data, err := json.Marshal(m)
	if err != nil || !listed {
		return 0
	}
	return len(data) + len(m.What) + maxTurnText + 40
}

// Card implements [tools.Carder].
func (p ProcessUpdates) Card(say tools.Say) tools.Card {
	card := tools.Card{Title: say("card.title")}
	limits := p.limits(say)
	if p.Next != "" {
		card.Text = say("card.more", "next", p.Next)
		card.Next = []tools.Step{tools.NextStep("process_updates", "since", p.Next).Labelled(say("step.more"))}
	} else if len(p.Updates) == 0 && !p.horizon.From.IsZero() {
		card.Text = say("card.none", "when", p.since.In(lisbon.Zone).Format(say("format.moment_of_year")))
		if p.since.Before(p.horizon.From) {
			card.Text = say("card.none_known")
		}
	}
	card.Text = strings.TrimSpace(card.Text + " " + limits)
	if len(p.Updates) == 0 {
		return card
	}
	card.Table.Columns = []string{say("label.number"), say("label.when"), say("label.what")}
	for _, m := range p.Updates {
		what, number := m.What, tools.FormatNumber(m.Number)
		if m.Simulation != 0 {
			number = say("card.simulation", "number", m.Simulation)
		}
		if m.turn != profile.Nobody {
			what += " · " + say("card.turn", "whom", say("turn."+string(m.turn)))
		}
		card.Table.Rows = append(card.Table.Rows, []string{number, m.at.In(lisbon.Zone).Format(say("format.moment")), what})
	}
	return card
}
