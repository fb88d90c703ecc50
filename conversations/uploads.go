package conversations

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// An upload is a file that somebody may give once at an address, for one owner. It is a hash: about (what may be given, and by
// whom it is read), writer and lease (who is writing it) and stored (what was given), and a second hash with its content in
// chunks, each encrypted and bound to its writer and its number. A hash of the owner counts the open uploads and their bytes.

// Limits of uploads.
const (
	UploadLife     = time.Hour // to write it, and to read it after it was written, unless it is kept longer
	MaxUploads     = 20        // of one owner at a time
	MaxUploadBytes = 128 << 20 // of one owner at a time, counting those not written yet as large as they may become

	uploadChunk = 128 << 10
	uploadLease = 10 * time.Minute // for one attempt to write; longer than a request may take
)

// The errors of an upload, beside [ErrGone], [ErrLimit] and [ErrUnavailable].
var (
	// ErrUsed: a file was given at the address already.
	ErrUsed = errors.New("it was used already")
	// ErrInUse: a file is being given at the address right now.
	ErrInUse = errors.New("it is being used right now")
	// ErrUnwritten: no file was given yet.
	ErrUnwritten = errors.New("nothing was given yet")
)

// Upload is a file that may be given, or was.
type Upload struct {
	ID     string    `json:"-"` // by which its owner reads it
	Secret string    `json:"-"` // by which it is written: 256 random bits; "" where it is not known
	Owner  string    `json:"owner"`
	Max    int64     `json:"max"` // bytes
	Lang   string    `json:"lang,omitempty"`
	Until  time.Time `json:"until"` // when it ends
	Digest []byte    `json:"digest"`
	StoredFile
}

// StoredFile is what was given.
type StoredFile struct {
	Name      string `json:"name,omitempty"`
	MediaType string `json:"type,omitempty"`
	Size      int64  `json:"size,omitempty"`
	writer    string
}

// Written reports whether a file was given.
func (u Upload) Written() bool { return u.writer != "" }

var (
	// countUpload sets the bytes of an upload in the hash of its owner, unless there would be too many.
	countUpload = redis.NewScript(nowMillis + `
local number, total = 0, 0
local e = redis.call('HGETALL', KEYS[1])
for i = 1, #e, 2 do
	local bytes, ends = string.match(e[i + 1], '^(%d+) (%d+)$')
	if tonumber(ends) <= now then
		redis.call('HDEL', KEYS[1], e[i])
	elseif e[i] ~= ARGV[1] then
		number, total = number + 1, total + tonumber(bytes)
	end
end
if number + 1 > tonumber(ARGV[4]) or total + tonumber(ARGV[2]) > tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f', tonumber(ARGV[2]), now + tonumber(ARGV[3])))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1`)

	openUpload = redis.NewScript(`
redis.call('HSET', KEYS[1], 'about', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

	claimUpload = redis.NewScript(nowMillis + `
local e = redis.call('HMGET', KEYS[1], 'about', 'stored', 'writer', 'lease')
if not e[1] then return 'gone' end
if e[2] then return 'used' end
if e[3] and e[3] ~= ARGV[1] and tonumber(e[4]) > now then return 'in use' end
redis.call('HSET', KEYS[1], 'writer', ARGV[1], 'lease', string.format('%.0f', now + ARGV[2]))
redis.call('DEL', KEYS[2])
return 'claimed'`)

	writeUpload = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'writer') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1])))
return 1`)

	finishUpload = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'writer', 'stored')
