package notifications

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/lisbon"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/profile"
)

func TestQuietHoursFollowLocalTime(t *testing.T) {
	t.Parallel()
	night := destination.QuietHours{From: "20:00", To: "08:00"}
	for name, c := range map[string]struct {
		hours    destination.QuietHours
		now, end string // "" for none
	}{
		"before the evening":              {night, "2026-11-23 19:59", ""},
		"as they begin":                   {night, "2026-11-23 20:00", "2026-11-24 08:00"},
		"before midnight":                 {night, "2026-11-23 23:59", "2026-11-24 08:00"},
		"after midnight":                  {night, "2026-11-24 00:00", "2026-11-24 08:00"},
		"as they end":                     {night, "2026-11-24 08:00", ""},
		"over noon":                       {destination.QuietHours{From: "12:30", To: "14:00"}, "2026-11-23 13:15", "2026-11-23 14:00"},
		"outside noon":                    {destination.QuietHours{From: "12:30", To: "14:00"}, "2026-11-23 20:15", ""},
		"a night that is an hour shorter": {night, "2026-03-28 22:00", "2026-03-29 08:00"},
		"a night that is an hour longer":  {night, "2026-10-24 22:00", "2026-10-25 08:00"},
		"an end that never is":            {destination.QuietHours{From: "23:00", To: "01:30"}, "2026-03-28 23:30", "2026-03-29 02:00"},
		"none":                            {destination.QuietHours{}, "2026-11-23 23:00", ""},
		"no hours at all":                 {destination.QuietHours{From: "08:00", To: "08:00"}, "2026-11-23 08:00", ""},
		"no time":                         {destination.QuietHours{From: "late", To: "08:00"}, "2026-11-23 23:00", ""},
	} {
		end, quiet := quietUntil(c.hours, inLisbon(t, c.now))
		got := ""
		if quiet {
			got = end.In(lisbon.Zone).Format("2006-01-02 15:04")
		}
		if got != c.end {
			t.Errorf("%s: quiet until %q, want %q", name, got, c.end)
		}
	}
	short, _ := quietUntil(night, inLisbon(t, "2026-03-28 20:00"))
	long, _ := quietUntil(night, inLisbon(t, "2026-10-24 20:00"))
	if a, b := short.Sub(inLisbon(t, "2026-03-28 20:00")), long.Sub(inLisbon(t, "2026-10-24 20:00")); a != 11*time.Hour || b != 13*time.Hour {
		t.Errorf("the nights last %s and %s", a, b)
	}
}

func TestTheDigestIsPostedOnWeekdays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ since, due string }{
		"before it":                  {"2026-11-23 08:59", "2026-11-23 09:00"},
		"as it comes":                {"2026-11-23 09:00", "2026-11-24 09:00"},
		"on a Friday":                {"2026-11-27 10:00", "2026-11-30 09:00"},
		"on a Saturday":              {"2026-11-28 08:00", "2026-11-30 09:00"},
		"on a Sunday":                {"2026-11-29 23:59", "2026-11-30 09:00"},
		"over the change in spring":  {"2026-03-27 09:30", "2026-03-30 09:00"},
		"over the change in autumn":  {"2026-10-23 09:30", "2026-10-26 09:00"},
		"over the end of the year":   {"2026-12-31 09:30", "2027-01-01 09:00"},
		"on the last of a short one": {"2027-02-26 12:00", "2027-03-01 09:00"},
	} {
		due, ok := digestAfter("09:00", inLisbon(t, c.since))
		if got := due.Format("2006-01-02 15:04"); !ok || got != c.due {
			t.Errorf("%s: due %s, want %s", name, got, c.due)
		}
	}
	if _, ok := digestAfter("", time.Now()); ok {
		t.Error("a digest without a time is due")
	}
}

