package slackapp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/tools"
)

// SignatureHeader is the header of the requests that Slack signs.
const SignatureHeader = "X-Slack-Signature"

// SignedCaller returns who sends a message to the app's MCP server through Slack's own assistant. Slack signs the message with
// the app's secret, as it does every request, and names the person in the message itself: params._meta.slack has user_id and
// team_id (https://docs.slack.dev/ai/slackbot-mcp-client). ok is false if the signature, its time or the person is not right. A
// message that names nobody, such as one that asks for the list of tools, is from an actor without an ID. It returns an error if
// Slack cannot be asked who the person is.
func (a *App) SignedCaller(ctx context.Context, header http.Header, body []byte) (actor tools.Actor, ok bool, err error) {
	if a.secret == "" { // Socket Mode: nothing is signed
		return tools.Actor{}, false, nil
	}
	verifier, err := slack.NewSecretsVerifier(header, a.secret)
	if err == nil {
		_, _ = verifier.Write(body) // to a hash, which takes everything
		err = verifier.Ensure()
	}
	if err != nil {
		a.refusals.Warn(ctx, "a message to the MCP server was refused", "cause", signatureProblem(err))
		return tools.Actor{}, false, nil
	}
	var message struct {
		Params struct {
			Meta struct {
				Slack struct {
					User string `json:"user_id"`
					Team string `json:"team_id"`
				} `json:"slack"`
			} `json:"_meta"`
		} `json:"params"`
	}
	if json.Unmarshal(body, &message) != nil {
		return tools.Actor{}, false, nil
	}
	named := message.Params.Meta.Slack
	if named.User == "" && named.Team == "" {
		return tools.Actor{}, true, nil
	}
	us, err := a.slack.identity(ctx)
	if err != nil {
		return tools.Actor{}, false, err
	}
	if _, valid := userID("slack:" + named.User); !valid || named.Team != us.Team {
		return tools.Actor{}, false, nil
	}
	actor, err = a.person(ctx, named.User)
	if failed, is := errors.AsType[*slackError](err); is && (failed.code == "user_not_found" || failed.code == "user_not_visible") {
		return tools.Actor{}, false, nil
	}
	actor.Client = "Slackbot"
	return actor, err == nil, err
}
