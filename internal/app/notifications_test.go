package app_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/destination"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
	"github.com/balcao/balcao/tools/processes"
)

// updatesSince calls process_updates as an assistant.
func updatesSince(t *testing.T, system *app.System, since string) processes.ProcessUpdates {
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

func TestChangesByToolsAndTriggersOfAnyReplicaBecomeUpdates(t *testing.T) {
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
	trigger := notifications.Trigger{Subject: notifications.OfProcess(sandbox.SampleProcess(1042)), Source: notifications.Reconciler}
	if err := system.Notifications().Trigger(t.Context(), trigger); err != nil { // a replica that does not run notifications stores triggers for others
		t.Fatal(err)
	}
	if err := system.StartNotifications(t.Context(), destination.NopPoster{}); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the process has a snapshot", func() bool {
		_, known, err := system.Notifications().Snapshot(t.Context(), trigger.Subject)
		return known && err == nil
	})
	if before := updatesSince(t, system, ""); len(before.Updates) != 0 {
		t.Errorf("the first snapshot is an update: %+v", before)
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
	waittest.Eventually(t, "there is an update", func() bool {
		updates, err = system.Notifications().Since(t.Context(), time.Now().Add(-time.Hour), 10)
		return err == nil && len(updates) > 0
	})
	if len(updates) != 1 || updates[0].Actor != app.Assistant || updates[0].Process != trigger.Process {
		t.Errorf("got %+v", updates)
	}
	// The update at the given time is returned again: better twice than never.
	for since, want := range map[string]int{
		"": 1, updates[0].At.Format(time.RFC3339Nano): 1, updates[0].At.Add(time.Microsecond).Format(time.RFC3339Nano): 0,
	} {
		if got := updatesSince(t, system, since); len(got.Updates) != want || want > 0 && (got.Updates[0].Number != 1042 || got.Updates[0].What == "") {
			t.Errorf("since %q: %+v", since, got)
		}
	}
	// The bank describes statuses in Portuguese to the service user; the assistant reads English.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, system.BankURL+"/sandbox/processes/"+trigger.Process.String()+"/state", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusNoContent {
		t.Fatalf("advancing the process: %v, %v", response, err)
	}
	if err := system.Notifications().Trigger(t.Context(), trigger); err != nil {
		t.Fatal(err)
	}
	var read processes.ProcessUpdates
	waittest.Eventually(t, "the status has changed", func() bool {
		read = updatesSince(t, system, "")
		return len(read.Updates) == 2
	})
	if what := read.Updates[1].What; what != "Status: In Creation → Documents" {
		t.Errorf("an English reader reads %q", what)
	}
	http.DefaultClient.CloseIdleConnections()
}
