package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/waittest"
	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/portal/sandbox"
)

// work is what people and assistants do at a bank. Each step has what its answer contains if the bank is understood.
var work = []struct {
	command string // typed by Ana, who reads Portuguese
	tool    string // called by an assistant, in English
	args    map[string]any
	wants   string
}{
	{command: "/processes Maria", wants: "1042"},
	{command: "/process 1042", wants: "1042"},
	{command: "/borrowers 1042", wants: "1042"},
	{command: "/lists genders", wants: "Feminino"},
	{command: "/esis 1043", wants: "1043"},
	{tool: "find_processes", args: map[string]any{"text": "Maria"}, wants: "1042"},
	{tool: "get_process", args: map[string]any{"process": "1042"}, wants: "1042"},
	{tool: "list_borrowers", args: map[string]any{"process": "1042"}, wants: "KeyBorrower"},
	{tool: "get_borrower", args: map[string]any{"process": "1042"}, wants: "Academic level"},
	{tool: "get_process", args: map[string]any{"process": "8f14e45f-ceea-467f-a9d8-3d6b2b1f0a11"}, wants: "There is no such process"},
	{tool: "search_taxonomy", args: map[string]any{"taxonomy": "genders"}, wants: "Female"},
	{tool: "get_esis", args: map[string]any{"process": "1043"}, wants: "1043"},
	{tool: "create_borrower", args: map[string]any{"process": "1042", "borrowerTypeId": 2, "keyBorrowerRelationId": 1, "personal": map[string]any{
		"name": "Rui Amostra", "birthDate": "1990-04-12", "taxId": "299999998", "mobile": "912345678", "email": "rui@example.com", "genderId": 2,
	}}, wants: "1042"},
	{tool: "create_borrower", args: map[string]any{"process": "1049", "borrowerTypeId": 2, "keyBorrowerRelationId": 1, "personal": map[string]any{
		"name": "Rui Amostra", "birthDate": "1990-04-12", "taxId": "299999998", "mobile": "912345678", "email": "rui@example.com", "genderId": 2,
	}}, wants: "no longer allows this operation"},
}

