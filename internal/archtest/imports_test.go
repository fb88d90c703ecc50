// Package archtest checks rules that hold for the whole repository: which package may import which, and that every text
// exists in both languages.
package archtest

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/balcao/balcao/"

// mayImport lists, for each package, the packages of this module that its code may import beside the leaves. A «*» stands
// for one element of a path; an exact name has precedence. Tests may import more.
var mayImport = map[string][]string{
	"cmd/mcpserver":              {"conversations", "internal/*", "mcpapp", "notifications", "portal/profile", "tools", "tools/catalogue"},
	"cmd/slackbot":               {"conversations", "internal/*", "mcpapp", "notifications", "portal/profile", "portal/sandbox", "slackapp", "tools", "tools/catalogue"},
	"conversations":              {},
	"internal/addrtest":          {},
	"internal/app":               {"conversations", "internal/issuer", "internal/keys", "internal/settings", "internal/telemetry", "internal/version", "internal/webguard", "notifications", "portal/profile", "portal", "portal/sandbox", "tools", "tools/catalogue", "validation"},
	"internal/archtest":          {},
	"internal/bodies":            {},
	"internal/browsertest":       {},
	"internal/clocktest":         {},
	"internal/content":           {},
	"internal/destination":       {},
	"internal/doctor":            {"conversations", "internal/doctor/bank", "internal/issuer", "internal/settings", "internal/version", "portal/profile", "portal/sandbox"},
	"internal/doctor/bank":       {"portal", "portal/profile"},
	"internal/finding":           {},
	"internal/issuer":            {},
	"internal/issuertest":        {},
	"internal/keys":              {},
	"internal/kindtest":          {"tools"},
	"internal/lisbon":            {},
	"internal/logtest":           {},
	"internal/pause":             {},
	"internal/pii":               {},
	"internal/profilecmd":        {"internal/settings", "portal/profile"},
	"internal/redistest":         {},
	"internal/refusals":          {},
	"internal/release":           {"internal/settings"},
	"internal/settings":          {"internal/issuer", "internal/keys", "portal/profile"},
	"internal/shape":             {},
	"internal/slacksim":          {},
	"internal/spool":             {},
	"internal/slacksim/pagetest": {},
	"internal/telemetry":         {},
	"internal/testenv":           {"conversations", "internal/keys", "internal/logtest", "internal/waittest", "portal/profile", "portal", "portal/sandbox", "tools", "tools/catalogue", "validation"},
	"internal/version":           {},
	"internal/waittest":          {},
	"internal/webguard":          {"internal/bodies", "internal/refusals"},
	"internal/words":             {},
	"mcpapp":                     {"conversations", "internal/bodies", "internal/issuer", "internal/refusals", "internal/webguard", "tools"},
	"notifications":              {"conversations", "internal/bodies", "portal/profile", "portal"},
	"portal":                     {"portal/profile"},
	"portal/profile":             {},
	"portal/sandbox":             {"portal", "portal/profile", "portal/sandbox/esispdf", "portal/sandbox/loancost"},
	"portal/sandbox/esispdf":     {"portal/sandbox/loancost"},
	"portal/sandbox/loancost":    {},
	"slackapp":                   {"conversations", "internal/bodies", "internal/refusals", "tools"},
	"test/bench":                 {},
	"test/memory":                {},
	"test/soak":                  {},
	"test/assistant":             {},
	"test/conformance":           {},
	"tools":                      {"portal/profile", "portal", "validation"},
	"tools/*":                    {"portal/profile", "portal", "tools", "validation"}, // a toolset
	"tools/catalogue":            {"tools", "tools/*"},
	"validation":                 {},
}

// leaves may be imported by every package.
var leaves = []string{"internal/content", "internal/destination", "internal/finding", "internal/lisbon", "internal/pause", "internal/pii", "internal/shape", "internal/spool", "internal/words"}

