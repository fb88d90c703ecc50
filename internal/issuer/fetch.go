package issuer

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"
)

// fetch reads the keys, once for all who ask at the same time, and not again before minFetch is over: then the result is that
// of the last time. It does not end with the request of who asks first.
func (v *Verifier) fetch() <-chan singleflight.Result {
	return v.fetching.DoChan("", func() (any, error) {
		v.mu.Lock()
		wait, failed := v.nextFetch.Sub(v.config.Now()), v.fetchErr
		v.mu.Unlock()
		if wait > 0 {
			return nil, unavailable(failed, wait)
		}
		ctx, cancel := context.WithTimeout(v.ctx, fetchTimeout)
		defer cancel()
		published, err := read(ctx, v.client, v.config.URL)
		if err != nil {
			v.config.Log.Warn("the keys of MCP_ISSUER cannot be read", "error", err)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		now := v.config.Now()
		v.nextFetch, v.fetchErr = now.Add(minFetch), err
		if err == nil {
			v.keys = &keySet{published, now}
		}
		return nil, unavailable(err, minFetch)
	})
}

func unavailable(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return &UnavailableError{max(wait, time.Second), err}
}
