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

// A person confirms warnings in a form, which shows them and sends back their marks. An assistant has no form: it gets a
// confirmation with the question, shows the person the warnings, and gives the confirmation back with the same call. It
// cannot make one itself, so that no single call is both the question and the answer.

// Sealer seals what is handed out and has to come back unchanged.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// Claims remembers, for all replicas, by whom something was taken that one can have. It keeps digests of ids.
type Claims interface {
	// Claim tells true to the first that claims id, as often as that one asks, and false to all others.
	Claim(ctx context.Context, scope, id, by string, life time.Duration) (bool, error)
	// Claimed tells whether anybody has claimed id.
	Claimed(ctx context.Context, scope, id string) (bool, error)
}

const (
	confirmationLife = 10 * time.Minute
	claimLife        = time.Hour // longer, since the clocks of replicas differ
	maxConfirmation  = 512       // characters
)

// confirmation is what is sealed and handed out with a question.
type confirmation struct {
	Nonce    [8]byte
	Expires  int64   // in seconds
	Args     [8]byte // a fingerprint of the arguments
	Warnings [8]byte // a fingerprint of what was asked, and of what would be sent
}

// mark is a fingerprint of a warning with all that it tells, unmasked: who confirms one has not confirmed another that
// looks like it.
func (r *Runner) mark(p Problem) string {
	return r.Fingerprint(encode("warning", p.Path, p.Code, p.Text, p.Clear.Reveal()))
}

// marks lists the marks of all warnings.
func marks(problems []Problem) []string {
	var marks []string
	for _, p := range problems {
		if p.Severity == Warns {
			marks = append(marks, p.Mark)
		}
	}
	return marks
}

// confirm lets a call through that has no warnings, or only those that its person has confirmed. The call is known by its
// key: made again under the same one, it may use its confirmation again.
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

// question is the confirmation of a call as it was found now.
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

// fingerprint is short, so that an assistant copies it without a slip, and keyed, so that nobody can look for another
// that has the same. The digest is a text, of which each byte tells less than eight bits; its hash has all of them.
func (r *Runner) fingerprint(of string, parts ...string) (short [8]byte) {
	sum := sha256.Sum256([]byte(r.Fingerprint(encode(append([]string{of}, parts...)...))))
	copy(short[:], sum[:])
	return short
}

// redeem uses a confirmation, or says why it is not for this call.
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

// binding is what a confirmation opens beside: the same caller and the same tool.
func binding(request Request) []byte {
	return encode("confirmation", request.Actor.ID, request.Tool.Name)
}

// callKey names a call among all calls: by the key that its caller gave it, else by its id.
func callKey(request Request, id string) string {
	return fmt.Sprintf("%s %s %s", request.Actor.ID, request.Tool.Name, cmp.Or(request.Key, id))
}

// encode joins parts so that no two lists of parts are the same.
func encode(parts ...string) []byte {
	data, err := json.Marshal(parts)
	if err != nil {
		panic(err) // texts marshal
	}
	return data
}