if e[1] ~= ARGV[1] then return 0 end
if not e[2] then redis.call('HSET', KEYS[1], 'stored', ARGV[2], 'about', ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1`)

	keepUpload = redis.NewScript(`
if not redis.call('HGET', KEYS[1], 'stored') then return 0 end
for i = 1, 2 do
	if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
end
return 1`)

	leaveUpload = redis.NewScript(`
local e = redis.call('HMGET', KEYS[1], 'writer', 'stored')
if e[1] == ARGV[1] and not e[2] then
	redis.call('HDEL', KEYS[1], 'writer', 'lease')
	redis.call('DEL', KEYS[2])
end
return 1`)
)

// OpenUpload returns a new upload of at most size bytes, which its owner may read. lang is for the texts of who writes it. It
// returns [ErrLimit] if the owner has too many.
func (s *Store) OpenUpload(ctx context.Context, owner, lang string, size int64) (Upload, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	u := Upload{
		ID: strings.ToLower(rand.Text()), Secret: newSecret(), Owner: owner, Max: size, Lang: lang,
		Until: s.now().Add(UploadLife).UTC().Truncate(time.Second),
	}
	u.Digest = digest(u.Secret)
	if err := s.countUpload(ctx, u, size, UploadLife); err != nil {
		return Upload{}, err
	}
	sealed, err := s.sealUpload(u)
	if err != nil {
		return Upload{}, err
	}
	return u, failed("opening an upload", s.run(ctx, openUpload, []string{s.uploadKey(u.ID)}, sealed, millis(UploadLife)).Err())
}

func (s *Store) countUpload(ctx context.Context, u Upload, size int64, life time.Duration) error {
	counted, err := s.run(ctx, countUpload, []string{s.uploadsKey(u.Owner)}, s.name("upload", u.ID), size, millis(life), MaxUploads, MaxUploadBytes).Bool()
	switch {
	case err != nil:
		return failed("counting uploads", err)
	case !counted:
		return fmt.Errorf("one more upload: %w", ErrLimit)
	}
	return nil
}

// newSecret returns 256 random bits as text for an address.
func newSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// UploadAt returns the upload that may be written with a secret. It fails with [ErrGone], or with [ErrUsed] if it was written.
func (s *Store) UploadAt(ctx context.Context, id, secret string) (Upload, error) {
	u, err := s.upload(ctx, id)
	switch {
	case err != nil:
		return Upload{}, err
	case subtle.ConstantTimeCompare(u.Digest, digest(secret)) != 1:
		return Upload{}, ErrGone
	case u.Written():
		return Upload{}, ErrUsed
	}
	u.Secret = secret
	return u, nil
}

// OwnUpload returns an upload of an owner that was written. It fails with [ErrGone], also if it is another's, or with
// [ErrUnwritten].
func (s *Store) OwnUpload(ctx context.Context, owner, id string) (Upload, error) {
	u, err := s.upload(ctx, id)
	switch {
	case err != nil:
		return Upload{}, err
	case u.Owner != owner:
		return Upload{}, ErrGone
	case !u.Written():
		return Upload{}, ErrUnwritten
	}
	return u, nil
}

// KeepUpload keeps an upload of an owner that was written until a time, unless it is kept longer already. It fails as [Store.OwnUpload]
// does.
func (s *Store) KeepUpload(ctx context.Context, owner, id string, until time.Time) error {
	u, err := s.OwnUpload(ctx, owner, id)
	life := until.Sub(s.now())
	if err != nil || life <= 0 {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := s.countUpload(ctx, u, u.Size, life); err != nil {
		return err
	}
	kept, err := s.run(ctx, keepUpload, []string{s.uploadKey(id), s.contentKey(id)}, millis(life)).Bool()
	switch {
	case err != nil:
		return failed("keeping an upload", err)
	case !kept:
		return ErrGone
	}
	return nil
}

// upload reads an upload.
func (s *Store) upload(ctx context.Context, id string) (Upload, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key := s.uploadKey(id)
	fields, err := s.redis.HMGet(ctx, key, "about", "stored", "writer").Result()
	if err != nil {
		return Upload{}, failed("reading an upload", err)
	}
	about, _ := fields[0].(string)
	if about == "" {
		return Upload{}, ErrGone
	}
	plain, err := s.open(key+" about", about)
	if err != nil {
		return Upload{}, err
	}
	u := Upload{}
	if err := json.Unmarshal(plain, &u); err != nil {
		return Upload{}, ErrGone // of another version
	}
	u.ID = id
	if stored, _ := fields[1].(string); stored != "" {
		writer, _ := fields[2].(string)
		plain, err := s.open(key+" stored "+writer, stored)
		if err != nil {
			return Upload{}, err
		}
		if err := json.Unmarshal(plain, &u.StoredFile); err != nil {
			return Upload{}, ErrGone
		}
		u.writer = writer
	}
	return u, nil
}

func (s *Store) sealUpload(u Upload) ([]byte, error) {
	u.StoredFile = StoredFile{}
	plain, err := json.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("storing an upload: %w", err)
	}
	return s.seal(s.uploadKey(u.ID)+" about", plain)
}

// DropUpload removes an upload of an owner. One that is gone is no error.
func (s *Store) DropUpload(ctx context.Context, owner, id string) error {
	u, err := s.upload(ctx, id)
	if errors.Is(err, ErrGone) || err == nil && u.Owner != owner {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := s.redis.Del(ctx, s.uploadKey(id), s.contentKey(id)).Err(); err != nil {
		return failed("removing an upload", err)
	}
	return failed("counting uploads", s.redis.HDel(ctx, s.uploadsKey(owner), s.name("upload", id)).Err())
}

func (s *Store) uploadKey(id string) string { return "upload:{" + s.name("upload", id) + "}" }

func (s *Store) contentKey(id string) string { return s.uploadKey(id) + ":content" }

func (s *Store) uploadsKey(owner string) string { return "uploads:{" + s.name("uploads", owner) + "}" }
