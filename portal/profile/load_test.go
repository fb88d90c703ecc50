package profile

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/internal/words"
)

func problemsOf(t *testing.T, err error) *Problems {
	t.Helper()
	problems, ok := errors.AsType[*Problems](err)
	if !ok {
		t.Fatalf("the error is %v", err)
	}
	return problems
}

// wrong are files with one wrong entry, what is reported of it, and words that the reason has.
var wrong = map[string]struct {
	file, name string // TOML without a name
	line       int
	key, what  string
	says       string
}{
	"a syntax error":                    {"prefix = \"/v1\"\n\n[errors\n", "", 3, "", "toml", "not valid TOML"},
	"a value without quotes":            {"prefix = /v1\n", "", 1, "", "toml", "not valid TOML"},
	"a syntax error in JSON":            {"{\n\"prefix\": \"/v1\",\n}", "", 2, "", "json", "not valid JSON"},
	"JSON that ends too soon":           {"{\n\"prefix\": ", "", 2, "", "json", "not valid JSON"},
	"two JSON values":                   {"{}\n{}", "", 2, "", "twoValues", ""},
	"JSON that is no object":            {"[1]", "p.json", 1, "", "noTable", ""},
	"a key twice":                       {"prefix = \"/a\"\nprefix = \"/b\"\n", "", 2, "prefix", "twice", "already in line 1"},
	"a key twice in JSON":               {"{\"forms\": {\n\"dates\": \"date\",\n\"dates\": \"datetime\"}}", "", 3, "forms.dates", "twice", "already in line 2"},
	"a table twice":                     {"[forms]\ndates = \"date\"\n[login]\n[forms]\n", "", 4, "forms", "twice", "already in line 1"},
	"a table that is a value":           {"prefix = \"\"\n[prefix.x]\n", "", 2, "prefix", "twice", ""},
	"a dotted key into a closed table":  {"forms = {dates = \"date\"}\nforms.names = \"camel\"\n", "", 2, "forms", "twice", ""},
	"a key twice in an inline table":    {"forms = {dates = \"date\",\ndates = \"date\"}", "", 2, "forms.dates", "twice", ""},
	"a key of very many parts":          {strings.Repeat("a.", 40) + "b = 1", "", 1, strings.Repeat("a.", 31) + "a", "deep", ""},
	"a date":                            {"prefix = 2026-11-26", "", 1, "prefix", "value", ""},
	"a number without an end":           {"[operations.processList.page]\nsize = inf", "", 2, "operations.processList.page.size", "value", ""},
	"an unknown key":                    {"[forms]\ndate = \"date\"", "", 2, "forms.date", "key", "Did you mean dates?"},
	"an unknown key in JSON":            {"{\"operations\": {\"processList\": {\n\"paht\": \"/process\"}}}", "", 2, "operations.processList.paht", "key", "Did you mean path?"},
	"an unknown operation":              {"[operations.processesList]\npath = \"/a\"", "", 1, "operations.processesList", "operation", "Did you mean processList?"},
	"an unknown list":                   {"[taxonomies.lists.martialStatuses]\nname = \"a\"", "", 1, "taxonomies.lists.martialStatuses", "list", "Did you mean maritalStatuses?"},
	"an id of a list as an operation":   {"[operations.gendersGet]\npath = \"/genders\"", "", 1, "operations.gendersGet", "isList", "taxonomies.lists.genders"},
	"items of an operation":             {"[operations.processList]\nitems = []", "", 2, "operations.processList.items", "noList", ""},
	"an unknown parameter":              {"[operations.processList.query]\nfilterByTxt = \"text\"", "", 2, "operations.processList.query.filterByTxt", "key", "Did you mean filterByText?"},
	"an unknown field of a reply":       {"[operations.borrowerGet.reply.fields]\n\"borrowerPersonalData.nome\" = \"nome\"", "", 2, "operations.borrowerGet.reply.fields.borrowerPersonalData.nome", "key", "borrowerPersonalData.name"},
	"an unknown kind of id":             {"[forms.ids]\nbroke = \"integer\"", "", 2, "forms.ids.broke", "key", "Did you mean broker?"},
	"a name with a dot without quotes":  {"[operations.borrowerGet.reply.fields]\nborrowerPersonalData.name = \"nome\"", "", 2, "operations.borrowerGet.reply.fields.borrowerPersonalData", "quote", "quotation marks"},
	"a text for a number":               {"[operations.processList.page]\nsize = \"50\"", "", 2, "operations.processList.page.size", "type", "must be a whole number, not a text"},
	"a number for a text":               {"[forms]\ndates = 1", "", 2, "forms.dates", "oneOf", `There are: "date", "datetime"`},
	"null":                              {"{\"prefix\":\nnull}", "", 1, "prefix", "type", "must be a text, not null"},
	"a table for a name":                {"[operations.processList.reply]\nlist = {name = \"a\"}", "", 2, "operations.processList.reply.list", "type", "must be a text or a list, not a table"},
	"a value out of a set":              {"[forms]\nnumbers = \"txt\"", "", 2, "forms.numbers", "oneOf", `Did you mean "text"?`},
	"a method":                          {"[operations.processList]\nmethod = \"FETCH\"", "", 2, "operations.processList.method", "oneOf", "PATCH"},
	"a page too large":                  {"[operations.processList.page]\nsize = 0", "", 2, "operations.processList.page.size", "range", ""},
	"no name at all":                    {"[login]\ntoken = []", "", 2, "login.token", "empty", ""},
	"a status twice":                    {"[operations.processDetail]\nmissing = [404, 404]", "", 2, "operations.processDetail.missing", "repeated", ""},
	"an item without an id":             {"[taxonomies.lists.genders]\nitems = [{pt = \"Feminino\"}]", "", 2, "taxonomies.lists.genders.items.0", "lacks", "lacks id"},
	"a path":                            {"[operations.processList]\npath = \"processes\"", "", 2, "operations.processList.path", "form.path", ""},
	"the path of lists":                 {"[taxonomies]\npath = \"/taxonomy/{list}\"", "", 2, "taxonomies.path", "form.listPath", ""},
	"the path of a list":                {"[taxonomies.lists.genders]\npath = \"/{name}\"", "", 2, "taxonomies.lists.genders.path", "form.fixedPath", ""},
	"the name of a list":                {"[taxonomies.lists.genders]\nname = \"a b\"", "", 2, "taxonomies.lists.genders.name", "form.listName", ""},
	"a prefix":                          {"prefix = \"/v1/\"", "", 1, "prefix", "form.prefix", ""},
	"a mark":                            {"[forms]\nmark = \"certain\"", "", 2, "forms.mark", "form.mark", ""},
	"a mark of a key":                   {"[forms]\nmarks.dates = \"seen\"", "", 2, "forms.marks.dates", "form.mark", ""},
	"the name of a header":              {"[headers]\n\"x client\" = \"a\"", "", 2, "headers.x client", "form.headerName", ""},
	"a template":                        {"[headers]\nx-client = \"{client}\"", "", 2, "headers.x-client", "form.template", "{client_id}"},
	"a template with a line end":        {"[headers]\nx-client = \"a\\nb\"", "", 2, "headers.x-client", "form.template", ""},
	"a token before the login":          {"[login.headers]\nx-token = \"{token}\"", "", 2, "login.headers.x-token", "form.loginValue", "only after the login"},
	"a condition":                       {"[errors]\nin_reply = [\"=false\"]", "", 2, "errors.in_reply.0", "form.condition", ""},
	"a name with a control character":   {"[operations.processList.query]\nfilterByText = \"a\\tb\"", "", 2, "operations.processList.query.filterByText", "form.name", ""},
	"an item without a text":            {"[taxonomies.lists.genders]\nitems = [{id = 1, pt = \"\"}]", "", 2, "taxonomies.lists.genders.items.0.pt", "form.nonEmptyText", ""},
	"a header in another case":          {"[login.headers]\nxclientid = \"{client_id}\"", "", 2, "login.headers.xclientid", "sameHeader", "xClientID"},
	"two parameters of one name":        {"[operations.processList.query]\nnextRecord = \"lineCount\"", "", 2, "operations.processList.query.nextRecord", "sameName", ""},
	"two items with an id":              {"[taxonomies.lists.genders]\nitems = [{id = 1, pt = \"F\"}, {id = 1, pt = \"M\"}]", "", 2, "taxonomies.lists.genders.items", "sameItem", ""},
	"a placeholder of another":          {"[operations.processDetail]\npath = \"/p/{processUniqueID}\"\nquery.processUniqueId = \"id\"", "", 2, "operations.processDetail.path", "placeholder", "Did you mean processUniqueId?"},
	"a placeholder twice":               {"[operations.processDetail]\npath = \"/p/{processUniqueId}/{processUniqueId}\"", "", 2, "operations.processDetail.path", "placeholderTwice", ""},
	"a placeholder that is nowhere":     {"[operations.processDetail]\npath = \"/p\"", "", 2, "operations.processDetail.path", "placeholderLost", "processUniqueId"},
	"pages without a name for the page": {"[operations.processList]\npage = {style = \"number\"}", "", 2, "operations.processList.page.style", "pageQuery", "pageNumber"},
	"a name of the page taken away":     {"[taxonomies.query]\npageNumber = \"\"", "", 2, "taxonomies.query.pageNumber", "pageQuery", ""},
	"a cursor that items lack":          {"[operations.processList]\npage.key = \"id\"", "", 2, "operations.processList.page.key", "pageKey", ""},
	"two operations at one address":     {"[operations.processCreate]\npath = \"/simulations\"", "", 2, "operations.processCreate.path", "conflict", "simulationCreate"},
	"an address that fits two":          {"[operations.simulationValidate]\npath = \"/{simulationUniqueId}/esis\"\nmethod = \"GET\"", "", 2, "operations.simulationValidate.path", "conflict", "processDetail"},
	"a list at an operation's address":  {"[taxonomies.lists.genders]\npath = \"/processes\"", "", 2, "taxonomies.lists.genders.path", "conflict", "processList"},
	"an unknown rule":                   {"[rules]\n\"cc.numbr\" = \"warn\"", "", 2, "rules.cc.numbr", "rule", "Did you mean cc.number?"},
	"a strictness":                      {"[rules]\n\"cc.number\" = \"warning\"", "", 2, "rules.cc.number", "oneOf", `Did you mean "warn"?`},
	"very many alternatives":            {strings.Repeat("[[alternatives]]\nname = \"a\"\nprofile.prefix = \"/v2\"\n", 101), "", 1, "alternatives", "long", "more than 100"},
	"an unknown meaning":                {"[states.ids]\n17 = \"analisys\"", "", 2, "states.ids.17", "meaning", "Did you mean analysis?"},
	"a state without an id":             {"[states.ids]\naprovado = \"analysis\"", "", 2, "states.ids.aprovado", "stateID", ""},
	"the turn of a meaning":             {"[states.meanings.analysis]\nturn = \"broker\"", "", 2, "states.meanings.analysis.turn", "oneOf", `There are: "", "bank", "partner"`},
	"a phrase without a word":           {"[states.meanings.analysis]\nwords = [\"-\"]", "", 2, "states.meanings.analysis.words.0", "form.phrase", ""},
	"an item with two meanings":         {"[meanings.maritalStatuses]\nmarried.ids = [7]\nsingle.ids = [7]", "", 3, "meanings.maritalStatuses.single.ids", "twoMeanings", "7"},
	"a meaning of an item":              {"[meanings.maritalStatuses]\nmaried.ids = [7]", "", 2, "meanings.maritalStatuses.maried", "key", "Did you mean married?"},
	"a list without meanings":           {"[meanings.genders]\nmale.ids = [7]", "", 1, "meanings.genders", "key", "There are: "},
	"an id in quotation marks":          {"[meanings.maritalStatuses]\nmarried.ids = [\"7\"]", "", 2, "meanings.maritalStatuses.married.ids.0", "type", "a whole number"},
	"limits without a day":              {"[limits.age]\nmax = 80", "", 1, "limits.age", "day", "2027-01-31"},
	"limits of a day that is none":      {"[limits.2027-02-30.age]\nmax = 80", "", 1, "limits.2027-02-30", "day", ""},
	"an age":                            {"[limits.2023-10-16.age]\nmax = 800", "", 2, "limits.2023-10-16.age.max", "range", ""},
	"an alternative without a name":     {"[[alternatives]]\nprofile.prefix = \"/v2\"", "", 1, "alternatives.0", "lacks", "name"},
	"an entry of an alternative":        {"[[alternatives]]\nname = \"a\"\nprofile.prefx = \"/v2\"", "", 3, "alternatives.0.profile.prefx", "key", "Did you mean prefix?"},
	"a conflict of an alternative":      {"[[alternatives]]\nname = \"a\"\nprofile.operations.processDetail.path = \"/p\"", "", 3, "alternatives.0.profile.operations.processDetail.path", "placeholderLost", ""},
}

