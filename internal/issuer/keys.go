package issuer

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysFresh  = 10 * time.Minute // after it, keys are read again while the old ones are used
	keysUsable = time.Hour        // after it, keys that could not be read again are not used: one of them may have been withdrawn
	minFetch   = 10 * time.Second // between two requests for keys, whatever tokens come
	maxKeys    = 64               // of an issuer
	minRSA     = 2048             // bits
)

// keySet are the keys of the issuer at a time. It does not change.
type keySet struct {
	keys []jose.JSONWebKey
	read time.Time
}

// suiting returns the keys that may have made a signature.
func (s *keySet) suiting(header jose.Header) (found []jose.JSONWebKey) {
	for _, key := range s.keys {
		if (header.KeyID == "" || key.KeyID == header.KeyID) && suits(key, header.Algorithm) {
			found = append(found, key)
		}
	}
	return found
}

// suits reports whether a key is for an algorithm: a key that says for which one it is, is for no other.
func suits(key jose.JSONWebKey, algorithm string) bool {
	if key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[algorithm] == public.Curve
	case ed25519.PublicKey:
		return algorithm == string(jose.EdDSA)
	}
	return false
}

// usable reports whether a published key can check signatures that only the issuer can make.
func usable(key jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	if public, is := key.Key.(*rsa.PublicKey); is && public.N.BitLen() < minRSA {
		return false
	}
	for _, algorithm := range algorithms {
		if suits(key, string(algorithm)) {
			return true
		}
	}
	return false
}

// usableKeys returns the keys, nil if there are none or they are too old.
func (v *Verifier) usableKeys(now time.Time) *keySet {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys == nil || now.Sub(v.keys.read) > keysUsable {
		return nil
	}
	return v.keys
}

// keysFor returns the keys that may have made a signature, and the set that they are from. If there are none, the issuer is
// asked, if it was not just before.
func (v *Verifier) keysFor(ctx context.Context, header jose.Header) (*keySet, []jose.JSONWebKey, error) {
	now := v.config.Now()
	if keys := v.usableKeys(now); keys != nil {
		if found := keys.suiting(header); len(found) > 0 {
			v.refreshIfOld(keys, now)
			return keys, found, nil
		}
	}
	select {
	case asked := <-v.fetch():
		if asked.Err != nil {
			return nil, nil, asked.Err
		}
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	keys := v.usableKeys(v.config.Now())
	if keys == nil {
		return nil, nil, &UnavailableError{minFetch, context.DeadlineExceeded}
	}
	return keys, keys.suiting(header), nil
}

// refreshIfOld has old keys read again, without waiting for it.
func (v *Verifier) refreshIfOld(keys *keySet, now time.Time) {
	v.mu.Lock()
	due := now.Sub(keys.read) > keysFresh && !now.Before(v.nextFetch)
	v.mu.Unlock()
	if due {
		v.fetch()
	}
}
