package main

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/borrowers"
)

// schema is by what the front ends are compared: the fields, and which of them are required.
type schema struct {
	Type       string
	Properties map[string]schema
	Required   []string
}

// fields returns the paths of the fields of a schema, and whether each is required.
func (s schema) fields(prefix string) map[string]bool {
	found := map[string]bool{}
	for name, property := range s.Properties {
		if len(property.Properties) > 0 {
			maps.Copy(found, property.fields(prefix+name+"."))
		} else {
			found[prefix+name] = slices.Contains(s.Required, name)
		}
	}
	return found
}

// assistant connects to the program's MCP endpoint.
func assistant(t *testing.T, ctx context.Context, h *harness) *client.Client {
	t.Helper()
	c, err := client.NewStreamableHttpClient("http://"+h.addr+"/mcp", transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + assistantToken}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Initialize(ctx, mcp.InitializeRequest{}); err != nil {
		t.Fatal(err)
	}
	return c
}

const assistantToken = "d1f4b06a93c85e27f0a4c6e81b39572d"

// answers fill the required fields of every form.
var answers = func() slacksim.Values {
	all := maps.Clone(rui)
	all["process"], all["taxonomy"] = sandbox.SampleProcess(1042).String(), "genders"
	all["property"] = sandbox.SampleProperty(sandbox.SampleGarage, 0).String()
	all["borrower"] = sandbox.SampleBorrower(1042, 0).String()
	all["simulation"] = sandbox.SampleSimulation(sandbox.SampleWithESIS).String()
	maps.Copy(all, slacksim.Values{
		"loan.loanAmount": "150000", "loan.loanDurationMonths": "360", "loan.indexTypeId": "3", "loan.loanPurposeId": "1", "loan.productPurposeId": "1",
		"borrower.age": "31",
	})
	return all
}()

// form fills in a tool's form as Tom, who reads English, and returns its fields and which are required. A tool has no form
// if its command is enough.
func form(t *testing.T, ctx context.Context, tom *slacksim.User, tool *tools.Tool, onPage func(slacksim.View)) map[string]bool {
	t.Helper()
	if err := tom.Command(ctx, slacksim.TeamChannel, "/"+tool.Command(words.English)); err != nil {
		t.Fatal(err)
	}
	if asks := func(f tools.Field) bool { return f.Required || f.Asked }; !tool.AlwaysForm && !slices.ContainsFunc(tool.Fields, asks) {
		fields := map[string]bool{}
		for _, field := range tool.Fields {
			if !field.Hidden() {
				fields[field.Path] = false
			}
		}
		return fields
	}
	given := maps.Clone(answers)
	if _, asks := tool.Field("property"); asks { // a form asks for the property of a process that has several
		given["process"] = sandbox.SampleProcess(sandbox.SampleGarage).String()
	}
	view, err := tom.WaitView(ctx, isPage)
	if err != nil {
		t.Fatalf("%s: %v", tool.Name, err)
	}
	fields := map[string]bool{}
	for isPage(view) {
		for _, raw := range view.Blocks {
			var block struct {
				Type     string
				BlockID  string `json:"block_id"`
				Optional bool
			}
			if err := json.Unmarshal(raw, &block); err != nil {
				t.Fatal(err)
			}
			if block.Type == "input" {
				fields[block.BlockID] = !block.Optional
			}
		}
		if onPage != nil {
			onPage(view)
		}
		if slices.Index(tool.Pages, pageOf(tool, view)) == len(tool.Pages)-1 {
			break
		}
		view = fill(t, ctx, tom, given)
	}
	if err := tom.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return fields
}

func pageOf(tool *tools.Tool, view slacksim.View) string {
	for _, field := range tool.Fields {
		if view.Has(field.Path) {
			return field.Page
		}
	}
	return ""
}

// aboutApprovals are the tools with which an assistant learns what became of what it asked for. People see it on a card.
var aboutApprovals = []string{"await_approval", "withdraw_approval"}

func TestBothFrontEndsOfferTheSameFieldsAndRequirements(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newHarness(t)
	h.env = append(h.env, "MCP_TOKEN="+assistantToken, "MCP_TOOLS=all")
	h.start(t)
	list, err := assistant(t, ctx, h).ListTools(ctx, mcp.ListToolsRequest{})
	everywhere := slices.DeleteFunc(catalogue.New().Tools(), func(tool *tools.Tool) bool { return !tool.ForAssistants() })
	if err != nil {
		t.Fatal(err)
	}
	operations := slices.DeleteFunc(list.Tools, func(offered mcp.Tool) bool { return slices.Contains(aboutApprovals, offered.Name) })
	if len(operations) != len(everywhere) {
		t.Fatalf("assistants are offered %d operations", len(operations))
	}
	for _, offered := range operations {
		tool, ok := catalogue.New().Named(offered.Name)
		if !ok {
			t.Fatalf("%s is not in the catalogue", offered.Name)
		}
		if tool.AssistantsOnly {
			continue // people need no such tool
		}
		t.Run(tool.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(ctx, formTime)
			defer cancel()
			compareFields(t, tool, form(t, ctx, h.slack.User(slacksim.Tom), tool, nil), offered)
		})
	}
}

// formTime bounds the comparison of one tool, so that a form that does not open is named.
const formTime = 20 * time.Second