func TestEachWrongEntryIsReportedWithItsLine(t *testing.T) {
	for name, c := range wrong {
		t.Run(name, func(t *testing.T) {
			p, err := Read(c.name, []byte(c.file))
			if p != nil {
				t.Fatal("it was accepted")
			}
			problems := problemsOf(t, err).List
			if len(problems) == 0 || problems[0].Line != c.line || problems[0].Key != c.key || problems[0].What != c.what {
				t.Fatalf("got %+v", problems)
			}
			if reason := problems[0].Reason(words.English); !strings.Contains(reason, c.says) {
				t.Errorf("it says %q", reason)
			}
		})
	}
}

func TestEveryReasonHasACaseAndAText(t *testing.T) {
	reached := map[string]bool{"problem.missing": true, "problem.unreadable": true, "problem.large": true} // see below
	for _, c := range wrong {
		reached["problem."+c.what] = true
	}
	if missing := texts.Missing(slices.Collect(maps.Keys(reached))...); len(missing) > 0 {
		t.Errorf("there is no text for %v", missing)
	}
	for _, key := range texts.Keys(words.English) {
		if strings.HasPrefix(key, "problem.") && !reached[key] && key != "problem.invalid" { // what the schema might forbid later
			t.Errorf("no case has %s", key)
		}
	}
}

