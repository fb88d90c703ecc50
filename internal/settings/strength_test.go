package settings

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSecretsThatPeopleMakeUpAreWeak(t *testing.T) {
	for _, secret := range []string{
		"a", "", "secret", "hunter2", "change-me", strings.Repeat("a", 200), strings.Repeat("ab", 64), "0123456789abcdef0123456789abcdef",
		"ffffffffffffffffffffffffffffffff", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "zyxwvutsrqponmlkjihgfedcba9876543210",
		"correct horse battery staple", "correct-horse-battery-staple-correct", "CorrectHorseBatteryStapleAgain", "simulated-signing-secret",
		"passwordpasswordpasswordpassword", "aabbccddeeff00112233445566778899", "qwertyuiopasdfghjklzxcvbnm123456",
		"12345678901234567890123456789012", "2026112620261126202611262026112620261126", "xoxb-simulated-bot", "7f3a9c01", "deadbeefdeadbeefdeadbeefdeadbeef",
		"segredo-do-intermediario-de-credito", "balcaobalcaobalcaobalcaobalcaobalcao",
	} {
		if !weak(secret) {
			t.Errorf("%q passes with %.0f bits", secret, strength(secret))
		}
	}
}

func TestRandomSecretsAreStrong(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	drawn := func(bytes int) []byte {
		secret := make([]byte, bytes)
		_, _ = random.Read(secret)
		return secret
	}
	of := func(characters string, length int) string {
		secret := drawn(length)
		for i := range secret {
			secret[i] = characters[int(secret[i])%len(characters)]
		}
		return string(secret)
	}
	for range 4_000 {
		for _, secret := range []string{
			hex.EncodeToString(drawn(16)), // a signing secret of Slack's, openssl rand -hex 16
			hex.EncodeToString(drawn(32)),
			strings.ToUpper(hex.EncodeToString(drawn(16))),
			base64.StdEncoding.EncodeToString(drawn(32)),
			base64.RawURLEncoding.EncodeToString(drawn(32)),
			of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 26), // Go's rand.Text
		} {
			if weak(secret) {
				t.Fatalf("%q is refused with %.0f bits", secret, strength(secret))
			}
		}
	}
}

func FuzzStrength(f *testing.F) {
	for _, secret := range []string{"", "a", "é", "\x00\xff", strings.Repeat("ab", 500)} {
		f.Add(secret)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		if bits := strength(secret); !(bits >= 0) {
			t.Errorf("%q has %f bits", secret, bits)
		}
	})
}
