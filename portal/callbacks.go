package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
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
	register(
		Operation{ID: CallbackList, Method: http.MethodGet, Path: "/v1/partners/{partnerUniqueID}/callbacks"},
		Operation{ID: CallbackUpdate, Method: http.MethodPut, Path: "/v1/partners/{partnerUniqueID}/callbacks/{notificationType}", Parameters: []string{"callbackUrl"}, Writes: true},
		Operation{ID: CallbackDelete, Method: http.MethodDelete, Path: "/v1/partners/{partnerUniqueID}/callbacks/{notificationType}", Writes: true},
		Operation{ID: CallbackEcho, Method: http.MethodPost, Path: "/v1/partners/{partnerUniqueID}/callbacks/echo",
			Parameters: []string{"notificationTypeID", "processUniqueId", "simulationUniqueId", "rawBody"}, Writes: true},
	)
	registerReasons(8,
		reason{"callback.partner", 1}, reason{"callback.type", 2}, reason{"callback.url", 3}, reason{"callback.missing", 4},
		reason{"callback.subject", 5}, reason{"callback.body", 6}, reason{"callback.unreachable", 7}, reason{"callback.answer", 8},
	)
}

// Bounds of a walk over Callback List.
const (
	callbackPage     = 100
	maxCallbackPages = 20
)

// ErrNoPartner is the failure of a call about callbacks where [Config.PartnerUID] is not set.
var ErrNoPartner = errors.New("the partner's uuid is not set")

// Callback is where the bank sends the notifications of one type. There is one for each type at most.
type Callback struct {
	NotificationTypeID int32 // taxonomy notificationTypes
	URL                CallbackURL
}

// String keeps the secret of the URL.
func (c Callback) String() string {
	return fmt.Sprintf("callback %d to %s", c.NotificationTypeID, c.URL)
}

// Format writes String for every verb.
func (c Callback) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue gives String to slog.
func (c Callback) LogValue() slog.Value { return slog.StringValue(c.String()) }

// CallbackURL is an address that the bank sends notifications to. Nothing of a delivery is known to prove its sender, so
// the path of the address is the secret that does: it is never printed nor logged. As JSON it is written in the clear.
type CallbackURL struct{ handle unique.Handle[string] }

// NewCallbackURL returns the address as one that keeps its secret. [User.SetCallback] checks it.
func NewCallbackURL(address string) CallbackURL {
	if address == "" {
		return CallbackURL{}
	}
	return CallbackURL{unique.Make(address)}
}

// Reveal returns the address in the clear, "" when there is none.
func (u CallbackURL) Reveal() string {
	if u.IsZero() {
		return ""
	}
	return u.handle.Value()
}

// IsZero tells whether there is no address.
func (u CallbackURL) IsZero() bool { return u == CallbackURL{} }

// String shows no more than scheme and host.
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

