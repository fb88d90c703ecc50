package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/notifications"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// updates reads all that is written down, and wants of each process every version once, in order, each beginning where
// the one before it ended, and the last at the bank's state.
func (n *newsroom) updates(t *testing.T) (all []notifications.Update) {
	t.Helper()
	seen, since := map[string]bool{}, time.Time{}
	for {
		page, err := n.news.Since(t.Context(), since, 500)
		if err != nil {
			t.Fatal(err)
		}
		more := false
		for _, update := range page {
			if !seen[update.ID()] {
				seen[update.ID()], more = true, true
				all = append(all, update)
			}
			since = update.At
		}
		if !more {
			break
		}
	}
	version, status := map[uuid.UUID]int64{}, map[uuid.UUID]string{}
	for _, process := range n.ids {
		status[process] = n.states[1]
	}
	for _, update := range all {
		p := update.Process
		if update.Version != version[p]+1 {
			t.Errorf("after version %d of process %d comes %d", version[p], update.Number, update.Version)
		}
		version[p] = update.Version
		for _, change := range update.Changes {
			if change.Kind == notifications.StatusChanged {
				if change.From != status[p] {
					t.Errorf("version %d of process %d goes on from %q, where it was %q", update.Version, update.Number, change.From, status[p])
				}
				status[p] = change.To
			}
		}
	}
	for i, process := range n.ids {
		if want := n.states[n.bank.State(process)]; status[process] != want {
			t.Errorf("process %d is told to be %q, and is %q", sandbox.SampleAdded+i, status[process], want)
		}
	}
	return all
}

// readChannel reads what people do: a card of each process, the bank's state on it, and under it every update once and
// in order.
func (n *newsroom) readChannel(t *testing.T, updates []notifications.Update) (messages int) {
	t.Helper()
	of := map[string][]notifications.Update{}
	for _, update := range updates {
		of[update.Process.String()] = append(of[update.Process.String()], update)
	}
	cards := map[string]int{}
	for _, thread := range n.sim.Threads(slacksim.TeamChannel) {
		process, isCard := strings.CutSuffix(noticeOf(thread.Message), ":card")
		if !isCard || len(of[process]) == 0 || thread.ThreadTS != "" {
			t.Errorf("what is %q in the channel?", thread.FullText())
			continue
		}
		cards[process]++
		messages += 1 + len(thread.Replies)
		told := int64(0)
		for _, reply := range thread.Replies {
			about, version, _ := strings.Cut(noticeOf(reply), ":")
			to, err := strconv.ParseInt(version, 10, 64)
			if err != nil || about != process || to <= told || to > int64(len(of[process])) {
				t.Fatalf("after version %d of %s is told %s: %q", told, process, noticeOf(reply), reply.FullText())
			}
			tells(t, reply.FullText(), of[process][told:to])
			told = to
		}
		if told != int64(len(of[process])) {
			t.Errorf("of %s is told up to version %d of %d", process, told, len(of[process]))
		}
	}
	for i, process := range n.ids {
		if many := cards[process.String()]; many != 1 {
			t.Errorf("process %d has %d cards", sandbox.SampleAdded+i, many)
		}
	}
	if codes := n.refusals(); len(codes) > 0 {
		t.Errorf("Slack refused what a right app never does: %v", codes)
	}
	return messages
}

// tells wants exactly these updates in a message, in order.
func tells(t *testing.T, text string, updates []notifications.Update) {
	t.Helper()
	var want, lines []string
	for _, update := range updates {
		for _, change := range update.Changes {
			want = append(want, change.Text(words.English))
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "• ") {
			lines = append(lines, line)
		}
	}
	if len(want) == 1 && len(lines) == 0 && strings.HasSuffix(text, want[0]) {
		return
	}
	if len(lines) != len(want) {
		t.Errorf("%d changes are told in %q, want %q", len(lines), text, want)
		return
	}
	for i, line := range lines {
		if !strings.HasSuffix(line, " · "+want[i]) {
			t.Errorf("line %d of %q is not %q", i+1, text, want[i])
		}
	}
}

// findNobody looks for everybody's data in all that Slack was ever sent and in what stands there, in the whole history of
// Redis and in the logs.
func (n *newsroom) findNobody(t *testing.T) {
	t.Helper()
	people := n.people(t)
	channel, err := json.Marshal(n.sim.Threads(slacksim.TeamChannel))
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	places := map[string][]byte{"the channel": channel, "what Slack was sent": bytes.Clone(n.heard.Bytes())}
	n.mu.Unlock()
	for _, value := range people.incomes {
		for name, place := range places {
			for _, text := range amounts(value) {
				if standsIn(place, text, "process ") {
					t.Errorf("%s holds an income, %s", name, text)
				}
			}
		}
	}
	dir, err := n.config.Store.Client().ConfigGet(t.Context(), "dir").Result()
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	err = filepath.WalkDir(dir["dir"], func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		places[path], err = os.ReadFile(path)
		read += len(places[path])
		return err
	})
	if err != nil || read < 10_000 {
		t.Errorf("of Redis there are %d bytes to read, %v", read, err)
	}
	t.Logf("searched: %d values in %d bytes of Redis and %d of Slack", len(people.data), read, len(places["what Slack was sent"]))
	for _, r := range n.crew {
		if places[r.log.Name()], err = os.ReadFile(r.log.Name()); err != nil {
			t.Error(err)
		}
	}
	for name, place := range places {
		for what, value := range people.data {
			if standsIn(place, value, "") {
				t.Errorf("%s holds %s of somebody: %q", name, what, value)
			}
		}
	}
	if len(people.data) < 5*n.processes || len(people.incomes) < 3 {
		t.Errorf("only %d values were looked for", len(people.data))
	}
}

