package slacksim_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/slacksim"
)

// inMemory is a RoundTripper that calls a handler directly, so that synctest can simulate time.
type inMemory struct{ app http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w, done := httptest.NewRecorder(), make(chan struct{})
	go func() { defer close(done); m.app.ServeHTTP(w, r) }()
	select {
	case <-done:
		return w.Result(), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func TestEveryDeliveryIsSignedOverItsRawBody(t *testing.T) {
	var body []byte
	var header http.Header
	sim := slacksim.New(slacksim.Config{
		RequestURL: "http://app.test/slack/events", SigningSecret: "segredo",
		Client: &http.Client{Transport: inMemory{http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ = io.ReadAll(r.Body)
			header = r.Header
		})}},
	})
	defer sim.Close()
	must(t, sim.User(slacksim.Ana).Command(t.Context(), slacksim.TeamChannel, "/borrowers 1042"))
	mac := hmac.New(sha256.New, []byte("segredo"))
	_, _ = io.WriteString(mac, "v0:"+header.Get("X-Slack-Request-Timestamp")+":"+string(body))
	if want := "v0=" + hex.EncodeToString(mac.Sum(nil)); header.Get("X-Slack-Signature") != want {
		t.Errorf("signed %s, want %s", header.Get("X-Slack-Signature"), want)
	}
	form, err := url.ParseQuery(string(body))
	must(t, err)
	for key, want := range map[string]string{
		"command": "/borrowers", "text": "1042", "user_id": slacksim.Ana, "channel_id": slacksim.TeamChannel, "channel_name": "equipa",
		"team_id": slacksim.TeamID, "team_domain": slacksim.TeamDomain, "api_app_id": slacksim.AppID, "is_enterprise_install": "false",
	} {
		if form.Get(key) != want {
			t.Errorf("%s is %q, want %q", key, form.Get(key), want)
		}
	}
	for _, key := range []string{"token", "user_name", "response_url", "trigger_id"} {
		if form.Get(key) == "" {
			t.Errorf("%s is missing", key)
		}
	}
}

func TestACommandWithoutAcknowledgementFailsAfterThreeSecondsWithoutRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		sim := slacksim.New(slacksim.Config{
			RequestURL: "http://app.test/",
			Client: &http.Client{Transport: inMemory{http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				calls.Add(1)
				time.Sleep(4 * time.Second)
			})}},
		})
		start := time.Now()
		err := sim.User(slacksim.Ana).Command(t.Context(), slacksim.TeamChannel, "/borrowers")
		if failed := (*slacksim.AppError)(nil); !errors.As(err, &failed) || failed.Code != "operation_timeout" {
			t.Errorf("failed with %v", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("waited %s, want 3s", took)
		}
		if notice := sim.User(slacksim.Ana).Notice(); notice != "/borrowers falhou com o erro «operation_timeout»" {
			t.Errorf("the notice is %q", notice)
		}
		time.Sleep(10 * time.Minute)
		if n := calls.Load(); n != 1 {
			t.Errorf("the command was sent %d times", n)
		}
		must(t, sim.Close())
	})
}

