// Package keys holds the secret that protects what Balcão remembers, because a copy of the Redis that holds it must
// tell nothing about anybody. One setting, STATE_KEY, carries a Tink keyset; values are sealed with it and names of
// keys are digested with it.
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
	ErrNotKeyset = errors.New("the text is base64 but holds no Tink keyset")
	ErrNotAEAD   = errors.New("the keyset is not for authenticated encryption (AEAD)")
)

const (
	digestBytes = 16 // 128 bits: no two people share a name of a key by chance
	digestInfo  = "balcao/digest/v1"
)

// Keys seals values and digests names. Make one with [Parse] or [Ephemeral]. It is safe for concurrent use and prints
// as nothing, whatever the verb.
type Keys struct {
	sealer tink.AEAD
	digest []byte
}

// Generate returns a new keyset with one AES-256-GCM key: the base64 text for the STATE_KEY setting.
func Generate() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("generating a keyset: %w", err)
	}
	return encode(handle)
}

// Rotate returns the keyset of text with one more key, which seals from now on; what was sealed before still opens.
//
// The first key stays where it is, and with it what [Keys.Fingerprint] returns: remove it from a keyset only when all that
// is named or chained by digests (drafts, the journal, the audit trail) may be forgotten.
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
		return nil, ErrNotAEAD // Tink's own text may quote parts of a key's description
	}
	first := insecurecleartextkeyset.KeysetMaterial(handle).GetKey()[0].GetKeyData().GetValue()
	digest, err := hkdf.Key(sha256.New, first, nil, digestInfo, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of digests: %w", err)
	}
	return &Keys{sealer: sealer, digest: digest}, nil
}

// Ephemeral returns keys that nobody can get again: what they seal is lost with the process. For the playground.
func Ephemeral() (*Keys, error) {
	text, err := Generate()
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Seal encrypts plaintext with the primary key, bound to associated: it opens only beside the same associated data.
func (k *Keys) Seal(plaintext, associated []byte) ([]byte, error) {
	return k.sealer.Encrypt(plaintext, associated)
}

// Open decrypts what Seal returned, with whichever key of the keyset sealed it.
func (k *Keys) Open(sealed, associated []byte) ([]byte, error) {
	return k.sealer.Decrypt(sealed, associated)
}

// Fingerprint returns 32 hex digits (HMAC-SHA-256 cut to 128 bits) that stand for data without telling it. The HMAC's key
// comes by HKDF-SHA-256 from the first key of the keyset, be it primary or not, so that rotation by adding keys
// ([Rotate]) leaves every digest as it was.
func (k *Keys) Fingerprint(data []byte) string {
	mac := hmac.New(sha256.New, k.digest)
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil)[:digestBytes])
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
	text = strings.Join(strings.Fields(text), "") // a secret store may have wrapped the line
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
