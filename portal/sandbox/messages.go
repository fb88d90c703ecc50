package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal"
)

func init() {
	serve(portal.ProcessesMessageList, (*Bank).listProcessMessages)
	// The code is ours; the bank's is not public.
	serveWrite(portal.ProcessesMessageCreate, "090101", (*Bank).createProcessMessage)
}

const (
	defaultMessages = 20  // of a page (confirmed)
	mostMessages    = 100 // of a page
	maxMessages     = 500 // kept of one process or simulation
)

// message is a message on a process or a simulation.
type message struct {
	subject, text string
	at            time.Time
	user          string
	bank          bool
}

// messages are those of processes and simulations by their id, oldest first.
var messages = &table[[]message]{first: sampleMessages}

// sampleMessages returns the messages that a sample process or simulation begins with.
func sampleMessages(b *Bank, id uuid.UUID) []message {
	if s := b.store.simulations[id]; s != nil && s.number == SampleWithESIS {
		ask, reply := b.message("simulationAsk", s.created.Add(3*time.Hour)), b.message("simulationReply", s.created.Add(26*time.Hour))
		reply.user, reply.bank = BrokerA.Users[0], false
		return []message{ask, reply}
	}
	p, known := b.store.processes[id]
	if !known {
		return nil
	}
	first, second := b.message("paySlips", p.created.Add(2*time.Hour)), b.message("reply", p.created.Add(5*time.Hour))
	switch p.number {
	case SampleCouple:
		second.user, second.bank = BrokerA.Users[0], false
		return []message{first, second, b.message("thanks", p.created.Add(27*time.Hour))}
	case SampleAnalysis:
		var all []message
		for i := range 23 { // more than a page
			m := b.message("status", p.created.Add(time.Duration(i+1)*4*time.Hour), "number", i+1)
			if m.bank = i%2 == 0; !m.bank {
				m.user = BrokerA.Users[0]
			}
			all = append(all, m)
		}
		return all
	}
	return nil
}

// message returns a message of the bank's with a text of the translation files. Messages are in Portuguese, whoever reads them.
func (b *Bank) message(key string, at time.Time, args ...any) message {
	values := map[string]any{}
	for i := 0; i+1 < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = args[i+1]
	}
	say := func(key string) string { return book.Say(words.Portuguese, key, values) }
	return message{say("message." + key + ".subject"), say("message." + key + ".text"), at, say("message.user"), true}
}

type messagePage struct {
	TotalCount int              `json:"totalCount"`
	Count      int              `json:"count"`
	List       []portal.Message `json:"list"`
}

// listProcessMessages is Processes Message List. That the newest message comes first is ours.
func (b *Bank) listProcessMessages(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	return b.pageOfMessages(c, p.id)
}

// pageOfMessages returns the page that a call asks for, of the messages of a process or a simulation. The caller holds the
// bank's lock.
func (b *Bank) pageOfMessages(c *call, id uuid.UUID) (any, error) {
	query, err := readQuery(c, "pageNumber", "pageSize")
	if err != nil {
		return nil, err
	}
	first := c.wire.Page.First
	size := query.between("pageSize", 1, mostMessages, defaultMessages)
	skip := (query.between("pageNumber", first, 1_000_000, first) - first) * size
	if query.wrong != nil {
		return nil, query.wrong
	}
	all := *messages.row(b, id)
	page := messagePage{TotalCount: len(all), List: []portal.Message{}}
	for i := len(all) - 1 - skip; i >= 0 && len(page.List) < size; i-- {
		page.List = append(page.List, all[i].item())
	}
	page.Count = len(page.List)
	return page, nil
}

func (m message) item() portal.Message {
	return portal.Message{
		Subject: pii.New[pii.Title](m.subject), Text: pii.New[pii.FreeText](m.text), CreationDate: portal.Time{Time: m.at},
		UserName: pii.New[pii.Name](m.user), SentByBank: &m.bank,
	}
}

// createProcessMessage is Processes Message Create. A process that has ended accepts messages too.
func (b *Bank) createProcessMessage(c *call) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.process(c)
	if err != nil {
		return nil, err
	}
	if err := b.storeMessage(c, p.id); err != nil {
		return nil, err
	}
	p.touch(c.now, string(c.operation))
	return done(c), nil
}

// storeMessage stores the message of a call as the user's. Both fields are required, with the lengths of the profile. The
// caller holds the bank's lock.
func (b *Bank) storeMessage(c *call, id uuid.UUID) error {
	var data portal.MessageRequest
	if err := decode(c.body, &data); err != nil {
		return err
	}
	var problems []problem
	for _, field := range []struct{ name, value string }{{"subject", data.Subject.Reveal()}, {"text", data.Text.Reveal()}} {
		if strings.TrimSpace(field.value) == "" {
			problems = append(problems, problem{"field.required", field.name})
		} else if most := c.wire.Lengths[field.name]; most > 0 && utf8.RuneCountInString(field.value) > most {
			problems = append(problems, problem{"field.length", field.name})
		}
	}
	if len(problems) > 0 {
		return &refusal{http.StatusBadRequest, problems}
	}
	b.addMessage(id, message{data.Subject.Reveal(), data.Text.Reveal(), c.now, c.session.user, false})
	return nil
}

// addMessage stores a message of a process or a simulation. The caller holds the bank's lock.
func (b *Bank) addMessage(id uuid.UUID, m message) {
	all := messages.row(b, id)
	*all = append((*all)[max(0, len(*all)+1-maxMessages):], m)
}

// WriteMessage makes the bank write a message on a process and notify its broker.
func (b *Bank) WriteMessage(id uuid.UUID) error {
	return b.withProcess(id, func(p *process) error {
		b.write(p)
		return nil
	})
}

// WriteText makes the bank write a message with a subject and a text on a process and notify its broker.
func (b *Bank) WriteText(id uuid.UUID, subject, text string) error {
	return b.withProcess(id, func(p *process) error {
		m := b.message("usual", b.now())
		m.subject, m.text = subject, text
		b.addMessage(p.id, m)
		b.recordAction(p, notification{NotificationTypeID: newMessage})
		return nil
	})
}

// write adds a message of the bank to a process and notifies its broker. The caller holds the bank's lock.
func (b *Bank) write(p *process) {
	b.addMessage(p.id, b.message("usual", b.now()))
	b.recordAction(p, notification{NotificationTypeID: newMessage})
}

// Messages returns the texts of the messages on a process or a simulation, oldest first, for tests to see what was written.
func (b *Bank) Messages(id uuid.UUID) (texts []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range *messages.row(b, id) {
		texts = append(texts, m.text)
	}
	return texts
}
