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

// checkUpdates reads the stored updates and checks that each process has every version once, in order, each continuing the
// one before it, the last with the status at the bank.
func (n *notificationSoak) checkUpdates(t *testing.T) (all []notifications.Update) {
	t.Helper()
	seen, since := map[string]bool{}, time.Time{}
	for {
		page, err := n.service.Since(t.Context(), since, 500)
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
			t.Errorf("process %d is reported as %q, and is %q", sandbox.SampleAdded+i, status[process], want)
		}
	}
	return all
}

// checkChannel checks that the channel has one card for each process, with its status at the bank, and below it every
// update once and in order.
func (n *notificationSoak) checkChannel(t *testing.T, updates []notifications.Update) (messages int) {
	t.Helper()
	of := map[string][]notifications.Update{}
	for _, update := range updates {
		of[update.Process.String()] = append(of[update.Process.String()], update)
	}
	cards := map[string]int{}
	for _, thread := range n.sim.Threads(slacksim.TeamChannel) {
		process, isCard := strings.CutSuffix(noticeOf(thread.Message), ":card")
		if !isCard || len(of[process]) == 0 || thread.ThreadTS != "" {
			t.Errorf("%q is in the channel", thread.FullText())
			continue
		}
		cards[process]++
		messages += 1 + len(thread.Replies)
		delivered := int64(0)
		for _, reply := range thread.Replies {
			about, version, _ := strings.Cut(noticeOf(reply), ":")
			to, err := strconv.ParseInt(version, 10, 64)
			if err != nil || about != process || to <= delivered || to > int64(len(of[process])) {
				t.Fatalf("after version %d of %s comes %s: %q", delivered, process, noticeOf(reply), reply.FullText())
			}
			checkText(t, reply.FullText(), of[process][delivered:to])
			delivered = to
		}
		if delivered != int64(len(of[process])) {
			t.Errorf("%s is delivered up to version %d of %d", process, delivered, len(of[process]))
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

// checkText checks that a message contains exactly these updates, in order.
func checkText(t *testing.T, text string, updates []notifications.Update) {
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
		t.Errorf("%d changes are in %q, want %q", len(lines), text, want)
		return
	}
	for i, line := range lines {
		if !strings.HasSuffix(line, " · "+want[i]) {
			t.Errorf("line %d of %q is not %q", i+1, text, want[i])
		}
	}
}

// checkNoPersonalData searches for the data of all borrowers in the channel, in all requests to Slack, in all that was ever
// written to Redis, and in the logs.
func (n *notificationSoak) checkNoPersonalData(t *testing.T) {
	t.Helper()
	people := n.people(t)
	channel, err := json.Marshal(n.sim.Threads(slacksim.TeamChannel))
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	sources := map[string][]byte{"the channel": channel, "what Slack was sent": bytes.Clone(n.slackRequests.Bytes())}
	n.mu.Unlock()
	for _, value := range people.incomes {
		for name, source := range sources {
			for _, text := range amounts(value) {
				if containsValue(source, text, "process ") {
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
		sources[path], err = os.ReadFile(path)
		read += len(sources[path])
		return err
	})
	if err != nil || read < 10_000 {
		t.Errorf("Redis wrote only %d bytes, %v", read, err)
	}
	t.Logf("searched: %d values in %d bytes of Redis and %d of Slack", len(people.data), read, len(sources["what Slack was sent"]))
	for _, r := range n.running {
		if sources[r.log.Name()], err = os.ReadFile(r.log.Name()); err != nil {
			t.Error(err)
		}
	}
	for name, source := range sources {
		for what, value := range people.data {
			if containsValue(source, value, "") {
				t.Errorf("%s holds %s of somebody: %q", name, what, value)
			}
		}
	}
	if len(people.data) < 5*n.processes || len(people.incomes) < 3 {
		t.Errorf("only %d values were looked for", len(people.data))
	}
}

// amounts returns the ways in which an amount may be written.
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

// containsValue reports whether a source contains a value that is not part of a longer word and does not follow unless.
func containsValue(source []byte, value, unless string) bool {
	for at := 0; ; {
		found := bytes.Index(source[at:], []byte(value))
		if found < 0 {
			return false
		}
		from, to := at+found, at+found+len(value)
		before, after := byte(' '), byte(' ')
		if from > 0 {
			before = source[from-1]
		}
		if to < len(source) {
			after = source[to]
		}
		allowed := unless != "" && bytes.HasSuffix(bytes.ToLower(source[:from]), []byte(unless))
		if !partOf(before) && !partOf(after) && !allowed {
			return true
		}
		at = to
	}
}

func partOf(b byte) bool {
	return b == '-' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// personalValues holds what nobody may read: values by field and borrower, and incomes.
type personalValues struct {
	data    map[string]string
	incomes map[string]string
}

// people asks the bank for all borrowers.
func (n *notificationSoak) people(t *testing.T) personalValues {
	t.Helper()
	found := personalValues{map[string]string{}, map[string]string{}}
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

func (n *notificationSoak) login(t *testing.T, as portal.Login) (*portal.User, *portal.Client, error) {
	t.Helper()
	client, err := portal.New(portal.Config{
		BaseURL: n.replicaConfig.Bank, ClientID: sandbox.SampleClientID, ClientSecret: sandbox.SampleClientSecret, MaxPerSecond: 10_000,
	})
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(client.Close)
	return client.As(as, "en"), client, nil
}

func (p personalValues) add(t *testing.T, whose string, request portal.BorrowerRequest) {
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
				if len(value) > 5 && name != "zipCodeLocal" { // the place names of branches are public
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

// checkLogs checks that the replicas left no dead letters, and no race, panic or secret in their logs.
func (n *notificationSoak) checkLogs(t *testing.T) {
	t.Helper()
	if deadLetters, err := n.service.DeadLetters(context.Background()); err != nil || len(deadLetters) > 0 {
		t.Errorf("dead letters: %+v, %v", deadLetters, err)
	}
	for _, r := range n.running {
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
