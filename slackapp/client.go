package slackapp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"github.com/balcao/balcao/internal/pause"
)

// client calls Slack: the methods of its Web API, response URLs and upload URLs. Every call of this package goes through
// it. It sets the timeouts, repeats what may be repeated, and returns errors that hold nothing of what was sent.
//
// slack-go gives the types of blocks and views, but makes no calls: it loses what a refusal says when its errors have an
// unknown form, takes {"ok":false} for success, fails on a page of messages when it cannot parse one of them, and writes
// a multipart body that strict servers refuse.
type client struct {
	http     *http.Client
	url      string // of the Web API; ends in a slash
	token    string // of the bot
	appToken string // for Socket Mode
	us       atomic.Pointer[identity]
}

// callMode says how long a call may take and how often it is repeated. Only what Slack refused because of a rate limit is
// repeated: after any other failure, Slack may have done what was asked.
type callMode struct {
	timeout time.Duration // of each attempt
	retries int           // after the first attempt
}

var (
	interactive = callMode{timeout: 2 * time.Second}              // while a person's trigger runs out
	background  = callMode{timeout: 20 * time.Second, retries: 3} // after an acknowledgement
	noRetry     = callMode{timeout: 20 * time.Second}             // where the caller decides when to try again
)

const (
	retryJitter  = 500 * time.Millisecond // added to a wait, at random
	defaultRetry = time.Second            // the wait where Slack names none
	maxReply     = 8 << 20                // bytes of a reply
	formType     = "application/x-www-form-urlencoded"
	jsonType     = "application/json"
)

func newClient(apiURL, token, appToken string) *client {
	return &client{
		http: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
		url:  cmp.Or(apiURL, slack.APIURL), token: token, appToken: appToken,
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call calls a method of the Web API with the bot's token and decodes its reply into reply, which may be nil. Arguments
// of type [url.Values] are sent as a form, which the methods that read need; others as JSON.
func (c *client) call(ctx context.Context, mode callMode, method string, args, reply any) error {
	return c.callAs(ctx, c.token, mode, method, args, reply)
}

func (c *client) callAs(ctx context.Context, token string, mode callMode, method string, args, reply any) error {
	media, body := jsonType, []byte(nil)
	if form, ok := args.(url.Values); ok {
		media, body = formType, []byte(form.Encode())
	} else {
		body = encode(args)
	}
	for attempt := 0; ; attempt++ {
		_, err := c.callOnce(ctx, token, mode.timeout, method, media, body, reply)
		limited, isLimited := errors.AsType[*rateLimitedError](err)
		if !isLimited || attempt == mode.retries {
			return err
		}
		if !pause.For(ctx, cmp.Or(limited.after, defaultRetry)+rand.N(retryJitter)) { // or ctx would end before
			return err
		}
	}
}

// callForHeader calls a method that reads, once, and returns the header of the response too.
func (c *client) callForHeader(ctx context.Context, method string, args url.Values, reply any) (http.Header, error) {
	return c.callOnce(ctx, c.token, noRetry.timeout, method, formType, []byte(args.Encode()), reply)
}

func (c *client) callOnce(ctx context.Context, token string, timeout time.Duration, method, media string, args []byte, reply any) (http.Header, error) {
	status, header, body, err := c.post(ctx, timeout, method, c.url+method, media, "Bearer "+token, sentBytes(args))
	if err != nil {
		return header, err
	}
	if status == http.StatusTooManyRequests { // whatever the body says
		return header, classify(method, "ratelimited", retryAfter(header))
	}
	var result struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	switch {
	case status != http.StatusOK || json.Unmarshal(body, &result) != nil:
		return header, &slackError{method, fmt.Sprintf("http_%d", status)}
	case !result.OK:
		return header, classify(method, result.Error, retryAfter(header))
	case reply != nil && json.Unmarshal(body, reply) != nil:
		return header, &slackError{method, "unreadable"}
	}
	return header, nil
}

// postTo posts to an address that Slack gave us: a response URL or an upload URL. The address is a secret, so an error
// names what instead.
func (c *client) postTo(ctx context.Context, what, address, media string, content sent) error {
	timeout := background.timeout
	if content.size > largeBody {
		timeout = transferTimeout
	}
	status, _, body, err := c.post(ctx, timeout, what, address, media, "", content)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return &slackError{what, fmt.Sprintf("http_%d", status)}
	}
	var result struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &result) == nil && result.OK != nil && !*result.OK {
		return &slackError{what, result.Error}
	}
	return nil
}

// largeBody is the number of bytes from which a body may take longer to be sent.
const largeBody = 1 << 20

// sent is a body of a size that is known.
type sent struct {
	io.Reader
	size int64
}

func sentBytes(content []byte) sent { return sent{bytes.NewReader(content), int64(len(content))} }

// post sends one request and reads its response. Its errors name what, and nothing that was sent.
func (c *client) post(ctx context.Context, timeout time.Duration, what, address, media, authorization string, content sent) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, content.Reader)
	if err != nil { // its text repeats the address
		return 0, nil, nil, notSent(&slackError{what, "malformed_url"})
	}
	request.ContentLength = content.size
	if media != "application/octet-stream" {
		media += "; charset=utf-8"
	}
	request.Header.Set("Content-Type", media)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, nil, transportError(what, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil && response.StatusCode != http.StatusTooManyRequests {
		return 0, nil, nil, transportError(what, err)
	}
	return response.StatusCode, response.Header, body, nil
}

// transportError scrubs the error of a request that got no response. It is certain that Slack did nothing only if no
// connection was made.
func transportError(what string, err error) error {
	code := "unreachable"
	if errors.Is(err, context.DeadlineExceeded) {
		code = "timeout"
	}
	failed := &slackError{what, code}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return notSent(failed)
	}
	return failed
}

// retryAfter is how long Slack asks us to wait, 0 if it does not say.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil {
		return 0
	}
	return min(max(time.Duration(seconds)*time.Second, time.Second), maxRetryAfter)
}

// identity is who Slack says that our token belongs to.
type identity struct {
	User       string `json:"user_id"`
	Bot        string `json:"bot_id"`
	Team       string `json:"team_id"`
	Enterprise string `json:"enterprise_id"`
}

// identity returns who we are. Slack is asked once.
func (c *client) identity(ctx context.Context) (identity, error) {
	if us := c.us.Load(); us != nil {
		return *us, nil
	}
	return c.testToken(ctx)
}

// testToken asks Slack whose our token is.
func (c *client) testToken(ctx context.Context) (identity, error) {
	var us identity
	if err := c.call(ctx, noRetry, "auth.test", url.Values{}, &us); err != nil {
		return identity{}, err
	}
	if us.Bot != "" {
		c.us.Store(&us)
	}
	return us, nil
}

// ErrToken says that Slack will never accept our token.
var ErrToken = errors.New("the bot token is not accepted by Slack")

// invalidToken are Slack's codes for such a token.
var invalidToken = []string{"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}

// HealthCheck asks Slack whether it accepts our token. The error is [ErrToken] if it never will.
func (a *App) HealthCheck(ctx context.Context) error {
	_, err := a.slack.testToken(ctx)
	if failed, ok := errors.AsType[*slackError](err); ok && slices.Contains(invalidToken, failed.code) {
		return fmt.Errorf("%w: %w", ErrToken, err)
	}
	return err
}
