package notifications

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/portal"
)

const (
	registrationKey   = "registration" // a hash; see registered
	registrationLease = "registration" // the subject of the lease of who registers
	registrationTTL   = 30 * 24 * time.Hour
	typesTTL          = 400 * 24 * time.Hour
	echoTimeout       = time.Minute
)

// The problems of a registration.
const (
	NoPartner    = "no_partner"    // PORTAL_PARTNER_UID is missing
	NotSet       = "not_set"       // the bank refused our address
	NotAsked     = "not_asked"     // the bank did not answer, or could not be asked: it has said nothing of our address
	NoEcho       = "no_echo"       // the test notification did not arrive
	EchoRefused  = "echo_refused"  // the bank refused to send one
	NotTested    = "not_tested"    // it could not be asked for one
	TypesUnknown = "types_unknown" // the bank did not list its notification types
)

// registration registers our address at the bank for each notification type, with the first token. It checks again and
// again, because others may change it.
type registration struct {
	config      Config
	sealer      sealer
	redis       redis.UniversalClient
	instruments *instruments
	types       atomic.Pointer[map[int32]string] // what the bank calls them
	echoTimeout time.Duration                    // how long an echo may take
}

// known reports whether a notification type exists. Until the bank has listed the types, it reports true.
func (r *registration) known(notificationType int32) bool {
	types := r.types.Load()
	if types == nil {
		return true
	}
	_, known := (*types)[notificationType]
	return known
}

// meaning returns the name of what a notification type means, "" if it is not known.
func (r *registration) meaning(notificationType int32) string {
	called := ""
	if types := r.types.Load(); types != nil {
		called = (*types)[notificationType]
	}
	name, known := r.config.Profile.NotificationMeaning(notificationType, called)
	if !known && r.config.UnknownType != nil {
		r.config.UnknownType(notificationType)
	}
	return name
}

// run registers at once and then in each RegisterInterval, until ctx ends.
func (r *registration) run(ctx context.Context) error {
	if r.config.URL == "" {
		r.config.Log.InfoContext(ctx, "no CALLBACK_URL: callbacks are not registered, changes are found by reconciliation")
	}
	again := retryDelay{min: r.config.Lease, max: r.config.RegisterInterval}
	for ctx.Err() == nil {
		err := r.register(ctx)
		if err == nil {
			again.reset()
			again.current = r.config.RegisterInterval
		} else if ctx.Err() == nil {
			r.config.Log.WarnContext(ctx, "registering callbacks failed", "error", err)
			r.instruments.retry()
		}
		again.wait(ctx, err)
	}
	return nil
}

// register registers all types, unless another replica is doing it, and tests the callbacks with an echo.
func (r *registration) register(ctx context.Context) error {
	types, err := r.loadTypes(ctx)
	if err != nil {
		return errors.Join(err, r.setFields(ctx, "at", r.now(), "problem", TypesUnknown))
	}
	if r.config.URL == "" {
		return nil
	}
	_, err = r.config.Store.WithLease(ctx, registrationLease, r.config.Lease, func(ctx context.Context) error {
		problem, err := NotSet, r.repair(ctx, types)
		if err == nil {
			problem, err = r.echo(ctx, types)
		}
		switch {
		case errors.Is(err, portal.ErrNoPartner):
			problem = NoPartner
		case problem == NotSet && !refused(err):
			problem = NotAsked
		}
		return errors.Join(err, r.setFields(ctx, "at", r.now(), "problem", problem))
	})
	return err
}

// listedType is a notification type of the bank's list.
type listedType struct {
	ID          int32  `json:"id"`
	Description string `json:"description"`
}

// loadTypes reads the notification types from the bank, and caches them for when it does not answer.
func (r *registration) loadTypes(ctx context.Context) ([]int32, error) {
	var types []listedType
	items, err := r.config.Bank.Taxonomy(ctx, "notificationTypes")
	for _, item := range items {
		types = append(types, listedType{item.ID, item.Description})
	}
	if err == nil && len(types) > 0 {
		if text, err := json.Marshal(types); err == nil {
			err = r.config.Store.Put(ctx, "notificationTypes", "", text, typesTTL)
			if err != nil {
				return nil, err
			}
		}
	} else {
		var cacheErr error
		if types, cacheErr = r.cachedTypes(ctx); len(types) == 0 {
			return nil, fmt.Errorf("%s: %w", TypesUnknown, errors.Join(err, cacheErr, errors.New("none is cached")))
		}
	}
	r.setTypes(types)
	var ids []int32
	for _, listed := range types {
		ids = append(ids, listed.ID)
	}
	return ids, nil
}

// cachedTypes returns the types that this replica or another cached, none if there are none.
func (r *registration) cachedTypes(ctx context.Context) (types []listedType, err error) {
	text, there, err := r.config.Store.Get(ctx, "notificationTypes", "")
	if there && json.Unmarshal(text, &types) != nil {
		return nil, nil // of another version: same as none
	}
	return types, err
}

func (r *registration) setTypes(types []listedType) {
	known := make(map[int32]string, len(types))
	for _, listed := range types {
		known[listed.ID] = listed.Description
	}
	r.types.Store(&known)
}

// echoType returns the type of the test notification: one about the status, if there is one, since it makes the bot report
// nothing that the bank does not show.
func (r *registration) echoType(types []int32) int32 {
	at := slices.IndexFunc(types, func(of int32) bool { return r.meaning(of) == "status" })
	return types[max(at, 0)]
}

