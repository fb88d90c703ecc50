package sandbox

import (
	"cmp"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/balcao/balcao/portal"
)

func init() {
	serve(portal.CallbackList, (*Bank).listCallbacks)
	// The codes are ours; the bank's are not public.
	serveWrite(portal.CallbackUpdate, "080201", (*Bank).updateCallback)
	serveWrite(portal.CallbackEcho, "080301", (*Bank).echoCallback)
	serveWrite(portal.CallbackDelete, "080401", (*Bank).deleteCallback)
}

const maxAddress = 2048 // bytes of a callback's URL

type callbackItem struct {
	TypeID      int32  `json:"notificationTypeID"`
	Description string `json:"notificationTypeDescription"`
	URL         string `json:"callbackUrl"`
}

type callbackPage struct {
	TotalCount int            `json:"totalCount"`
	Count      int            `json:"count"`
	List       []callbackItem `json:"list"`
}

// callbacks are addresses by type of notification, for each partner.
var callbacks = &table[map[int32]string]{first: func(*Bank, uuid.UUID) map[int32]string { return map[int32]string{} }}

// partner returns the partner that the path names. Here every broker is a partner, with a uuid of its own. Another broker's
// partner is refused as one that does not exist.
func (b *Bank) partner(c *call) (uuid.UUID, error) {
	id, err := pathID(c, "partnerUniqueID")
	if err == nil && id != c.session.broker.Partner {
		err = refused(http.StatusBadRequest, "callback.partner")
	}
	return id, err
}

// notificationType returns the type that the path names.
func notificationType(c *call) (int32, error) {
	given := c.value("notificationType")
	n, err := strconv.ParseInt(given, 10, 32)
	if _, known := taxonomies()["notificationTypes"][int32(n)]; err != nil || !known || strconv.FormatInt(n, 10) != given {
		return 0, &refusal{http.StatusBadRequest, []problem{{"callback.type", "notificationType"}}}
	}
	return int32(n), nil
}

