package app

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/issuer"
	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/tools"
)

// peopleOf returns the people of a setting PORTAL_USERS, with other settings as names and values.
func peopleOf(t *testing.T, users string, others ...string) *People {
	t.Helper()
	environ := map[string]string{"PORTAL_USERS": users}
	for at := 0; at+1 < len(others); at += 2 {
		environ[others[at]] = others[at+1]
	}
	s, err := settings.Load(settings.MCPServer, settings.Playground(environ))
	if err != nil {
		t.Fatal(err)
	}
	s.PortalBrokerUID, s.PortalUsername = "3f2b8a52-6f0e-4f0c-9a1b-0a0b0c0d0e0f", "service"
	if environ["REDIS_URL"] == "" {
		s.RedisURL = "redis://shared.example" // with a bot
	}
	people, err := newPeople(s)
	if err != nil {
		t.Fatal(err)
	}
	return people
}

func TestAnAccountAtTheIssuerIsAPersonOfTheTable(t *testing.T) {
	t.Parallel()
	const listed = "T1/U1=mcp:Ana@Mediadora.Example=lang:pt-PT=ana, mcp:rui@mediadora.example=mcp:sub:auth0|7=rui, mcp:sub:ines@mediadora.example=ines"
	for name, c := range map[string]struct {
		users   string
		account issuer.Account
		user    string // of the bank; "" for a stranger
		decides string // the account under which she decides
	}{
		"by e-mail, with an account in Slack": {listed, issuer.Account{Subject: "1", Email: "ana@mediadora.example"}, "ana", "slack:T1/U1"},
		"by subject":                          {listed, issuer.Account{Subject: "auth0|7"}, "rui", ""},
		"by both":                             {listed, issuer.Account{Subject: "auth0|7", Email: "rui@mediadora.example"}, "rui", ""},
		"the subject of one, the e-mail of another":  {listed, issuer.Account{Subject: "auth0|7", Email: "ana@mediadora.example"}, "", ""},
		"a subject that looks like an e-mail":        {listed, issuer.Account{Subject: "ana@mediadora.example"}, "", ""},
		"an e-mail that looks like a subject":        {listed, issuer.Account{Subject: "1", Email: "ines@mediadora.example"}, "", ""},
		"a subject in capitals":                      {listed, issuer.Account{Subject: "AUTH0|7"}, "", ""},
		"a stranger":                                 {listed, issuer.Account{Subject: "1", Email: "eve@evil.example"}, "", ""},
		"an account in Slack as a subject":           {listed, issuer.Account{Subject: "T1/U1"}, "", ""},
		"a stranger, with everybody in Slack":        {listed + ",*=everybody", issuer.Account{Subject: "1"}, "", ""},
		"a stranger, with everybody at the issuer":   {listed + ",mcp:*=everybody", issuer.Account{Subject: "1"}, "everybody", ""},
		"a person, with everybody at the issuer":     {listed + ",mcp:*=everybody", issuer.Account{Subject: "1", Email: "ana@mediadora.example"}, "ana", "slack:T1/U1"},
		"a stranger whose subject is that for all":   {listed, issuer.Account{Subject: "*"}, "", ""},
		"one whose subject is the name of everybody": {"T1/U1=ana,mcp:*=everybody", issuer.Account{Subject: "local"}, "everybody", ""},
	} {
		people := peopleOf(t, c.users)
		actor, ok := people.OfAccount(c.account)
		person, known := people.Person(t.Context(), actor.ID)
		if ok != (c.user != "") || ok && (!known || person.Login.Username != c.user || person.Account != c.decides) {
			t.Errorf("%s: got %+v, %v, who is %+v, %v", name, actor, ok, person, known)
		}
		if strings.Contains(actor.ID, "@") || strings.Contains(actor.ID, "auth0") || ok && !strings.HasPrefix(actor.ID, "mcp:") || actor.ID == Assistant {
			t.Errorf("%s: the actor is %s", name, actor.ID)
		}
	}
}

func TestTheTableSaysNothingOfAssistantsForPeopleInSlackAndTheReverse(t *testing.T) {
	t.Parallel()
	people := peopleOf(t, "T1/U1=mcp:ana@mediadora.example=ana,*=everybody")
	for actor, want := range map[string]tools.Person{
		"slack:T1/U1": {Account: "slack:T1/U1"}, "mcp:T1/U1": {Account: "slack:T1/U1"}, "slack:T9/U9": {Account: "slack:T9/U9"},
	} {
		if got, ok := people.Person(t.Context(), actor); !ok || got.Account != want.Account {
			t.Errorf("%s decides as %q, %v", actor, got.Account, ok)
		}
	}
	for _, stranger := range []string{"mcp:T9/U9", "mcp:", "", "T1/U1", "email:ana@mediadora.example"} {
		if got, ok := people.Person(t.Context(), stranger); ok {
			t.Errorf("%q is %+v", stranger, got)
		}
	}
}

