package mcpapp_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// ask is a result that asks the client for input before the call is made again, as the revision 2026-07-28 has it.
func ask(state string) *server.InputRequestBuilder { return server.NewInputRequestBuilder(state) }

func elicitation(message, schema string) mcp.ElicitationParams {
	return mcp.ElicitationParams{Mode: mcp.ElicitationModeForm, Message: message, RequestedSchema: json.RawMessage(schema)}
}

// field is a form with one field.
func field(name, kind string) string {
	return fmt.Sprintf(`{"type":"object","properties":{%q:{"type":%q}},"required":[%q]}`, name, kind, name)
}

func sampling(question string) mcp.CreateMessageParams {
	return mcp.CreateMessageParams{
		Messages: []mcp.SamplingMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent(question)}}, MaxTokens: 100,
	}
}

// sealState returns text with a code that shows whether it was changed.
func sealState(text string) string { return text + "." + codeOf(text) }

func codeOf(text string) string {
	code := hmac.New(sha256.New, []byte("the key of a fixture"))
	code.Write([]byte(text))
	return hex.EncodeToString(code.Sum(nil))
}

// openState returns the text of a state, and ok false if the state was changed.
func openState(state string) (text string, ok bool) {
	text, code, _ := strings.Cut(state, ".")
	return text, hmac.Equal([]byte(code), []byte(codeOf(text)))
}

// answered returns a field of the form that a person accepted, "" if she did not.
func answered(responses mcp.InputResponses, id, name string) string {
	answer := server.ElicitationResponse(responses, id)
	if answer == nil || answer.Action != mcp.ElicitationResponseActionAccept {
		return ""
	}
	content, _ := answer.Content.(map[string]any)
	if content[name] == nil {
		return ""
	}
	return fmt.Sprint(content[name])
}

var errTampered = errors.New("the state was changed")

// addInputFixtures registers tools and a prompt that ask the client for input.
func addInputFixtures(s *server.MCPServer) {
	input := func(name string, result func(context.Context, mcp.MultiRoundTripParams) (*mcp.CallToolResult, error)) {
		fixture(s, name, func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return result(ctx, request.Params.MultiRoundTripParams)
		})
	}
	askName := func() (*mcp.CallToolResult, error) {
		return ask("").Elicit("user_name", elicitation("What is your name?", field("name", "string"))).ToolResult(), nil
	}
	greet := func(_ context.Context, given mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		if name := answered(given.InputResponses, "user_name", "name"); name != "" {
			return mcp.NewToolResultText("Hello, " + name + "!"), nil
		}
		return askName()
	}
	input("test_input_required_result_elicitation", greet)
	input("test_streaming_elicitation", greet)
	input("test_input_required_result_sampling", func(_ context.Context, given mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		if answer := server.SamplingResponse(given.InputResponses, "capital_question"); answer != nil {
			return mcp.NewToolResultText(fmt.Sprintf("%v", answer.Content)), nil
		}
		return ask("").Sample("capital_question", sampling("What is the capital of France?")).ToolResult(), nil
	})
	input("test_input_required_result_list_roots", func(_ context.Context, given mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		if answer := server.RootsResponse(given.InputResponses, "client_roots"); answer != nil {
			return mcp.NewToolResultText(fmt.Sprintf("%v", answer.Roots)), nil
		}
		return ask("").Roots("client_roots").ToolResult(), nil
	})
	confirm := func(_ context.Context, given mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		if given.RequestState == "" {
			return ask(sealState("asked")).Elicit("confirm", elicitation("Please confirm", field("ok", "boolean"))).ToolResult(), nil
		}
		if _, ok := openState(given.RequestState); !ok {
			return nil, errTampered
		}
		return mcp.NewToolResultText("state-ok"), nil
	}
	input("test_input_required_result_request_state", confirm)
	input("test_input_required_result_tampered_state", confirm)
	input("test_input_required_result_multiple_inputs", func(_ context.Context, given mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		name := answered(given.InputResponses, "user_name", "name")
		greeting, roots := server.SamplingResponse(given.InputResponses, "greeting"), server.RootsResponse(given.InputResponses, "client_roots")
		if name != "" && greeting != nil && roots != nil {
			return mcp.NewToolResultText(fmt.Sprintf("%v %s %v", greeting.Content, name, roots.Roots)), nil
		}
		return ask(sealState("several")).Elicit("user_name", elicitation("What is your name?", field("name", "string"))).
			Sample("greeting", sampling("Generate a greeting")).Roots("client_roots").ToolResult(), nil
	})
	input("test_input_required_result_multi_round", func(_ context.Context, given mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		done, ok := openState(given.RequestState)
		switch color := answered(given.InputResponses, "step2", "color"); {
		case given.RequestState == "":
			return ask(sealState("one")).Elicit("step1", elicitation("Step 1: What is your name?", field("name", "string"))).ToolResult(), nil
		case !ok:
			return nil, errTampered
		case done == "one" || color == "":
			return ask(sealState("two")).Elicit("step2", elicitation("Step 2: What is your favorite color?", field("color", "string"))).ToolResult(), nil
		default:
			return mcp.NewToolResultText("Your color is " + color), nil
		}
	})
	input("test_input_required_result_capabilities", func(ctx context.Context, _ mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		offered, asked := server.RequestProtocolInfoFromContext(ctx), ask("")
		if offered != nil && offered.ClientCapabilities.Elicitation != nil {
			asked.Elicit("user_name", elicitation("What is your name?", field("name", "string")))
		}
		if offered != nil && offered.ClientCapabilities.Sampling != nil {
			asked.Sample("greeting", sampling("Generate a greeting"))
		}
		return asked.ToolResult(), nil
	})
	input("test_missing_capability", func(ctx context.Context, _ mcp.MultiRoundTripParams) (*mcp.CallToolResult, error) {
		if offered := server.RequestProtocolInfoFromContext(ctx); offered == nil || offered.ClientCapabilities.Sampling == nil {
			return nil, mcp.MissingRequiredClientCapabilityError{Capability: "sampling"}
		}
		return mcp.NewToolResultText("the client offers sampling"), nil
	})
	s.AddPrompt(mcp.NewPrompt("test_input_required_result_prompt", mcp.WithPromptDescription("Fixture of the conformance suite.")),
		func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			about := answered(request.Params.InputResponses, "user_context", "context")
			if about == "" {
				return ask("").Elicit("user_context", elicitation("What context should the prompt use?", field("context", "string"))).PromptResult(), nil
			}
			return &mcp.GetPromptResult{Messages: []mcp.PromptMessage{{Role: mcp.RoleUser, Content: mcp.NewTextContent("About " + about)}}}, nil
		})
}