func TestTheDigestIsOneMessageAndCardsAreEdited(t *testing.T) {
	t.Parallel()
	for kind := range redisKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			env := newOutboxEnv(t, kind)
			o := env.replica()
			env.start(o)
			env.setClock("2026-11-26 10:00") // a Thursday
			if _, _, err := env.store.ChangeOwner(t.Context(), process(1), ana, ana, anybody); err != nil {
				t.Fatal(err)
			}
			env.enqueue(o, env.update(1, "Documents"))
			env.wantPosted(channel, 1, "Documents")
			env.waitUntilIdle(o, channel)
			env.changeSettings(channel, func(p *destination.Settings) { p.Digest = "09:00" })

			env.setClock("2026-11-27 10:00")
			const processes = 25
			for n := 1; n <= processes; n++ {
				env.enqueue(o, env.update(n, "Analysis"))
			}
			env.enqueue(o, env.update(1, "Documents"))
			env.waitUntilIdle(o, channel)
			if all := env.poster.messages(channel); len(all) != 2 || all[0].fact("label.status") != "Documents" || all[0].edits == 0 {
				t.Fatalf("before the digest: %+v", all)
			}
			env.setClock("2026-11-29 12:00")
			env.enqueue(o, env.update(2, "Valuation"))
			env.waitUntilIdle(o, channel)
			if many := len(env.poster.messages(channel)); many != 2 {
				t.Fatalf("%d messages on a Sunday", many)
			}

			env.setClock("2026-11-30 09:00")
			if err := o.retry(t.Context(), channel); err != nil { // it would be due by itself in a second
				t.Fatal(err)
			}
			waittest.Eventually(t, "the digest is there", func() bool { return len(env.poster.messages(channel)) > 2 })
			env.waitUntilIdle(o, channel)
			all := env.poster.messages(channel)
			if len(all) != 3 {
				t.Fatalf("got %d messages", len(all))
			}
			d := all[2].notice
			if d.Title != "Changes on 30 November 2026" || d.Text != "25 processes changed · 27 changes · one waiting for the broker or the client" ||
				len(d.Lines) != 21 || d.Lines[0] != "Process 1001 · Documents · 2 changes · waiting for the broker or the client" ||
				d.Lines[1] != "Process 1002 · Valuation · 2 changes · waiting for the bank" || d.Lines[20] != "and 5 more" ||
				d.Mention != "" || d.Card || d.Process != uuid.Nil || all[2].thread != "" {
				t.Errorf("got %+v", d)
			}
			if n := queueLength(t, o, channel); n != 0 {
				t.Errorf("%d are left in the queue", n)
			}
			env.checkKeys(o)

			env.changeSettings(channel, func(p *destination.Settings) { p.Digest = "" })
			env.enqueue(o, env.update(1, "Analysis"))
			waittest.Eventually(t, "it is posted at once again", func() bool { return len(env.poster.messages(channel)) == 4 })
			if delivered := env.poster.replies(channel, process(1)); len(delivered) != 2 || delivered[1] != "Status: Documents → Analysis" {
				t.Errorf("the thread says %q", delivered)
			}
		})
	}
}

func TestADigestWhoseReplyWasLostIsPostedOnce(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]error{"posted": errLost, "not posted": unclearError{}, "refused": notSentError{}, "rate limited": rateLimited(5 * time.Millisecond)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newOutboxEnv(t, "node", func(c *Config) { c.Lease = 300 * time.Millisecond })
			env.setClock("2026-11-23 08:00")
			env.changeSettings(channel, func(p *destination.Settings) { p.Digest = "09:00" })
			left := []error{fault, rateLimited(5 * time.Millisecond)} // the second is returned to the call that looks for the digest, or repeats it
			env.poster.fault = func(string, string) (err error) {
				if len(left) > 0 {
					err, left = left[0], left[1:]
				}
				return err
			}
			o := env.replica()
			env.start(o)
			for n := range 3 {
				env.enqueue(o, env.update(n, "Documents"))
			}
			env.waitUntilIdle(o, channel)
			env.setClock("2026-11-23 09:01")
			if err := o.retry(t.Context(), channel); err != nil {
				t.Fatal(err)
			}
			waittest.Eventually(t, "everything is posted", func() bool { return queueLength(t, o, channel) == 0 })
			if all := env.poster.messages(channel); len(all) != 1 || len(all[0].notice.Lines) != 3 {
				t.Errorf("got %+v", all)
			}
		})
	}
}

type unclearError struct{}

func (unclearError) Error() string { return "the connection never was" }