func TestAnAccountThatComesLaterChangesNobodysName(t *testing.T) {
	t.Parallel()
	account := issuer.Account{Subject: "248289761001", Email: "ana@mediadora.example"}
	stateKey, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		before, after string
		decides       string // afterwards
		same          bool
	}{
		"one in Slack":                         {"mcp:ana@mediadora.example=ana", "mcp:ana@mediadora.example=T1/U1=ana", "slack:T1/U1", true},
		"one at the issuer":                    {"T1/U1=ana", "T1/U1=mcp:ana@mediadora.example=ana", "slack:T1/U1", true},
		"another e-mail address":               {"mcp:sub:248289761001=mcp:a@mediadora.example=ana", "mcp:sub:248289761001=mcp:ana@mediadora.example=ana", "", true},
		"one in Slack, in front of the others": {"mcp:ana@mediadora.example=ana", "T1/U1=mcp:ana@mediadora.example=ana", "slack:T1/U1", false},
	} {
		first := strings.Split(c.before, "=")[0]
		token, entry, ok := settings.NewPersonalToken(first, time.Time{})
		if !ok {
			t.Fatal(first)
		}
		key := []string{"MCP_TOKENS", entry, "STATE_KEY", stateKey}
		before, _ := peopleOf(t, c.before, key...).OfToken(settings.HashOfToken(token))
		people := peopleOf(t, c.after, key...)
		after, _ := people.OfToken(settings.HashOfToken(token))
		if atIssuer, ok := people.OfAccount(account); !ok || atIssuer.ID != after.ID {
			t.Errorf("%s: at the issuer she is %q, by her token %q", name, atIssuer.ID, after.ID)
		}
		person, known := people.Person(t.Context(), after.ID)
		if before.ID == "" || (after.ID == before.ID) != c.same || !known || person.Account != c.decides || person.Login.Username != "ana" {
			t.Errorf("%s: %s became %s, who is %+v", name, before.ID, after.ID, person)
		}
	}
}

func TestNobodyDecidesInASlackThatTheProgramIsNotIn(t *testing.T) {
	t.Parallel()
	people := peopleOf(t, "T1/U1=mcp:ana@mediadora.example=ana,T1/U2=service", "REDIS_URL", settings.Memory, "SLACK_BOT_TOKEN", "")
	for _, actor := range []string{"slack:T1/U1", "mcp:T1/U1", Assistant} {
		if got, ok := people.Person(t.Context(), actor); !ok || got.Account != "" {
			t.Errorf("%s decides as %q, %v", actor, got.Account, ok)
		}
	}
}

func TestWhoseAssistantTheOneOfThisMachineIs(t *testing.T) {
	t.Parallel()
	for users, want := range map[string]string{
		"T1/U1=ana": "", "T1/U1=service": "slack:T1/U1", "T1/U1=service,T1/U2=service": "", "T1/U1=ana,T1/U2=service": "slack:T1/U2",
	} {
		if person, ok := peopleOf(t, users).Person(t.Context(), Assistant); !ok || person.Login.Username != "service" || person.Account != want {
			t.Errorf("%s: got %+v", users, person)
		}
	}
}

func TestAPersonalTokenIsOnePersonsUntilItExpires(t *testing.T) {
	t.Parallel()
	const users = "T1/U1=mcp:ana@mediadora.example=lang:pt-PT=ana,mcp:rui@mediadora.example=rui"
	of := func(account string, until time.Time) (token, entry string) {
		t.Helper()
		token, entry, ok := settings.NewPersonalToken(account, until)
		if !ok {
			t.Fatal(account)
		}
		return token, entry
	}
	today := time.Date(2026, 11, 26, 23, 30, 0, 0, time.UTC)
	ana, first := of("T1/U1", time.Time{})
	again, second := of("mcp:ana@mediadora.example", today)
	rui, third := of("mcp:rui@mediadora.example", time.Time{})
	other, _ := of("T1/U1", time.Time{})
	people := peopleOf(t, users, "MCP_TOKENS", strings.Join([]string{first, second, third}, ","))
	who := func() map[string]string {
		found := map[string]string{}
		for name, token := range map[string]string{"ana": ana, "again": again, "rui": rui, "other": other, "the hash": strings.Split(first, "=")[1], "": ""} {
			if actor, ok := people.OfToken(settings.HashOfToken(token)); ok {
				person, _ := people.Person(t.Context(), actor.ID)
				found[name] = person.Login.Username + " " + person.Account + " " + string(actor.Lang)
			}
		}
		return found
	}
	people.now = func() time.Time { return today }
	want := map[string]string{"ana": "ana slack:T1/U1 pt-PT", "again": "ana slack:T1/U1 pt-PT", "rui": "rui  "}
	if got := who(); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	people.now = func() time.Time { return today.Add(30 * time.Minute) } // the next day in Lisbon
	delete(want, "again")
	if got := who(); !maps.Equal(got, want) {
		t.Errorf("the next day: got %v", got)
	}
	byToken, _ := people.OfToken(settings.HashOfToken(ana))
	if byIssuer, _ := people.OfAccount(issuer.Account{Subject: "1", Email: "ana@mediadora.example"}); byIssuer.ID != byToken.ID {
		t.Errorf("a person is %s by her token and %s at the issuer", byToken.ID, byIssuer.ID)
	}
}

func TestTheLanguageIsThatOfTheTableOrOfTheToken(t *testing.T) {
	t.Parallel()
	people := peopleOf(t, "mcp:ana@mediadora.example=lang:en=ana,mcp:rui@mediadora.example=rui")
	for name, c := range map[string]struct{ email, locale, want string }{
		"the table's":         {"ana", "pt-PT", "en"},
		"the token's":         {"rui", "pt-PT", "pt-PT"},
		"with an underscore":  {"rui", "pt_BR", "pt-PT"},
		"of no translation":   {"rui", "fr-FR", "en"},
		"of nobody":           {"rui", "", ""},
		"not a language":      {"rui", "<script>", "en"},
		"in capitals, spoken": {"rui", "PT", "pt-PT"},
	} {
		actor, ok := people.OfAccount(issuer.Account{Subject: "1", Email: c.email + "@mediadora.example", Locale: c.locale})
		if !ok || string(actor.Lang) != c.want {
			t.Errorf("%s: got %q", name, actor.Lang)
		}
	}
}