// LogValue gives String to slog.
func (u CallbackURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalJSON writes the address in the clear.
func (u CallbackURL) MarshalJSON() ([]byte, error) { return json.Marshal(u.Reveal()) }

// UnmarshalJSON reads an address, whatever it looks like.
func (u *CallbackURL) UnmarshalJSON(data []byte) error {
	var address string
	if json.Unmarshal(data, &address) != nil {
		return errNotUnderstood
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

// secrets are the parts of the address that nothing which is kept of a reply may repeat, even one by one.
func (u CallbackURL) secrets() []string {
	parsed, err := u.parse()
	if err != nil {
		return nil
	}
	rest := strings.Join([]string{parsed.Path, parsed.RawQuery, parsed.Fragment, parsed.User.String()}, "/")
	return append(strings.FieldsFunc(rest, func(c rune) bool { return strings.ContainsRune("/&=:", c) }), parsed.EscapedPath())
}

// Echo asks for a notification as a test. Exactly one of the two ids is there.
type Echo struct {
	NotificationTypeID int32
	ProcessUniqueID    uuid.UUID
	SimulationUniqueID uuid.UUID
	RawBody            json.RawMessage // its structure depends on the type; none of them is public
}

// ListCallbacks returns the callbacks that are registered, in order of their types.
//
// See Callback List on the bank's page Partners. Its method and its parameters offset and limit are printed; its path and
// reply are inferred. Since no default and no highest limit is known, it is read on until a page brings nothing new.
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
		for _, callback := range page {
			found[callback.NotificationTypeID] = callback
		}
		if len(found) == known {
			byType := func(a, b Callback) int { return int(a.NotificationTypeID) - int(b.NotificationTypeID) }
			return slices.SortedFunc(maps.Values(found), byType), nil
		}
		offset += len(page)
	}
	return nil, &Error{Kind: Garbled, Operation: CallbackList, Reason: "the list does not end"}
}

// SetCallback has the bank send the notifications of a type to an address, instead of any other it knew. Setting the
// same again does no harm, and so a failure of kind [Unclear] is cured by calling once more. The client itself sends it
// once, as every write: one sent again by itself could arrive late, and put an address that was replaced since back in
// its place.
//
// See Callback Update on the bank's page Partners. Method and upsert are printed; path, body and reply are inferred. The
// bank takes HTTPS alone.
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

// DeleteCallback ends the notifications of a type. Where none is configured, which the bank says is a 404, the failure is
// of kind [NotFound].
//
// See Callback Delete on the bank's page Partners. Method and 404 are printed; path and reply are inferred.
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

// EchoCallback tests the way of a notification. That the bank sends it to the address of its type is inferred.
//
// See Callback Echo on the bank's page Partners. Printed are the method, that there are notificationTypeID and rawBody,
// and that exactly one of the two ids must be there; path, the places of these fields and the reply are inferred.
func (u *User) EchoCallback(ctx context.Context, echo Echo) (OperationStatus, error) {
	path, err := u.partner(CallbackEcho)
	if err != nil {
		return OperationStatus{}, err
	}
	if (echo.ProcessUniqueID == uuid.Nil) == (echo.SimulationUniqueID == uuid.Nil) {
		return OperationStatus{}, fmt.Errorf("portal: %s: exactly one of process and simulation must be there", CallbackEcho)
	}
	body := echoBody(echo)
	if body.RawBody == nil {
		body.RawBody = json.RawMessage("{}")
	}
	var reply echoReply
	err = u.do(ctx, call{op: CallbackEcho, path: path, body: body}, &reply)
	return reply.OperationStatus, err
}

// partner begins the places of a path with whose callbacks they are.
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

// echoReply takes any JSON: it may well be the notification itself.
type echoReply struct{ writeReply }

func (r *echoReply) UnmarshalJSON(data []byte) error {
	_ = r.writeReply.UnmarshalJSON(data) // a status, where there is one
	return nil
}

func (r *echoReply) complete() bool { return true }

type callbackListReply []Callback

func (r *callbackListReply) UnmarshalJSON(data []byte) error {
	array, err := arrayIn(data, "callbackList")
	if err != nil {
		return err
	}
	return json.Unmarshal(array, (*[]Callback)(r))
}

// UnmarshalJSON reads a callback under the likely names, since the bank prints none: notificationTypeID or
// notificationType, and callbackUrl or any other that ends in url, uri or endpoint.
func (c *Callback) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return errNotUnderstood
	}
	id := anyField(fields, "notificationtypeid", "notificationtype", "typeid", "type", "id")
	address := anyField(fields, "callbackurl", "url", "uri", "endpoint")
	var digits json.Number // a number, or a text of digits
	if id == nil || address == nil || json.Unmarshal(id, &digits) != nil || json.Unmarshal(address, &c.URL) != nil {
		return errNotUnderstood
	}
	n, err := strconv.ParseInt(digits.String(), 10, 32)
	if err != nil || c.URL.IsZero() {
		return errNotUnderstood
	}
	c.NotificationTypeID = int32(n)
	return nil
}

func anyField(fields map[string]json.RawMessage, names ...string) json.RawMessage {
	for _, name := range names {
		if value := field(fields, name); value != nil {
			return value
		}
	}
	return nil
}
