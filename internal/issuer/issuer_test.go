package issuer_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balcao/balcao/internal/clocktest"
	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/issuertest"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/waittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const audience = "https://mcp.example/mcp"

type env struct {
	*issuer.Verifier
	*issuertest.Issuer
	clock *clocktest.Clock
	log   *logtest.Log
}

func start(t *testing.T, path string, keys ...issuertest.Key) env {
	t.Helper()
	e := env{Issuer: issuertest.Start(t, path, keys...), clock: clocktest.At(time.Now()), log: &logtest.Log{}}
	e.Verifier = issuer.New(issuer.Config{
		URL: e.Issuer.URL, Audience: audience, Now: e.clock.Now, Log: slog.New(slog.NewJSONHandler(e.log, nil)),
	})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// reason returns why a token was refused, "" if it was not.
func reason(err error) string {
	if wrong, ok := errors.AsType[*issuer.InvalidError](err); ok {
		return wrong.Reason
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestATokenIsCheckedInEveryRespect(t *testing.T) {
	t.Parallel()
	rsa, ec, ed := issuertest.NewKey(t, "rsa", issuertest.RS256), issuertest.NewKey(t, "ec", issuertest.ES256), issuertest.NewKey(t, "ed", issuertest.EdDSA)
	weak := issuertest.WeakKey(t, "weak")
	e := start(t, "/realms/team", rsa, ec, ed, weak)
	e.PublishToo(map[string]any{"kty": "oct", "kid": "secret", "k": base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))},
		map[string]any{"kty": "unknown", "kid": "new"}, "no key")
	stranger := issuertest.NewKey(t, "rsa", issuertest.RS256)
	other := issuertest.NewKey(t, "other", issuertest.RS256)
	now := e.clock.Now()
	valid := e.Claims(audience)
	for name, c := range map[string]struct {
		token, want string
	}{
		"RSA":                               {rsa.Sign(nil, valid), ""},
		"an elliptic curve":                 {ec.Sign(nil, valid), ""},
		"Ed25519":                           {ed.Sign(nil, valid), ""},
		"the type of other issuers":         {rsa.Sign(map[string]any{"typ": "JWT"}, valid), ""},
		"without a type":                    {rsa.Sign(map[string]any{"typ": nil}, valid), ""},
		"without the id of a key":           {ec.Sign(map[string]any{"kid": nil}, valid), ""},
		"several audiences":                 {rsa.Sign(nil, e.Claims(audience, "aud", []string{"https://other.example", audience})), ""},
		"expired within the skew":           {rsa.Sign(nil, e.Claims(audience, "exp", now.Add(-50*time.Second).Unix())), ""},
		"valid soon, within the skew":       {rsa.Sign(nil, e.Claims(audience, "nbf", now.Add(50*time.Second).Unix())), ""},
		"no signature":                      {rsa.Sign(map[string]any{"alg": "none"}, valid), issuer.Algorithm},
		"no signature, in capitals":         {rsa.Sign(map[string]any{"alg": "NoNe"}, valid), issuer.Algorithm},
		"a public key used as a secret":     {rsa.Sign(map[string]any{"alg": "HS256"}, valid), issuer.Algorithm},
		"the issuer's id of another's key":  {stranger.Sign(nil, valid), issuer.Signature},
		"another's key":                     {other.Sign(nil, valid), issuer.UnknownKey},
		"another's key in the token itself": {other.Sign(map[string]any{"jwk": other.Public()}, valid), issuer.UnknownKey},
		"another's key at an address":       {other.Sign(map[string]any{"jku": "https://evil.example/keys"}, valid), issuer.UnknownKey},
		"the key of another algorithm":      {ec.Sign(map[string]any{"kid": "rsa"}, valid), issuer.UnknownKey},
		"an algorithm that the key is not":  {rsa.Sign(map[string]any{"alg": "PS256"}, valid), issuer.UnknownKey},
		"a key that is too short":           {weak.Sign(nil, valid), issuer.UnknownKey},
		"a changed claim":                   {changed(rsa.Sign(nil, valid)), issuer.Signature},
		"a cut signature":                   {strings.TrimRight(cut(rsa.Sign(nil, valid)), "."), issuer.Malformed},
		"a critical header":                 {rsa.Sign(map[string]any{"crit": []string{"exp"}, "exp": 1}, valid), issuer.Malformed},
		"another issuer":                    {rsa.Sign(nil, e.Claims(audience, "iss", "https://evil.example")), issuer.WrongIssuer},
		"the issuer with a slash":           {rsa.Sign(nil, e.Claims(audience, "iss", e.Issuer.URL+"/")), issuer.WrongIssuer},
		"no issuer":                         {rsa.Sign(nil, e.Claims(audience, "iss", nil)), issuer.WrongIssuer},
		"another audience":                  {rsa.Sign(nil, e.Claims("https://other.example/mcp")), issuer.Audience},
		"an audience with more":             {rsa.Sign(nil, e.Claims(audience+"/")), issuer.Audience},
		"no audience":                       {rsa.Sign(nil, e.Claims(audience, "aud", nil)), issuer.Audience},
		"expired":                           {rsa.Sign(nil, e.Claims(audience, "exp", now.Add(-70*time.Second).Unix())), issuer.Expired},
		"without an end":                    {rsa.Sign(nil, e.Claims(audience, "exp", nil)), issuer.Expired},
		"not valid yet":                     {rsa.Sign(nil, e.Claims(audience, "nbf", now.Add(70*time.Second).Unix())), issuer.NotYetValid},
		"issued in the future":              {rsa.Sign(nil, e.Claims(audience, "iat", now.Add(70*time.Second).Unix())), issuer.NotYetValid},
		"without a subject":                 {rsa.Sign(nil, e.Claims(audience, "sub", nil)), issuer.WithoutOwner},
		"a token to log out":                {rsa.Sign(map[string]any{"typ": "logout+jwt"}, valid), issuer.WrongType},
		"a proof of possession":             {rsa.Sign(map[string]any{"typ": "dpop+jwt"}, valid), issuer.WrongType},
		"for who has a key":                 {rsa.Sign(nil, e.Claims(audience, "cnf", map[string]any{"jkt": "x"})), issuer.Bound},
		"a date that is a text":             {rsa.Sign(nil, e.Claims(audience, "exp", "tomorrow")), issuer.Malformed},
		"nothing":                           {"", issuer.Malformed},
		"no token":                          {"5c1e9d7a40b8f2e63d0a97c41fb6e825", issuer.Malformed},
		"three dots":                        {"...", issuer.Malformed},
		"an encrypted token":                {"e30.e30.e30.e30.e30", issuer.Malformed},
		"a long token":                      {rsa.Sign(nil, e.Claims(audience, "groups", strings.Repeat("g", 16<<10))), issuer.Malformed},
	} {
		for _, again := range []string{"", ", again"} {
			_, err := e.Verify(t.Context(), c.token)
			if reason(err) != c.want {
				t.Errorf("%s%s: got %q, want %q", name, again, reason(err), c.want)
			}
			// What only the issuer can have made is told apart from a guess.
			forged := []string{issuer.Malformed, issuer.Algorithm, issuer.UnknownKey, issuer.Signature, issuer.WrongType}
			if wrong, ok := errors.AsType[*issuer.InvalidError](err); ok && c.want != issuer.Malformed && wrong.Signed() == slices.Contains(forged, c.want) {
				t.Errorf("%s: signed: %v", name, wrong.Signed())
			}
		}
	}
}

// changed returns a token with another subject and the same signature.
func changed(token string) string {
	parts := strings.Split(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		panic(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(claims, []byte("subject-of-ana"), []byte("subject-of-eve"), 1))
	return strings.Join(parts, ".")
}

func cut(token string) string { return token[:strings.LastIndexByte(token, '.')] }

func TestTheAccountIsWhatTheIssuerVouchesFor(t *testing.T) {
	t.Parallel()
	key := issuertest.NewKey(t, "1", issuertest.EdDSA)
	e := start(t, "", key)
	for name, c := range map[string]struct {
		claims []any
		want   string // e-mail, locale and scopes
	}{
		"an address and scopes":               {nil, "ana@mediadora.example//openid balcao.read balcao.write"},
		"an address in capitals":              {[]any{"email", "Ana@Mediadora.Example"}, "ana@mediadora.example//openid balcao.read balcao.write"},
		"an address that is not verified":     {[]any{"email_verified", false}, "//openid balcao.read balcao.write"},
		"an address of which nothing is said": {[]any{"email_verified", nil}, "//openid balcao.read balcao.write"},
		"verified, in a text":                 {[]any{"email_verified", "true"}, "ana@mediadora.example//openid balcao.read balcao.write"},
		"not verified, in a text":             {[]any{"email_verified", "false"}, "//openid balcao.read balcao.write"},
		"a sign that becomes a k": { // the sign of kelvin in lower case is k
			[]any{"email", "an\u212a@mediadora.example"}, "//openid balcao.read balcao.write"},
		"two addresses":         {[]any{"email", "eve@evil.example ana@mediadora.example"}, "//openid balcao.read balcao.write"},
		"an address in a list":  {[]any{"email", []string{"ana@mediadora.example"}}, "//openid balcao.read balcao.write"},
		"a language":            {[]any{"locale", "pt-PT", "scope", nil}, "ana@mediadora.example/pt-PT/"},
		"scopes in a list":      {[]any{"scope", []string{"balcao.read"}}, "ana@mediadora.example//balcao.read"},
		"scopes of Microsoft":   {[]any{"scope", nil, "scp", "balcao.read balcao.write"}, "ana@mediadora.example//balcao.read balcao.write"},
		"scopes of Okta":        {[]any{"scope", nil, "scp", []string{"balcao.write"}}, "ana@mediadora.example//balcao.write"},
		"scopes that are wrong": {[]any{"scope", 7}, "ana@mediadora.example//"},
	} {
		account, err := e.Verify(t.Context(), key.Sign(nil, e.Claims(audience, c.claims...)))
		if got := account.Email + "/" + account.Locale + "/" + strings.Join(account.Scopes, " "); got != c.want || err != nil || account.Subject != "subject-of-ana" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if printed := fmt.Sprintf("%v %+v %#v %s", account, account, account, account); strings.Contains(printed, "ana") {
			t.Errorf("%s: it prints %s", name, printed)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	first, second := issuertest.NewKey(t, "1", issuertest.ES256), issuertest.NewKey(t, "2", issuertest.ES256)
	e := start(t, "", first)
	long := func() map[string]any { return e.Claims(audience, "exp", time.Now().Add(24*time.Hour).Unix()) }
	verify := func(what string, key issuertest.Key, want string) {
		t.Helper()
		if _, err := e.Verify(t.Context(), key.Sign(nil, long())); reason(err) != want {
			t.Errorf("%s: got %q, want %q", what, reason(err), want)
		}
	}
	verify("the first key", first, "")
	e.Publish(first, second)
	verify("the second key, just after the keys were read", second, issuer.UnknownKey)
	e.clock.Add(11 * time.Second)
	verify("the second key", second, "")
	verify("the first key, which is published still", first, "")

	withdrawn := first.Sign(nil, long())
	if _, err := e.Verify(t.Context(), withdrawn); err != nil {
		t.Error(err)
	}
	e.Publish(second)
	e.clock.Add(11 * time.Minute)
	verify("the second key, which has the keys read again", second, "")
	waittest.Eventually(t, "the first key is withdrawn, also for a token that was accepted", func() bool {
		_, err := e.Verify(t.Context(), withdrawn)
		return reason(err) == issuer.UnknownKey
	})
}

func TestUnknownKeysCauseFewRequests(t *testing.T) {
	t.Parallel()
	key := issuertest.NewKey(t, "1", issuertest.EdDSA)
	e := start(t, "", key)
	var verifying sync.WaitGroup
	for i := range 200 {
		forged := issuertest.NewKey(t, fmt.Sprint("forged-", i), issuertest.EdDSA).Sign(nil, e.Claims(audience))
		verifying.Go(func() {
			if _, err := e.Verify(t.Context(), forged); reason(err) != issuer.UnknownKey {
				t.Errorf("got %v", err)
			}
		})
	}
	verifying.Wait()
	if n := e.Requests.Load(); n > 3 { // two addresses of metadata, and the keys
		t.Errorf("the issuer got %d requests", n)
	}
	before := e.Requests.Load()
	for range 100 {
		if _, err := e.Verify(t.Context(), issuertest.NewKey(t, "1", issuertest.EdDSA).Sign(nil, e.Claims(audience))); reason(err) != issuer.Signature {
			t.Errorf("got %v", err)
		}
		e.clock.Add(5 * time.Second)
	}
	if n := e.Requests.Load() - before; n > 0 {
		t.Errorf("wrong signatures with the id of a known key cause %d requests", n)
	}
}

func TestAnIssuerThatDoesNotAnswerIsNotAWrongToken(t *testing.T) {
	t.Parallel()
	key := issuertest.NewKey(t, "1", issuertest.ES256)
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	verify := func(e env, want bool) time.Duration {
		t.Helper()
		_, err := e.Verify(t.Context(), key.Sign(nil, e.Claims(audience, "exp", time.Now().Add(24*time.Hour).Unix())))
		missing, is := errors.AsType[*issuer.UnavailableError](err)
		if is == want || !is && err != nil {
			t.Errorf("got %v", err)
		}
		if is {
			return missing.RetryAfter
		}
		return 0
	}
	t.Run("from the beginning", func(t *testing.T) {
		t.Parallel()
		e := start(t, "", key)
		e.Answer(down)
		if wait := verify(e, false); wait != 10*time.Second {
			t.Errorf("it says to come back in %s", wait)
		}
		before := e.Requests.Load()
		e.clock.Add(4 * time.Second)
		if wait := verify(e, false); wait != 6*time.Second || e.Requests.Load() != before {
			t.Errorf("it says to come back in %s, after %d more requests", wait, e.Requests.Load()-before)
		}
		e.Answer(nil)
		e.clock.Add(6 * time.Second)
		verify(e, true)
		if logged := strings.Count(e.log.String(), "MCP_ISSUER"); logged != 1 {
			t.Errorf("it is logged %d times", logged)
		}
	})
	t.Run("later", func(t *testing.T) {
		t.Parallel()
		e := start(t, "", key)
		verify(e, true)
		e.Answer(down)
		e.clock.Add(50 * time.Minute)
		verify(e, true)
		e.clock.Add(11 * time.Minute)
		verify(e, false)
	})
	t.Run("a request that its caller gives up", func(t *testing.T) {
		t.Parallel()
		e := start(t, "", key)
		release, arrived := make(chan struct{}), make(chan struct{}, 10)
		e.Answer(func(w http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			<-release
			http.NotFound(w, r)
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := e.Verify(ctx, key.Sign(nil, e.Claims(audience)))
			ended <- err
		}()
		waittest.Receive(t, "the issuer is asked", arrived)
		cancel()
		if err := waittest.Receive(t, "the caller's end", ended); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}

func TestWhatAnIssuerPublishesIsExamined(t *testing.T) {
	t.Parallel()
	key := issuertest.NewKey(t, "1", issuertest.RS256)
	elsewhere := issuertest.Start(t, "", key)
	for name, c := range map[string]struct {
		path   string
		change func(*issuertest.Issuer)
		want   error
	}{
		"a root":                  {"", func(*issuertest.Issuer) {}, nil},
		"a path":                  {"/realms/team", func(*issuertest.Issuer) {}, nil},
		"a name with a slash":     {"/", func(*issuertest.Issuer) {}, nil},
		"metadata of OAuth alone": {"/realms/team", func(i *issuertest.Issuer) { i.Answer(oauthAlone(i.URL, elsewhere.URL+"/keys")) }, nil},
		"another issuer":          {"", func(i *issuertest.Issuer) { i.CallItself("https://other.example") }, issuer.ErrOtherIssuer},
		"a slash more":            {"", func(i *issuertest.Issuer) { i.CallItself(i.URL + "/") }, issuer.ErrOtherIssuer},
		"no keys":                 {"", func(i *issuertest.Issuer) { i.Publish() }, issuer.ErrNoKeys},
		"only a short key":        {"", func(i *issuertest.Issuer) { i.Publish(issuertest.WeakKey(t, "1")) }, issuer.ErrNoKeys},
		"no metadata":             {"", func(i *issuertest.Issuer) { i.Answer(http.NotFound) }, issuer.ErrNoMetadata},
		"a page":                  {"", func(i *issuertest.Issuer) { i.Answer(page) }, issuer.ErrNoMetadata},
		"a failure":               {"", func(i *issuertest.Issuer) { i.Answer(fail) }, issuer.ErrUnreachable},
		"a redirect":              {"", func(i *issuertest.Issuer) { i.Answer(redirect(elsewhere.URL)) }, issuer.ErrNoMetadata},
		"keys at a wrong address": {"", func(i *issuertest.Issuer) { i.Answer(metadata(i.URL, "file:///etc/passwd")) }, issuer.ErrNoKeys},
		"keys that fail":          {"", func(i *issuertest.Issuer) { i.Answer(metadata(i.URL, elsewhere.URL+"/none")) }, issuer.ErrUnreachable},
		"an endless document":     {"", func(i *issuertest.Issuer) { i.Answer(endless) }, issuer.ErrNoMetadata},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := issuertest.Start(t, c.path, key)
			c.change(i)
			n, err := issuer.Examine(t.Context(), i.URL)
			if !errors.Is(err, c.want) || (c.want == nil) != (n == 1) {
				t.Errorf("got %d keys, %v", n, err)
			}
		})
	}
	closed := issuertest.Start(t, "", key)
	closed.Answer(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := issuer.Examine(t.Context(), closed.URL); !errors.Is(err, issuer.ErrUnreachable) {
		t.Errorf("a closed connection: %v", err)
	}
}

func page(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }

func fail(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }

func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write(bytes.Repeat([]byte(" "), 64<<10)); err != nil {
			return
		}
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to+r.URL.Path, http.StatusFound) }
}

// oauthAlone answers where RFC 8414 has the metadata of an issuer with a path.
func oauthAlone(name, keys string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/oauth-authorization-server/realms/team" {
			http.NotFound(w, r)
			return
		}
		metadata(name, keys)(w, r)
	}
}

func metadata(name, keys string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, name, keys)
	}
}
