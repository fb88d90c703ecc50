package conversations

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

// fill gives a content at the address of an upload.
func fill(t *testing.T, s *Store, u Upload, content []byte) (Upload, error) {
	t.Helper()
	found, err := s.UploadAt(t.Context(), u.ID, u.Secret)
	if err != nil {
		return Upload{}, err
	}
	w, err := s.WriteUpload(t.Context(), found)
	if err != nil {
		return Upload{}, err
	}
	if _, err := io.Copy(w, bytes.NewReader(content)); err != nil {
		return Upload{}, errors.Join(err, w.Leave(t.Context()))
	}
	return w.Finish("Recibo Maria Exemplo.pdf", "application/pdf")
}

func TestAnUploadIsWrittenOnceAndReadByItsOwnerOnAnotherReplica(t *testing.T) {
	on(t, func(t *testing.T, p *testRedis) {
		one, other := p.replica(t), p.replica(t)
		u := must(one.OpenUpload(t.Context(), "maria", "pt-PT", 1<<20))(t)
		if _, err := other.OwnUpload(t.Context(), "maria", u.ID); !errors.Is(err, ErrUnwritten) {
			t.Errorf("before it is written: got %v", err)
		}
		if _, err := other.UploadAt(t.Context(), u.ID, newSecret()); !errors.Is(err, ErrGone) {
			t.Errorf("with another secret: got %v", err)
		}
		content := bytes.Repeat([]byte("Maria Exemplo 299999998 "), 20_000) // 480 kB, four chunks
		written := must(fill(t, other, u, content))(t)
		if _, err := fill(t, one, u, []byte("again")); !errors.Is(err, ErrUsed) {
			t.Errorf("a second file: got %v", err)
		}
		if _, err := one.WriteUpload(t.Context(), u); !errors.Is(err, ErrUsed) {
			t.Errorf("a second writer: got %v", err)
		}
		if _, err := one.OwnUpload(t.Context(), "rui", u.ID); !errors.Is(err, ErrGone) {
			t.Errorf("another person: got %v", err)
		}
		found := must(one.OwnUpload(t.Context(), "maria", u.ID))(t)
		if found.Size != int64(len(content)) || found.Name != "Recibo Maria Exemplo.pdf" || !found.Until.Equal(written.Until) || found.Secret != "" {
			t.Errorf("found %+v", found)
		}
		for _, limit := range []int64{1 << 40, 3072, uploadChunk, uploadChunk + 1} {
			var read bytes.Buffer
			if err := one.ReadUpload(t.Context(), found, &read, limit); err != nil || !bytes.Equal(read.Bytes(), content[:min(int64(len(content)), limit)]) {
				t.Errorf("at most %d: read %d bytes, %v", limit, read.Len(), err)
			}
		}
		if err := other.DropUpload(t.Context(), "rui", u.ID); err != nil {
			t.Fatal(err)
		}
		must(one.OwnUpload(t.Context(), "maria", u.ID))(t)
		for range 2 {
			if err := other.DropUpload(t.Context(), "maria", u.ID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := one.OwnUpload(t.Context(), "maria", u.ID); !errors.Is(err, ErrGone) {
			t.Errorf("after it was removed: got %v", err)
		}
		if err := one.ReadUpload(t.Context(), found, io.Discard, 1<<20); !errors.Is(err, ErrGone) {
			t.Errorf("its content: got %v", err)
		}
	}, embeddedRedis, oneNode, aCluster)
}

func TestAWriterThatLeavesLetsAnotherWrite(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		u := must(s.OpenUpload(t.Context(), "maria", "en", 300<<10))(t)
		first := must(s.WriteUpload(t.Context(), u))(t)
		must(first.Write(make([]byte, 2*uploadChunk)))(t)
		if _, err := s.WriteUpload(t.Context(), u); !errors.Is(err, ErrInUse) {
			t.Errorf("a second writer at the same time: got %v", err)
		}
		if err := first.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := fill(t, s, u, make([]byte, 300<<10+1)); !errors.Is(err, ErrUploadTooLarge) {
			t.Errorf("a content that is too large: got %v", err)
		}
		must(fill(t, s, u, []byte("%PDF-1.7")))(t)
		if _, err := first.Write([]byte("late")); !errors.Is(err, ErrGone) {
			t.Errorf("the writer that has left: got %v", err)
		}
		var read bytes.Buffer
		if err := s.ReadUpload(t.Context(), must(s.OwnUpload(t.Context(), "maria", u.ID))(t), &read, 1<<20); err != nil || read.String() != "%PDF-1.7" {
			t.Errorf("read %q, %v", read.String(), err)
		}
	})
}

