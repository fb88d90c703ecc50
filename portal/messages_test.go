package portal_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
)

// mailbox answers Processes Message List with messages that have their number as text, a page at a time.
type mailbox struct {
	count       int
	oldestFirst bool
	uncounted   bool // the reply does not say how many there are
	undated     bool
	grows       bool // a message is added before each call
	calls       int
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.calls++
	if m.grows {
		m.count++
	}
	number := func(name string, fallback int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil {
			return fallback
		}
		return n
	}
	page, size := number("pageNumber", 1), number("pageSize", 20)
	items := []map[string]any{}
	for i := (page - 1) * size; i < min(page*size, m.count); i++ {
		text := m.count - i
		if m.oldestFirst {
			text = i + 1
		}
		item := map[string]any{"subject": "s", "text": strconv.Itoa(text), "userName": "ana"}
		if !m.undated {
			item["creationDate"] = time.Date(2026, 1, 1, text, 0, 0, 0, time.UTC).Format(time.RFC3339)
		}
		items = append(items, item)
	}
	body := map[string]any{"messageList": items, "count": len(items)}
	if !m.uncounted {
		body["totalCount"] = m.count
	}
	reply(w, 200, body)
}

func TestMessagesAreReadNewestFirstWhateverTheOrderOfTheBank(t *testing.T) {
	for name, c := range map[string]struct {
		box  *mailbox
		want int // messages in all pages
		most int // calls
	}{
		"newest first":             {&mailbox{count: 45}, 45, 5},
		"oldest first":             {&mailbox{count: 45, oldestFirst: true}, 45, 6},
		"oldest first, one page":   {&mailbox{count: 7, oldestFirst: true}, 7, 1},
		"none":                     {&mailbox{}, 0, 1},
		"one":                      {&mailbox{count: 1, oldestFirst: true}, 1, 1},
		"a count that is not said": {&mailbox{count: 25, uncounted: true}, 10, 1},
		"dates that are not said":  {&mailbox{count: 25, undated: true}, 25, 3},
	} {
		t.Run(name, func(t *testing.T) {
			_, config := overTCP(t, c.box.ServeHTTP)
			user, query := as(t, config, maria), portal.MessageQuery{Limit: 10}
			var read []string
			for {
				page, err := user.ListMessages(t.Context(), process, query)
				if err != nil {
					t.Fatal(err)
				}
				for _, message := range page.Messages {
					read = append(read, message.Text.Reveal())
					if !c.box.uncounted && strconv.Itoa(message.Number) != message.Text.Reveal() {
						t.Errorf("message %s has the number %d", message.Text.Reveal(), message.Number)
					}
				}
				if query.After = page.Next; page.Next == "" {
					break
				}
			}
			var want []string
			for i := range c.want {
				want = append(want, strconv.Itoa(c.box.count-i))
			}
			if strings.Join(read, " ") != strings.Join(want, " ") || c.box.calls > c.most {
				t.Errorf("got %v in %d calls, want %v", read, c.box.calls, want)
			}
		})
	}
}

func TestAMessageThatArrivesMeanwhileMovesNoPage(t *testing.T) {
	box := &mailbox{count: 30}
	_, config := overTCP(t, box.ServeHTTP)
	user := as(t, config, maria)
	first, err := user.ListMessages(t.Context(), process, portal.MessageQuery{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	box.count += 13
	second, err := user.ListMessages(t.Context(), process, portal.MessageQuery{After: first.Next})
	if err != nil || second.Messages[0].Number != 20 || second.TotalCount != 43 {
		t.Errorf("got %+v, %v", second, err)
	}
	before, err := user.ListMessages(t.Context(), process, portal.MessageQuery{Limit: 10, Before: 8})
	if err != nil || before.Messages[0].Text.Reveal() != "7" {
		t.Errorf("before the eighth comes %+v, %v", before, err)
	}
}

func TestAListOfMessagesThatCannotBeReadIsAnError(t *testing.T) {
	for body, kind := range map[string]portal.Kind{
		`{}`:                                   portal.Garbled,
		`{"totalCount": 3, "messageList": []}`: portal.Garbled,
	} {
		_, config := overTCP(t, text(200, body))
		_, err := as(t, config, maria).ListMessages(t.Context(), process, portal.MessageQuery{})
		wantKind(t, err, kind)
	}
	box := &mailbox{count: 30}
	_, config := overTCP(t, box.ServeHTTP)
	for _, after := range []string{"x", "1-2-3-true", "5-1-10-true", "5-9-0-true", "05-9-10-true"} {
		_, err := as(t, config, maria).ListMessages(t.Context(), process, portal.MessageQuery{After: after})
		wantKind(t, err, portal.NotFound)
	}
}

func TestAMessageIsSentAsItIsAndMasksItself(t *testing.T) {
	bank, config := overTCP(t, text(200, ""))
	request := portal.MessageRequest{Subject: pii.New[pii.Title]("Olá"), Text: pii.New[pii.FreeText]("uma linha\n\"duas\" ç")}
	user := as(t, config, maria)
	if _, err := user.CreateMessage(t.Context(), process, request); err != nil {
		t.Fatal(err)
	}
	if want := `{"subject":"Olá","text":"uma linha\n\"duas\" ç"}`; bank.bodies[0] != want {
		t.Errorf("sent %s, want %s", bank.bodies[0], want)
	}
	if shown := fmt.Sprint(request); strings.Contains(shown, "linha") || strings.Contains(shown, "Olá") {
		t.Errorf("it prints as %s", shown)
	}
	if got := user.MaxLength(portal.ProcessesMessageCreate, "text"); got != 4000 {
		t.Errorf("a text has at most %d characters", got)
	}
}
