package notifications

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// Every body is answered. It becomes a trigger only if it is a JSON object, and one for a process only if it has the
// process's id.
func FuzzCallback(f *testing.F) {
	const id = "0f0e0d0c-0b0a-4908-8706-050403020100"
	for _, body := range []string{
		"", "{}", "null", "[]", `"x"`, "{", `{"notificationTypeID":1,"processUniqueId":"` + id + `"}`,
		`{"data":{"PROCESSUNIQUEID":"` + id + `"}}`, `{"simulationUniqueId":"` + id + `"}`,
		`{"processUniqueId":"` + id + `","simulationUniqueId":"` + id + `"}`, `{"processUniqueId":7}`, `{"processUniqueId":"{` + id + `}"}`,
		`{"a":{"b":{"processUniqueId":"` + id + `"}}}`, `{"nome":"ção\u0000"}`, strings.Repeat("[", 10_000), `{"a":` + strings.Repeat(`{"a":`, 200),
	} {
		f.Add(body, "1")
	}
	f.Add("{}", "007")
	f.Add("{}", "-1")
	f.Add("{}", "99999999999999999999")
	f.Fuzz(func(t *testing.T, body, kind string) {
		var taken []Trigger
		add := func(_ context.Context, env Trigger) error { taken = append(taken, env); return nil }
		r := newReceiver([]string{"token"}, func(n int32) bool { return n == 1 }, readNotification, add, nil, func(error) {})
		request := httptest.NewRequest(http.MethodPost, "/callbacks/token/1", strings.NewReader(body))
		request.URL.Path = "/callbacks/token/" + kind
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, request)
		var object map[string]json.RawMessage
		isObject := json.Unmarshal([]byte(body), &object) == nil && object != nil
		switch {
		case len(taken) > 1:
			t.Fatalf("%d triggers of one callback", len(taken))
		case len(taken) == 1 && (answer.Code != http.StatusAccepted || !isObject || taken[0].Source != Callback || taken[0].Type != 1):
			t.Fatalf("answered %d, with the trigger %v", answer.Code, taken[0])
		case len(taken) == 1 && taken[0].Process != uuid.Nil && !strings.Contains(strings.ToLower(body), "processuniqueid"):
			// a name may contain escapes
			if !strings.Contains(body, `\u`) {
				t.Fatalf("a process that nobody named: %v", taken[0].Process)
			}
		case len(taken) == 0 && answer.Code >= 500:
			t.Fatalf("answered %d", answer.Code)
		}
	})
}