func TestAnotherWriterTakesOverOnceTheLeaseIsOver(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		u := must(s.OpenUpload(t.Context(), "maria", "en", 1<<20))(t)
		slow := must(s.WriteUpload(t.Context(), u))(t)
		must(slow.Write(make([]byte, uploadChunk)))(t)
		must(s.redis.HSet(t.Context(), s.uploadKey(u.ID), "lease", 1).Result())(t)
		must(fill(t, s, u, []byte("%PDF-1.7")))(t)
		must(slow.Write(make([]byte, uploadChunk-1)))(t)
		if _, err := slow.Write([]byte("more")); !errors.Is(err, ErrGone) {
			t.Errorf("the writer whose lease is over: got %v", err)
		}
		if _, err := slow.Finish("a", "b"); !errors.Is(err, ErrGone) {
			t.Errorf("it finishes: got %v", err)
		}
		if found := must(s.OwnUpload(t.Context(), "maria", u.ID))(t); found.Size != 8 {
			t.Errorf("found %+v", found)
		}
	})
}

func TestAnUploadEnds(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		open, given := must(s.OpenUpload(t.Context(), "maria", "en", 1<<20))(t), giveUpload(t, s, "maria")
		for _, key := range []string{s.uploadKey(open.ID), s.uploadKey(given.ID), s.contentKey(given.ID)} {
			if life := must(s.redis.PTTL(t.Context(), key).Result())(t); life <= UploadLife-time.Minute || life > UploadLife {
				t.Errorf("%s lives for %v", key, life)
			}
			must(s.redis.PExpire(t.Context(), key, -time.Second).Result())(t)
		}
		if _, err := fill(t, s, open, []byte("%PDF-1.7")); !errors.Is(err, ErrGone) {
			t.Errorf("writing an address that has ended: got %v", err)
		}
		if _, err := s.OwnUpload(t.Context(), "maria", given.ID); !errors.Is(err, ErrGone) {
			t.Errorf("reading a file that has ended: got %v", err)
		}
	})
}

func TestAnUploadIsKeptForACallThatWaits(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		given, other, open := giveUpload(t, s, "maria"), giveUpload(t, s, "maria"), must(s.OpenUpload(t.Context(), "maria", "en", 1<<20))(t)
		for _, until := range []time.Duration{4 * time.Hour, time.Minute} { // never shorter
			if err := s.KeepUpload(t.Context(), "maria", given.ID, time.Now().Add(until)); err != nil {
				t.Fatal(err)
			}
		}
		must(s.OpenUpload(t.Context(), "maria", "en", 1<<20))(t)
		for key, want := range map[string]time.Duration{
			s.uploadKey(given.ID): 4 * time.Hour, s.contentKey(given.ID): 4 * time.Hour, s.uploadKey(other.ID): UploadLife, s.uploadsKey("maria"): 4 * time.Hour,
		} {
			if life := must(s.redis.PTTL(t.Context(), key).Result())(t); life <= want-time.Minute || life > want {
				t.Errorf("%s lives for %v, want %v", key, life, want)
			}
		}
		for id, want := range map[string]error{"none": ErrGone, open.ID: ErrUnwritten} {
			if err := s.KeepUpload(t.Context(), "maria", id, time.Now().Add(time.Hour)); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		if err := s.KeepUpload(t.Context(), "rui", given.ID, time.Now().Add(time.Hour)); !errors.Is(err, ErrGone) {
			t.Errorf("another's: got %v", err)
		}
	})
}

func TestTheUploadsOfAnOwnerAreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		var open []Upload
		for range MaxUploadBytes / (32 << 20) {
			open = append(open, must(s.OpenUpload(t.Context(), "maria", "en", 32<<20))(t))
		}
		if _, err := s.OpenUpload(t.Context(), "maria", "en", 1); !errors.Is(err, ErrLimit) {
			t.Errorf("too many bytes: got %v", err)
		}
		must(s.OpenUpload(t.Context(), "rui", "en", 32<<20))(t)
		must(fill(t, s, open[0], []byte("%PDF-1.7")))(t) // it has 8 bytes, not 32 MB, from now on
		must(s.OpenUpload(t.Context(), "maria", "en", 31<<20))(t)
		if err := s.DropUpload(t.Context(), "maria", open[1].ID); err != nil {
			t.Fatal(err)
		}
		for range MaxUploads - len(open) {
			must(s.OpenUpload(t.Context(), "maria", "en", 1))(t)
		}
		if _, err := s.OpenUpload(t.Context(), "maria", "en", 1); !errors.Is(err, ErrLimit) {
			t.Errorf("too many: got %v", err)
		}
		key := s.uploadsKey("maria")
		for _, field := range must(s.redis.HKeys(t.Context(), key).Result())(t) {
			must(s.redis.HSet(t.Context(), key, field, "1 1").Result())(t) // they have ended
		}
		must(s.OpenUpload(t.Context(), "maria", "en", 32<<20))(t)
		if left := must(s.redis.HLen(t.Context(), key).Result())(t); left != 1 {
			t.Errorf("%d are counted", left)
		}
	})
}

func TestAnUploadThatWasMovedOrReorderedIsNotRead(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		s := p.replica(t)
		u := must(s.OpenUpload(t.Context(), "maria", "en", 1<<20))(t)
		must(fill(t, s, u, bytes.Repeat([]byte("x"), 2*uploadChunk+1)))(t)
		found := must(s.OwnUpload(t.Context(), "maria", u.ID))(t)
		second := must(s.redis.HGet(t.Context(), s.contentKey(u.ID), "1").Result())(t)
		must(s.redis.HSet(t.Context(), s.contentKey(u.ID), "0", second).Result())(t)
		if err := s.ReadUpload(t.Context(), found, io.Discard, 1<<20); !errors.Is(err, ErrSealed) {
			t.Errorf("chunks in another order: got %v", err)
		}
		other := must(s.OpenUpload(t.Context(), "rui", "en", 1<<20))(t)
		about := must(s.redis.HGet(t.Context(), s.uploadKey(u.ID), "about").Result())(t)
		must(s.redis.HSet(t.Context(), s.uploadKey(other.ID), "about", about).Result())(t)
		if _, err := s.UploadAt(t.Context(), other.ID, u.Secret); !errors.Is(err, ErrSealed) {
			t.Errorf("a moved upload: got %v", err)
		}
	})
}

func TestAValueForOnceIsTakenOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *testRedis) {
		one, other := p.replica(t), p.replica(t)
		secret := must(one.PutOnce(t.Context(), "download", []byte("FINE of Maria Exemplo"), time.Minute))(t)
		if _, err := other.TakeOnce(t.Context(), "another", secret); !errors.Is(err, ErrGone) {
			t.Errorf("in another scope: got %v", err)
		}
		if got := must(other.TakeOnce(t.Context(), "download", secret))(t); string(got) != "FINE of Maria Exemplo" {
			t.Errorf("took %q", got)
		}
		if _, err := one.TakeOnce(t.Context(), "download", secret); !errors.Is(err, ErrGone) {
			t.Errorf("a second time: got %v", err)
		}
		if _, err := one.PutOnce(t.Context(), "download", make([]byte, MaxOneTime+1), time.Minute); !errors.Is(err, ErrLimit) {
			t.Errorf("a value that is too large: got %v", err)
		}
		secrets := []string{secret}
		for range 3 {
			secrets = append(secrets, must(one.PutOnce(t.Context(), "download", nil, time.Minute))(t))
		}
		if slices.Sort(secrets); len(slices.Compact(secrets)) != 4 || len(secret) != 43 {
			t.Errorf("secrets: %q", secrets)
		}
	})
}

// giveUpload stores a file of an owner.
func giveUpload(t *testing.T, s *Store, owner string) Upload {
	t.Helper()
	u := must(s.OpenUpload(t.Context(), owner, "en", 1<<20))(t)
	must(fill(t, s, u, []byte("Maria Exemplo 299999998")))(t)
	must(s.OpenUpload(t.Context(), owner, "en", 1<<20))(t)
	return u
}