func TestInQuietHoursTheCardIsEditedAndRepliesWait(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	env.setClock("2026-11-23 19:00")
	env.changeSettings(channel, func(p *destination.Settings) { p.Quiet = destination.QuietHours{From: "20:00", To: "08:00"} })
	env.enqueue(o, env.update(1, "Documents"))
	env.wantPosted(channel, 1, "Documents")
	env.waitUntilIdle(o, channel)
	env.setClock("2026-11-23 23:30")
	env.enqueue(o, env.update(1, "Analysis"), env.update(2, "Documents"))
	env.waitUntilIdle(o, channel)
	env.setClock("2026-11-24 03:00")
	env.enqueue(o, env.update(1, "Valuation"))
	env.waitUntilIdle(o, channel)
	if all := env.poster.messages(channel); len(all) != 2 || all[0].fact("label.status") != "Valuation" {
		t.Fatalf("in the night: %+v", all)
	}
	env.setClock("2026-11-24 08:00")
	env.wantPosted(channel, 1, "Documents", "Analysis", "Valuation")
	env.wantPosted(channel, 2, "Documents")
}

func TestAMutedProcessHasItsCardEditedAndNoReplies(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	env.setClock("2026-11-23 10:00")
	env.enqueue(o, env.update(1, "Documents"), env.update(2, "Documents"))
	env.wantPosted(channel, 1, "Documents")
	env.wantPosted(channel, 2, "Documents")
	env.waitUntilIdle(o, channel)
	env.changeSettings(channel, func(p *destination.Settings) {
		p.Mutes = map[uuid.UUID]time.Time{process(1): inLisbon(t, "2026-11-25 00:00"), process(2): {}, process(3): {}}
	})
	env.enqueue(o, env.update(1, "Analysis"), env.update(2, "Analysis"), env.update(3, "Analysis"))
	waittest.Eventually(t, "nothing is left to do", func() bool { return queueLength(t, o, channel) == 0 })
	env.waitUntilIdle(o, channel)
	if all := env.poster.messages(channel); len(all) != 4 {
		t.Fatalf("%d messages", len(all))
	}
	for n := 1; n <= 2; n++ {
		if card, _ := env.poster.card(channel, process(n)); card.fact("label.status") != "Analysis" {
			t.Errorf("the card of %d says %q", n, card.fact("label.status"))
		}
	}
	env.setClock("2026-11-25 10:00") // the first is over
	env.enqueue(o, env.update(1, "Valuation"), env.update(2, "Valuation"))
	want := append(statusLines("Documents"), "Status: Analysis → Valuation")
	waittest.Eventually(t, "nothing is left to do", func() bool { return queueLength(t, o, channel) == 0 })
	if got := env.poster.replies(channel, process(1)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := env.poster.replies(channel, process(2)); len(got) != 1 {
		t.Errorf("what is muted without end was posted: %q", got)
	}
	env.changeSettings(channel, func(p *destination.Settings) { p.Mutes = nil })
	env.enqueue(o, env.update(2, "Contract"), env.update(3, "Contract"))
	waittest.Eventually(t, "nothing is left to do", func() bool { return queueLength(t, o, channel) == 0 })
	if got := env.poster.replies(channel, process(2)); len(got) != 2 || got[1] != "Status: Valuation → Contract" {
		t.Errorf("got %q", got)
	}
	if got := env.poster.replies(channel, process(3)); len(got) != 1 || got[0] != "Status: Analysis → Contract" {
		t.Errorf("got %q", got)
	}
}

func TestTurningTheDigestOffPostsWhatWaits(t *testing.T) {
	t.Parallel()
	env := newOutboxEnv(t, "node")
	o := env.replica()
	env.start(o)
	env.setClock("2026-11-23 10:00")
	env.changeSettings(channel, func(p *destination.Settings) { p.Digest = "09:00" })
	env.enqueue(o, env.update(1, "Documents"))
	env.waitUntilIdle(o, channel)
	env.changeSettings(channel, func(p *destination.Settings) { p.Digest = "" })
	if err := o.retry(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	env.wantPosted(channel, 1, "Documents")
}

func TestADigestOfManyProcessesIsShort(t *testing.T) {
	t.Parallel()
	var lines []digestLine
	for n := range 5000 {
		lines = append(lines, digestLine{process(n).String(), 1, 1, Snapshot{Number: int64(n), Status: strings.Repeat("ção ", 200)}, profile.Nobody})
	}
	d := digestNotice("pt-PT", "digest:1", lines, inLisbon(t, "2026-11-23 09:00"))
	if len([]rune(fmt.Sprint(d.Title, d.Text, d.Lines))) > 5000 || d.Lines[20] != "e mais 4980" || d.Text != "5000 processos com alterações · 5000 alterações" {
		t.Errorf("got %+v", d)
	}
}
