package slackapp

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/tools"
)

// earlierBlock says who asked for the same before: by mention where that is somebody in Slack. It is for the eyes of one
// person, so that nobody is notified.
func earlierBlock(lang words.Lang, earlier tools.Earlier) slack.Block {
	user, ok := userID(earlier.Actor)
	if !ok {
		return paragraph(earlier.Text(lang, ""))
	}
	const place = "{who}"
	text := escaped(earlier.Text(lang, place), maxText)
	return slack.NewSectionBlock(mrkdwn(strings.Replace(text, place, "<@"+user+">", 1)), nil, nil)
}
