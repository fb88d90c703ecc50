package app_test

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/processes"
)

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// moved asks as an assistant what changed.
func moved(t *testing.T, system *app.System, since string) processes.ProcessUpdates {
	t.Helper()
	result, err := system.Runner.Run(t.Context(), tools.Request{
		Tool: processes.Updates, Actor: tools.Actor{ID: app.Assistant, Lang: words.English, Assistant: true},
		Args: json.RawMessage(`{"since":"` + since + `"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return result.Output.(processes.ProcessUpdates)
}

func TestAChangeThroughBalcaoIsNewsAndSoIsWhatAnyReplicaHearsOf(t *testing.T) {
	defer goleak.VerifyNone(t)
	system, err := app.Start(t.Context(), load(t, map[string]string{"SANDBOX_PACE": "off"}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	}()
	hint := notifications.Trigger{Process: sandbox.SampleProcess(1042), Source: notifications.Reconciler}
	if err := system.News().Trigger(t.Context(), hint); err != nil { // whoever does not follow the bank leaves it to others
		t.Fatal(err)
	}
	if err := system.StartNews(t.Context(), destination.NopPoster{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the first look", func() bool {
		_, known, err := system.News().Snapshot(t.Context(), hint.Process)
		return known && err == nil
	})
	if before := moved(t, system, ""); len(before.Updates) != 0 {
		t.Errorf("a first look is no news: %+v", before)
	}
	_, err = system.Runner.Run(t.Context(), tools.Request{
		Tool: borrowers.Create, Actor: tools.Actor{ID: app.Assistant, Lang: words.English},
		Args: json.RawMessage(`{"process":"1042","borrowerTypeId":2,"keyBorrowerRelationId":1,"personal":{
			"name":"Rui Amostra","birthDate":"1990-04-12","taxId":"299999998","mobile":"912345678","email":"rui@example.com","genderId":2}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	var updates []notifications.Update
	await(t, "the update", func() bool {
		updates, err = system.News().Since(t.Context(), time.Now().Add(-time.Hour), 10)
		return err == nil && len(updates) > 0
	})
	if len(updates) != 1 || updates[0].Actor != app.Assistant || updates[0].Process != hint.Process {
		t.Errorf("got %+v", updates)
	}
	// Who goes on from the moment of an update is told it again: better twice than never.
	for since, want := range map[string]int{
		"": 1, updates[0].At.Format(time.RFC3339Nano): 1, updates[0].At.Add(time.Microsecond).Format(time.RFC3339Nano): 0,
	} {
		if told := moved(t, system, since); len(told.Updates) != want || want > 0 && (told.Updates[0].Number != 1042 || told.Updates[0].What == "") {
			t.Errorf("since %q: %+v", since, told)
		}
	}
}