// onlyBy lists the packages and libraries that only some packages may import. Libraries match by the beginning of their
// path. They change often, so that one package each adapts to them.
var onlyBy = map[string]importers{
	"slackapp":                      {code: []string{"cmd/*"}, tests: []string{"test/*"}},
	"mcpapp":                        {code: []string{"cmd/*"}, tests: []string{"test/*"}},
	"tools/catalogue":               {code: []string{"cmd/*", "internal/app", "internal/testenv"}, tests: []string{"*", "*/*"}},
	"internal/issuertest":           {tests: []string{"*", "*/*"}},
	"internal/testenv":              {tests: []string{"*", "*/*"}},
	"github.com/slack-go/slack":     {code: []string{"slackapp"}},
	"github.com/mark3labs/mcp-go":   {code: []string{"mcpapp"}, tests: []string{"cmd/*", "test/bench"}},
	"github.com/redis/go-redis":     {code: []string{"conversations", "notifications"}, tests: []string{"cmd/*", "test/*"}},
	"github.com/go-jose/go-jose":    {code: []string{"internal/issuer"}},
	"github.com/alicebob/miniredis": {code: []string{"conversations"}},

	"github.com/modelcontextprotocol/go-sdk":          {tests: []string{"test/*"}}, // a client that others have written
	"github.com/tink-crypto/tink-go/v2/streamingaead": {code: []string{"internal/spool"}},
}

// importers are the packages that may import something.
type importers struct {
	code  []string
	tests []string // packages whose tests may import it too
}

// pkg is a package as «go list» describes it.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// violations returns the imports that the rules forbid.
func violations(packages []pkg) (found []string) {
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, listed := mayImport[name]
		for pattern, names := range mayImport {
			if !listed && matches(name, pattern) {
				allowed, listed = names, true
			}
		}
		if !listed {
			found = append(found, name+" is not in mayImport")
		}
		for _, imported := range p.Imports {
			ours, isOurs := strings.CutPrefix(imported, module)
			if isOurs && !matches(ours, leaves...) && !matches(ours, allowed...) {
				found = append(found, fmt.Sprintf("%s must not import %s", name, ours))
			} else if by, limited := importersOf(ours); limited && !matches(name, by.code...) {
				found = append(found, fmt.Sprintf("%s must not import %s", name, ours))
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			ours := strings.TrimPrefix(imported, module)
			if by, limited := importersOf(ours); limited && ours != name && !matches(name, by.code...) && !matches(name, by.tests...) {
				found = append(found, fmt.Sprintf("tests of %s must not import %s", name, ours))
			}
		}
	}
	return found
}

// importersOf returns the entry of onlyBy for an import, and whether there is one.
func importersOf(imported string) (by importers, limited bool) {
	for name, by := range onlyBy {
		if imported == name || strings.HasPrefix(imported, name+"/") {
			return by, true
		}
	}
	return importers{}, false
}

