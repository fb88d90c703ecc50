package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/portal/sandbox"
)

func callbacksPath(broker sandbox.Broker) string {
	return "/v1/partners/" + broker.Partner.String() + "/callbacks"
}

func (d *harness) setCallback(t *testing.T, kind int, address string) {
	t.Helper()
	body := fmt.Sprintf(`{"callbackUrl": %q}`, address)
	if got := d.call(t, "PUT", fmt.Sprintf("%s/%d", callbacksPath(sandbox.BrokerA), kind), body); got.status != http.StatusOK {
		t.Fatalf("callback %d: %d %s", kind, got.status, got.body)
	}
}

// delivered is a notification as it arrived.
type delivered struct {
	NotificationTypeID  int
	ProcessUniqueID     uuid.UUID
	SimulationUniqueID  uuid.UUID
	Date                time.Time
	ProcessStatusID     int
	DocumentTypeID      int
	path, body, content string
}

// receiver is an address that notifications are sent to.
type receiver struct {
	url     string
	arrived chan delivered

	mu     sync.Mutex
	answer func(try int) int // a status; 0 waits until the caller leaves
	tries  int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	n := delivered{path: q.URL.Path, body: string(body), content: q.Method + " " + q.Header.Get("Content-Type")}
	_ = json.Unmarshal(body, &n)
	r.mu.Lock()
	r.tries++
	status := r.answer(r.tries)
	r.mu.Unlock()
	r.arrived <- n
	if status == 0 {
		<-q.Context().Done()
		return
	}
	w.WriteHeader(status)
}

// listen starts a receiver. It accepts every notification unless answer returns another status.
func listen(t *testing.T, answer func(try int) int) *receiver {
	t.Helper()
	if answer == nil {
		answer = func(int) int { return http.StatusAccepted }
	}
	r := &receiver{arrived: make(chan delivered, 10_000), answer: answer}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL + "/callbacks/secret-token/"
	return r
}

func (r *receiver) next(t *testing.T) delivered {
	t.Helper()
	select {
	case n := <-r.arrived:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrives")
		return delivered{}
	}
}

// none checks that nothing else has arrived.
func (r *receiver) none(t *testing.T) {
	t.Helper()
	select {
	case n := <-r.arrived:
		t.Errorf("arrived: %s", n.body)
	default:
	}
}

// newReceivingHarness returns a harness whose broker has a receiver for every type.
func newReceivingHarness(t *testing.T, config sandbox.Config, answer func(try int) int) (*harness, *receiver) {
	t.Helper()
	r := listen(t, answer)
	if config.RetryPause == 0 {
		config.RetryPause = time.Millisecond
	}
	d := newHarness(t, config)
	t.Cleanup(d.Close)
	for kind := 1; kind <= 8; kind++ {
		d.setCallback(t, kind, fmt.Sprint(r.url, kind))
	}
	return d, r
}

func (d *harness) callbacks(t *testing.T, query string) (list []string, total float64) {
	t.Helper()
	page := d.get(t, callbacksPath(sandbox.BrokerA)+query).object(t)
	for _, item := range page["callbackList"].([]any) {
		fields := item.(map[string]any)
		list = append(list, fmt.Sprint(fields["notificationTypeID"], " ", fields["callbackUrl"]))
	}
	return list, page["totalCount"].(float64)
}

func TestACallbackIsSetReplacedListedAndDeleted(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	if list, total := d.callbacks(t, ""); list != nil || total != 0 {
		t.Errorf("a new bank knows %v", list)
	}
	d.setCallback(t, 3, "https://balcao.example/c/old/3")
	d.setCallback(t, 1, "https://balcao.example/c/1")
	d.setCallback(t, 3, "http://127.0.0.1:8080/c/3")
	for query, want := range map[string]string{
		"":                  "[1 https://balcao.example/c/1 3 http://127.0.0.1:8080/c/3]",
		"?limit=1":          "[1 https://balcao.example/c/1]",
		"?offset=1&limit=5": "[3 http://127.0.0.1:8080/c/3]",
		"?offset=9":         "[]",
	} {
		if list, total := d.callbacks(t, query); fmt.Sprint(list) != want || total != 2 {
			t.Errorf("%s: %v of %v, want %s", query, list, total, want)
		}
	}
	one := callbacksPath(sandbox.BrokerA) + "/1"
	if got := d.call(t, "DELETE", one, ""); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := d.call(t, "DELETE", one, ""); got.status != http.StatusNotFound || got.errorsOf(t)[0] != "080004" {
		t.Errorf("deleted twice: %d %s", got.status, got.body)
	}
	if list, _ := d.callbacks(t, ""); len(list) != 1 {
		t.Errorf("left are %v", list)
	}
}

