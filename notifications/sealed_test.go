package notifications

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestTheSamePersonInTwoProcessesLeavesNoFingerprintThatLinksThem(t *testing.T) {
	w := open(t, "memory")
	s, user := w.replica(t), w.user(t)
	seen := map[string]uuid.UUID{}
	for _, process := range []uuid.UUID{sandbox.SampleProcess(1042), sandbox.SampleProcess(1043)} {
		if _, err := user.CreateBorrower(t.Context(), process, w.rui(t)); err != nil {
			t.Fatal(err)
		}
		picture, err := s.engine.reader.read(t.Context(), process)
		if err != nil || len(picture.Borrowers) < 2 {
			t.Fatal(picture.Borrowers, err)
		}
		for _, digest := range picture.Borrowers {
			if other, there := seen[digest]; there {
				t.Errorf("%s stands for somebody in %s and in %s", digest, other, process)
			}
			seen[digest] = process
		}
	}
	one, other := sandbox.SampleProcess(1042), sandbox.SampleProcess(1043)
	if s.outbox.member("here", one) == s.outbox.member("there", one) || s.outbox.member("here", one) == s.outbox.member("here", other) {
		t.Error("the queues of two places, or two processes in one, have a member in common")
	}
}

func TestWhatIsSealedOfOneProcessDoesNotOpenForAnother(t *testing.T) {
	w := open(t, "memory")
	s := w.replica(t)
	pictures, client, ctx := s.engine.pictures, w.store(t).Client(), t.Context()
	one, other := sandbox.SampleProcess(1042), sandbox.SampleProcess(1043)
	update, err := pictures.sealUpdate(Update{Process: one, Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := pictures.commit(ctx, sight{}, Snapshot{Process: one, Version: 1}, update, "1-0"); !done || err != nil {
		t.Fatal(done, err)
	}
	moved := client.HGetAll(ctx, pictures.pictureKey(one)).Val()
	if err := client.HSet(ctx, pictures.pictureKey(other), moved).Err(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := pictures.picture(ctx, other); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("a picture that was moved: %v", err)
	}
	if err := client.HSet(ctx, pictures.pictureKey(one), "version", "2").Err(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := pictures.picture(ctx, one); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("a picture with another version: %v", err)
	}
	forged := pictures.process(other) + update[len(pictures.process(one)):]
	if _, err := pictures.openUpdate(forged); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("an update that is given to another process: %v", err)
	}
	if _, err := pictures.openUpdate(`{"version":1}`); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("an update that was never sealed: %v", err)
	}
}