func TestAnEventIsRepeatedAtOnceThenAfterOneAndFiveMinutes(t *testing.T) {
	rows := []struct {
		name    string
		answer  func(w http.ResponseWriter, attempt int)
		arrived []time.Duration
		reasons []string
	}{
		{"acknowledged", func(http.ResponseWriter, int) {}, []time.Duration{0}, []string{""}},
		{"always an error", func(w http.ResponseWriter, _ int) { w.WriteHeader(500) },
			[]time.Duration{0, 0, time.Minute, 6 * time.Minute}, []string{"", "http_error", "http_error", "http_error"}},
		{"an error once", func(w http.ResponseWriter, attempt int) {
			if attempt == 0 {
				w.WriteHeader(503)
			}
		}, []time.Duration{0, 0}, []string{"", "http_error"}},
		{"too slow once", func(_ http.ResponseWriter, attempt int) {
			if attempt == 0 {
				time.Sleep(5 * time.Second)
			}
		}, []time.Duration{0, 3 * time.Second}, []string{"", "http_timeout"}},
		{"an error that wants no repetition", func(w http.ResponseWriter, _ int) {
			w.Header().Set("X-Slack-No-Retry", "1")
			w.WriteHeader(500)
		}, []time.Duration{0}, []string{""}},
		{"a success that wants no repetition", func(w http.ResponseWriter, _ int) { w.Header().Set("X-Slack-No-Retry", "1") },
			[]time.Duration{0}, []string{""}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var ack []time.Duration
				var heads []http.Header
				ids := map[string]bool{}
				start := time.Now()
				sim := slacksim.New(slacksim.Config{
					RequestURL: "http://app.test/",
					Client: &http.Client{Transport: inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						raw, _ := io.ReadAll(r.Body)
						mu.Lock()
						ids[readDelivery(raw)["event_id"].(string)] = true
						ack, heads = append(ack, time.Since(start)), append(heads, r.Header.Clone())
						attempt := len(ack) - 1
						mu.Unlock()
						row.answer(w, attempt)
					})}},
				})
				ana := sim.User(slacksim.Ana)
				must(t, ana.Say(t.Context(), ana.DM(), "olá"))
				must(t, sim.WaitEvents(t.Context()))
				time.Sleep(time.Minute) // whatever is too slow ends
				synctest.Wait()
				if len(ack) != len(row.arrived) {
					t.Fatalf("arrived at %v, want %v", ack, row.arrived)
				}
				for i := range ack {
					if ack[i] != row.arrived[i] || heads[i].Get("X-Slack-Retry-Reason") != row.reasons[i] {
						t.Errorf("try %d at %s for %q, want %s for %q", i, ack[i], heads[i].Get("X-Slack-Retry-Reason"), row.arrived[i], row.reasons[i])
					}
				}
				if len(ids) != 1 {
					t.Errorf("the tries had %d event_ids, want one", len(ids))
				}
				must(t, sim.Close())
			})
		})
	}
}

func TestOnlyEventsThatTheManifestSubscribesToAreSent(t *testing.T) {
	e := newEnv(t, func(cfg *slacksim.Config) {
		cfg.Manifest = []byte(`{"display_information":{"name":"Balcão"},
			"features":{"slash_commands":[{"command":"/borrowers"}]},
			"settings":{"event_subscriptions":{"bot_events":["app_home_opened","app_mention"]}}}`)
	})
	ana := e.User(slacksim.Ana)
	must(t, ana.Say(timeoutContext(t), ana.DM(), "olá"))
	must(t, ana.Say(timeoutContext(t), slacksim.TeamChannel, "olá a todos"))
	must(t, ana.Say(timeoutContext(t), slacksim.TeamChannel, "olá <@"+slacksim.BotUserID+">"))
	must(t, e.WaitEvents(timeoutContext(t)))
	must(t, ana.OpenHome(timeoutContext(t)))
	must(t, e.WaitEvents(timeoutContext(t)))
	var kinds []string
	for _, in := range e.deliveries {
		kinds = append(kinds, dig(in, "event").(map[string]any)["type"].(string))
	}
	if got := strings.Join(kinds, " "); got != "app_mention app_home_opened" {
		t.Errorf("the app got %q", got)
	}
	var failed *slacksim.AppError
	if err := ana.Command(timeoutContext(t), slacksim.TeamChannel, "/nada"); !errors.As(err, &failed) || failed.Code != "dispatch_unknown_command" {
		t.Errorf("an unknown command gave %v", err)
	}
}

func TestTheURLIsVerifiedAndSSLChecked(t *testing.T) {
	e := newEnv(t)
	if e.VerifyURL(timeoutContext(t)) == nil {
		t.Error("a URL that does not echo the challenge was accepted")
	}
	e.handle("url_verification", func(in object) any { return in["challenge"] })
	must(t, e.VerifyURL(timeoutContext(t)))
	must(t, e.CheckSSL(timeoutContext(t)))
	if in, head := e.last(); in["ssl_check"] != "1" || head.Get("X-Slack-Signature") != "" {
		t.Errorf("ssl_check was sent as %v", in)
	}
}

