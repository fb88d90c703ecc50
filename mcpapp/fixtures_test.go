package mcpapp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// The fixtures are what the conformance suite of the protocol calls: tools, prompts and resources with the names and results
// that it prescribes. They have nothing of the bank.

const (
	fixtureImage = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
	fixtureSound = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
)

// betweenNotifications is how long a fixture works after each notification. The library loses one that is sent just before the
// result: https://github.com/mark3labs/mcp-go/pull/969.
const betweenNotifications = 50 * time.Millisecond

// unanswered is how long a fixture waits for a request of the server to be answered. It never is, because a client answers it
// by the id of a session.
const unanswered = 200 * time.Millisecond

// schema2020 has what the suite looks for in an input schema of JSON Schema 2020-12.
const schema2020 = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
	"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
	"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},
		"contactMethod":{"type":"string","enum":["phone","email"]},"phone":{"type":"string"},"email":{"type":"string"}},
	"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
	"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},
	"then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}`

// schemaWithHeader has an argument that a client repeats in a header.
const schemaWithHeader = `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}},"additionalProperties":false}`

// addFixtures registers all fixtures.
func addFixtures(s *server.MCPServer) {
	addContentFixtures(s)
	addNotificationFixtures(s)
	addServerRequestFixtures(s)
	addInputFixtures(s)
	addResourceFixtures(s)
	addPromptFixtures(s)
}

// fixture registers a tool that takes no arguments.
func fixture(s *server.MCPServer, name string, result func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error)) {
	s.AddTool(mcp.NewTool(name, mcp.WithDescription("Fixture of the conformance suite.")), result)
}

// always registers a tool whose result is always the same.
func always(s *server.MCPServer, name string, content ...mcp.Content) {
	fixture(s, name, func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: content}, nil
	})
}

func addContentFixtures(s *server.MCPServer) {
	always(s, "test_simple_text", mcp.NewTextContent("This is a simple text response for testing."))
	always(s, "test_image_content", mcp.NewImageContent(fixtureImage, "image/png"))
	always(s, "test_audio_content", mcp.NewAudioContent(fixtureSound, "audio/wav"))
	always(s, "test_embedded_resource", mcp.NewEmbeddedResource(mcp.TextResourceContents{
		URI: "test://embedded-resource", MIMEType: "text/plain", Text: "This is an embedded resource content.",
	}))
	always(s, "test_multiple_content_types",
		mcp.NewTextContent("Multiple content types test:"),
		mcp.NewImageContent(fixtureImage, "image/png"),
		mcp.NewEmbeddedResource(mcp.TextResourceContents{
			URI: "test://mixed-content-resource", MIMEType: "application/json", Text: `{"test":"data","value":123}`,
		}),
	)
	fixture(s, "test_error_handling", func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("This tool intentionally returns an error for testing"), nil
	})
	for name, schema := range map[string]string{"json_schema_2020_12_tool": schema2020, "test_header_argument": schemaWithHeader} {
		s.AddTool(mcp.NewToolWithRawSchema(name, "Fixture of the conformance suite.", json.RawMessage(schema)),
			func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				return mcp.NewToolResultText("done"), nil
			})
	}
}

func addNotificationFixtures(s *server.MCPServer) {
	fixture(s, "test_tool_with_progress", func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if meta := request.Params.Meta; meta != nil && meta.ProgressToken != nil {
			for _, progress := range []int{0, 50, 100} {
				if err := s.SendNotificationToClient(ctx, "notifications/progress", map[string]any{
					"progressToken": meta.ProgressToken, "progress": progress, "total": 100,
				}); err != nil {
					return nil, err
				}
				time.Sleep(betweenNotifications)
			}
		}
		return mcp.NewToolResultText("progress reported"), nil
	})
	log := func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		for _, text := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
			if err := s.SendLogMessageToClient(ctx, mcp.NewLoggingMessageNotification(mcp.LoggingLevelInfo, "fixture", text)); err != nil {
				return nil, err
			}
			time.Sleep(betweenNotifications)
		}
		return mcp.NewToolResultText("Tool with logging executed successfully"), nil
	}
	fixture(s, "test_tool_with_logging", log)
	fixture(s, "test_logging_tool", log)
}

