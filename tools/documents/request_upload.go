package documents

import (
	"context"
	"strings"
	"time"

	"github.com/balcao/balcao/tools"
)

// RequestUpload gives an assistant an address at which a file is given, and the reference by which other tools take it. The
// content does not pass through the assistant's model. People give files in their forms.
var RequestUpload = tools.Define(Toolset, tools.Spec{
	Name: "request_upload", Effect: tools.Remembers, AssistantsOnly: true, Example: `{}`,
}, func(ctx context.Context, call *tools.Call, _ UploadRequest) (UploadAddress, error) {
	most := maxSize(call)
	address, err := call.OpenUpload(ctx, most)
	if err != nil {
		return UploadAddress{}, err
	}
	return UploadAddress{
		File: address.File, Address: address.URL, Until: address.Until.UTC().Format(time.RFC3339),
		Accepts: tools.Upload.Accepts.MediaTypes, MaxBytes: most,
	}, nil
})

// UploadRequest has no fields: a file is the same for every tool that takes one.
type UploadRequest struct{}

// UploadAddress is where a file is given, once.
type UploadAddress struct {
	File     string   `json:"file" pii:"open"`     // for the arguments of other tools
	Address  string   `json:"address" pii:"open"`  // ends in a slash
	Until    string   `json:"until" pii:"open"`    // RFC 3339
	Accepts  []string `json:"accepts" pii:"open"`  // media types
	MaxBytes int64    `json:"maxBytes" pii:"open"` // of the file
}

// Card implements [tools.Carder].
func (u UploadAddress) Card(say tools.Say) tools.Card {
	return tools.Card{
		Title: say("card.title"),
		Text:  say("card.text"),
		Facts: []tools.Fact{
			{Label: say("card.address"), Value: u.Address},
			{Label: say("card.file"), Value: u.File},
			{Label: say("card.until"), Value: u.Until},
			{Label: say("card.accepts"), Value: say("card.accepted", "types", strings.Join(u.Accepts, ", "), "max", u.MaxBytes>>20)},
		},
	}
}