func matches(name string, patterns ...string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

func TestImportsFollowTheRules(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p pkg
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	for _, violation := range violations(packages) {
		t.Error(violation)
	}
	for name := range mayImport {
		if !slices.ContainsFunc(packages, func(p pkg) bool { return matches(strings.TrimPrefix(p.ImportPath, module), name) }) {
			t.Errorf("mayImport lists %s, which does not exist", name)
		}
	}
}

func TestEachImportRuleReportsAViolation(t *testing.T) {
	const slack, mcp, redis, miniredis = "github.com/slack-go/slack/socketmode", "github.com/mark3labs/mcp-go/mcp", "github.com/redis/go-redis/v9", "github.com/alicebob/miniredis/v2"
	for rule, c := range map[string]struct {
		importer, imported string
		tests              bool
		want               string // "" if the import is allowed
	}{
		"a package that is not listed":                     {"elsewhere", "fmt", false, "elsewhere is not in mayImport"},
		"the bank's API imports nothing of ours":           {"portal", module + "tools", false, "portal must not import tools"},
		"the store imports nothing of ours":                {"conversations", module + "tools", false, "conversations must not import tools"},
		"validation imports nothing of ours":               {"validation", module + "portal", false, "validation must not import portal"},
		"notifications do not import tools":                {"notifications", module + "tools", false, "notifications must not import tools"},
		"a front end does not import the bank":             {"slackapp", module + "portal", false, "slackapp must not import portal"},
		"a front end does not import the other":            {"slackapp", module + "mcpapp", false, "slackapp must not import mcpapp"},
		"nor do its tests":                                 {"slackapp", module + "mcpapp", true, "tests of slackapp must not import mcpapp"},
		"a front end is imported by cmd":                   {"cmd/slackbot", module + "slackapp", false, ""},
		"a front end is not imported below":                {"internal/app", module + "slackapp", false, "internal/app must not import slackapp"},
		"a front end is imported by tests in test":         {"test/soak", module + "slackapp", true, ""},
		"the engine does not import its toolsets":          {"tools", module + "tools/borrowers", false, "tools must not import tools/borrowers"},
		"the engine does not import the catalogue":         {"tools", module + "tools/catalogue", false, "tools must not import tools/catalogue"},
		"a toolset imports the engine":                     {"tools/borrowers", module + "tools", false, ""},
		"a toolset does not import another":                {"tools/borrowers", module + "tools/processes", false, "tools/borrowers must not import tools/processes"},
		"a toolset does not import a front end":            {"tools/borrowers", module + "slackapp", false, "tools/borrowers must not import slackapp"},
		"the catalogue imports the toolsets":               {"tools/catalogue", module + "tools/borrowers", false, ""},
		"a front end does not import the catalogue":        {"mcpapp", module + "tools/catalogue", false, "mcpapp must not import tools/catalogue"},
		"the environment of tests is not in a program":     {"cmd/slackbot", module + "internal/testenv", false, "cmd/slackbot must not import internal/testenv"},
		"tests import the environment of tests":            {"tools/borrowers", module + "internal/testenv", true, ""},
		"tests import the catalogue":                       {"mcpapp", module + "tools/catalogue", true, ""},
		"the simulated Slack imports nothing of ours":      {"internal/slacksim", module + "conversations", false, "internal/slacksim must not import conversations"},
		"slack-go is in slackapp":                          {"slackapp", slack, false, ""},
		"slack-go is not in the simulated Slack":           {"internal/slacksim", slack, false, "internal/slacksim must not import " + slack},
		"nor in its tests":                                 {"internal/slacksim", slack, true, "tests of internal/slacksim must not import " + slack},
		"mcp-go is in mcpapp":                              {"mcpapp", mcp, false, ""},
		"mcp-go is nowhere else":                           {"slackapp", mcp, false, "slackapp must not import " + mcp},
		"go-redis is in conversations":                     {"conversations", redis, false, ""},
		"go-redis is in notifications":                     {"notifications", redis, false, ""},
		"go-redis is nowhere else":                         {"slackapp", redis, false, "slackapp must not import " + redis},
		"miniredis is in conversations":                    {"conversations", miniredis, false, ""},
		"miniredis is nowhere else":                        {"notifications", miniredis, false, "notifications must not import " + miniredis},
		"nor in tests, which use a real one":               {"notifications", miniredis, true, "tests of notifications must not import " + miniredis},
		"a leaf is imported everywhere":                    {"validation", module + "internal/pii", false, ""},
		"what is internal is not a leaf by being internal": {"slackapp", module + "internal/settings", false, "slackapp must not import internal/settings"},
	} {
		p := pkg{ImportPath: module + c.importer}
		if c.tests {
			p.XTestImports = []string{c.imported}
		} else {
			p.Imports = []string{c.imported}
		}
		if got := strings.Join(violations([]pkg{p}), "; "); got != c.want {
			t.Errorf("%s: got %q, want %q", rule, got, c.want)
		}
	}
}
