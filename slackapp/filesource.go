package slackapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/tools"
)

const (
	slackFiles      = "slack"          // the scheme of the references of files
	transferTimeout = 60 * time.Second // to fetch or to upload a file
	maxHops         = 3                // redirects of a download
	headBytes       = 3 << 10          // from which the type of a file is told
)

// fileInfo is a file as Slack describes it.
type fileInfo struct {
	Name     string `json:"name"`
	Size     int64  `json:"size"`
	User     string `json:"user"`
	Team     string `json:"user_team"`
	Mode     string `json:"mode"` // "hosted" for one that Slack keeps
	External bool   `json:"is_external"`
	Access   string `json:"file_access"` // "visible", or why it is not
	URL      string `json:"url_private_download"`
}

func (c *client) fileInfo(ctx context.Context, id string) (fileInfo, error) {
	var found struct {
		File fileInfo `json:"file"`
	}
	err := c.call(ctx, background, "files.info", url.Values{"file": {id}}, &found)
	return found.File, err
}

// download requests a file, or its first bytes, with the bot's token. The caller closes the body. The token goes to Slack's host of files
// only, whatever address Slack says and wherever that redirects.
func (c *client) download(ctx context.Context, address string, first int64) (io.ReadCloser, error) {
	const what = "download"
	at, err := url.Parse(address)
	if err != nil || !c.hostsFiles(at) {
		return nil, tools.FileElsewhere
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil { // its text repeats the address
		return nil, &slackError{what, "malformed_url"}
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if first > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=0-%d", first-1))
	}
	following := *c.http
	following.CheckRedirect = func(next *http.Request, before []*http.Request) error {
		if len(before) > maxHops || !c.hostsFiles(next.URL) {
			return http.ErrUseLastResponse
		}
		next.Header.Set("Authorization", "Bearer "+c.token)
		return nil
	}
	response, err := following.Do(request)
	if err != nil {
		return nil, transportError(what, err)
	}
	switch page := strings.HasPrefix(response.Header.Get("Content-Type"), "text/html"); {
	case (response.StatusCode == http.StatusOK || response.StatusCode == http.StatusPartialContent) && !page:
		return response.Body, nil
	case response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusGone:
		err = tools.FileGone
	case page || response.StatusCode < http.StatusBadRequest: // the page for signing in: the token may not read files
		err = tools.FileHidden
	default:
		err = &slackError{what, "http_" + strconv.Itoa(response.StatusCode)}
	}
	return nil, errors.Join(err, response.Body.Close())
}

// hostsFiles reports whether an address is on Slack's host of files: files.slack.com, or the host of the Web API itself.
func (c *client) hostsFiles(address *url.URL) bool {
	api, err := url.Parse(c.url)
	if err != nil || address.Scheme != api.Scheme || address.User != nil {
		return false
	}
	return address.Host == api.Host || address.Host == "files."+api.Host
}

// fileSource is the source of the files that people give in forms. It implements [tools.FileSource].
type fileSource struct{ slack *client }

// Open implements [tools.FileSource].
func (s fileSource) Open(ctx context.Context, actor tools.Actor, file tools.FileRef, max int64) (tools.FileRef, *spool.File, error) {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	info, err := s.find(ctx, actor, &file)
	if err != nil {
		return file, nil, err
	}
	if info.Size > max {
		return file, nil, spool.ErrTooLarge
	}
	body, err := s.slack.download(ctx, info.URL, 0)
	if err != nil {
		return file, nil, problemOf(err)
	}
	defer func() { _ = body.Close() }()
	content, err := spool.Read(body, max)
	switch {
	case errors.Is(err, spool.ErrTooLarge) || errors.Is(err, spool.ErrFull):
		return file, nil, err
	case err != nil:
		return file, nil, tools.FileBroken
	case content.Size() != info.Size:
		return file, nil, errors.Join(tools.FileBroken, content.Close())
	}
	return file, content, nil
}

// Peek implements [tools.FilePeeker].
func (s fileSource) Peek(ctx context.Context, actor tools.Actor, file tools.FileRef) (tools.FileRef, []byte, error) {
	info, err := s.find(ctx, actor, &file)
	if err != nil {
		return file, nil, err
	}
	body, err := s.slack.download(ctx, info.URL, headBytes)
	if err != nil {
		return file, nil, problemOf(err)
	}
	defer func() { _ = body.Close() }()
	head, err := io.ReadAll(io.LimitReader(body, headBytes)) // also of a host that knows no ranges
	if err != nil {
		return file, nil, tools.FileBroken
	}
	return file, head, nil
}

// find returns what Slack says of a file that the actor has given, and puts its name and size into file.
func (s fileSource) find(ctx context.Context, actor tools.Actor, file *tools.FileRef) (fileInfo, error) {
	info, err := s.slack.fileInfo(ctx, strings.TrimPrefix(file.ID, slackFiles+":"))
	if err != nil {
		return info, problemOf(err)
	}
	team, user, _ := strings.Cut(strings.TrimPrefix(actor.ID, slackFiles+":"), "/")
	switch {
	case info.Mode == "tombstone" || info.Mode == "hidden_by_limit":
		return info, tools.FileGone
	case info.User != user:
		return info, tools.ErrNoFile
	case info.External || info.Mode != "hosted" && info.Mode != "" || info.Access != "visible" && info.Access != "" || info.Team != team && info.Team != "":
		return info, tools.FileElsewhere
	}
	file.Name, file.Size = pii.New[pii.Private](info.Name), info.Size
	return info, nil
}

// problemOf returns what a person reads of a file that Slack does not give.
func problemOf(err error) error {
	if problem, is := errors.AsType[tools.FileProblem](err); is {
		return problem
	}
	if failed, ofSlack := errors.AsType[*slackError](err); ofSlack {
		switch failed.code {
		case "missing_scope", "no_permission":
			return tools.FileHidden
		case "file_not_found", "file_deleted", "not_found":
			return tools.FileGone
		}
	}
	return tools.FileBroken
}