// listCallbacks is Callback List, by offset and limit (confirmed; the rest of the shape is ours).
func (b *Bank) listCallbacks(c *call) (any, error) {
	partner, err := b.partner(c)
	if err != nil {
		return nil, err
	}
	query, err := readQuery(c, "offset", "limit")
	if err != nil {
		return nil, err
	}
	offset, limit := query.between("offset", 0, 1_000_000, 0), query.count("limit", 20)
	if query.wrong != nil {
		return nil, query.wrong
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	registered := *callbacks.row(b, partner)
	types := slices.Sorted(maps.Keys(registered))
	page := callbackPage{TotalCount: len(types), List: []callbackItem{}}
	start := min(offset, len(types))
	for _, kind := range types[start:min(start+limit, len(types))] {
		page.List = append(page.List, callbackItem{kind, describe("notificationTypes", &kind, c.lang), registered[kind]})
	}
	page.Count = len(page.List)
	return page, nil
}

// updateCallback is Callback Update: it sets or replaces (confirmed).
func (b *Bank) updateCallback(c *call) (any, error) {
	partner, err := b.partner(c)
	if err != nil {
		return nil, err
	}
	kind, err := notificationType(c)
	if err != nil {
		return nil, err
	}
	var request struct {
		URL string `json:"callbackUrl"`
	}
	if err := decode(c.body, &request); err != nil {
		return nil, err
	}
	if !reachable(request.URL) {
		return nil, &refusal{http.StatusBadRequest, []problem{{"callback.url", "callbackUrl"}}}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	(*callbacks.row(b, partner))[kind] = request.URL
	return done(c), nil
}

// reachable reports whether the bank would send to an address: by HTTPS (confirmed), or without within this machine (ours,
// for the playground and tests).
func reachable(address string) bool {
	parsed, err := url.Parse(address)
	if err != nil || len(address) > maxAddress || parsed.Hostname() == "" || parsed.User != nil || parsed.Fragment != "" {
		return false
	}
	loopback := parsed.Hostname() == "localhost" || net.ParseIP(parsed.Hostname()).IsLoopback()
	return parsed.Scheme == "https" || parsed.Scheme == "http" && loopback
}

// deleteCallback is Callback Delete; what is not configured is a 404 (confirmed).
func (b *Bank) deleteCallback(c *call) (any, error) {
	partner, err := b.partner(c)
	if err != nil {
		return nil, err
	}
	kind, err := notificationType(c)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	registered := *callbacks.row(b, partner)
	if _, configured := registered[kind]; !configured {
		return nil, refused(http.StatusNotFound, "callback.missing")
	}
	delete(registered, kind)
	return done(c), nil
}

// echoed is the reply of Callback Echo, with the receiver's answer.
type echoed struct {
	Status operationStatus `json:"operationStatus"`
	Data   struct {
		ReceiverStatus int `json:"receiverStatus"`
	} `json:"additionalData"`
}

// echoCallback is Callback Echo: one notification is sent at once, and the reply has the status of the answer. Confirmed
// are the names of the four fields, that exactly one of the ids is required, and that the raw body must have the
// structure of its type. Here it may have any of the type's fields, and the type and the id are filled in.
func (b *Bank) echoCallback(c *call) (any, error) {
	partner, err := b.partner(c)
	if err != nil {
		return nil, err
	}
	var request struct {
		TypeID             *int32         `json:"notificationTypeID"`
		ProcessUniqueID    uuid.UUID      `json:"processUniqueId"`
		SimulationUniqueID uuid.UUID      `json:"simulationUniqueId"`
		RawBody            jsontext.Value `json:"rawBody"`
	}
	if err := decode(c.body, &request); err != nil {
		return nil, err
	}
	wrong := func(key, field string) error { return &refusal{http.StatusBadRequest, []problem{{key, field}}} }
	switch {
	case request.TypeID == nil:
		return nil, wrong("field.required", "notificationTypeID")
	case request.RawBody == nil:
		return nil, wrong("field.required", "rawBody")
	case (request.ProcessUniqueID == uuid.Nil) == (request.SimulationUniqueID == uuid.Nil):
		return nil, wrong("callback.subject", "processUniqueId")
	}
	kind := *request.TypeID
	if _, known := taxonomies()["notificationTypes"][kind]; !known {
		return nil, wrong("callback.type", "notificationTypeID")
	}
	var n notification
	if request.RawBody.Kind() != '{' || decode(request.RawBody, &n) != nil || !n.fits(kind) ||
		!concerns(kind, request.SimulationUniqueID != uuid.Nil) ||
		cmp.Or(n.ProcessUniqueID, request.ProcessUniqueID) != request.ProcessUniqueID ||
		cmp.Or(n.SimulationUniqueID, request.SimulationUniqueID) != request.SimulationUniqueID {
		return nil, wrong("callback.body", "rawBody")
	}
	n.NotificationTypeID, n.ProcessUniqueID, n.SimulationUniqueID = kind, request.ProcessUniqueID, request.SimulationUniqueID

	b.mu.Lock()
	p, s := b.store.processes[n.ProcessUniqueID], b.store.simulations[n.SimulationUniqueID]
	known := p != nil && b.visible(c.session, p) || s != nil && b.sees(c.session, s)
	address, configured := (*callbacks.row(b, partner))[kind]
	b.mu.Unlock()
	switch {
	case !known && n.ProcessUniqueID == uuid.Nil:
		return nil, refused(http.StatusBadRequest, "simulation.missing")
	case !known:
		return nil, refused(http.StatusBadRequest, "process.missing")
	case !configured:
		return nil, refused(http.StatusNotFound, "callback.missing")
	}
	body, err := b.delivery(n)
	if err != nil {
		return nil, err
	}
	status, err := b.webhooks.post(c.r.Context(), address, body)
	switch {
	case err != nil:
		return nil, refused(http.StatusBadRequest, "callback.unreachable")
	case status < 200 || status > 299:
		return nil, refused(http.StatusBadRequest, "callback.answer")
	}
	reply := echoed{Status: success(c, nil)}
	reply.Data.ReceiverStatus = status
	return reply, nil
}
