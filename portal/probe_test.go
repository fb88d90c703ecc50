package portal_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestAProbeReadsWithAnotherProfileAndNeverWrites(t *testing.T) {
	bank := sandbox.New(sandbox.Config{})
	methods := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods[r.Method]++
		bank.ServeHTTP(w, r)
	}))
	defer server.Close()
	log := &logtest.Log{}
	client, err := portal.New(portal.Config{
		BaseURL: server.URL, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	user := client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, "pt-PT")
	probe := func(op portal.OperationID, p *profile.Profile) (portal.Probe, error) {
		return user.Probe(t.Context(), portal.ProbeCall{Operation: op, Profile: p, IDs: map[string]uuid.UUID{"processUniqueId": sandbox.SampleProcess(1042)}})
	}
	if _, err := probe(portal.ProcessDetail, profile.Builtin()); err == nil {
		t.Error("a probe without a session is sent")
	}
	if got, err := probe(portal.Authenticate, profile.Builtin()); err != nil || got.Err != nil || got.Status != http.StatusOK {
		t.Fatal(got, err, got.Err)
	}
	got, err := probe(portal.ProcessDetail, profile.Builtin())
	if err != nil || got.Err != nil || !strings.Contains(string(got.Body), "Maria Exemplo") || len(got.Described) == 0 {
		t.Errorf("got %v, %v, %v", got, err, got.Err)
	}
	if printed := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(printed, "Maria") {
		t.Errorf("it prints %s", printed)
	}
	other, err := profile.Read("other.toml", []byte(`operations.processDetail.path = "/no/{processUniqueId}"`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := probe(portal.ProcessDetail, other); err != nil || got.Status != http.StatusNotFound || portal.KindOf(got.Err) != portal.WrongPath {
		t.Errorf("got %v, %v, %v", got, err, got.Err)
	}
	posted, err := profile.Read("posted.toml", []byte(`operations.processDetail.method = "PUT"`))
	if err == nil {
		_, err = probe(portal.ProcessDetail, posted)
	}
	if err == nil {
		t.Error("a read with another method is sent")
	}
	for _, op := range []portal.OperationID{portal.BorrowerCreate, portal.BorrowerDelete, portal.CallbackEcho, portal.ProcessESISEmail, "noSuchOperation"} {
		if _, err := probe(op, profile.Builtin()); !errors.Is(err, portal.ErrNoProbe) {
			t.Errorf("%s: got %v", op, err)
		}
	}
	if methods["POST"] != 1 || methods["GET"] != 2 || len(methods) != 2 {
		t.Errorf("sent were %v", methods)
	}
	if faults := client.Faults(); len(faults) > 0 {
		t.Errorf("a probe is a fault: %v", faults)
	}
	if strings.Contains(log.String(), "Maria") {
		t.Error("a body is in the log")
	}
}