// base returns the address that all our callbacks begin with.
func (r *registration) base() string { return strings.TrimRight(r.config.URL, "/") + "/callbacks/" }

func (r *registration) address(notificationType int32) string {
	return r.base() + r.config.Tokens[0] + "/" + strconv.Itoa(int(notificationType))
}

// repair registers what is missing or wrong, and deletes our address for types that no longer exist.
func (r *registration) repair(ctx context.Context, types []int32) error {
	listed, err := r.config.Bank.ListCallbacks(ctx)
	if err != nil {
		return fmt.Errorf("listing callbacks: %w", err)
	}
	there := map[int32]string{}
	for _, callback := range listed {
		there[callback.NotificationTypeID] = callback.URL.Reveal()
	}
	var wrong []error
	for _, id := range types {
		was, address := there[id], r.address(id)
		delete(there, id)
		if was == address {
			continue
		}
		if err := r.set(ctx, id, portal.NewCallbackURL(address)); err != nil {
			wrong = append(wrong, fmt.Errorf("setting the callback %d: %w", id, err))
			continue
		}
		r.config.Log.InfoContext(ctx, "callback registered at the bank", "type", id, "missing", was == "")
	}
	for id, address := range there {
		if !strings.HasPrefix(address, r.base()) {
			continue // registered by somebody else
		}
		_, err := r.config.Bank.DeleteCallback(ctx, id)
		if err != nil && portal.KindOf(err) != portal.NotFound {
			wrong = append(wrong, fmt.Errorf("deleting the callback %d: %w", id, err))
		}
	}
	return errors.Join(wrong...)
}

// refused reports whether the bank answered a request, or one of several, with a refusal.
func refused(err error) bool {
	kind := portal.KindOf(err)
	if all, several := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); several && kind != portal.Refused {
		return slices.ContainsFunc(all.Unwrap(), refused)
	}
	return kind == portal.Refused || kind == portal.NotFound
}

// set registers a callback. If the outcome is unclear, it does so once more, since only the last call counts.
func (r *registration) set(ctx context.Context, id int32, address portal.CallbackURL) error {
	_, err := r.config.Bank.SetCallback(ctx, id, address)
	if portal.KindOf(err) == portal.Unclear {
		_, err = r.config.Bank.SetCallback(ctx, id, address)
	}
	return err
}

// echo requests a test notification from the bank, and waits until it has come through the stream.
func (r *registration) echo(ctx context.Context, types []int32) (problem string, err error) {
	page, err := r.config.Bank.ListProcesses(ctx, portal.ProcessQuery{Limit: 1})
	if err != nil || len(page.Processes) == 0 || len(types) == 0 {
		return "", err // there is nothing to ask about
	}
	test := portal.Echo{NotificationTypeID: r.echoType(types), ProcessUniqueID: page.Processes[0].ProcessUniqueID}
	err = r.setFields(ctx, "echo", r.echoOf(test.ProcessUniqueID, test.NotificationTypeID), "back", "")
	if err != nil {
		return "", err
	}
	if _, err := r.config.Bank.EchoCallback(ctx, test); err != nil {
		problem = NotTested
		if refused(err) {
			problem = EchoRefused
		}
		return problem, fmt.Errorf("requesting an echo: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.echoTimeout)
	defer cancel()
	tick := time.NewTicker(r.echoTimeout / 100)
	defer tick.Stop()
	for {
		state, err := r.state(ctx)
		if err == nil && state.back != "" {
			return "", nil
		}
		select {
		case <-ctx.Done():
			return NoEcho, errors.New("the echo did not arrive: the bank does not reach CALLBACK_URL")
		case <-tick.C:
		}
	}
}

// onTriggers records that the echo came, if it is in the batch.
func (r *registration) onTriggers(ctx context.Context, batch []streamEntry) error {
	for _, e := range batch {
		if e.trigger.Source != Callback {
			continue
		}
		state, err := r.state(ctx)
		if err != nil || state.back != "" || state.echo == "" {
			return err
		}
		for _, e := range batch {
			if e.trigger.Source == Callback && r.echoOf(e.trigger.UID(), e.trigger.Type) == state.echo {
				return r.setFields(ctx, "back", r.now(), "last", r.now())
			}
		}
		return nil
	}
	return nil
}

// registered is the state of the registration, of all replicas.
type registered struct {
	at, back, last string // when it was last checked, when this echo came and when the last one came, in ms; "" for never
	problem, echo  string // echo is the fingerprint of the test notification
}

// echoOf returns the fingerprint of a test notification.
func (r *registration) echoOf(process uuid.UUID, notificationType int32) string {
	return r.sealer.fingerprint("echo", process.String(), strconv.Itoa(int(notificationType)))
}

func (r *registration) state(ctx context.Context) (state registered, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	all, err := r.redis.HGetAll(ctx, registrationKey).Result()
	state = registered{at: all["at"], back: all["back"], last: all["last"], problem: all["problem"], echo: all["echo"]}
	return state, redisError("reading the state of the registration", err)
}

func (r *registration) setFields(ctx context.Context, fields ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	_, err := r.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.HSet(ctx, registrationKey, fields...)
		pipe.PExpire(ctx, registrationKey, registrationTTL)
		return nil
	})
	return redisError("storing the state of the registration", err)
}

func (r *registration) now() string { return strconv.FormatInt(r.config.Now().UnixMilli(), 10) }