// amounts are the ways in which an amount may be written.
func amounts(value string) []string {
	whole, fraction, _ := strings.Cut(value, ".")
	forms := []string{whole}
	if len(whole) > 3 {
		at := len(whole) - 3
		for _, mark := range []string{".", ",", " ", "\u00a0", "\u202f"} {
			forms = append(forms, whole[:at]+mark+whole[at:])
		}
	}
	if fraction != "" {
		forms = append(forms, value, whole+","+fraction)
	}
	return forms
}

// standsIn finds a value that is not a part of something longer, and that does not follow what may precede it.
func standsIn(place []byte, value, unless string) bool {
	for at := 0; ; {
		found := bytes.Index(place[at:], []byte(value))
		if found < 0 {
			return false
		}
		from, to := at+found, at+found+len(value)
		before, after := byte(' '), byte(' ')
		if from > 0 {
			before = place[from-1]
		}
		if to < len(place) {
			after = place[to]
		}
		allowed := unless != "" && bytes.HasSuffix(bytes.ToLower(place[:from]), []byte(unless))
		if !partOf(before) && !partOf(after) && !allowed {
			return true
		}
		at = to
	}
}

func partOf(b byte) bool {
	return b == '-' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// private is what nobody may read: values by what they are and of whom, and incomes.
type private struct {
	data    map[string]string
	incomes map[string]string
}

// people asks the bank for everybody whom it knows.
func (n *newsroom) people(t *testing.T) private {
	t.Helper()
	found := private{map[string]string{}, map[string]string{}}
	others := portal.Login{BrokerUID: sandbox.BrokerB.UID, Username: sandbox.BrokerB.Users[0]}
	ask := func(user *portal.User, process uuid.UUID) {
		listed, err := user.ListBorrowers(t.Context(), process)
		if portal.KindOf(err) == portal.NotFound || portal.KindOf(err) == portal.Refused {
			return // another broker's
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range listed {
			borrower, err := user.Borrower(t.Context(), process, one.BorrowerUniqueID)
			if err != nil {
				t.Fatal(err)
			}
			found.add(t, one.BorrowerUniqueID.String(), borrower.Request())
		}
	}
	client, _, err := n.login(t, others)
	if err != nil {
		t.Fatal(err)
	}
	for number := sandbox.SampleOpen; number <= 1055; number++ {
		ask(n.user, sandbox.SampleProcess(number))
		ask(client, sandbox.SampleProcess(number))
	}
	for _, process := range n.ids {
		ask(n.user, process)
	}
	return found
}

func (n *newsroom) login(t *testing.T, as portal.Login) (*portal.User, *portal.Client, error) {
	t.Helper()
	client, err := portal.New(portal.Config{
		BaseURL: n.notifier.Bank, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, MaxPerSecond: 10_000,
	})
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(client.Close)
	return client.As(as, "en"), client, nil
}

func (p private) add(t *testing.T, whose string, request portal.BorrowerRequest) {
	t.Helper()
	data, err := pii.MarshalClear(request)
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		var fields map[string]any
		if json.Unmarshal(part, &fields) != nil {
			continue // not a group of fields
		}
		for name, value := range fields {
			switch value := value.(type) {
			case string:
				if len(value) > 5 && name != "zipCodeLocal" { // the town of a branch may be read
					p.data[name+" of "+whose] = value
				}
				if local, abroad := strings.CutPrefix(value, "+351"); abroad {
					p.data[name+" at home of "+whose] = local
				}
			case float64:
				if strings.HasPrefix(name, "income") && value >= 100 {
					p.incomes[fmt.Sprint(value)] = fmt.Sprint(value)
				}
			}
		}
	}
}

// writtenDown looks at what the replicas left: no letters, and no race, panic or secret in their logs.
func (n *newsroom) writtenDown(t *testing.T) {
	t.Helper()
	if letters, err := n.news.DeadLetters(context.Background()); err != nil || len(letters) > 0 {
		t.Errorf("given up were %+v, %v", letters, err)
	}
	for _, r := range n.crew {
		log, err := os.ReadFile(r.log.Name())
		if err != nil {
			t.Error(err)
		}
		for _, bad := range []string{"DATA RACE", "panic", token, slacksim.DefaultBotToken} {
			if at := bytes.Index(log, []byte(bad)); at >= 0 {
				t.Errorf("%s says %s", filepath.Base(r.log.Name()), log[max(0, at-500):min(len(log), at+3000)])
			}
		}
	}
}