// TestEveryBankIsToldTrulyAndCured runs the program against sandboxes with the profiles of testdata/banks. The golden file
// of each has what is said while the program has the built-in profile.
func TestEveryBankIsToldTrulyAndCured(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/banks/*.toml")
	if err != nil || len(files) < 27 {
		t.Fatalf("%d banks, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bank, err := profile.Read(file, data)
			if err != nil {
				t.Fatal(err)
			}
			broker := "PORTAL_BROKER_UID=" + sandbox.BrokerA.ID(bank)
			before := sayOf(t, bank, broker)
			proposed := proposal(t, bank, broker)
			corrected := filepath.Join(t.TempDir(), "bank.toml")
			if err := os.WriteFile(corrected, []byte(proposed), 0o600); err != nil {
				t.Fatal(err)
			}
			after := sayOf(t, bank, broker, "PORTAL_PROFILE="+corrected)
			if why := incurable[name]; (after != "") != (why != "") {
				t.Errorf("corrected as the doctor proposes, the program says:\n%s", after)
			}
			wantGolden(t, "testdata/banks/"+name+".golden", "# Before\n\n"+before+"\n# The doctor proposes\n\n"+proposed+"\n# After\n\n"+after)
		})
	}
}

// incurable are the banks that the lines of the doctor do not cure, and why.
var incurable = map[string]string{
	"nested-create": "the doctor writes nothing, so that it does not see the reply to a write",
	"other-states":  "only an operator knows what a state without meaning means",
}

// proposal returns the lines that the doctor proposes for the profile.
func proposal(t *testing.T, bank *profile.Profile, change ...string) string {
	t.Helper()
	h := newHarness(t, func(c *sandbox.Config) { c.Profile = bank })
	var out, failed bytes.Buffer
	run(testContext(t), []string{"doctor", "-json", "-parts", "bank"}, h.environ(change...), &out, &failed)
	var report struct {
		Findings []struct{ Lines []string }
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), failed.String())
	}
	var lines []string
	for _, found := range report.Findings {
		lines = append(lines, found.Lines...)
	}
	return strings.Join(append(lines, ""), "\n")
}

// sayOf returns what the program says of a bank while it works.
func sayOf(t *testing.T, bank *profile.Profile, change ...string) string {
	t.Helper()
	ctx, h := testContext(t), newHarness(t, func(c *sandbox.Config) { c.Profile = bank })
	_, stop := h.runInProcess(t, append(change, "MCP_TOKEN="+assistantToken)...)
	defer stop()
	refused := func() bool { return strings.Contains(h.logs.String(), "The value of PORTAL_BROKER_UID") }
	waittest.Eventually(t, "the program runs", func() bool { return h.readyz() != "" || refused() })
	if refused() {
		return differing.ReplaceAllString(h.logs.String(), "…")
	}
	assistant := assistant(t, ctx, h)
	var said strings.Builder
	failed := map[string][]string{} // steps by what is answered
	borrower := sandbox.SampleBorrower(1042, 0).String()
	for _, step := range work {
		text, asked := "", step.command
		if step.command != "" {
			text = h.typed(t, step.command)
		} else {
			args := maps.Clone(step.args)
			if step.tool == "get_borrower" {
				args["borrower"] = borrower
			}
			text = called(t, assistant, step.tool, args)
			if id := borrowerID.FindStringSubmatch(text); step.tool == "list_borrowers" && id != nil {
				borrower = id[1]
			}
			asked = step.tool
		}
		wantSaid(t, asked, text, nil, untrue)
		if text = differing.ReplaceAllString(text, "…"); !strings.Contains(text, step.wants) {
			failed[text] = append(failed[text], strings.TrimSpace(asked))
		}
	}
	for _, text := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(&said, "%s:\n\t%s\n", strings.Join(failed[text], ", "), text)
	}
	var ready struct{ Failing []string }
	if err := json.Unmarshal([]byte(h.readyz()), &ready); err != nil {
		t.Fatal(err)
	}
	for _, part := range ready.Failing { // which lists were read, and how far the background has come, differs
		if part = "/readyz: " + listName.ReplaceAllString(part, "list …:"); !strings.Contains(part, "reconciliation") && !strings.Contains(said.String(), part) {
			fmt.Fprintln(&said, part)
		}
	}
	for _, line := range strings.Split(h.logs.String(), "\n") {
		var entry struct{ Level, Msg, Operation string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Level == "ERROR" && entry.Msg != "call" && !strings.Contains(said.String(), "log: "+entry.Msg) {
			fmt.Fprintf(&said, "log: %s\n", entry.Msg)
		}
	}
	return said.String()
}

// differing matches what differs each time: references, ids and addresses.
var differing = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9A-Z]{8,}\b|127\.0\.0\.1:\d+`)

// borrowerID matches the id in a row of the list of borrowers.
var borrowerID = regexp.MustCompile(`\| ([0-9a-f-]{36}) \|`)

var listName = regexp.MustCompile(`list \w+:`)

// typed returns what a person is shown after a command: a message or a view.
func (h *harness) typed(t *testing.T, command string) string {
	t.Helper()
	shown := func() (all []string) {
		if view, ok := h.ana.TopView(); ok {
			all = append(all, view.Text())
		}
		for _, message := range h.ana.Messages(slacksim.TeamChannel) {
			all = append(all, message.FullText())
		}
		return all
	}
	before := shown()
	if err := h.ana.Command(testContext(t), slacksim.TeamChannel, command); err != nil {
		t.Fatal(err)
	}
	var text string
	waittest.Eventually(t, "the person gets an answer", func() bool {
		for _, each := range shown() {
			if !slices.Contains(before, each) && each != "" && each != "A consultar…" {
				text = each
			}
		}
		return text != ""
	})
	return strings.Join(strings.Fields(text), " ")
}

// called returns what an assistant is answered.
func called(t *testing.T, c *client.Client, tool string, args map[string]any) string {
	t.Helper()
	request := mcp.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = tool, args
	result, err := c.CallTool(testContext(t), request)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(resultText(result)), " ")
}

// wantGolden compares a text with a golden file, which script/update writes.
func wantGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: run script/update if this is intended (-want +got):\n%s", path, diff)
	}
}
