package settings_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

func TestTheAccountsOfAPersonAreInOneEntry(t *testing.T) {
	var people settings.People
	text := "T0123/U0456 = mcp:Ana@Mediadora.Example=lang:pt-PT=ana@mediadora.example, mcp:sub:auth0|5f7c=rui@mediadora.example,*=equipa,mcp:*=outros"
	if err := people.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	want := settings.People{
		{Accounts: []string{"T0123/U0456", "mcp:ana@mediadora.example"}, Lang: words.Portuguese, User: "ana@mediadora.example"},
		{Accounts: []string{"mcp:sub:auth0|5f7c"}, User: "rui@mediadora.example"},
		{Accounts: []string{"*"}, User: "equipa"}, {Accounts: []string{"mcp:*"}, User: "outros"},
	}
	if diff := cmp.Diff(want, people); diff != "" {
		t.Error(diff)
	}
}

func TestAWrongEntryIsNamedByItsNumber(t *testing.T) {
	environ := whole(t)
	environ["PORTAL_USERS"] = "T1/U1=ana,T1/U2=rui,T1/U1=ines"
	environ["MCP_TOKENS"] = "T1/U1=" + hash + ",T1/U2=secret"
	_, problems := settings.Read(settings.SlackBot, environ)
	for lang, want := range map[words.Lang][]string{
		words.English:    {"Entry 3 of PORTAL_USERS", "Entry 2 of MCP_TOKENS"},
		words.Portuguese: {"A entrada 3 de PORTAL_USERS", "A entrada 2 de MCP_TOKENS"},
	} {
		text := problems.Text(lang)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q:\n%s", lang, part, text)
			}
		}
		if strings.Contains(text, "secret") || strings.Contains(text, "ines") {
			t.Errorf("it shows a value:\n%s", text)
		}
	}
}

func TestANewTokenIsAnEntryOfTheSetting(t *testing.T) {
	until := time.Date(2099, 6, 30, 0, 0, 0, 0, time.UTC)
	token, entry, ok := settings.NewPersonalToken(" mcp:Ana@mediadora.example", until)
	if !ok || len(token) != len("balcao_")+64 || strings.Contains(entry, token) {
		t.Fatalf("got %q and %q", token, entry)
	}
	var tokens settings.PersonalTokens
	if err := tokens.UnmarshalText([]byte(entry)); err != nil {
		t.Fatal(err)
	}
	one := tokens[0]
	if one.Account != "mcp:ana@mediadora.example" || one.Hash != settings.HashOfToken(token) || one.Until.Format(time.DateOnly) != "2099-07-01" {
		t.Errorf("got %+v", one)
	}
	if other, _, _ := settings.NewPersonalToken("T1/U1", until); other == token {
		t.Error("two tokens are the same")
	}
	for _, account := range []string{"", "*", "mcp:*", "ana", "slack:T1/U1", "mcp:ana", "mcp:sub:a,b", "mcp:sub:a=b"} {
		if _, _, ok := settings.NewPersonalToken(account, time.Time{}); ok {
			t.Errorf("%q gets a token", account)
		}
	}
}

// FuzzPeople checks that no text makes an account belong to two people, or to a person without a user of the bank.
func FuzzPeople(f *testing.F) {
	for _, text := range []string{
		"T0123/U0456=mcp:ana@mediadora.example=lang:en=ana", "*=ana,mcp:*=lang:pt-PT=rui", "mcp:sub:a|b=c", "=", ",", "T1/U1==a", "mcp:A@b=a,mcp:a@B=c",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var people settings.People
		if people.UnmarshalText([]byte(text)) != nil {
			if people != nil {
				t.Errorf("%q is refused and read", text)
			}
			return
		}
		seen := map[string]bool{}
		for _, person := range people {
			if person.User == "" || strings.ContainsAny(person.User, "=,") || len(person.Accounts) == 0 {
				t.Errorf("%q has %+v", text, person)
			}
			for _, account := range person.Accounts {
				if found, ok := people.Find(account); seen[account] || !ok || !slices.Equal(found.Accounts, person.Accounts) {
					t.Errorf("%q has %q twice", text, account)
				}
				seen[account] = true
			}
		}
	})
}
