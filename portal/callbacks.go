package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unique"

	"github.com/google/uuid"
)

// The operations of the bank's page Partners.
const (
	CallbackList   OperationID = "callbackList"
	CallbackUpdate OperationID = "callbackUpdate"
	CallbackDelete OperationID = "callbackDelete"
	CallbackEcho   OperationID = "callbackEcho"
)

func init() {
	registerReads(CallbackList)
	registerWrites(CallbackUpdate, CallbackDelete, CallbackEcho)
	registerReasons("callback.partner", "callback.type", "callback.url", "callback.missing", "callback.subject",
		"callback.body", "callback.unreachable", "callback.answer")
}

// Limits of reading Callback List.
const (
	callbackPage     = 100
	maxCallbackPages = 20
)

// ErrNoPartner is the error of a call about callbacks if [Config.PartnerUID] is not set.
var ErrNoPartner = errors.New("the partner's uuid is not set")

// Callback is the address that the bank sends the notifications of one type to. Each type has at most one.
type Callback struct {
	NotificationTypeID int32       `json:"notificationTypeID"` // taxonomy notificationTypes
	URL                CallbackURL `json:"callbackUrl"`
}

// String returns type and address without the secret.
func (c Callback) String() string {
	return fmt.Sprintf("callback %d to %s", c.NotificationTypeID, c.URL)
}

// Format writes String for every verb.
func (c Callback) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue returns String.
func (c Callback) LogValue() slog.Value { return slog.StringValue(c.String()) }

// CallbackURL is an address that the bank sends notifications to. No way to authenticate a delivery is documented, so the
// path of the address is a secret: it is never printed or logged. As JSON it is written in the clear.
type CallbackURL struct{ handle unique.Handle[string] }

// NewCallbackURL returns the address as a CallbackURL. It is checked by [User.SetCallback].
func NewCallbackURL(address string) CallbackURL {
	if address == "" {
		return CallbackURL{}
	}
	return CallbackURL{unique.Make(address)}
}

// Reveal returns the address in the clear, "" if there is none.
func (u CallbackURL) Reveal() string {
	if u.IsZero() {
		return ""
	}
	return u.handle.Value()
}

// IsZero reports whether there is no address.
func (u CallbackURL) IsZero() bool { return u == CallbackURL{} }

// String returns scheme and host only.
func (u CallbackURL) String() string {
	if u.IsZero() {
		return ""
	}
	parsed, err := u.parse()
	if err != nil {
		return "••••••"
	}
	return parsed.Scheme + "://" + parsed.Host + "/••••••"
}

// Format writes String for every verb.
func (u CallbackURL) Format(f fmt.State, _ rune) { io.WriteString(f, u.String()) }

// LogValue returns String.
func (u CallbackURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalJSON writes the address in the clear.
func (u CallbackURL) MarshalJSON() ([]byte, error) { return json.Marshal(u.Reveal()) }

// UnmarshalJSON reads an address, whatever it looks like.
func (u *CallbackURL) UnmarshalJSON(data []byte) error {
	var address string
	if json.Unmarshal(data, &address) != nil {
		return lacking("address as a text")
	}
	*u = NewCallbackURL(address)
	return nil
}

var errNoAddress = errors.New("the callback's URL must be like https://host/path")

// parse reads the address. Its errors do not repeat it, as those of net/url do.
func (u CallbackURL) parse() (*url.URL, error) {
	parsed, err := url.Parse(u.Reveal())
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return nil, errNoAddress
	}
	return parsed, nil
}

// secrets returns the parts of the address, none of which may be kept of a reply.
func (u CallbackURL) secrets() []string {
	parsed, err := u.parse()
	if err != nil {
		return nil
	}
	rest := strings.Join([]string{parsed.Path, parsed.RawQuery, parsed.Fragment, parsed.User.String()}, "/")
	return append(strings.FieldsFunc(rest, func(c rune) bool { return strings.ContainsRune("/&=:", c) }), parsed.EscapedPath())
}

// Echo is a test notification. Exactly one of the two ids is set.
type Echo struct {
	NotificationTypeID int32
	ProcessUniqueID    uuid.UUID
	SimulationUniqueID uuid.UUID
	RawBody            json.RawMessage // its structure depends on the type; none of them is public
}

