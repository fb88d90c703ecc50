// Package issuertest is an OAuth 2.1 authorization server over HTTP for tests: it publishes metadata and keys, and signs tokens,
// wrong ones too. It is written from the specifications and does not use the library that checks the tokens.
package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The algorithms of keys.
const (
	RS256 = "RS256"
	ES256 = "ES256"
	EdDSA = "EdDSA"
)

// Key is a key pair with its id.
type Key struct {
	ID, Algorithm string
	private       crypto.Signer
}

// NewKey returns a new key.
func NewKey(t testing.TB, id, algorithm string) Key {
	t.Helper()
	var private crypto.Signer
	var err error
	switch algorithm {
	case RS256:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return Key{id, algorithm, private}
}

// WeakKey returns an RSA key of 1,024 bits.
func WeakKey(t testing.TB, id string) Key {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return Key{id, RS256, private}
}

// Public returns the key as it is published (RFC 7517).
func (k Key) Public() map[string]any {
	jwk := map[string]any{"kid": k.ID, "alg": k.Algorithm, "use": "sig"}
	switch public := k.private.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		jwk["kty"], jwk["crv"] = "EC", "P-256"
		point, err := public.Bytes()
		if err != nil {
			panic(err) // only for another curve
		}
		jwk["x"], jwk["y"] = encode(point[1:33]), encode(point[33:])
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", encode(public)
	}
	return jwk
}

// Sign returns a token with a header and claims. Values of the header that are not given are those of the key.
func (k Key) Sign(header, claims map[string]any) string {
	whole := map[string]any{"alg": k.Algorithm, "kid": k.ID, "typ": "at+jwt"}
	maps.Copy(whole, header)
	text := part(whole) + "." + part(claims)
	return text + "." + encode(k.signature(fmt.Sprint(whole["alg"]), text))
}

func (k Key) signature(algorithm, text string) (signature []byte) {
	digest := sha256.Sum256([]byte(text))
	var err error
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		switch algorithm {
		case "none":
			return nil
		case "HS256": // with the public key as the secret, which some libraries accept
			mac := hmac.New(sha256.New, private.N.Bytes())
			mac.Write([]byte(text))
			return mac.Sum(nil)
		case "PS256":
			signature, err = rsa.SignPSS(rand.Reader, private, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		default:
			signature, err = rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, digest[:])
		}
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		r, s, err = ecdsa.Sign(rand.Reader, private, digest[:])
		if err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case ed25519.PrivateKey:
		signature = ed25519.Sign(private, []byte(text))
	}
	if err != nil {
		panic(err) // there is no key for which it fails
	}
	return signature
}

func part(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // tests give what can be marshalled
	}
	return encode(data)
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// Issuer is an authorization server. It is safe for concurrent use.
type Issuer struct {
	URL      string
	Requests atomic.Int32

	mu        sync.Mutex // guards the fields below
	keys      []Key
	published []any // beside the keys
	name      string
	handler   http.Handler // instead of the issuer's own; nil for that
}

// Start starts an issuer with a path, such as "/realms/team", "/" or "", and with keys. It ends with the test.
func Start(t testing.TB, path string, keys ...Key) *Issuer {
	t.Helper()
	i := &Issuer{keys: keys}
	server := httptest.NewUnstartedServer(http.HandlerFunc(i.serve))
	i.URL = "http://" + server.Listener.Addr().String() + path
	i.name = i.URL
	server.Start()
	t.Cleanup(server.Close)
	return i
}

// Publish replaces the keys.
func (i *Issuer) Publish(keys ...Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// PublishToo adds something to the list of keys.
func (i *Issuer) PublishToo(keys ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.published = keys
}

// Answer has a handler answer all requests; nil has the issuer itself answer again.
func (i *Issuer) Answer(handler http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = nil
	if handler != nil {
		i.handler = handler
	}
}

// CallItself sets the name of the issuer in its metadata.
func (i *Issuer) CallItself(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.name = name
}

// Claims returns the claims of a valid access token for an audience, with all scopes, changed by some of name and value.
func (i *Issuer) Claims(audience string, namesAndValues ...any) map[string]any {
	now := time.Now()
	claims := map[string]any{
		"iss": i.URL, "aud": audience, "sub": "subject-of-ana", "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
		"jti": rand.Text(), "scope": "openid balcao.read balcao.write", "email": "ana@mediadora.example", "email_verified": true,
	}
	for at := 0; at+1 < len(namesAndValues); at += 2 {
		name := namesAndValues[at].(string)
		if claims[name] = namesAndValues[at+1]; claims[name] == nil {
			delete(claims, name)
		}
	}
	return claims
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.Requests.Add(1)
	i.mu.Lock()
	handler := i.handler
	i.mu.Unlock()
	if handler != nil {
		handler.ServeHTTP(w, r)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	path := strings.TrimSuffix(strings.TrimPrefix(i.URL, "http://"+r.Host), "/")
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case path + "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.name, "jwks_uri": "http://" + r.Host + path + "/keys"})
	case path + "/keys":
		all := append([]any{}, i.published...)
		for _, key := range i.keys {
			all = append(all, key.Public())
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": all})
	default:
		http.NotFound(w, r)
	}
}
