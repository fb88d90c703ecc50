package portal

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/pii"
)

// The operations of the bank's pages ProcessesMessage and SimulationsMessages.
const (
	ProcessesMessageList     OperationID = "processesMessageList"
	ProcessesMessageCreate   OperationID = "processesMessageCreate"
	SimulationsMessageList   OperationID = "simulationsMessageList"
	SimulationsMessageCreate OperationID = "simulationsMessageCreate"
)

func init() {
	registerReads(ProcessesMessageList, SimulationsMessageList)
	registerWrites(ProcessesMessageCreate, SimulationsMessageCreate)
}

// Message is a message on a process or a simulation. The bank prints no item of its lists.
type Message struct {
	// Number is the message's position among those of its process, from 1 for the oldest; 0 if the bank does not say how
	// many there are. Messages are never deleted, so it stays.
	Number       int          `json:"-"`
	Subject      pii.Title    `json:"subject,omitzero"`
	Text         pii.FreeText `json:"text,omitzero"`
	CreationDate Time         `json:"creationDate,omitzero"`
	UserName     pii.Name     `json:"userName,omitzero"`   // of who wrote it: a login or a name
	SentByBank   *bool        `json:"sentByBank,omitzero"` // nil if the bank does not say
}

// MessageRequest is the body of Processes Message Create and Simulations Message Create.
type MessageRequest struct {
	Subject pii.Title    `json:"subject"`
	Text    pii.FreeText `json:"text"`
}

// MessageQuery is a page of a list of messages.
type MessageQuery struct {
	Limit int    // maximum number of messages; the profile may have a smaller one
	After string // [MessagePage.Next] of the page before; "" is that with the newest messages
	// Before, without After, is a number: only older messages are returned. 0 is none.
	Before int
}

// MessagePage is a page of a list of messages, newest first.
type MessagePage struct {
	TotalCount int // 0 if the bank does not say
	Messages   []Message
	Next       string // of the page that follows, for [MessageQuery.After]; "" if this is the last
}

// ListMessages returns a page of the messages of a process.
//
// See Processes Message List on the bank's page ProcessesMessage.
func (u *User) ListMessages(ctx context.Context, process uuid.UUID, query MessageQuery) (MessagePage, error) {
	return u.listMessages(ctx, call{op: ProcessesMessageList, path: pathValues{"processUniqueId": process}}, query)
}

// CreateMessage writes a message on a process, as the user. It is sent once. After an error of kind [Unclear] the message may
// have been stored.
//
// See Processes Message Create on the bank's page ProcessesMessage.
func (u *User) CreateMessage(ctx context.Context, process uuid.UUID, message MessageRequest) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: ProcessesMessageCreate, path: pathValues{"processUniqueId": process}, body: message}, &reply)
	return reply.OperationStatus, err
}

// ListSimulationMessages returns a page of the messages of a simulation.
//
// Of Simulations Message List the bank's reference prints only title and method.
func (u *User) ListSimulationMessages(ctx context.Context, simulation uuid.UUID, query MessageQuery) (MessagePage, error) {
	return u.listMessages(ctx, call{op: SimulationsMessageList, path: pathValues{"simulationUniqueId": simulation}}, query)
}

// CreateSimulationMessage writes a message on a simulation, as [User.CreateMessage] does on a process.
//
// Of Simulations Message Create the bank's reference prints only title and method.
func (u *User) CreateSimulationMessage(ctx context.Context, simulation uuid.UUID, message MessageRequest) (OperationStatus, error) {
	var reply writeReply
	err := u.do(ctx, call{op: SimulationsMessageCreate, path: pathValues{"simulationUniqueId": simulation}, body: message}, &reply)
	return reply.OperationStatus, err
}

// messageCursor is where a page of messages begins. The bank counts pages, which move when a message is added: numbers of
// messages do not.
type messageCursor struct {
	before      int  // only messages with a smaller number
	total       int  // of messages when the cursor was made
	size        int  // of the bank's pages
	oldestFirst bool // the order of the bank's list
}

func (c messageCursor) String() string {
	return fmt.Sprintf("%d-%d-%d-%t", c.before, c.total, c.size, c.oldestFirst)
}

