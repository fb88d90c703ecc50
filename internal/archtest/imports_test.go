// Package archtest holds the house to its plan: who may import whom, and that every text is there in both languages.
package archtest

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/balcao/balcao/"

// mayImport says which rooms of ours each room may import. The leaves pii and words are everybody's; keys too, which
// imports nothing of ours. Tests may go further.
var mayImport = map[string][]string{
	"portal":                     {},
	"portal/sandbox":             {"portal", "portal/sandbox/esispdf"},
	"portal/sandbox/esispdf":     {},
	"validation":                 {},
	"conversations":              {},
	"internal/slacksim":          {},
	"tools":                      {"portal", "validation"},
	"tools/borrowers":            {"tools", "portal", "validation"},
	"tools/processes":            {"tools", "portal", "validation"},
	"tools/documents":            {"tools", "portal", "validation"},
	"tools/subscriptions":        {"tools", "portal", "validation"},
	"tools/taxonomies":           {"tools", "portal", "validation"},
	"tools/catalogue":            {"tools", "tools/borrowers", "tools/processes", "tools/documents", "tools/subscriptions", "tools/taxonomies"},
	"slackapp":                   {"tools", "conversations", "internal/bodies", "internal/refusals"},
	"mcpapp":                     {"tools", "conversations", "internal/bodies", "internal/refusals"},
	"notifications":              {"portal", "conversations", "internal/bodies"},
	"internal/bodies":            {},
	"internal/refusals":          {},
	"internal/webguard":          {"internal/bodies", "internal/refusals"},
	"internal/destination":       {},
	"internal/lisbon":            {},
	"internal/pause":             {},
	"internal/pii":               {},
	"internal/words":             {},
	"internal/keys":              {},
	"internal/telemetry":         {},
	"internal/settings":          {"internal/keys"},
	"internal/app":               {"conversations", "internal/webguard", "internal/settings", "internal/telemetry", "notifications", "portal", "portal/sandbox", "tools", "tools/catalogue", "validation"},
	"internal/logtest":           {},
	"internal/redistest":         {},
	"internal/waittest":          {},
	"internal/archtest":          {},
	"internal/browsertest":       {},
	"test/soak":                  {},
	"cmd/slackbot":               {"conversations", "internal/keys", "internal/settings", "internal/telemetry", "internal/app", "mcpapp", "notifications", "portal/sandbox", "slackapp", "internal/slacksim", "tools"},
	"cmd/mcpserver":              {"conversations", "internal/keys", "internal/settings", "internal/telemetry", "internal/app", "mcpapp", "notifications", "tools"},
	"internal/slacksim/pagetest": {},
}

// leaves may be imported from everywhere.
var leaves = []string{"internal/pii", "internal/words", "internal/destination", "internal/lisbon", "internal/pause"}

// onlyIn keeps libraries that change often in one room each, or two.
var onlyIn = map[string][]string{
	"github.com/slack-go/slack":     {"slackapp"},
	"github.com/mark3labs/mcp-go":   {"mcpapp"},
	"github.com/redis/go-redis":     {"conversations", "notifications"},
	"github.com/alicebob/miniredis": {"conversations"},
}

type room struct {
	ImportPath string
	Imports    []string
}

func rooms(t *testing.T) []room {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var rooms []room
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var r room
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		rooms = append(rooms, r)
	}
	return rooms
}

func TestImportsRunDownwardsOnly(t *testing.T) {
	for _, room := range rooms(t) {
		name := strings.TrimPrefix(room.ImportPath, module)
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("the room %s is not on the plan", name)
		}
		for _, imported := range room.Imports {
			if ours, is := strings.CutPrefix(imported, module); is && !slices.Contains(leaves, ours) && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
			for library, homes := range onlyIn {
				if strings.HasPrefix(imported, library) && !slices.Contains(homes, name) {
					t.Errorf("%s must not import %s: that is for %v", name, library, homes)
				}
			}
		}
	}
}
