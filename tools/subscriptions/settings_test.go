package subscriptions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAProcessIsMutedUntilADayOrIndefinitely(t *testing.T) {
	t.Parallel()
	e := start(t)
	process := sandbox.SampleProcess(1042)
	e.WantCard(t, "unmute_process", `{"process":1042}`, "was not muted")
	e.WantCard(t, "mute_process", `{"process":1042,"until":"24/11/2026"}`, "until 24 Nov 2026")
	if got, want := e.settings[team].Mutes[process], time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it is muted until %s", got)
	}
	e.WantCard(t, "show_subscriptions", `{}`, "process 1042", "muted until 24 Nov 2026")
	e.WantCard(t, "mute_process", `{"process":1042}`, "until it is unmuted")
	if until, muted := e.settings[team].Mutes[process]; !muted || !until.IsZero() {
		t.Errorf("it is muted until %s: %v", until, muted)
	}
	e.WantCard(t, "show_subscriptions", `{}`, "muted indefinitely")
	e.WantCard(t, "unmute_process", `{"process":1042}`, "no longer muted")
	if left := e.settings[team].Mutes; len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	e.WantProblem(t, "mute_process", `{"process":1042,"until":"2026-11-23"}`, "mute.past")
	e.WantProblem(t, "mute_process", `{"process":1042,"until":"soon"}`, "date.format")
}

func TestADayBeginsAtMidnightInLisbonInSummerToo(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "mute_process", `{"process":1042,"until":"2027-07-01"}`)
	if got, want := e.settings[team].Mutes[sandbox.SampleProcess(1042)], time.Date(2027, time.June, 30, 23, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("it is muted until %s", got.UTC())
	}
}

func TestQuietHoursAndTheDigestAreReadAsPeopleTypeThemAndRemovedByAnEmptyValue(t *testing.T) {
	t.Parallel()
	e := start(t)
	for typed, want := range map[string]destination.QuietHours{
		"20:00-08:00": {From: "20:00", To: "08:00"}, " 22h – 7h30 ": {From: "22:00", To: "07:30"}, "9-17": {From: "09:00", To: "17:00"}, "": {},
	} {
		e.WantCard(t, "set_quiet", fmt.Sprintf(`{"hours":%q}`, typed), want.From, want.To)
		if got := e.settings[team].Quiet; got != want {
			t.Errorf("%q is stored as %v", typed, got)
		}
	}
	for _, typed := range []string{"20:00", "24:00-08:00", "20:60-8", "8-8", "evening", "1-2-3", "-"} {
		e.WantProblem(t, "set_quiet", fmt.Sprintf(`{"hours":%q}`, typed), "quiet.format")
	}
	for typed, want := range map[string]string{"09:00": "09:00", "9h": "09:00", " 8.45": "08:45", "": ""} {
		e.WantCard(t, "set_digest", fmt.Sprintf(`{"at":%q}`, typed), want)
		if got := e.settings[team].Digest; got != want {
			t.Errorf("%q is stored as %q", typed, got)
		}
	}
	for _, typed := range []string{"25:00", "morning", "9:5"} {
		e.WantProblem(t, "set_digest", fmt.Sprintf(`{"at":%q}`, typed), "digest.format")
	}
	e.WantCard(t, "set_quiet", `{"hours":"20:00-08:00"}`)
	e.WantCard(t, "set_digest", `{"at":"09:00"}`)
	e.WantCard(t, "show_subscriptions", `{}`, "20:00–08:00", "09:00, Monday to Friday", "does not follow any process or simulation yet")
	e.WantCard(t, "set_quiet", `{}`, "no longer has quiet hours")
	e.WantCard(t, "set_digest", `{}`, "no longer has a digest")
	e.WantCard(t, "show_subscriptions", `{}`, "none: each update is posted immediately")
}

func TestTheLanguageOfADestinationIsThatOfItsFirstSubscriber(t *testing.T) {
	t.Parallel()
	e := start(t)
	e.WantCard(t, "follow_processes", `{"process":1042}`)
	e.Actor.Lang = words.Portuguese
	e.WantCard(t, "follow_processes", `{"process":1043}`, "passa a receber")
	if got := e.settings[team].Lang; got != words.English {
		t.Errorf("its language is %s", got)
	}
}