// compareFields compares the fields of a tool's form, and whether each is required, with those that assistants are offered.
func compareFields(t *testing.T, tool *tools.Tool, inSlack map[string]bool, offered mcp.Tool) {
	t.Helper()
	var input schema
	raw, err := json.Marshal(offered.InputSchema)
	if offered.RawInputSchema != nil {
		raw = offered.RawInputSchema
	}
	if err == nil {
		err = json.Unmarshal(raw, &input)
	}
	if err != nil {
		t.Fatal(err)
	}
	forAssistants := input.fields("")
	delete(forAssistants, "confirmation")   // a form shows warnings and has a button for this
	delete(forAssistants, "idempotencyKey") // a form is its own key
	_, creates := catalogue.New().CreatorOf(tool)
	if _, changes := forAssistants["set"]; changes != creates {
		t.Errorf("%s: the changes are described there: %v", tool.Name, !changes)
	}
	delete(forAssistants, "set")
	for group := range tool.Like { // described elsewhere, and with the requirements of the bank
		delete(forAssistants, group)
		for _, field := range tool.Fields {
			if strings.HasPrefix(field.Path, group+".") {
				forAssistants[field.Path] = false
				if _, shown := inSlack[field.Path]; shown {
					inSlack[field.Path] = false
				}
			}
		}
	}
	for _, field := range tool.Fields {
		required, shown := inSlack[field.Path]
		_, offered := forAssistants[field.Path]
		if field.Editable() { // one of the changes, which are described here or by the tool that creates such a record
			_, apart := forAssistants["set."+field.Path]
			offered = apart || creates
			delete(forAssistants, "set."+field.Path)
			forAssistants[field.Path] = false
		}
		switch {
		case shown == field.Hidden() || offered == field.People:
			t.Errorf("%s of %s: on its form %v, for assistants %v", field.Path, tool.Name, shown, offered)
		case field.Hidden(): // a form fills it in itself
			delete(forAssistants, field.Path)
			delete(inSlack, field.Path)
		case field.People: // only people decide it
			delete(inSlack, field.Path)
		case field.Asked: // a form asks for what the bank may do without
			inSlack[field.Path] = false
		case field.Needed: // a person may give another instead
			inSlack[field.Path] = true
		case field.Asked: // a call may refer to a record instead
			inSlack[field.Path] = false
		case tool.Edits && !field.Refers() && required == field.Required: // a form has what an assistant leaves out to keep
			inSlack[field.Path] = false
		}
	}
	if !maps.Equal(inSlack, forAssistants) {
		t.Errorf("%s:\n in Slack       %v\n for assistants %v", tool.Name, inSlack, forAssistants)
	}
}

func TestBothFrontEndsRefuseTheSameValuesInTheSameWords(t *testing.T) {
	t.Parallel()
	ctx, h := testContext(t), newHarness(t)
	h.env = append(h.env, "MCP_TOKEN="+assistantToken)
	h.start(t)
	helper, tom, compared := assistant(t, ctx, h), h.slack.User(slacksim.Tom), 0
	form(t, ctx, tom, borrowers.Create, func(view slacksim.View) {
		for _, field := range borrowers.Create.FieldsOn(pageOf(borrowers.Create, view)) {
			for _, wrong := range []string{"x1", "12", "31/02/2020", "01/01/2020", "-5", strings.Repeat("ç", 250)} {
				problem, refused := assistantProblem(t, ctx, helper, field, wrong)
				if !refused || field.Kind == tools.Choice || field.Kind == tools.Process || field.Kind == tools.Date || field.Kind == tools.YesNo || field.Kind == tools.Integer {
					continue // not wrong, or nothing that Slack's own control lets through
				}
				typed := slacksim.Values{field.Path: wrong}
				for path, text := range answers {
					if view.Has(path) && path != field.Path {
						typed[path] = text
					}
				}
				submitted, err := tom.Submit(ctx, typed)
				if err != nil {
					t.Fatal(err)
				}
				if submitted.Action == "incomplete" { // Slack's own control refused it
					continue
				}
				if compared++; submitted.Errors[field.Path] != problem {
					t.Errorf("%s = %.20q: Slack says %q, an assistant reads %q", field.Path, wrong, submitted.Errors[field.Path], problem)
				}
			}
			clear := slacksim.Values{field.Path: answers[field.Path]}
			if err := tom.Fill(ctx, clear); err != nil {
				t.Fatal(err)
			}
		}
	})
	if compared < 30 {
		t.Errorf("only %d values were compared", compared)
	}
}

// assistantProblem returns the problem that an assistant reads of a value in one field of a borrower, if it is refused.
func assistantProblem(t *testing.T, ctx context.Context, c *client.Client, field tools.Field, text string) (problem string, refused bool) {
	t.Helper()
	given := maps.Clone(answers)
	given[field.Path] = text
	args := map[string]any{}
	for path, value := range given {
		if _, known := borrowers.Create.Field(path); !known {
			continue
		}
		group, name, nested := strings.Cut(path, ".")
		if !nested {
			args[path] = value
			continue
		}
		if args[group] == nil {
			args[group] = map[string]any{}
		}
		args[group].(map[string]any)[name] = value
	}
	request := mcp.CallToolRequest{}
	request.Params.Name, request.Params.Arguments = "create_borrower", args
	result, err := c.CallTool(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	if !result.IsError {
		return "", false
	}
	var failure struct{ Problems []tools.Problem }
	raw, err := json.Marshal(result.Meta.AdditionalFields["balcao/error"])
	if err == nil {
		err = json.Unmarshal(raw, &failure)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range failure.Problems {
		if p.Path == field.Path && p.Severity == tools.Blocks {
			return p.Text, true
		}
	}
	return "", false
}
