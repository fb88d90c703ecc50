package slackapp

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// earlierBlock says who made the same request before, by mention if she is in Slack. One person sees it, so the
// mention notifies nobody.
func earlierBlock(lang words.Lang, earlier tools.Earlier) slack.Block {
	user, ok := userID(earlier.Actor)
	if !ok {
		return paragraph(earlier.Text(lang, ""))
	}
	const placeholder = "{who}"
	text := escaped(earlier.Text(lang, placeholder), maxText)
	return slack.NewSectionBlock(mrkdwn(strings.Replace(text, placeholder, "<@"+user+">", 1)), nil, nil)
}
