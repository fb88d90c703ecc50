package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

func TestABotKilledBetweenTwoPagesLosesNothingAndLeaksNothing(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newHarness(t)
	h.start(t)
	if err := h.ana.Command(ctx, slacksim.TeamChannel, "/borrower new 1042"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ana.WaitView(ctx, func(v slacksim.View) bool { return v.Has("borrowerTypeId") }); err != nil {
		t.Fatal(err)
	}
	third := fill(t, ctx, h.ana, rui)

	h.kill()
	if _, err := h.ana.Submit(ctx, nil); err == nil {
		t.Fatal("a dead bot answered")
	}
	h.start(t)

	t.Run("the modal goes on", func(t *testing.T) {
		if front, _ := h.ana.TopView(); front.ID != third.ID {
			t.Fatalf("the modal in front is %q", front.Text())
		}
		confirm(t, ctx, h.ana, rui, "Rui A.")
		user := h.client.As(portal.Login{BrokerUID: sandbox.BrokerA.UID, Username: sandbox.BrokerA.Users[0]}, "en")
		created := borrowersNamed(t, ctx, user, "Rui Amostra")
		if len(created) != 1 || created[0].TaxID.Reveal() != "299999998" || created[0].Mobile.Reveal() != "+351912345678" {
			t.Errorf("the bank has %d of that name", len(created))
		}
	})

	t.Run("a form that was closed shows what was typed", func(t *testing.T) {
		if err := h.ana.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if err := h.ana.Command(ctx, slacksim.TeamChannel, "/borrower new 1043"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ana.WaitView(ctx, func(v slacksim.View) bool { return v.Has("borrowerTypeId") }); err != nil {
			t.Fatal(err)
		}
		fill(t, ctx, h.ana, rui)
		if err := h.ana.Close(ctx); err != nil {
			t.Fatal(err)
		}
		h.kill()
		h.start(t)
		if err := h.ana.Command(ctx, slacksim.TeamChannel, "/borrower new 1043"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ana.WaitView(ctx, isPage); err != nil {
			t.Fatal(err)
		}
		if err := h.ana.Click(ctx, "back"); err != nil {
			t.Fatal(err)
		}
		page, err := h.ana.WaitView(ctx, func(v slacksim.View) bool { return v.Has("personal.name") })
		if err != nil {
			t.Fatal(err)
		}
		if typed := fmt.Sprint(page.Values["personal.name"]); !strings.Contains(typed, "Rui Amostra") {
			t.Errorf("the name field holds %s", typed)
		}
	})

	t.Run("no personal data is in the logs or in Redis", func(t *testing.T) {
		stored := dumpRedis(t, ctx, h.redis)
		if len(stored) < 5 || !strings.Contains(h.logs.String(), "create_borrower") {
			t.Fatalf("there is too little to scan: %d values", len(stored))
		}
		for _, clear := range []string{
			"Rui", "Amostra", "299999998", "299 999 998", "912345678", "912 345 678", "rui.amostra", "1985-04-12", "12/04/1985",
			"2345.67", "2.345,67", "Rua da", "1000-001", "Exemplo",
		} {
			if strings.Contains(h.logs.String(), clear) {
				t.Errorf("%q is in the logs", clear)
			}
			for key, value := range stored {
				value = strings.ReplaceAll(value, "– Amostra", "") // so the sandbox's branches are called
				if strings.Contains(key, clear) || strings.Contains(value, clear) {
					t.Errorf("%q is in Redis under %s", clear, key)
				}
			}
		}
	})

	t.Run("no personal data is in the channel", func(t *testing.T) {
		for _, message := range h.slack.User(slacksim.Tom).Messages(slacksim.TeamChannel) {
			if strings.Contains(message.FullText(), "Rui") {
				t.Errorf("everybody reads %q", message.FullText())
			}
		}
	})
}

func borrowersNamed(t *testing.T, ctx context.Context, user *portal.User, name string) (found []portal.PersonalData) {
	t.Helper()
	borrowers, err := user.ListBorrowers(ctx, sandbox.SampleProcess(1042))
	if err != nil {
		t.Fatal(err)
	}
	for _, summary := range borrowers {
		borrower, err := user.Borrower(ctx, sandbox.SampleProcess(1042), summary.BorrowerUniqueID)
		if err != nil {
			t.Fatal(err)
		}
		if borrower.Personal.Name.Reveal() == name {
			found = append(found, *borrower.Personal)
		}
	}
	return found
}

// dumpRedis reads every key of a Redis, as it is stored. It fails the test for a key without a lifetime.
func dumpRedis(t *testing.T, ctx context.Context, url string) map[string]string {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	db := redis.NewClient(options)
	defer db.Close()
	keys, err := db.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]string{}
	for _, key := range keys {
		const gone = -2 // what Redis answers for a key that has expired since the keys were listed
		life, err := db.TTL(ctx, key).Result()
		if life == gone && err == nil {
			continue
		}
		if err != nil || life < 0 {
			t.Errorf("%s lives for ever (%v, %v)", key, life, err)
		}
		read := map[string]func() (any, error){
			"string": func() (any, error) { return db.Get(ctx, key).Result() },
			"hash":   func() (any, error) { return db.HGetAll(ctx, key).Result() },
			"set":    func() (any, error) { return db.SMembers(ctx, key).Result() },
			"zset":   func() (any, error) { return db.ZRangeWithScores(ctx, key, 0, -1).Result() },
			"list":   func() (any, error) { return db.LRange(ctx, key, 0, -1).Result() },
			"stream": func() (any, error) { return db.XRange(ctx, key, "-", "+").Result() },
		}
		kind, err := db.Type(ctx, key).Result()
		if kind == "none" && err == nil {
			continue
		}
		if err != nil || read[kind] == nil {
			t.Fatalf("%s is a %s: %v", key, kind, err)
		}
		value, err := read[kind]()
		if err != nil {
			t.Fatal(err)
		}
		stored[key] = fmt.Sprint(value)
	}
	if !slices.ContainsFunc(keys, func(key string) bool { return strings.HasPrefix(key, "audit:") }) {
		t.Error("there is no audit log")
	}
	return stored
}
