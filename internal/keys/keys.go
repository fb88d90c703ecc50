// Package keys encrypts the values that Balcão stores in Redis and fingerprints the names of their keys, so that a copy of
// the Redis reveals nothing about anybody. Both use the Tink keyset of the setting STATE_KEY.
package keys

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What can be wrong with the text given to [Parse]. None of the errors contains any of the text.
var (
	ErrEmpty     = errors.New("the keyset is empty")
	ErrNotBase64 = errors.New("the keyset is not base64: it may have been cut when it was copied")
	ErrNotKeyset = errors.New("the text is base64 but not a Tink keyset")
	ErrNotAEAD   = errors.New("the keyset is not for authenticated encryption (AEAD)")
)

const (
	fingerprintBytes = 16 // 128 bits, so that two names do not collide
	fingerprintInfo  = "balcao/fingerprint/v1"
)

// Keys encrypts values and fingerprints names. Create one with [Parse] or [Ephemeral]. It is safe for concurrent use, and
// prints nothing of the keys with any verb.
type Keys struct {
	sealer         tink.AEAD
	fingerprintKey []byte
}

// Generate returns a new keyset with one AES-256-GCM key: the base64 text for the STATE_KEY setting.
func Generate() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("generating a keyset: %w", err)
	}
	return encode(handle)
}

// Rotate returns the keyset of text with one more key, which is used to encrypt from now on. Older values can still be
// decrypted.
//
// The first key does not change, nor does what [Keys.Fingerprint] returns. Remove the first key only if everything that is
// named or chained by fingerprints (drafts, the journal, the audit log) may be lost.
func Rotate(text string) (string, error) {
	handle, err := decode(text)
	if err != nil {
		return "", err
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = manager.SetPrimary(id)
	}
	if err == nil {
		handle, err = manager.Handle()
	}
	if err != nil {
		return "", fmt.Errorf("adding a key to the keyset: %w", err)
	}
	return encode(handle)
}

// Parse reads the text that [Generate] or [Rotate] returned, in standard or URL base64, padded or not.
func Parse(text string) (*Keys, error) {
	handle, err := decode(text)
	if err != nil {
		return nil, err
	}
	sealer, err := aead.New(handle)
	if err != nil {
		return nil, ErrNotAEAD // the error of Tink may contain parts of the key's description
	}
	first := insecurecleartextkeyset.KeysetMaterial(handle).GetKey()[0].GetKeyData().GetValue()
	fingerprintKey, err := hkdf.Key(sha256.New, first, nil, fingerprintInfo, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of fingerprints: %w", err)
	}
	return &Keys{sealer: sealer, fingerprintKey: fingerprintKey}, nil
}

// Ephemeral returns random keys. What they encrypt is lost with the process. For the playground.
func Ephemeral() (*Keys, error) {
	text, err := Generate()
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Seal encrypts plaintext with the primary key, bound to associated: it can be decrypted only with the same associated data.
func (k *Keys) Seal(plaintext, associated []byte) ([]byte, error) {
	return k.sealer.Encrypt(plaintext, associated)
}

// Open decrypts what Seal returned, with the key of the keyset that encrypted it.
func (k *Keys) Open(sealed, associated []byte) ([]byte, error) {
	return k.sealer.Decrypt(sealed, associated)
}

// Fingerprint returns a keyed hash of data as 32 hex digits (HMAC-SHA-256 cut to 128 bits). The key is derived with
// HKDF-SHA-256 from the first key of the keyset, whether or not it is primary, so that [Rotate] changes no fingerprint.
func (k *Keys) Fingerprint(data []byte) string {
	mac := hmac.New(sha256.New, k.fingerprintKey)
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil)[:fingerprintBytes])
}

// Format prints nothing of the keys.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "keys(hidden)") }

// LogValue logs nothing of the keys.
func (k *Keys) LogValue() slog.Value { return slog.StringValue("keys(hidden)") }

func encode(handle *keyset.Handle) (string, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&b)); err != nil {
		return "", fmt.Errorf("writing the keyset: %w", err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func decode(text string) (*keyset.Handle, error) {
	text = strings.Join(strings.Fields(text), "") // the line may have been wrapped
	if text == "" {
		return nil, ErrEmpty
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, ErrNotBase64
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, ErrNotKeyset
	}
	return handle, nil
}