func parseMessageCursor(text string) (c messageCursor, ok bool) {
	_, err := fmt.Sscanf(text, "%d-%d-%d-%t", &c.before, &c.total, &c.size, &c.oldestFirst)
	return c, err == nil && c.before > 1 && c.total >= c.before-1 && c.size > 0 && c.String() == text
}

// maxMoves is how often a list may change while one page of it is read.
const maxMoves = 3

// listMessages returns a page of a list that an operation has. The bank does not say which message comes first: where the
// first page has not all messages, their dates say whether the newest are on it.
func (u *User) listMessages(ctx context.Context, list call, query MessageQuery) (MessagePage, error) {
	pages, moves := newPages(u.client.rows[list.op].wire.Page, query.Limit), 0
	if pages.limit == 0 {
		pages.limit = pages.Size
	}
	var cursor messageCursor
	if query.After != "" {
		var ok bool
		if cursor, ok = parseMessageCursor(query.After); !ok {
			return MessagePage{}, &Error{Kind: NotFound, Operation: list.op, Reason: "a page that is not known", notSent: true}
		}
		pages.limit = cursor.size
	}
	for page := cursor.page(); ; {
		list.query = url.Values{}
		pages.query(list.query, strconv.Itoa(page-1+pages.First))
		var reply messageListReply
		if err := u.do(ctx, list, &reply); err != nil {
			return MessagePage{}, err
		}
		messages := reply.List.all
		if reply.TotalCount == nil || *reply.TotalCount < len(messages) { // only the first page is read
			if ascending(messages) {
				slices.Reverse(messages)
			}
			return MessagePage{Messages: messages}, nil
		}
		cursor.total = *reply.TotalCount
		if cursor.before == 0 {
			cursor.before, cursor.size, cursor.oldestFirst = cursor.total+1, pages.limit, ascending(messages)
			if query.Before > 0 {
				cursor.before = min(cursor.before, query.Before)
			}
			if cursor.size == 0 {
				cursor.size = max(len(messages), 1)
			}
		}
		if cursor.page() == page {
			return cursor.cut(list.op, messages, page)
		}
		if moves++; moves > maxMoves {
			return MessagePage{}, &Error{Kind: Unavailable, Operation: list.op, Reason: "the list changes while it is read"}
		}
		page = cursor.page()
	}
}

// page returns the page, from 1, that has the message before the cursor.
func (c messageCursor) page() int {
	switch {
	case c.before <= 1:
		return 1
	case c.oldestFirst:
		return (c.before-2)/c.size + 1
	default:
		return max(c.total-c.before+1, 0)/c.size + 1
	}
}

// cut returns the messages of a page of the bank's that are before the cursor.
func (c messageCursor) cut(op OperationID, messages []Message, page int) (MessagePage, error) {
	before := (page - 1) * c.size // in the bank's order
	for i := range messages {
		messages[i].Number = c.total - before - i
		if c.oldestFirst {
			messages[i].Number = before + i + 1
		}
	}
	if c.oldestFirst {
		slices.Reverse(messages)
	}
	messages = slices.DeleteFunc(messages, func(m Message) bool { return m.Number >= c.before || m.Number < 1 })
	if len(messages) == 0 && c.before > 1 {
		return MessagePage{}, &Error{Kind: Garbled, Operation: op, Reason: "the list has fewer messages than it counts"}
	}
	found := MessagePage{TotalCount: c.total, Messages: messages}
	if len(messages) > 0 && messages[len(messages)-1].Number > 1 {
		c.before = messages[len(messages)-1].Number
		found.Next = c.String()
	}
	return found, nil
}

// ascending reports whether messages are in the order of their dates, and not in the opposite one.
func ascending(messages []Message) bool {
	return len(messages) > 1 && messages[0].CreationDate.Before(messages[len(messages)-1].CreationDate.Time)
}

type messageListReply struct {
	TotalCount *int          `json:"totalCount"`
	List       list[Message] `json:"list"`
}

func (r *messageListReply) lacks() string {
	if !r.List.present {
		return "messageList"
	}
	return ""
}
