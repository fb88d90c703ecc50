package soak

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal/sandbox"
)

// forgery is a callback that the bank did not send.
type forgery struct {
	name, path, body string
	want             int // 202 if it is accepted as a trigger, which changes nothing
}

func forgeries(ours uuid.UUID) []forgery {
	others := sandbox.SampleProcess(sandbox.SampleOthers)
	about := func(process uuid.UUID) string {
		return fmt.Sprintf(`{"notificationTypeID":1,"processUniqueId":"%s","processStatusID":9,"name":"Maria Exemplo","taxId":"299000007"}`, process)
	}
	return []forgery{
		{"wrong token", "/callbacks/" + token + "x/1", about(ours), http.StatusNotFound},
		{"unknown type", "/callbacks/" + token + "/99", about(ours), http.StatusNotFound},
		{"garbage", "/callbacks/" + token + "/1", "\x00nonsense{", http.StatusBadRequest},
		{"10 MB", "/callbacks/" + token + "/1", strings.Repeat(" ", 10<<20), http.StatusRequestEntityTooLarge},
		{"another broker's", "/callbacks/" + token + "/1", about(others), http.StatusAccepted},
		{"nobody's", "/callbacks/" + token + "/1", about(uuid.New()), http.StatusAccepted},
		{"untrue", "/callbacks/" + token + "/1", about(ours), http.StatusAccepted},
	}
}

const noAnswer = "no answer"

// sendForgeries sends forged callbacks directly to a random replica.
func (n *notificationSoak) sendForgeries(over <-chan struct{}) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 3 * time.Second}
	for i := 0; ; i++ {
		select {
		case <-time.After(n.moving / 60):
		case <-over:
			return
		}
		all := forgeries(n.ids[i%len(n.ids)])
		f := all[i%len(all)]
		said := noAnswer
		response, err := client.Post(n.anyReplica().address()+f.path, "application/json", strings.NewReader(f.body))
		if err == nil {
			said = fmt.Sprint(response.StatusCode)
			_ = response.Body.Close()
		}
		n.mu.Lock()
		n.forged[f.name+": "+said]++
		if err == nil && response.StatusCode < 300 && f.want >= 300 {
			n.acceptedForgeries = append(n.acceptedForgeries, f.name)
		}
		n.mu.Unlock()
	}
}

// checkForgeries checks that forged callbacks had no effect.
func (n *notificationSoak) checkForgeries(t *testing.T) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.acceptedForgeries) > 0 {
		t.Errorf("forged callbacks were accepted: %v", n.acceptedForgeries)
	}
	for _, f := range forgeries(n.ids[0]) {
		answered := n.forged[fmt.Sprintf("%s: %d", f.name, f.want)]
		if len(f.body) > 1<<20 { // a client that is still sending may miss the answer
			answered += n.forged[f.name+": "+noAnswer]
		}
		if answered == 0 {
			t.Errorf("%s never got the expected answer: %v", f.name, n.forged)
		}
	}
	others := sandbox.SampleProcess(sandbox.SampleOthers)
	if snapshot, known, err := n.service.Snapshot(t.Context(), notifications.OfProcess(others)); known || err != nil {
		t.Errorf("there is a snapshot of another broker's process: %+v, %v", snapshot, err)
	}
	for _, thread := range n.sim.Threads(slacksim.TeamChannel) {
		if strings.Contains(noticeOf(thread.Message), others.String()) {
			t.Errorf("the channel has a message about another broker's process: %s", thread.FullText())
		}
	}
	if bytes.Contains(n.slackRequests.Bytes(), []byte(others.String())) {
		t.Error("Slack was sent something about another broker's process")
	}
}
