package notifications

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

// Limits of a notice.
const (
	maxReplyLines  = 20 // what is beyond goes into a further reply
	maxDigestLines = 20
)

// card returns the live card of a process or simulation.
func (w *worker) card(id string, n content) destination.Notice {
	lang, p := w.dest.Lang, n.snapshot
	notice := destination.Notice{
		ID: id, Process: n.subject.Process, Simulation: n.subject.Simulation, Lang: lang, Card: true, Owner: n.owner, Ends: string(n.ends),
		Title: title(lang, n),
		Text:  plain(p.status()),
	}
	fact := func(label, value string) {
		if value != "" {
			notice.Facts = append(notice.Facts, [2]string{say(lang, label), value})
		}
	}
	fact("label.status", plain(p.status()))
	fact("label.phase", plain(n.phase.Description))
	fact("label.branch", plain(p.Branch))
	fact("label.waits", waitsText(lang, n.turn))
	fact("label.owner", n.owner)
	fact("label.updated", moment(lang, n.at))
	return notice
}

func title(lang words.Lang, n content) string {
	return n.snapshot.title(lang)
}

// title names the process or simulation, such as «Simulação 77».
func (p Snapshot) title(lang words.Lang) string {
	number := strconv.FormatInt(p.Number, 10)
	if p.Simulation != uuid.Nil {
		return say(lang, "simulation", "number", number)
	}
	return say(lang, "process", "number", number)
}

func waitsText(lang words.Lang, turn profile.Turn) string {
	if turn == profile.Nobody {
		return ""
	}
	return say(lang, "waits."+string(turn))
}

// reply returns a reply with the updates since the last one, in order, and the version of the last update that fits.
func (w *worker) reply(n content, requested int64) (destination.Notice, int64) {
	lang := w.dest.Lang
	notice := destination.Notice{Process: n.subject.Process, Simulation: n.subject.Simulation, Lang: lang, Title: title(lang, n)}
	var changes []string
	if n.missing > 0 {
		notice.Lines = append(notice.Lines, say(lang, "reply.before", "count", int(n.missing)))
	}
	to, delivered := requested, n.updates
	for i, update := range n.updates {
		if i > 0 && len(notice.Lines)+len(update.Changes) > maxReplyLines {
			to, delivered = n.updates[i-1].Version, n.updates[:i]
			break
		}
		for _, change := range update.Changes {
			changes = append(changes, change.Text(lang))
			notice.Lines = append(notice.Lines, shortMoment(lang, update.At)+" · "+change.Text(lang))
		}
	}
	notice.Mention = w.mentioned(n, delivered)
	notice.ID = n.subject.UID().String() + ":" + strconv.FormatInt(to, 10)
	if len(notice.Lines) == 1 && len(changes) == 1 {
		notice.Text, notice.Lines = changes[0], nil
	} else {
		notice.Text = say(lang, "reply.text", "count", len(changes), "status", plain(n.snapshot.status()))
	}
	return notice, to
}

// mentioned returns the actor to mention: the owner, if the status changed, or if somebody else changed the process
// while it is the broker's or the client's turn, or the destination follows the owner's processes. An owner who muted the process is
// not mentioned.
func (w *worker) mentioned(n content, delivered []Update) string {
	if n.ownerMuted {
		return ""
	}
	status := func(u Update) bool {
		return slices.ContainsFunc(u.Changes, func(c Change) bool { return c.Kind == StatusChanged })
	}
	others := func(u Update) bool { return u.Actor == "" || u.Actor != n.owner }
	concerned := n.turn == profile.Partner || followsPerson(w.dest, n.owner)
	if slices.ContainsFunc(delivered, status) || concerned && slices.ContainsFunc(delivered, others) {
		return n.owner
	}
	return ""
}

// digestNotice returns a digest: those first that wait on the broker or the client.
func digestNotice(lang words.Lang, id string, lines []digestLine, now time.Time) destination.Notice {
	slices.SortStableFunc(lines, func(a, b digestLine) int {
		return cmp.Or(cmp.Compare(rank(a.turn), rank(b.turn)), cmp.Compare(a.snapshot.Number, b.snapshot.Number))
	})
	changes, waiting := 0, 0
	for _, line := range lines {
		changes += line.changes
		if line.turn == profile.Partner {
			waiting++
		}
	}
	notice := destination.Notice{
		ID: id, Lang: lang,
		Title: say(lang, "digest.title", "day", now.In(lisbon.Zone).Format(say(lang, "time.day"))),
		Text:  say(lang, "digest.processes", "count", len(lines)) + " · " + say(lang, "digest.changes", "count", changes),
	}
	if waiting > 0 {
		notice.Text += " · " + say(lang, "digest.waiting", "count", waiting)
	}
	for _, line := range lines[:min(len(lines), maxDigestLines)] {
		text := line.snapshot.title(lang) + " · " + plain(line.snapshot.status()) + " · " + say(lang, "digest.changes", "count", line.changes)
		if waits := waitsText(lang, line.turn); waits != "" {
			text += " · " + say(lang, "digest.waits", "whom", waits)
		}
		notice.Lines = append(notice.Lines, text)
	}
	if more := len(lines) - maxDigestLines; more > 0 {
		notice.Lines = append(notice.Lines, say(lang, "digest.more", "count", more))
	}
	return notice
}

func rank(turn profile.Turn) int {
	return slices.Index([]profile.Turn{profile.Partner, profile.Bank, profile.Nobody}, turn)
}

// unreachableNotice informs the administrator which destination is unreachable, and what to do.
func unreachableNotice(lang words.Lang, id, dest, reason string) destination.Notice {
	key := "unreachable." + reason
	if !texts.Has(lang, key) {
		key = "unreachable.other"
	}
	return destination.Notice{
		ID: id, Lang: lang, About: dest,
		Title: say(lang, "unreachable.title"),
		Text:  say(lang, key, "reason", reason) + " " + say(lang, "unreachable.waits"),
		Facts: [][2]string{{say(lang, "label.destination"), dest}, {say(lang, "label.reason"), reason}},
	}
}