func TestADeliveryCanBeForgedAndSentAgain(t *testing.T) {
	e := newEnv(t)
	old := time.Unix(1700000000, 0)
	done, err := e.Deliver(timeoutContext(t), slacksim.Delivery{Body: []byte("command=%2Fx"), Sign: true, Timestamp: old})
	must(t, err)
	_, head := e.last()
	if done.Status != http.StatusOK || head.Get("X-Slack-Request-Timestamp") != "1700000000" || head.Get("X-Slack-Signature") != slacksim.Sign(slacksim.DefaultSigningSecret, old, []byte("command=%2Fx")) {
		t.Errorf("delivered %+v with %v", done, head)
	}
	must(t, e.User(slacksim.Ana).Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"))
	first, _ := e.last()
	log := e.Deliveries()
	again, err := e.Redeliver(timeoutContext(t), log[len(log)-1].ID)
	must(t, err)
	in, head := e.last()
	if in["trigger_id"] != first["trigger_id"] || head.Get("X-Slack-Retry-Num") != "1" || again.Attempt != 1 {
		t.Errorf("repeated as %v", in)
	}
	if _, err := e.Redeliver(timeoutContext(t), 999); err == nil {
		t.Error("an unknown delivery was sent again")
	}
}

func TestAnAppThatIsDownOrWrongIsReportedToThePerson(t *testing.T) {
	e := newEnv(t)
	e.handle("command", func(object) any { return 500 })
	tom := e.User(slacksim.Tom)
	if err := tom.Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"); err == nil {
		t.Error("status 500 counts as an acknowledgement")
	}
	if tom.Notice() != "/borrowers failed with the error “dispatch_failed”" {
		t.Errorf("the notice is %q", tom.Notice())
	}
	down := slacksim.New(slacksim.Config{RequestURL: "http://127.0.0.1:1/"})
	defer down.Close()
	if err := down.User(slacksim.Ana).Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers"); err == nil {
		t.Error("no response counts as an acknowledgement")
	}
}

func TestACommandMayBeAnsweredDirectly(t *testing.T) {
	rows := []struct {
		name   string
		answer any
		tom    int
		ana    int
		code   string
	}{
		{"with text, for her alone", "Um momento…", 0, 1, ""},
		{"with JSON, for her alone", object{"text": "Um momento…"}, 0, 1, ""},
		{"for the channel", object{"text": "Um momento…", "response_type": "in_channel"}, 1, 1, ""},
		{"with blocks that are refused", object{"text": "x", "blocks": []object{{"type": "hologram"}}}, 0, 0, "dispatch_failed"},
		{"with an empty object", object{}, 0, 0, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			e.handle("command", func(object) any { return row.answer })
			ana, tom := e.User(slacksim.Ana), e.User(slacksim.Tom)
			err := ana.Command(timeoutContext(t), slacksim.TeamChannel, "/borrowers")
			if failed := (*slacksim.AppError)(nil); errors.As(err, &failed) != (row.code != "") {
				t.Errorf("failed with %v", err)
			}
			if a, b := len(ana.Messages(slacksim.TeamChannel)), len(tom.Messages(slacksim.TeamChannel)); a != row.ana || b != row.tom {
				t.Errorf("Ana sees %d messages and Tom %d", a, b)
			}
		})
	}
}

func TestShouldEscapeSendsUsersAndChannelsAsIDs(t *testing.T) {
	for escape, want := range map[string]string{
		"false": "own 1042 @tom.sample & #geral https://a.pt @nobody",
		"true":  "own 1042 <@U0TOM|tom.sample> &amp; <#C0GERAL|geral> <https://a.pt> @nobody",
	} {
		e := newEnv(t, func(c *slacksim.Config) {
			c.Manifest = []byte(`{"features":{"slash_commands":[{"command":"/balcao","should_escape":` + escape + `}]}}`)
		})
		must(t, e.User(slacksim.Ana).Command(timeoutContext(t), slacksim.TeamChannel, "/balcao own 1042 @tom.sample & #geral https://a.pt @nobody"))
		if in, _ := e.last(); in["text"] != want {
			t.Errorf("should_escape %s: the app got %q, want %q", escape, in["text"], want)
		}
	}
}
