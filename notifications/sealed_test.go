package notifications

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/balcao/balcao/conversations"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestTheSamePersonInTwoProcessesHasDifferentFingerprints(t *testing.T) {
	t.Parallel()
	w := newBankEnv(t, "memory")
	s, user := w.replica(t), w.User()
	seen := map[string]uuid.UUID{}
	for _, process := range []uuid.UUID{sandbox.SampleProcess(1042), sandbox.SampleProcess(1043)} {
		if _, err := user.CreateBorrower(t.Context(), process, w.rui(t)); err != nil {
			t.Fatal(err)
		}
		snapshot, _, err := s.engine.reader.read(t.Context(), storedState{}, OfProcess(process), scope{whole: true})
		if err != nil || len(snapshot.Borrowers) < 2 {
			t.Fatal(snapshot.Borrowers, err)
		}
		for _, fingerprint := range snapshot.Borrowers {
			if other, there := seen[fingerprint]; there {
				t.Errorf("%s is the fingerprint of somebody in %s and in %s", fingerprint, other, process)
			}
			seen[fingerprint] = process
		}
	}
	one, other := OfProcess(sandbox.SampleProcess(1042)), OfProcess(sandbox.SampleProcess(1043))
	if s.outbox.member("here", one) == s.outbox.member("there", one) || s.outbox.member("here", one) == s.outbox.member("here", other) {
		t.Error("the queues of two destinations, or two processes in one, have a member in common")
	}
}

func TestAValueSealedForOneProcessDoesNotOpenForAnother(t *testing.T) {
	t.Parallel()
	w := newBankEnv(t, "memory")
	s := w.replica(t)
	snapshots, client, ctx := s.engine.snapshots, w.Replica(t).Store.Client(), t.Context()
	one, other := OfProcess(sandbox.SampleProcess(1042)), OfProcess(sandbox.SampleProcess(1043))
	update, err := snapshots.sealUpdate(Update{Subject: one, Version: 1})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := snapshots.commit(ctx, storedState{}, Snapshot{Subject: one, Version: 1}, update, "1-0"); !done || err != nil {
		t.Fatal(done, err)
	}
	moved := client.HGetAll(ctx, snapshots.snapshotKey(one)).Val()
	if err := client.HSet(ctx, snapshots.snapshotKey(other), moved).Err(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := snapshots.snapshot(ctx, other); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("a snapshot copied to another process: %v", err)
	}
	if err := client.HSet(ctx, snapshots.snapshotKey(one), "version", "2").Err(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := snapshots.snapshot(ctx, one); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("a snapshot with another version: %v", err)
	}
	forged := snapshots.subject(other) + update[len(snapshots.subject(one)):]
	if _, err := snapshots.openUpdate(forged); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("an update that is given to another process: %v", err)
	}
	if _, err := snapshots.openUpdate(`{"version":1}`); !errors.Is(err, conversations.ErrSealed) {
		t.Errorf("an update that was never sealed: %v", err)
	}
}
