package mcpapp

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"golang.org/x/time/rate"

	"github.com/balcao/balcao/tools"
)

// maxCallers are the people whose calls are counted; the least recently seen are evicted.
const maxCallers = 4096

// counted are the methods that work, mostly at the bank, and whether each takes a call of its caller's share of a minute. A
// completion does not: clients ask at each key stroke, and the bank is seldom asked. The other methods are answered from memory,
// and no share refuses them.
var counted = map[mcp.MCPMethod]bool{
	mcp.MethodToolsCall: true, mcp.MethodResourcesRead: true, mcp.MethodPromptsGet: true, mcp.MethodCompletionComplete: false,
}

// callShares are how many calls a minute each person may make, in this process.
type callShares struct {
	perMinute int
	byActor   *lru.Cache[string, *rate.Limiter]
}

func newCallShares(perMinute int) *callShares {
	byActor, err := lru.New[string, *rate.Limiter](maxCallers)
	if err != nil {
		panic(err) // only if maxCallers is not positive
	}
	return &callShares{perMinute, byActor}
}

// take counts a call of an actor. It returns 0, or after how long the next call fits into her share.
func (s *callShares) take(actor string) (wait time.Duration) {
	share, ok := s.byActor.Get(actor)
	if !ok {
		share = rate.NewLimiter(rate.Limit(float64(s.perMinute)/60), s.perMinute)
		if other, ok, _ := s.byActor.PeekOrAdd(actor, share); ok { // another request added it first
			share = other
		}
	}
	now := time.Now()
	if share.AllowN(now, 1) {
		return 0
	}
	return max(time.Second, time.Duration((1-share.TokensAt(now))/float64(share.Limit())*float64(time.Second)))
}

// aboveShare is why a call is not made.
type aboveShare struct {
	reason string // the key of its text
	wait   time.Duration
}

type aboveShareKey struct{}

// limitCalls limits the calls in flight, in total and for each actor, and those of a person in a minute. A tool's call above the
// share of its caller gets a result, which its model reads.
func (a *App) limitCalls(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message, from := messageOf(r), callerOf(r.Context())
		inShare, works := counted[message.Method]
		if !works {
			next.ServeHTTP(w, r)
			return
		}
		release, above := a.admitCall(from, inShare)
		switch {
		case above == nil:
			defer release()
			next.ServeHTTP(w, r)
		case above.reason == "http.server_full":
			w.Header().Set("Retry-After", seconds(above.wait))
			a.refuse(w, r, http.StatusServiceUnavailable, above.reason)
		case message.Method == mcp.MethodToolsCall && message.isRequest():
			w.Header().Set("Retry-After", seconds(above.wait))
			a.refusals.Warn(r.Context(), "call above the share of its caller", "reason", above.reason, "actor", from.ID)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), aboveShareKey{}, *above)))
		default:
			w.Header().Set("Retry-After", seconds(above.wait))
			a.refuse(w, r, http.StatusTooManyRequests, above.reason)
		}
	})
}

// admitCall counts a call of a caller, who calls release after it; or it returns why it is not to be made. inShare says whether
// it takes one of the caller's share of a minute.
func (a *App) admitCall(from caller, inShare bool) (release func(), above *aboveShare) {
	most := a.config.MaxPerActor
	if from.person {
		most = a.config.MaxPerPerson
	}
	switch a.limits.acquire(from.ID, most) {
	case actorFull:
		return nil, &aboveShare{"http.actor_full", time.Second}
	case serverFull:
		return nil, &aboveShare{"http.server_full", time.Second}
	}
	if from.person && inShare {
		if wait := a.shares.take(from.ID); wait > 0 {
			a.limits.release(from.ID)
			return nil, &aboveShare{"http.actor_rate", wait}
		}
	}
	return func() { a.limits.release(from.ID) }, nil
}

// tellAboveShare answers a call that limitCalls did not admit.
func (a *App) tellAboveShare(next server.ToolHandlerFunc) server.ToolHandlerFunc {
	return func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		above, is := ctx.Value(aboveShareKey{}).(aboveShare)
		if !is {
			return next(ctx, request)
		}
		lang, failure := callerOf(ctx).Lang, &tools.Error{Kind: tools.Busy, ID: uuid.NewString(), RetryAfter: time.Duration(math.Ceil(above.wait.Seconds())) * time.Second}
		answer := a.errorResult(ctx, failure)
		answer.Content = contents(book.Say(lang, above.reason, map[string]any{"calls": a.config.CallsPerMinute}) + "\n" +
			failure.Next(lang) + "\n" + book.Say(lang, "reference", map[string]any{"id": failure.ID}))
		return answer, nil
	}
}
