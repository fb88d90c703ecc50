package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

const (
	fetchTimeout = 5 * time.Second // of all requests for keys together
	maxDocument  = 1 << 20         // bytes
)

// What can be wrong with what an issuer publishes.
var (
	ErrUnreachable = errors.New("the issuer does not answer")
	ErrNoMetadata  = errors.New("the issuer has no metadata")
	ErrOtherIssuer = errors.New("the metadata is of another issuer")
	ErrNoKeys      = errors.New("the issuer publishes no key that can be used")
)

// newClient returns a client that follows no redirect: the addresses are those of the settings and of the metadata.
func newClient() *http.Client {
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Examine reads what an issuer publishes, as a [Verifier] does, and returns the number of keys that can be used. The error is one
// of this package's, or the error of ctx.
func Examine(ctx context.Context, issuer string) (keys int, err error) {
	client := newClient()
	defer client.CloseIdleConnections()
	published, err := read(ctx, client, issuer)
	return len(published), err
}

// read returns the keys that an issuer publishes and that can be used.
func read(ctx context.Context, client *http.Client, issuer string) ([]jose.JSONWebKey, error) {
	at, err := keysAddress(ctx, client, issuer)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if status, err := get(ctx, client, at, &set); err != nil {
		return nil, err
	} else if status != http.StatusOK {
		return nil, fmt.Errorf("%w: its keys are answered with %d", ErrUnreachable, status)
	}
	var found []jose.JSONWebKey
	for _, data := range set.Keys[:min(len(set.Keys), maxKeys)] {
		var key jose.JSONWebKey
		if json.Unmarshal(data, &key) == nil && usable(key) { // another key does not make these unusable
			found = append(found, key)
		}
	}
	if len(found) == 0 {
		return nil, ErrNoKeys
	}
	return found, nil
}

// keysAddress returns the address of the keys, which is in the issuer's metadata.
func keysAddress(ctx context.Context, client *http.Client, issuer string) (string, error) {
	found := ErrNoMetadata
	for _, at := range metadataAddresses(issuer) {
		var metadata struct {
			Issuer string `json:"issuer"`
			Keys   string `json:"jwks_uri"`
		}
		status, err := get(ctx, client, at, &metadata)
		switch {
		case err != nil && !errors.Is(err, errNotJSON):
			return "", err
		case status >= http.StatusInternalServerError:
			return "", fmt.Errorf("%w: its metadata is answered with %d", ErrUnreachable, status)
		case status != http.StatusOK || err != nil:
		case metadata.Issuer != issuer:
			found = ErrOtherIssuer
		case !isAddress(metadata.Keys, issuer):
			found = ErrNoKeys
		default:
			return metadata.Keys, nil
		}
	}
	return "", found
}

// metadataAddresses returns where an issuer may publish its metadata: RFC 8414, section 3, and OpenID Connect Discovery.
func metadataAddresses(issuer string) []string {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil
	}
	path := strings.TrimSuffix(u.Path, "/")
	at := func(path string) string { return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).String() }
	addresses := []string{at("/.well-known/oauth-authorization-server" + path), at(path + "/.well-known/openid-configuration")}
	if path != "" {
		addresses = append(addresses, at("/.well-known/openid-configuration"+path))
	}
	return addresses
}

// isAddress reports whether keys can be read from an address: encrypted, if the issuer is.
func isAddress(text, issuer string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(issuer, "http:"))
}

var errNotJSON = fmt.Errorf("%w: it answers with something else than JSON", ErrUnreachable)

// get reads a JSON document. The status is 0 if there is an error before there is one.
func get(ctx context.Context, client *http.Client, at string, into any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	request.Header.Set("Accept", "application/json, application/jwk-set+json")
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
	if err != nil {
		return response.StatusCode, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if response.StatusCode == http.StatusOK && json.Unmarshal(data, into) != nil {
		return response.StatusCode, errNotJSON
	}
	return response.StatusCode, nil
}