// ListCallbacks returns the registered callbacks, sorted by type.
//
// See Callback List on the bank's page Partners. Since neither a default nor a maximum limit is known, pages are read until one has nothing new.
func (u *User) ListCallbacks(ctx context.Context) ([]Callback, error) {
	path, err := u.partner(CallbackList)
	if err != nil {
		return nil, err
	}
	found, offset := map[int32]Callback{}, 0
	for range maxCallbackPages {
		query := url.Values{"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(callbackPage)}}
		var page callbackListReply
		if err := u.do(ctx, call{op: CallbackList, path: path, query: query}, &page); err != nil {
			return nil, err
		}
		known := len(found)
		for _, callback := range page.List.all {
			found[callback.NotificationTypeID] = callback
		}
		if len(found) == known {
			byType := func(a, b Callback) int { return int(a.NotificationTypeID) - int(b.NotificationTypeID) }
			return slices.SortedFunc(maps.Values(found), byType), nil
		}
		offset += len(page.List.all)
	}
	return nil, &Error{Kind: Garbled, Operation: CallbackList, Reason: "too many pages"}
}

// SetCallback sets the address for the notifications of a type. It is idempotent: after an error of kind [Unclear] call it
// again. The client sends it once, as every write: an automatic retry could arrive late and undo a newer address.
//
// See Callback Update on the bank's page Partners. The bank accepts only HTTPS.
func (u *User) SetCallback(ctx context.Context, notificationType int32, address CallbackURL) (OperationStatus, error) {
	path, err := u.partner(CallbackUpdate)
	if err != nil {
		return OperationStatus{}, err
	}
	if _, err := address.parse(); err != nil {
		return OperationStatus{}, fmt.Errorf("portal: %s: %w", CallbackUpdate, err)
	}
	path["notificationType"] = number(notificationType)
	var reply writeReply
	body := map[string]CallbackURL{"callbackUrl": address}
	err = u.do(ctx, call{op: CallbackUpdate, path: path, body: body, private: address.secrets()}, &reply)
	return reply.OperationStatus, err
}

// DeleteCallback ends the notifications of a type. If none is configured, which the bank says is a 404, the error is of kind
// [NotFound].
//
// See Callback Delete on the bank's page Partners.
func (u *User) DeleteCallback(ctx context.Context, notificationType int32) (OperationStatus, error) {
	path, err := u.partner(CallbackDelete)
	if err != nil {
		return OperationStatus{}, err
	}
	path["notificationType"] = number(notificationType)
	var reply writeReply
	err = u.do(ctx, call{op: CallbackDelete, path: path}, &reply)
	return reply.OperationStatus, err
}

// EchoCallback requests a test notification. The bank does not say where it sends it; it is expected at the address of its
// type.
//
// See Callback Echo on the bank's page Partners.
func (u *User) EchoCallback(ctx context.Context, echo Echo) (OperationStatus, error) {
	path, err := u.partner(CallbackEcho)
	if err != nil {
		return OperationStatus{}, err
	}
	if (echo.ProcessUniqueID == uuid.Nil) == (echo.SimulationUniqueID == uuid.Nil) {
		return OperationStatus{}, fmt.Errorf("portal: %s: exactly one of process and simulation is required", CallbackEcho)
	}
	body := echoBody(echo)
	if body.RawBody == nil {
		body.RawBody = json.RawMessage("{}")
	}
	var reply echoReply
	err = u.do(ctx, call{op: CallbackEcho, path: path, body: body}, &reply)
	return reply.OperationStatus, err
}

// partner returns the partner as the first value of a path.
func (u *User) partner(op OperationID) (pathValues, error) {
	if u.client.config.PartnerUID == uuid.Nil {
		return nil, fmt.Errorf("portal: %s: %w", op, ErrNoPartner)
	}
	return pathValues{"partnerUniqueID": u.client.config.PartnerUID}, nil
}

type echoBody struct {
	NotificationTypeID int32           `json:"notificationTypeID"`
	ProcessUniqueID    uuid.UUID       `json:"processUniqueId,omitzero"`
	SimulationUniqueID uuid.UUID       `json:"simulationUniqueId,omitzero"`
	RawBody            json.RawMessage `json:"rawBody"`
}

// echoReply accepts any JSON: it may be the notification itself.
type echoReply struct{ writeReply }

func (r *echoReply) UnmarshalJSON(data []byte) error {
	_ = r.writeReply.UnmarshalJSON(data) // a status, if there is one
	return nil
}

func (r *echoReply) lacks() string { return "" }

type callbackListReply struct {
	List list[Callback] `json:"list"`
}

// lacks names what one of the callbacks lacks.
func (r *callbackListReply) lacks() string {
	if !r.List.present || slices.ContainsFunc(r.List.all, func(c Callback) bool { return c.NotificationTypeID == 0 || c.URL.IsZero() }) {
		return "notification type and address in a callback"
	}
	return ""
}