func TestAllProblemsAreReportedAtOnceInBothLanguages(t *testing.T) {
	const file = `prefix = "v1"

[forms]
numbers = "texts"
dates = 1

[operations.processList]
path = "/process"
pth = "/x"
method = "GET"

[operations.processDetail]
path = "/process/{id}"

[taxonomies.lists.genders]
items = [{ id = 1 }]
`
	_, err := Read("bank.toml", []byte(file))
	problems := problemsOf(t, err)
	want := `bank.toml:1: prefix: um prefixo está vazio ou começa por / e não acaba com ela, por exemplo /v1.
bank.toml:4: forms.numbers: não é um dos valores possíveis. Queria dizer "text"?
bank.toml:5: forms.dates: não é um dos valores possíveis. Existem: "date", "datetime".
bank.toml:9: operations.processList.pth: um perfil não tem aqui esta chave. Queria dizer path?
bank.toml:13: operations.processDetail.path: a operação não tem o marcador {id}. Existem: processUniqueId.
bank.toml:13: operations.processDetail.path: nada diz ao banco processUniqueId: ponha {processUniqueId} no caminho, ou dê um nome a processUniqueId em query ou body.
bank.toml:16: taxonomies.lists.genders.items.0: falta aqui pt.
`
	if got := problems.Text(words.Portuguese); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := problems.Error(); !strings.Contains(got, "bank.toml:9: operations.processList.pth: a profile has no such key here. Did you mean path?; bank.toml:13") {
		t.Errorf("in English: %s", got)
	}
}