func TestACallbackThatCannotBeIsRefused(t *testing.T) {
	d := newHarness(t, sandbox.Config{})
	good, path := `{"callbackUrl": "https://balcao.example/c/1"}`, callbacksPath(sandbox.BrokerA)
	for name, c := range map[string]struct{ method, path, body, want string }{
		"another's partner":  {"PUT", callbacksPath(sandbox.BrokerB) + "/1", good, "080001"},
		"another's list":     {"GET", callbacksPath(sandbox.BrokerB), "", "080001"},
		"another's to go":    {"DELETE", callbacksPath(sandbox.BrokerB) + "/1", "", "080001"},
		"another's echo":     {"POST", callbacksPath(sandbox.BrokerB) + "/echo", "{}", "080001"},
		"a broker's uuid":    {"PUT", "/v1/partners/" + sandbox.BrokerA.UID.String() + "/callbacks/1", good, "080001"},
		"no uuid":            {"GET", "/v1/partners/me/callbacks", "", "000006 partnerUniqueID"},
		"an unknown type":    {"PUT", path + "/99", good, "080002 notificationType"},
		"a padded type":      {"PUT", path + "/01", good, "080002 notificationType"},
		"a type in words":    {"DELETE", path + "/state", "", "080002 notificationType"},
		"no HTTPS":           {"PUT", path + "/1", `{"callbackUrl": "http://balcao.example/c"}`, "080003 callbackUrl"},
		"another scheme":     {"PUT", path + "/1", `{"callbackUrl": "file:///etc/hosts"}`, "080003 callbackUrl"},
		"no URL":             {"PUT", path + "/1", `{"callbackUrl": ""}`, "080003 callbackUrl"},
		"a URL with a login": {"PUT", path + "/1", `{"callbackUrl": "https://me:pass@balcao.example/"}`, "080003 callbackUrl"},
		"a long URL":         {"PUT", path + "/1", `{"callbackUrl": "https://balcao.example/` + strings.Repeat("x", 2048) + `"}`, "080003 callbackUrl"},
		"another spelling":   {"PUT", path + "/1", `{"url": "https://balcao.example/c/1"}`, "050006 url"},
		"an unknown query":   {"GET", path + "?page=2", "", "000007"},
		"a negative offset":  {"GET", path + "?offset=-1", "", "000007 offset"},
	} {
		if got := d.call(t, c.method, c.path, c.body); got.status != http.StatusBadRequest || got.errorsOf(t)[0] != c.want {
			t.Errorf("%s: %d %s, want %s", name, got.status, got.body, c.want)
		}
	}
	if list, _ := d.callbacks(t, ""); list != nil {
		t.Errorf("registered are %v", list)
	}
}

