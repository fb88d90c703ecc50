package keys_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"github.com/balcao/balcao/internal/keys"
)

func TestASealedValueOpensOnlyWithItsKeyAndAssociatedData(t *testing.T) {
	text := generate(t)
	ours, same, theirs := parse(t, text), parse(t, text), parse(t, generate(t))
	sealed, err := ours.Seal([]byte("Maria Exemplo"), []byte("draft:1"))
	if err != nil || bytes.Contains(sealed, []byte("Maria")) {
		t.Fatalf("sealing: %v", err)
	}
	cut := sealed[:len(sealed)-1]
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)/2] ^= 1
	for _, attempt := range []struct {
		name       string
		keys       *keys.Keys
		sealed     []byte
		associated string
		opens      bool
	}{
		{"the same keyset read again", same, sealed, "draft:1", true},
		{"another keyset", theirs, sealed, "draft:1", false},
		{"moved elsewhere", ours, sealed, "draft:2", false},
		{"cut short", ours, cut, "draft:1", false},
		{"a bit flipped", ours, flipped, "draft:1", false},
		{"nothing at all", ours, nil, "draft:1", false},
	} {
		t.Run(attempt.name, func(t *testing.T) {
			got, err := attempt.keys.Open(attempt.sealed, []byte(attempt.associated))
			if opened := err == nil && string(got) == "Maria Exemplo"; opened != attempt.opens {
				t.Errorf("opens: %t (%v), want %t", opened, err, attempt.opens)
			}
		})
	}
}

func TestARotatedKeysetOpensOldValuesAndKeepsFingerprints(t *testing.T) {
	text := generate(t)
	old := parse(t, text)
	rotated, err := keys.Rotate(text)
	if err != nil {
		t.Fatal(err)
	}
	rotated, err = keys.Rotate(rotated)
	if err != nil {
		t.Fatal(err)
	}
	now := parse(t, rotated)
	sealed, _ := old.Seal([]byte("before"), nil)
	if got, err := now.Open(sealed, nil); err != nil || string(got) != "before" {
		t.Errorf("what was sealed before rotation does not open: %v", err)
	}
	sealed, _ = now.Seal([]byte("after"), nil)
	if _, err := old.Open(sealed, nil); err == nil {
		t.Error("the old key opens a value that was sealed after rotation")
	}
	if old.Fingerprint([]byte("maria")) != now.Fingerprint([]byte("maria")) {
		t.Error("rotation changes fingerprints")
	}
}

func TestAFingerprintHas128BitsAndDependsOnTheKeyset(t *testing.T) {
	ours, theirs := parse(t, generate(t)), parse(t, generate(t))
	fingerprint := ours.Fingerprint([]byte("maria"))
	if len(fingerprint) != 32 || strings.Trim(fingerprint, "0123456789abcdef") != "" {
		t.Errorf("%q is not 32 hex digits", fingerprint)
	}
	if fingerprint == ours.Fingerprint([]byte("joana")) || fingerprint == theirs.Fingerprint([]byte("maria")) {
		t.Error("two different fingerprints are the same")
	}
}

func TestParseAcceptsEveryFormOfBase64(t *testing.T) {
	text := generate(t)
	want := parse(t, text).Fingerprint(nil)
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, variant := range map[string]string{
		"URL alphabet": base64.URLEncoding.EncodeToString(raw),
		"no padding":   base64.RawStdEncoding.EncodeToString(raw),
		"wrapped":      " " + text[:40] + "\r\n" + text[40:] + "\n",
	} {
		if got := parse(t, variant).Fingerprint(nil); got != want {
			t.Errorf("%s reads another keyset", name)
		}
	}
}

func TestParseReturnsTheReasonWithoutTheText(t *testing.T) {
	handle, err := keyset.NewHandle(mac.HMACSHA256Tag256KeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&b)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]error{
		"":                       keys.ErrEmpty,
		" \n":                    keys.ErrEmpty,
		"====":                   keys.ErrNotKeyset,
		"correct horse battery!": keys.ErrNotBase64,
		"sécret":                 keys.ErrNotBase64,
		"c2VjcmV0":               keys.ErrNotKeyset,
		"AAAA":                   keys.ErrNotKeyset,
		base64.StdEncoding.EncodeToString(b.Bytes()): keys.ErrNotAEAD,
	} {
		got, err := keys.Parse(text)
		if !errors.Is(err, want) || got != nil {
			t.Errorf("got %v, want %v", err, want)
		}
		if err != nil && len(text) > 4 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the text: %v", err)
		}
	}
	if _, err := keys.Rotate("c2VjcmV0"); !errors.Is(err, keys.ErrNotKeyset) {
		t.Errorf("rotating no keyset: %v", err)
	}
}

func TestKeysPrintNothing(t *testing.T) {
	k, err := keys.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if said := fmt.Sprintf(verb, k); said != "keys(hidden)" {
			t.Errorf("%s prints %s", verb, said)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("started", "keys", k)
	if !strings.Contains(log.String(), `"keys":"keys(hidden)"`) {
		t.Errorf("logged as %s", log.String())
	}
}

func generate(t *testing.T) string {
	t.Helper()
	text, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t *testing.T, text string) *keys.Keys {
	t.Helper()
	k, err := keys.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