func TestAFileThatCannotBeReadIsReported(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large.toml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#\n", maxFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, what := range map[string]string{"no/such/file.toml": "missing", t.TempDir(): "unreadable", "/dev/zero": "unreadable", large: "large"} {
		_, err := Load(path)
		if list := problemsOf(t, err).List; len(list) != 1 || list[0].What != what || list[0].Line != 0 {
			t.Errorf("%s: %+v", path, list)
		}
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	var file strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&file, "key%d = 1\n", i)
	}
	_, err := Read("bank.toml", []byte(file.String()))
	text := problemsOf(t, err).Text(words.English)
	if lines := strings.Count(text, "\n"); lines != maxProblems+1 || !strings.HasSuffix(text, "… and 19900 more.\n") {
		t.Errorf("%d lines, ending in %s", lines, text[len(text)-40:])
	}
}

func TestALargeFileIsReadInTime(t *testing.T) {
	for name, file := range map[string]string{
		"arrays":       strings.Repeat("[", maxFile),
		"tables":       "a = " + strings.Repeat("{a=", maxFile/4),
		"JSON arrays":  `{"a":` + strings.Repeat("[", maxFile-10),
		"JSON objects": strings.Repeat(`{"a":`, maxFile/8),
		"one key":      strings.Repeat("a", maxFile-10) + " = 1",
		"the same key": strings.Repeat("a = 1\n", maxFile/8),
		"one array":    "prefix = [" + strings.Repeat("1,", maxFile/4) + "]",
		"array tables": strings.Repeat("[[alternatives]]\n", maxFile/20),
		"items":        "taxonomies.lists.genders.items = [" + strings.Repeat("{id=1,pt='a'},", maxFile/20) + "]",
		"headers":      "[headers]\n" + strings.Repeat("x", 40) + strings.Repeat("\n", 1000),
	} {
		start := time.Now()
		if _, err := Read("", []byte(file)); err == nil {
			t.Errorf("%s: it was accepted", name)
		} else if text := problemsOf(t, err).Text(words.English); len(text) > maxProblems*1000 {
			t.Errorf("%s: the problems have %d bytes", name, len(text))
		}
		if took := time.Since(start); took > waittest.Deadline {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

func TestWhatATerminalObeysIsNotPrinted(t *testing.T) {
	_, err := Read("bank.toml", []byte(`"a\u001b[2J\nb" = 1`))
	if text := problemsOf(t, err).Text(words.English); strings.ContainsAny(text, "\x1b") || strings.Count(text, "\n") != 1 {
		t.Errorf("got %q", text)
	}
}

func TestAFileOverridesWhatItSetsAndNothingElse(t *testing.T) {
	files := map[string]string{
		"bank.toml": `prefix = "/api"
[login.headers]
xClientID = ""
x-client-id = "{client_id}"
[operations.processDetail]
path = "/process"
query.processUniqueId = "id"
[operations.borrowerGet.reply.fields]
"borrowerPersonalData.name" = ["nome", "name"]
[taxonomies.lists.genders]
items = [{ id = 1.0, pt = "Feminino" }]
`,
		"bank.json": `{
  "$schema": "bank-profile.schema.json", "prefix": "/api", "login": {"headers": {
    "xClientID": "", "x-client-id": "{client_id}"}},
  "operations": {"processDetail": {
    "path": "/process", "query":
       {"processUniqueId": "id"}},
    "borrowerGet": {"reply": {"fields": {"borrowerPersonalData.name": ["nome", "name"]}}}},
  "taxonomies": {"lists": {"genders": {"items": [{"id": 1.0, "pt": "Feminino"}]}}}
}`,
	}
	lines := map[string]map[string]int{
		"bank.toml": {"prefix": 1, "login.headers.x-client-id": 4, "operations.processDetail.query.processUniqueId": 7},
		"bank.json": {"prefix": 2, "login.headers.x-client-id": 3, "operations.processDetail.query.processUniqueId": 6},
	}
	for name, file := range files {
		p, err := Read(name, []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if p.Prefix != "/api" || p.Login.Headers["xClientID"] != "" || p.Login.Headers["x-client-id"] != "{client_id}" || p.Login.Headers["xUsername"] != "{username}" ||
			p.Operations["processDetail"].Path != "/process" || p.Operations["processDetail"].Method != "GET" ||
			p.Operations["borrowerGet"].Reply.Fields["borrowerPersonalData.name"][0] != "nome" {
			t.Errorf("%s: %+v", name, p)
		}
		if items := p.Taxonomies.Lists["genders"].Items; len(items) != 1 || items[0] != (Item{1, "Feminino", "Feminino"}) {
			t.Errorf("%s: items %+v", name, items)
		}
		if got := len(p.Compare(Builtin())); got != 7 {
			t.Errorf("%s: %d entries differ", name, got)
		}
		for path, line := range lines[name] {
			if mark, source := p.Mark(path); mark != Given || source != fmt.Sprintf("%s:%d", name, line) {
				t.Errorf("%s: %s is %s: %s", name, path, mark, source)
			}
		}
		if mark, _ := p.Mark("operations.processDetail.method"); mark != Confirmed {
			t.Errorf("%s: an entry that is not set is %s", name, mark)
		}
		if mark, _ := p.Mark("operations.borrowerGet.path"); mark != Confirmed || Builtin().Prefix != "/v1" {
			t.Errorf("%s: the built-in profile has changed", name)
		}
	}
}

func TestAFileMayMarkWhatItConfirms(t *testing.T) {
	p, err := Read("bank.toml", []byte("[operations.processList]\npath = \"/process\"\nmarks.path = \"confirmed: a mail of 3 May\"\nmarks.page = \"confirmed: a call\""))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"operations.processList.path": "a mail of 3 May", "operations.processList.page.size": "a call"} {
		if mark, source := p.Mark(path); mark != Confirmed || source != want {
			t.Errorf("%s is %s: %s", path, mark, source)
		}
	}
}

func TestAFileMayOverrideAnotherProfile(t *testing.T) {
	first, err := Read("a.toml", []byte(`prefix = "/a"`))
	if err != nil {
		t.Fatal(err)
	}
	second, err := Read("b.toml", []byte(`forms.dates = "datetime"`), Over(first))
	if err != nil {
		t.Fatal(err)
	}
	mark, source := second.Mark("prefix")
	if second.Prefix != "/a" || second.Forms.Dates != DateTime || mark != Given || source != "a.toml:1" {
		t.Errorf("%s, %s, %s: %s", second.Prefix, second.Forms.Dates, mark, source)
	}
}

func TestOnlyRulesThatExistHaveAStrictness(t *testing.T) {
	const file = "[rules]\n\"niss.format\" = \"off\"\n\"nif.length\" = \"warn\""
	if _, err := Read("", []byte(file)); err == nil || !strings.Contains(err.Error(), ":3: rules.nif.length: there is no such rule.") {
		t.Errorf("got %v", err)
	}
	p, err := Read("", []byte(file), KnownRules("nif.length"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Rules["niss.format"] != Off || p.Rules["nif.length"] != Warn {
		t.Errorf("got %v", p.Rules)
	}
}

func TestTheIdOfWhoAsksMayBeLeftToTheSession(t *testing.T) {
	if _, err := Read("", []byte("[operations.callbackList]\npath = \"/callbacks\"")); err != nil {
		t.Error(err)
	}
}
