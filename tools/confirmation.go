package tools

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balcao/balcao/internal/pii"
)

// A person confirms warnings in a form, which shows them and returns their marks. An assistant has no form: it gets a
// confirmation with the warnings, shows the warnings to the person, and repeats the call with the confirmation. It cannot
// make a confirmation itself, so that no single call confirms its own warnings.

// Sealer encrypts values that are given to a caller and have to come back unchanged.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// Claims stores, for all replicas, who has used something that only one caller may use. It stores fingerprints of ids.
type Claims interface {
	// Claim returns true for the first caller that claims id, also when it repeats, and false for all others.
	Claim(ctx context.Context, scope, id, by string, life time.Duration) (bool, error)
	// Claimed reports whether id is claimed.
	Claimed(ctx context.Context, scope, id string) (bool, error)
}

const (
	confirmationLife = 10 * time.Minute
	claimLife        = time.Hour // longer, since the clocks of replicas differ
	maxConfirmation  = 512       // characters
)

// confirmation is what is encrypted and returned with warnings.
type confirmation struct {
	Nonce    [8]byte
	Expires  int64   // in seconds
	Args     [8]byte // a fingerprint of the arguments
	Warnings [8]byte // a fingerprint of the warnings, and of what would be sent
}

// mark returns a fingerprint of a warning with its unmasked text: to confirm it does not confirm another that looks the
// same when masked.
func (r *Runner) mark(p Problem) string {
	return r.Fingerprint(encode("warning", p.Path, p.Code, p.Text, p.Clear.Reveal()))
}

// marks returns the marks of all warnings.
func marks(problems []Problem) []string {
	var marks []string
	for _, p := range problems {
		if p.Severity == Warns {
			marks = append(marks, p.Mark)
		}
	}
	return marks
}

// confirm returns an error if a call has warnings that are not confirmed. A call that is repeated under the same key may use
// its confirmation again.
func (r *Runner) confirm(ctx context.Context, request Request, call string, found checked) error {
	if !request.Actor.Assistant {
		return decide(found.problems, request.Confirmed)
	}
	failure, asks := errors.AsType[*Error](decide(found.problems, nil))
	switch {
	case !asks:
		return nil
	case failure.Kind != Unconfirmed:
		return failure
	case r.Sealer == nil || r.Claims == nil:
		return &Error{Kind: PeopleOnly}
	}
	asked, err := r.question(found)
	if err != nil {
		return err
	}
	if request.Confirmation != "" {
		refusal, err := r.redeem(ctx, request, call, asked)
		switch {
		case err != nil:
			return &Error{Kind: Unavailable, Store: true, err: err}
		case refusal == "":
			return nil
		}
		failure.Problems = append([]Problem{problem(request.Actor.Lang, "confirmation", "confirmation."+refusal)}, failure.Problems...)
	}
	sealed, err := r.Sealer.Seal(asked.bytes(), binding(request))
	if err != nil {
		return fmt.Errorf("sealing a confirmation: %w", err)
	}
	failure.Confirmation = base64.RawURLEncoding.EncodeToString(sealed)
	return failure
}

// question returns a confirmation for a call and the warnings found now.
func (r *Runner) question(found checked) (asked confirmation, err error) {
	args, err := pii.MarshalClear(found.given)
	if err != nil {
		return asked, fmt.Errorf("fingerprinting arguments: %w", err)
	}
	sent, err := pii.MarshalClear(found.sent)
	if err != nil {
		return asked, fmt.Errorf("fingerprinting what would be sent: %w", err)
	}
	_, _ = rand.Read(asked.Nonce[:]) // never fails
	asked.Expires = r.now().Add(confirmationLife).Unix()
	asked.Args = r.fingerprint("arguments", string(args))
	asked.Warnings = r.fingerprint("question", append(slices.Sorted(slices.Values(marks(found.problems))), string(sent))...)
	return asked, nil
}

// fingerprint returns a short fingerprint, which an assistant copies without a mistake. It is keyed, so that nobody can
// search for a collision. Fingerprint is in hex, with four bits a byte; its hash has eight.
func (r *Runner) fingerprint(of string, parts ...string) (short [8]byte) {
	sum := sha256.Sum256([]byte(r.Fingerprint(encode(append([]string{of}, parts...)...))))
	copy(short[:], sum[:])
	return short
}

// redeem uses a confirmation, or returns why it is not valid for this call.
func (r *Runner) redeem(ctx context.Context, request Request, call string, asked confirmation) (refusal string, err error) {
	var given confirmation
	sealed, err := base64.RawURLEncoding.DecodeString(request.Confirmation)
	if err != nil || len(request.Confirmation) > maxConfirmation {
		return "unknown", nil
	}
	plain, err := r.Sealer.Open(sealed, binding(request))
	if err != nil {
		return "unknown", nil
	}
	if _, err := binary.Decode(plain, binary.BigEndian, &given); err != nil {
		return "unknown", nil
	}
	switch {
	case r.now().Unix() >= given.Expires:
		return "expired", nil
	case given.Args != asked.Args:
		return "arguments", nil
	case given.Warnings != asked.Warnings:
		return "warnings", nil
	}
	first, err := r.Claims.Claim(ctx, "confirmation", string(given.Nonce[:]), call, claimLife)
	if err == nil && !first {
		return "used", nil
	}
	return "", err
}

func (c confirmation) bytes() []byte {
	var out bytes.Buffer
	_ = binary.Write(&out, binary.BigEndian, c) // into memory, of a fixed size
	return out.Bytes()
}

// binding returns the associated data of a confirmation: its caller and its tool.
func binding(request Request) []byte {
	return encode("confirmation", request.Actor.ID, request.Tool.Name)
}

// callKey returns the name of a call in the journal: from the key of its caller, or else its id.
func callKey(request Request, id string) string {
	return fmt.Sprintf("%s %s %s", request.Actor.ID, request.Tool.Name, cmp.Or(request.Key, id))
}

// encode joins parts so that different lists have different results.
func encode(parts ...string) []byte {
	data, err := json.Marshal(parts)
	if err != nil {
		panic(err) // texts marshal
	}
	return data
}
