package slackapp

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/tools"
)

// hand gives a document to a person in her own conversation with the app, never in a channel. The second of the three
// steps is ours: slack-go ends its multipart body twice, which strict servers refuse.
func (a *App) hand(ctx context.Context, v *visit, file *tools.File, comment string) error {
	channel, err := a.direct(ctx, v.user)
	if err != nil {
		return err
	}
	slot, err := a.patient.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{
		FileName: fit(file.Name, maxHeader), FileSize: len(file.Content),
	})
	if err != nil {
		return slackFailed("files.getUploadURLExternal", err)
	}
	if err := a.post(ctx, "upload", slot.UploadURL, "application/octet-stream", file.Content); err != nil {
		return err
	}
	_, err = a.patient.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
		Files:   []slack.FileSummary{{ID: slot.FileID, Title: fit(file.Name, maxHeader)}},
		Channel: channel, InitialComment: escaped(comment, maxText),
	})
	return slackFailed("files.completeUploadExternal", err)
}