func TestAnEchoSendsOneNotificationAndReturnsTheStatus(t *testing.T) {
	answers := []int{200, 503, 0}
	d, r := newReceivingHarness(t, sandbox.Config{DeliveryTimeout: 200 * time.Millisecond}, func(try int) int { return answers[try-1] })
	body := fmt.Sprintf(`{"notificationTypeID": 1, "processUniqueId": %q, "rawBody": {"processStatusID": 2}}`, opened)
	for _, want := range []string{`"receiverStatus":200`, "080008", "080007"} {
		if got := d.call(t, "POST", callbacksPath(sandbox.BrokerA)+"/echo", body); !strings.Contains(got.body, want) {
			t.Errorf("%d %s, want %s", got.status, got.body, want)
		}
		n := r.next(t)
		if n.ProcessUniqueID != opened || n.NotificationTypeID != 1 || n.ProcessStatusID != 2 || n.path != "/callbacks/secret-token/1" {
			t.Errorf("got %+v", n)
		}
	}
	if got := d.DeliveryStats(); got.Waiting != 0 || got.Tries != 0 {
		t.Errorf("an echo is tried again: %+v", got)
	}
	simulation := d.get(t, processPath(sandbox.SampleOpen)).object(t)["simulationUniqueID"]
	foreign := sandbox.SampleProcess(sandbox.SampleOthers)
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"both ids":              {fmt.Sprintf(`{"notificationTypeID": 1, "processUniqueId": %q, "simulationUniqueId": %q, "rawBody": {}}`, opened, simulation), "080005 processUniqueId"},
		"neither":               {`{"notificationTypeID": 1, "rawBody": {}}`, "080005 processUniqueId"},
		"no type":               {fmt.Sprintf(`{"processUniqueId": %q, "rawBody": {}}`, opened), "050001 notificationTypeID"},
		"an unknown type":       {fmt.Sprintf(`{"notificationTypeID": 99, "processUniqueId": %q, "rawBody": {}}`, opened), "080002 notificationTypeID"},
		"no raw body":           {fmt.Sprintf(`{"notificationTypeID": 1, "processUniqueId": %q}`, opened), "050001 rawBody"},
		"a list":                {fmt.Sprintf(`{"notificationTypeID": 1, "processUniqueId": %q, "rawBody": []}`, opened), "080006 rawBody"},
		"null":                  {fmt.Sprintf(`{"notificationTypeID": 1, "processUniqueId": %q, "rawBody": null}`, opened), "080006 rawBody"},
		"another type's field":  {fmt.Sprintf(`{"notificationTypeID": 2, "processUniqueId": %q, "rawBody": {"processStatusID": 2}}`, opened), "080006 rawBody"},
		"nobody's field":        {fmt.Sprintf(`{"notificationTypeID": 2, "processUniqueId": %q, "rawBody": {"name": "x"}}`, opened), "080006 rawBody"},
		"another type within":   {fmt.Sprintf(`{"notificationTypeID": 2, "processUniqueId": %q, "rawBody": {"notificationTypeID": 1}}`, opened), "080006 rawBody"},
		"another id within":     {fmt.Sprintf(`{"notificationTypeID": 2, "processUniqueId": %q, "rawBody": {"processUniqueId": %q}}`, opened, foreign), "080006 rawBody"},
		"a simulation's type":   {fmt.Sprintf(`{"notificationTypeID": 5, "processUniqueId": %q, "rawBody": {}}`, opened), "080006 rawBody"},
		"a process's type":      {fmt.Sprintf(`{"notificationTypeID": 8, "simulationUniqueId": %q, "rawBody": {}}`, simulation), "080006 rawBody"},
		"another's process":     {fmt.Sprintf(`{"notificationTypeID": 1, "processUniqueId": %q, "rawBody": {}}`, foreign), "040001"},
		"an unknown simulation": {fmt.Sprintf(`{"notificationTypeID": 5, "simulationUniqueId": %q, "rawBody": {}}`, uuid.New()), "010011"},
	} {
		if got := d.call(t, "POST", callbacksPath(sandbox.BrokerA)+"/echo", c.body); got.status != http.StatusBadRequest || got.errorsOf(t)[0] != c.want {
			t.Errorf("%s: %d %s, want %s", name, got.status, got.body, c.want)
		}
	}
	d.call(t, "DELETE", callbacksPath(sandbox.BrokerA)+"/1", "")
	if got := d.call(t, "POST", callbacksPath(sandbox.BrokerA)+"/echo", body); got.status != http.StatusNotFound || got.errorsOf(t)[0] != "080004" {
		t.Errorf("without a callback: %d %s", got.status, got.body)
	}
	r.none(t)
}
