package notifications

import (
	"time"

	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/lisbon"
)

// muted reports whether a destination has muted a process or simulation at now.
func muted(dest destination.Settings, subject Subject, now time.Time) bool {
	until, is := dest.Mutes[subject.UID()]
	return is && (until.IsZero() || now.Before(until))
}

// quietUntil returns the end of the quiet hours that now is in; quiet is false outside them. It steps through local
// time by the minute, so that days on which Lisbon changes its clocks need no special case.
func quietUntil(hours destination.QuietHours, now time.Time) (end time.Time, quiet bool) {
	from, ok := clock(hours.From)
	to, also := clock(hours.To)
	if !ok || !also || from == to || !within(from, to, now) {
		return time.Time{}, false
	}
	for end = now.Truncate(time.Minute); within(from, to, end); {
		end = end.Add(time.Minute)
	}
	return end, true
}

// within reports whether the local time is from `from` to before `to`, over midnight if from is later.
func within(from, to int, at time.Time) bool {
	at = at.In(lisbon.Zone)
	minute := at.Hour()*60 + at.Minute()
	if from < to {
		return from <= minute && minute < to
	}
	return from <= minute || minute < to
}

// digestAfter returns the time of the first digest after since: at that time of day, Monday to Friday. ok is false if
// at is not a time.
func digestAfter(at string, since time.Time) (due time.Time, ok bool) {
	minute, ok := clock(at)
	if !ok {
		return time.Time{}, false
	}
	since = since.In(lisbon.Zone)
	for day := 0; ; day++ {
		due = time.Date(since.Year(), since.Month(), since.Day()+day, minute/60, minute%60, 0, 0, lisbon.Zone)
		workday := due.Weekday() != time.Saturday && due.Weekday() != time.Sunday
		if workday && due.After(since) {
			return due, true
		}
	}
}

// clock parses HH:MM as minutes after midnight.
func clock(text string) (minute int, ok bool) {
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err == nil
}
