package issuer_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/issuertest"
)

// FuzzVerify checks that no text is accepted but what the issuer has signed, and that none makes the verifier panic.
func FuzzVerify(f *testing.F) {
	key := issuertest.NewKey(f, "1", issuertest.ES256)
	from := issuertest.Start(f, "", key)
	verifier := issuer.New(issuer.Config{URL: from.URL, Audience: audience})
	f.Cleanup(func() { _ = verifier.Close() })
	signed := key.Sign(nil, from.Claims(audience))
	f.Add(signed)
	f.Add(key.Sign(map[string]any{"alg": "none"}, from.Claims(audience)))
	f.Add(key.Sign(map[string]any{"kid": nil, "crit": []string{"x"}, "jwk": key.Public()}, from.Claims(audience, "aud", nil, "exp", 1e300)))
	for _, text := range []string{"", ".", "..", "a.b.c", "e30.e30.", strings.Repeat(".", 100), "{}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, token string) {
		account, err := verifier.Verify(t.Context(), token)
		if err != nil {
			if account.Subject != "" {
				t.Errorf("%q is refused, with an account", token)
			}
			return
		}
		if !bytes.Equal(payload(token), payload(signed)) {
			t.Errorf("%q is accepted", token)
		}
	})
}

// payload returns the claims of a token, nil if they cannot be decoded.
func payload(token string) []byte {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	return data
}
