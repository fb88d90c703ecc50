package slackapp

import (
	"strings"
)

// Slack's limits, in characters unless another unit is named, and our own where Slack's is too much for a reader. See https://docs.slack.dev/reference/block-kit/blocks.
const (
	maxTitle       = 24       // a modal's title and its two buttons
	maxHeader      = 150      //
	maxText        = 2000     // of a section; Slack takes 3000
	maxFact        = 250      // of one field of a section; Slack takes 2000
	maxFacts       = 10       // fields in a section
	maxReviewed    = 1000     // of a value in a review, which may hold two addresses; Slack takes 2000
	maxReview      = 6000     // all values of a review, before each is cut to a cell; valid values take less
	maxLabel       = 300      // of an input; Slack takes 2000
	maxSmall       = 500      // a line of small print
	maxHint        = 300      // under an input; Slack takes 2000
	maxPlaceholder = 150      //
	maxTyped       = 3000     // what an input holds
	maxOption      = 75       // an option's text and its note
	maxOptionValue = 150      //
	maxOptions     = 100      // in one answer
	maxButton      = 75       //
	maxValue       = 2000     // what a button carries
	maxButtons     = 10       // after a card; Slack takes 25
	maxFieldError  = 300      // under an input, in an answer to a submission
	maxProblem     = 400      // in the list of a review, which may hold an address
	maxRows        = 30       // of a table, before «…and so many more»
	maxCell        = 80       // of a table
	maxTable       = 3000     // all rows of a table, and all facts, so that a card stays below the 10 000 of a message
	maxChunk       = 2900     // rows in one section
	maxNoticeFacts = 20       // of a notice
	maxNotes       = 5        // of the bank's messages with an error
	maxViewBlocks  = 100      // in a modal or a Home tab
	maxHomeDrafts  = 20       // listed in the Home tab
	maxAck         = 18 << 10 // bytes of an acknowledgement: Slack drops those of 20 KiB
	maxBody        = 1 << 20  // bytes of a delivery
	maxEphemeral   = 3000     // the text of a message that has blocks
	maxClient      = 60       // the name of an assistant's program
	maxReason      = 500      // why something is rejected
)

// cut shortens text to limit characters.
func cut(text string, limit int) string {
	if len(prefix(text, limit)) == len(text) {
		return text
	}
	return strings.TrimRightFunc(strings.ToValidUTF8(prefix(text, limit-1), "\uFFFD"), isSpace) + "…"
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' }
