package settings_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/keys"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

func whole(t *testing.T) map[string]string {
	t.Helper()
	key, err := keys.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"PORTAL_URL": "https://bank.example/api", "PORTAL_CLIENT_ID": "id", "PORTAL_CLIENT_SECRET": token,
		"PORTAL_BROKER_UID": "3f2b8a52-6f0e-4f0c-9a1b-0a0b0c0d0e0f", "PORTAL_USERNAME": "ana@mediadora.example",
		"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": token,
		"PORTAL_USERS": "T0123/U0456=ana@mediadora.example", "REDIS_URL": "redis://127.0.0.1:6379", "STATE_KEY": key,
	}
}

func TestACompleteEnvironmentLoadsWithDefaults(t *testing.T) {
	s, err := settings.Load(settings.SlackBot, whole(t))
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr != "127.0.0.1:8080" || s.SlackAPIURL != "https://slack.com/api/" || s.CallTimeout != time.Minute || s.Keys == nil || s.TeamLang != words.Portuguese || s.SandboxPace != "off" {
		t.Errorf("defaults: %q %q %s", s.Addr, s.SlackAPIURL, s.CallTimeout)
	}
}

func TestAPlaygroundNeedsNoSettings(t *testing.T) {
	for _, program := range []settings.Program{settings.SlackBot, settings.MCPServer} {
		if _, err := settings.Load(program, settings.Playground(map[string]string{"REDIS_URL": ""})); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
}

func TestLoadListsEveryMissingOrWrongSettingWithHowToGetIt(t *testing.T) {
	_, err := settings.Load(settings.SlackBot, map[string]string{"PORTAL_BROKER_UID": "7", "REDIS_URL": "localhost:6379", "SLACK_APP_TOKEN": "xoxb-2", "CALLBACK_URL": "balcao.example", "TEAM_CHANNEL": "equipa", "TEAM_LANG": "br", "ADMIN_USER": "ana", "SANDBOX_PACE": "1"})
	var problems settings.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	want := "settings: ADMIN_USER wrong, CALLBACK_TOKENS missing, CALLBACK_URL wrong, PORTAL_BROKER_UID wrong, PORTAL_CLIENT_ID missing, " +
		"PORTAL_CLIENT_SECRET missing, PORTAL_PARTNER_UID missing, PORTAL_URL missing, PORTAL_USERNAME missing, PORTAL_USERS missing, REDIS_URL wrong, SANDBOX_PACE wrong, " +
		"SLACK_APP_TOKEN wrong, SLACK_BOT_TOKEN missing, STATE_KEY missing, TEAM_CHANNEL wrong, TEAM_LANG wrong"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	for _, lang := range words.Langs {
		if text := problems.Text(lang); strings.Count(text, "\n") != 1+2*len(problems) || strings.Contains(text, "no value") {
			t.Errorf("%s: %s", lang, text)
		}
	}
}

func TestEachRuleOfASetting(t *testing.T) {
	for name, c := range map[string]struct {
		program settings.Program
		change  map[string]string
		want    string
	}{
		"Socket Mode needs no signing secret":                  {settings.SlackBot, map[string]string{"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": "xapp-1"}, ""},
		"without Socket Mode a signing secret is required":     {settings.SlackBot, map[string]string{"SLACK_SIGNING_SECRET": ""}, "settings: SLACK_SIGNING_SECRET missing"},
		"the MCP server needs no Slack":                        {settings.MCPServer, map[string]string{"SLACK_BOT_TOKEN": ""}, ""},
		"a server for other machines needs a token and hosts":  {settings.MCPServer, map[string]string{"ADDR": ":8081"}, "settings: MCP_HOSTS missing, MCP_TOKEN missing"},
		"the simulated Slack stays on this machine":            {settings.SlackBot, map[string]string{"PORTAL_URL": "sandbox", "SLACK_API_URL": "simulated", "ADDR": "0.0.0.0:80"}, "settings: ADDR simulated"},
		"a real bank is not behind the simulated Slack":        {settings.SlackBot, map[string]string{"SLACK_API_URL": "simulated"}, "settings: PORTAL_URL simulated-slack"},
		"the MCP server ignores SLACK_API_URL":                 {settings.MCPServer, map[string]string{"SLACK_API_URL": "simulated"}, ""},
		"an invalid key is reported without the key":           {settings.SlackBot, map[string]string{"STATE_KEY": "hunter2"}, "settings: STATE_KEY wrong"},
		"PORTAL_USERS has pairs":                               {settings.SlackBot, map[string]string{"PORTAL_USERS": "ana"}, "settings: PORTAL_USERS wrong"},
		"a call's time is a duration":                          {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "soon"}, "settings: CALL_TIMEOUT wrong"},
		"the shortest time of a call":                          {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "2s"}, ""},
		"a call's time is too short":                           {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "1999ms"}, "settings: CALL_TIMEOUT wrong"},
		"a call's time is too long":                            {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "61s"}, "settings: CALL_TIMEOUT wrong"},
		"a rate":                                               {settings.MCPServer, map[string]string{"PORTAL_RATE": "0.5"}, ""},
		"a rate with a burst":                                  {settings.MCPServer, map[string]string{"PORTAL_RATE": "20, 5"}, ""},
		"a rate in words":                                      {settings.MCPServer, map[string]string{"PORTAL_RATE": "fast"}, "settings: PORTAL_RATE wrong"},
		"a rate that is no number":                             {settings.MCPServer, map[string]string{"PORTAL_RATE": "NaN"}, "settings: PORTAL_RATE wrong"},
		"a rate of nothing":                                    {settings.MCPServer, map[string]string{"PORTAL_RATE": "0"}, "settings: PORTAL_RATE wrong"},
		"no burst":                                             {settings.MCPServer, map[string]string{"PORTAL_RATE": "20,"}, "settings: PORTAL_RATE wrong"},
		"a burst of nothing":                                   {settings.MCPServer, map[string]string{"PORTAL_RATE": "20,0"}, "settings: PORTAL_RATE wrong"},
		"two settings that cannot be parsed are both reported": {settings.MCPServer, map[string]string{"CALL_TIMEOUT": "soon", "PORTAL_USERS": "ana"}, "settings: CALL_TIMEOUT wrong, PORTAL_USERS wrong"},
		"an address is host and port":                          {settings.SlackBot, map[string]string{"ADDR": "8080"}, "settings: ADDR wrong"},
		"a port is at most 65535":                              {settings.SlackBot, map[string]string{"ADDR": "127.0.0.1:99999"}, "settings: ADDR wrong"},
		"a person is listed twice":                             {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=ana@mediadora.example,T1/U1=rui@mediadora.example"}, "settings: PORTAL_USERS wrong"},
		"a person is listed twice, with a space":               {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=ana@mediadora.example, T1/U1=rui@mediadora.example"}, "settings: PORTAL_USERS wrong"},
		"a callback's address may end in a slash":              {settings.SlackBot, callback("CALLBACK_URL", "https://balcao.example/bank/"), ""},
		"a callback's address is encrypted":                    {settings.SlackBot, callback("CALLBACK_URL", "http://balcao.example"), "settings: CALLBACK_URL wrong"},
		"a callback's address on this machine":                 {settings.SlackBot, callback("CALLBACK_URL", "http://127.0.0.1:8080"), ""},
		"a callback's address has no query":                    {settings.SlackBot, callback("CALLBACK_URL", "https://balcao.example/?a=b"), "settings: CALLBACK_URL wrong"},
		"a callback's address needs a token":                   {settings.SlackBot, callback("CALLBACK_TOKENS", " , "), "settings: CALLBACK_TOKENS missing"},
		"a callback's address needs a partner":                 {settings.SlackBot, callback("PORTAL_PARTNER_UID", ""), "settings: PORTAL_PARTNER_UID missing"},
		"a partner is a UUID":                                  {settings.SlackBot, callback("PORTAL_PARTNER_UID", "7"), "settings: PORTAL_PARTNER_UID wrong"},
		"a token is too short":                                 {settings.SlackBot, callback("CALLBACK_TOKENS", token+","+token[1:]), "settings: CALLBACK_TOKENS wrong"},
		"a token does not fit into a path":                     {settings.SlackBot, callback("CALLBACK_TOKENS", token+"/"), "settings: CALLBACK_TOKENS wrong"},
		"two tokens":                                           {settings.SlackBot, callback("CALLBACK_TOKENS", token+", "+token), ""},
		"the MCP server ignores CALLBACK_URL":                  {settings.MCPServer, map[string]string{"CALLBACK_URL": "no address"}, ""},
		"a channel is given by its id":                         {settings.SlackBot, map[string]string{"TEAM_CHANNEL": "#equipa"}, "settings: TEAM_CHANNEL wrong"},
		"the id of a private channel":                          {settings.SlackBot, map[string]string{"TEAM_CHANNEL": "G0EQUIPA"}, ""},
		"an unknown language":                                  {settings.SlackBot, map[string]string{"TEAM_LANG": "fr"}, "settings: TEAM_LANG wrong"},
		"an empty language is Portuguese":                      {settings.SlackBot, map[string]string{"TEAM_LANG": ""}, ""},
		"an administrator is given by an id":                   {settings.SlackBot, map[string]string{"ADMIN_USER": "ana"}, "settings: ADMIN_USER wrong"},
		"the sandbox has three paces":                          {settings.MCPServer, map[string]string{"SANDBOX_PACE": "slowly"}, "settings: SANDBOX_PACE wrong"},
		"a profile's file must exist":                          {settings.SlackBot, map[string]string{"PORTAL_PROFILE": "no/such/file"}, "settings: PORTAL_PROFILE profile"},
		"a file of operations is refused":                      {settings.MCPServer, map[string]string{"PORTAL_OPERATIONS": "operations.json"}, "settings: PORTAL_OPERATIONS replaced"},
		"PORTAL_USERS is required":                             {settings.SlackBot, map[string]string{"PORTAL_USERS": ""}, "settings: PORTAL_USERS missing"},
		"PORTAL_USERS is required with a sandbox bank":         {settings.SlackBot, map[string]string{"PORTAL_USERS": "", "PORTAL_URL": "sandbox"}, "settings: PORTAL_USERS missing"},
		"PORTAL_USERS is required with a simulated Slack":      {settings.SlackBot, map[string]string{"PORTAL_USERS": "", "SLACK_API_URL": "simulated"}, "settings: PORTAL_URL simulated-slack, PORTAL_USERS missing"},
		"PORTAL_USERS is optional in a playground":             {settings.SlackBot, map[string]string{"PORTAL_USERS": "", "PORTAL_URL": "sandbox", "SLACK_API_URL": "simulated"}, ""},
		"PORTAL_USERS is optional for the MCP server":          {settings.MCPServer, map[string]string{"PORTAL_USERS": ""}, ""},
		"one portal user for everybody":                        {settings.SlackBot, map[string]string{"PORTAL_USERS": "*=ana@mediadora.example"}, ""},
		"a listed person, and everybody else":                  {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=rui@mediadora.example, *=ana@mediadora.example"}, ""},
		"everybody without a portal user":                      {settings.SlackBot, map[string]string{"PORTAL_USERS": "*="}, "settings: PORTAL_USERS wrong"},
		"a person is given by team and user":                   {settings.SlackBot, map[string]string{"PORTAL_USERS": "U0456=ana@mediadora.example"}, "settings: PORTAL_USERS wrong"},
		"a person is given by ids":                             {settings.SlackBot, map[string]string{"PORTAL_USERS": "T0123/ana=ana@mediadora.example"}, "settings: PORTAL_USERS wrong"},
		"a person with an account at the issuer":               {settings.SlackBot, atIssuer("PORTAL_USERS", "T1/U1=mcp:ana@mediadora.example=ana"), ""},
		"accounts of one person on two lines":                  {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=ana,T1/U1=mcp:ana@mediadora.example=ana"}, "settings: PORTAL_USERS wrong"},
		"an e-mail address of two people":                      {settings.SlackBot, map[string]string{"PORTAL_USERS": "mcp:ana@mediadora.example=ana,mcp:Ana@Mediadora.Example=rui"}, "settings: PORTAL_USERS wrong"},
		"an account that is no address":                        {settings.SlackBot, map[string]string{"PORTAL_USERS": "mcp:ana=ana"}, "settings: PORTAL_USERS wrong"},
		"an address with letters that look alike":              {settings.SlackBot, map[string]string{"PORTAL_USERS": "mcp:an\u0430@mediadora.example=ana"}, "settings: PORTAL_USERS wrong"},
		"an empty subject":                                     {settings.SlackBot, map[string]string{"PORTAL_USERS": "mcp:sub:=ana"}, "settings: PORTAL_USERS wrong"},
		"everybody is not a person too":                        {settings.SlackBot, map[string]string{"PORTAL_USERS": "*=T1/U1=ana"}, "settings: PORTAL_USERS wrong"},
		"everybody at the issuer is not a person too":          {settings.SlackBot, map[string]string{"PORTAL_USERS": "mcp:*=mcp:ana@mediadora.example=ana"}, "settings: PORTAL_USERS wrong"},
		"a language that there is":                             {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=lang:en=ana"}, ""},
		"a language that there is not":                         {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=lang:fr=ana"}, "settings: PORTAL_USERS wrong"},
		"two languages":                                        {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=lang:en=lang:pt-PT=ana"}, "settings: PORTAL_USERS wrong"},
		"only a language":                                      {settings.SlackBot, map[string]string{"PORTAL_USERS": "lang:en=ana"}, "settings: PORTAL_USERS wrong"},
		"an entry that is empty":                               {settings.SlackBot, map[string]string{"PORTAL_USERS": "T1/U1=ana,"}, "settings: PORTAL_USERS wrong"},
		"an issuer":                                            {settings.MCPServer, atIssuer("", ""), ""},
		"an issuer needs the address of the server":            {settings.MCPServer, atIssuer("MCP_URL", ""), "settings: MCP_URL missing"},
		"an issuer is encrypted":                               {settings.MCPServer, atIssuer("MCP_ISSUER", "http://login.example"), "settings: MCP_ISSUER wrong"},
		"an issuer on this machine":                            {settings.MCPServer, atIssuer("MCP_ISSUER", "http://127.0.0.1:9000/realms/team"), ""},
		"an issuer without a scheme":                           {settings.MCPServer, atIssuer("MCP_ISSUER", "login.example"), "settings: MCP_ISSUER wrong"},
		"an issuer with a query":                               {settings.MCPServer, atIssuer("MCP_ISSUER", "https://login.example/?a=b"), "settings: MCP_ISSUER wrong"},
		"an issuer that lets nobody in":                        {settings.MCPServer, atIssuer("PORTAL_USERS", "T1/U1=ana,*=ana"), "settings: PORTAL_USERS nobody-at-issuer"},
		"an issuer that lets everybody in":                     {settings.MCPServer, atIssuer("PORTAL_USERS", "mcp:*=lang:en=ana"), ""},
		"an audience":                                          {settings.MCPServer, atIssuer("MCP_AUDIENCE", "api://balcao"), ""},
		"an audience with a space":                             {settings.MCPServer, atIssuer("MCP_AUDIENCE", "a b"), "settings: MCP_AUDIENCE wrong"},
		"an audience without an issuer":                        {settings.MCPServer, map[string]string{"MCP_AUDIENCE": "api://balcao"}, "settings: MCP_ISSUER missing"},
		"a server for other machines with an issuer":           {settings.MCPServer, atIssuer("ADDR", ":8081"), ""},
		"tokens of people who cannot be read":                  {settings.MCPServer, map[string]string{"PORTAL_USERS": "ana", "MCP_TOKENS": "T1/U1=" + hash}, "settings: PORTAL_USERS wrong"},
		"a personal token":                                     {settings.MCPServer, map[string]string{"MCP_TOKENS": "T0123/U0456=" + hash}, ""},
		"a personal token with a day":                          {settings.MCPServer, map[string]string{"MCP_TOKENS": "T0123/U0456=" + hash + ":2099-12-31"}, ""},
		"a personal token that has expired":                    {settings.MCPServer, map[string]string{"MCP_TOKENS": "T0123/U0456=" + hash + ":2020-12-31"}, ""},
		"a personal token with a day that there is not":        {settings.MCPServer, map[string]string{"MCP_TOKENS": "T0123/U0456=" + hash + ":2027-02-30"}, "settings: MCP_TOKENS wrong"},
		"a personal token without an end":                      {settings.MCPServer, map[string]string{"MCP_TOKENS": "T0123/U0456=" + hash + ":"}, "settings: MCP_TOKENS wrong"},
		"the token itself":                                     {settings.MCPServer, map[string]string{"MCP_TOKENS": "T0123/U0456=" + token}, "settings: MCP_TOKENS wrong"},
		"a personal token of nobody":                           {settings.MCPServer, map[string]string{"MCP_TOKENS": hash}, "settings: MCP_TOKENS wrong"},
		"a personal token of everybody":                        {settings.MCPServer, map[string]string{"PORTAL_USERS": "*=ana", "MCP_TOKENS": "*=" + hash}, "settings: MCP_TOKENS wrong"},
		"a personal token of two people":                       {settings.MCPServer, map[string]string{"PORTAL_USERS": "T1/U1=ana,T1/U2=rui", "MCP_TOKENS": "T1/U1=" + hash + ",T1/U2=" + strings.ToUpper(hash)}, "settings: MCP_TOKENS wrong"},
		"a personal token of a stranger":                       {settings.MCPServer, map[string]string{"MCP_TOKENS": "T9/U9=" + hash}, "settings: MCP_TOKENS unlisted"},
		"a server for other machines with personal tokens":     {settings.MCPServer, map[string]string{"ADDR": ":8081", "MCP_HOSTS": "mcp.example", "MCP_TOKENS": "T0123/U0456=" + hash}, ""},
		"an origin":                             {settings.MCPServer, map[string]string{"MCP_ORIGINS": "https://assistant.example, https://other.example:8443,http://localhost:6274"}, ""},
		"every origin":                          {settings.MCPServer, map[string]string{"MCP_ORIGINS": "*"}, "settings: MCP_ORIGINS wrong"},
		"the origin of files":                   {settings.MCPServer, map[string]string{"MCP_ORIGINS": "null"}, "settings: MCP_ORIGINS wrong"},
		"an origin with a path":                 {settings.MCPServer, map[string]string{"MCP_ORIGINS": "https://assistant.example/"}, "settings: MCP_ORIGINS wrong"},
		"an origin with the usual port":         {settings.MCPServer, map[string]string{"MCP_ORIGINS": "https://assistant.example:443"}, "settings: MCP_ORIGINS wrong"},
		"an origin in capitals":                 {settings.MCPServer, map[string]string{"MCP_ORIGINS": "https://Assistant.example"}, "settings: MCP_ORIGINS wrong"},
		"an origin with a user":                 {settings.MCPServer, map[string]string{"MCP_ORIGINS": "https://ana@assistant.example"}, "settings: MCP_ORIGINS wrong"},
		"an origin that is not encrypted":       {settings.MCPServer, map[string]string{"MCP_ORIGINS": "http://assistant.example"}, "settings: MCP_ORIGINS wrong"},
		"an origin of other names":              {settings.MCPServer, map[string]string{"MCP_ORIGINS": "https://*.assistant.example"}, "settings: MCP_ORIGINS wrong"},
		"no calls":                              {settings.MCPServer, map[string]string{"MCP_RATE": "0"}, "settings: MCP_RATE wrong"},
		"some calls":                            {settings.MCPServer, map[string]string{"MCP_RATE": "60 a minute"}, "settings: MCP_RATE wrong"},
		"too many calls at once":                {settings.MCPServer, map[string]string{"MCP_CONCURRENT": "65"}, "settings: MCP_CONCURRENT wrong"},
		"a toolset that exists":                 {settings.MCPServer, map[string]string{"MCP_TOOLS": "default,rare"}, ""},
		"a toolset that does not exist":         {settings.SlackBot, map[string]string{"MCP_TOOLS": "default,nope"}, "settings: MCP_TOOLS wrong"},
		"a weak token":                          {settings.MCPServer, map[string]string{"MCP_TOKEN": "a"}, "settings: MCP_TOKEN weak"},
		"a weak token in the bot's environment": {settings.SlackBot, map[string]string{"MCP_TOKEN": strings.Repeat("0123456789abcdef", 4)}, "settings: MCP_TOKEN weak"},
		"a weak signing secret":                 {settings.SlackBot, map[string]string{"SLACK_SIGNING_SECRET": "a"}, "settings: SLACK_SIGNING_SECRET weak"},
		"a weak callback token":                 {settings.SlackBot, callback("CALLBACK_TOKENS", token+","+strings.Repeat("a", 32)), "settings: CALLBACK_TOKENS weak"},
		"a weak secret of the bank":             {settings.SlackBot, map[string]string{"PORTAL_CLIENT_SECRET": "a"}, ""},
	} {
		environ := whole(t)
		maps.Copy(environ, c.change)
		_, err := settings.Load(c.program, environ, settings.KnownToolsets("default", "all", "rare"))
		if got := text(err); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

const token = "b3c0b9f2c1a84d7e9f5d2a6e0c4817d3"

// hash is that of a token.
const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// atIssuer returns the settings of an issuer, with one of them changed.
func atIssuer(name, value string) map[string]string {
	environ := map[string]string{
		"MCP_ISSUER": "https://login.example/", "MCP_URL": "https://mcp.example", "MCP_HOSTS": "mcp.example", "PORTAL_USERS": "T1/U1=mcp:ana@mediadora.example=ana",
	}
	if name != "" {
		environ[name] = value
	}
	return environ
}

// callback returns the settings of callbacks, with one of them changed.
func callback(name, value string) map[string]string {
	environ := map[string]string{
		"CALLBACK_URL": "https://balcao.example", "CALLBACK_TOKENS": token, "PORTAL_PARTNER_UID": "3f2b8a52-6f0e-4f0c-9a1b-0a0b0c0d0e0f",
	}
	environ[name] = value
	return environ
}

func TestCallbackTokensAreSplitAndTrimmed(t *testing.T) {
	environ := whole(t)
	maps.Copy(environ, callback("CALLBACK_TOKENS", " "+token+",, "+token+"x ,"))
	environ["CALLBACK_URL"] += "/"
	s, err := settings.Load(settings.SlackBot, environ)
	if err != nil || !slices.Equal(s.CallbackTokens, []string{token, token + "x"}) || s.CallbackURL != "https://balcao.example" {
		t.Errorf("got %q, %q, %v", s.CallbackTokens, s.CallbackURL, err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestARealBankWithTheSimulatedSlackNeedsAFlag(t *testing.T) {
	environ := whole(t)
	environ["SLACK_API_URL"] = settings.Simulated
	_, err := settings.Load(settings.SlackBot, environ)
	var problems settings.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	for _, lang := range words.Langs {
		if text := problems.Text(lang); !strings.Contains(text, "-simulated-slack-with-real-bank") {
			t.Errorf("%s does not say how: %s", lang, text)
		}
	}
	if _, err := settings.Load(settings.SlackBot, environ, settings.AllowRealBankInSimulatedSlack); err != nil {
		t.Error(err)
	}
}

func TestLoadWarnsOfRiskySettings(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string]string
		want   string
	}{
		"nothing":                       {nil, ""},
		"Redis on this machine":         {map[string]string{"REDIS_URL": "redis://localhost:6379"}, ""},
		"Redis elsewhere":               {map[string]string{"REDIS_URL": "redis://:password@redis.example:6379/0"}, "REDIS_URL plain"},
		"one of its nodes elsewhere":    {map[string]string{"REDIS_URL": "redis://127.0.0.1:6379?cluster=true&addr=10.0.0.2:6379"}, "REDIS_URL plain"},
		"Redis elsewhere, encrypted":    {map[string]string{"REDIS_URL": "rediss://redis.example:6379"}, ""},
		"the bank elsewhere":            {map[string]string{"PORTAL_URL": "http://bank.example/api"}, "PORTAL_URL plain"},
		"the bank on this machine":      {map[string]string{"PORTAL_URL": "http://[::1]:8090"}, ""},
		"Slack through a proxy":         {map[string]string{"SLACK_API_URL": "http://proxy.example/api/"}, "SLACK_API_URL plain"},
		"Redis that forgets":            {map[string]string{"REDIS_URL": "memory"}, "REDIS_URL memory"},
		"with a sandbox, that is all":   {map[string]string{"REDIS_URL": "memory", "PORTAL_URL": "sandbox"}, ""},
		"one portal user for everybody": {map[string]string{"PORTAL_USERS": "*=ana@mediadora.example"}, "PORTAL_USERS everybody"},
		"a secret of the bank's":        {map[string]string{"PORTAL_CLIENT_SECRET": "secret"}, "PORTAL_CLIENT_SECRET weak"},
		"everybody at the issuer":       {atIssuer("PORTAL_USERS", "mcp:*=ana"), "PORTAL_USERS everybody-at-issuer"},
		"another name of the server":    {atIssuer("MCP_HOSTS", "other.example"), "MCP_HOSTS without-url"},
		"a token that has expired":      {map[string]string{"MCP_TOKENS": "T0123/U0456=" + hash + ":2020-12-31"}, "MCP_TOKENS expired"},
	} {
		environ := whole(t)
		maps.Copy(environ, c.change)
		s, err := settings.Load(settings.SlackBot, environ)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := ""
		for _, warning := range s.Warnings {
			got += warning.Name + " " + warning.What
			for _, lang := range words.Langs {
				if text := warning.Text(lang); !strings.HasPrefix(text, warning.Name) || strings.Contains(text, "example") {
					t.Errorf("%s: %s", name, text)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// profileFile returns the path of a file with a profile.
func profileFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bank.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAWrongProfileIsReportedWithTheOtherSettings(t *testing.T) {
	environ := whole(t)
	environ["PORTAL_PROFILE"] = profileFile(t, "prefix = \"v1\"\n[forms]\nnumbers = \"texts\"\n")
	environ["PORTAL_OPERATIONS"] = "operations.json"
	delete(environ, "REDIS_URL")
	_, err := settings.Load(settings.SlackBot, environ)
	problems, ok := errors.AsType[settings.Problems](err)
	if !ok || err.Error() != "settings: PORTAL_OPERATIONS replaced, PORTAL_PROFILE profile, REDIS_URL missing" {
		t.Fatalf("got %v", err)
	}
	for lang, want := range map[words.Lang][]string{
		words.English: {
			"3 settings must be corrected:", "  PORTAL_OPERATIONS is no longer read.\n    In its place set PORTAL_PROFILE",
			"  The file in PORTAL_PROFILE has 2 things wrong:\n    bank.toml:1: prefix: a prefix is empty", "\n    bank.toml:3: forms.numbers: ", "Did you mean \"text\"?\n",
		},
		words.Portuguese: {"  O ficheiro em PORTAL_PROFILE tem 2 erros:\n    bank.toml:1: prefix: ", "Queria dizer \"text\"?\n"},
	} {
		text := problems.Text(lang)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q:\n%s", lang, part, text)
			}
		}
	}
}

func TestTheIdsOfTheSettingsHaveTheFormOfTheProfile(t *testing.T) {
	integer := profileFile(t, "forms.ids = {broker = \"integer\", partner = \"integer\"}")
	for name, c := range map[string]struct {
		change map[string]string
		want   string
	}{
		"a broker is a uuid":              {map[string]string{"PORTAL_BROKER_UID": "12345"}, "settings: PORTAL_BROKER_UID wrong"},
		"a broker is an integer":          {map[string]string{"PORTAL_BROKER_UID": "12345", "PORTAL_PROFILE": integer}, ""},
		"a broker is not a uuid":          {map[string]string{"PORTAL_PROFILE": integer}, "settings: PORTAL_BROKER_UID integer"},
		"a partner is an integer":         {map[string]string{"PORTAL_BROKER_UID": "1", "PORTAL_PARTNER_UID": "2", "PORTAL_PROFILE": integer}, ""},
		"the form of a wrong profile":     {map[string]string{"PORTAL_BROKER_UID": "12345", "PORTAL_PROFILE": profileFile(t, "prefix = 1")}, "settings: PORTAL_PROFILE profile"},
		"without a profile, the built-in": {nil, ""},
	} {
		environ := whole(t)
		maps.Copy(environ, c.change)
		s, err := settings.Load(settings.SlackBot, environ)
		if got := text(err); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if err == nil && s.Profile == nil {
			t.Errorf("%s: there is no profile", name)
		}
	}
}

func TestTheRateOfTheBankHasABurst(t *testing.T) {
	for text, want := range map[string]settings.Rate{"": {}, "0.5": {PerSecond: 0.5, Burst: 1}, "200": {PerSecond: 200, Burst: 20}, "20, 5": {PerSecond: 20, Burst: 5}} {
		s, err := settings.Load(settings.MCPServer, settings.Playground(map[string]string{"PORTAL_RATE": text}))
		if err != nil || s.Rate != want {
			t.Errorf("%q is %+v, %v", text, s.Rate, err)
		}
	}
}