// addServerRequestFixtures registers tools that send a request to the client, as the revision 2025-11-25 has it.
func addServerRequestFixtures(s *server.MCPServer) {
	s.EnableSampling()
	s.AddTool(mcp.NewTool("test_sampling", mcp.WithDescription("Fixture of the conformance suite."), mcp.WithString("prompt", mcp.Required())),
		func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			ctx, cancel := context.WithTimeout(ctx, unanswered)
			defer cancel()
			//lint:ignore SA1019 the suite asks for it
			result, err := s.RequestSampling(ctx, mcp.CreateMessageRequest{CreateMessageParams: sampling(request.GetString("prompt", ""))})
			if err != nil {
				return nil, err
			}
			return mcp.NewToolResultText(fmt.Sprintf("LLM response: %v", result.Content)), nil
		})
	for name, schema := range map[string]string{
		"test_elicitation": `{"type":"object","required":["username","email"],"properties":{
			"username":{"type":"string","description":"User's response"},"email":{"type":"string","description":"User's email address"}}}`,
		"test_elicitation_sep1034_defaults": `{"type":"object","properties":{"name":{"type":"string","default":"John Doe"},
			"age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},"verified":{"type":"boolean","default":true},
			"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"}}}`,
		"test_elicitation_sep1330_enums": `{"type":"object","properties":{
			"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},
			"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First"},{"const":"value2","title":"Second"}]},
			"legacyEnum":{"type":"string","enum":["opt1","opt2"],"enumNames":["One","Two"]},
			"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2"]}},
			"titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First"},{"const":"value2","title":"Second"}]}}}}`,
	} {
		s.AddTool(mcp.NewTool(name, mcp.WithDescription("Fixture of the conformance suite."), mcp.WithString("message")),
			func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				ctx, cancel := context.WithTimeout(ctx, unanswered)
				defer cancel()
				result, err := s.RequestElicitation(ctx, mcp.ElicitationRequest{Params: elicitation(request.GetString("message", "What?"), schema)})
				if err != nil {
					return nil, err
				}
				return mcp.NewToolResultText(fmt.Sprintf("User response: action=%s, content=%v", result.Action, result.Content)), nil
			})
	}
}

func addResourceFixtures(s *server.MCPServer) {
	text := func(uri, kind, text string) mcp.ResourceContents {
		return mcp.TextResourceContents{URI: uri, MIMEType: kind, Text: text}
	}
	for _, r := range []struct {
		name, kind string
		contents   func(uri string) mcp.ResourceContents
	}{
		{"static-text", "text/plain", func(uri string) mcp.ResourceContents {
			return text(uri, "text/plain", "This is the content of the static text resource.")
		}},
		{"static-binary", "image/png", func(uri string) mcp.ResourceContents {
			return mcp.BlobResourceContents{URI: uri, MIMEType: "image/png", Blob: fixtureImage}
		}},
	} {
		s.AddResource(mcp.NewResource("test://"+r.name, r.name, mcp.WithMIMEType(r.kind)),
			func(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
				return []mcp.ResourceContents{r.contents(request.Params.URI)}, nil
			})
	}
	s.AddResourceTemplate(mcp.NewResourceTemplate("test://template/{id}/data", "template", mcp.WithTemplateMIMEType("application/json")),
		func(_ context.Context, request mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			id := strings.TrimSuffix(strings.TrimPrefix(request.Params.URI, "test://template/"), "/data")
			return []mcp.ResourceContents{text(request.Params.URI, "application/json", fmt.Sprintf(`{"id":%q,"templateTest":true,"data":"Data for ID: %s"}`, id, id))}, nil
		})
}

func addPromptFixtures(s *server.MCPServer) {
	says := func(content ...mcp.Content) (*mcp.GetPromptResult, error) {
		answer := &mcp.GetPromptResult{}
		for _, c := range content {
			answer.Messages = append(answer.Messages, mcp.PromptMessage{Role: mcp.RoleUser, Content: c})
		}
		return answer, nil
	}
	s.AddPrompt(mcp.NewPrompt("test_simple_prompt", mcp.WithPromptDescription("Fixture of the conformance suite.")),
		func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return says(mcp.NewTextContent("This is a simple prompt for testing."))
		})
	s.AddPrompt(mcp.NewPrompt("test_prompt_with_arguments", mcp.WithPromptDescription("Fixture of the conformance suite."),
		mcp.WithArgument("arg1", mcp.RequiredArgument()), mcp.WithArgument("arg2", mcp.RequiredArgument())),
		func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			args := request.Params.Arguments
			return says(mcp.NewTextContent(fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", args["arg1"], args["arg2"])))
		})
	s.AddPrompt(mcp.NewPrompt("test_prompt_with_embedded_resource", mcp.WithPromptDescription("Fixture of the conformance suite."),
		mcp.WithArgument("resourceUri", mcp.RequiredArgument())),
		func(_ context.Context, request mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return says(mcp.NewEmbeddedResource(mcp.TextResourceContents{
				URI: request.Params.Arguments["resourceUri"], MIMEType: "text/plain", Text: "Embedded resource content for testing.",
			}), mcp.NewTextContent("Please process the embedded resource above."))
		})
	s.AddPrompt(mcp.NewPrompt("test_prompt_with_image", mcp.WithPromptDescription("Fixture of the conformance suite.")),
		func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return says(mcp.NewImageContent(fixtureImage, "image/png"), mcp.NewTextContent("Please analyze the image above."))
		})
}
