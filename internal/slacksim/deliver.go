package slacksim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Delivery is a request for [Sim.Deliver], such as a forged, repeated or malformed one.
type Delivery struct {
	Kind      string // for the log: "command", "interaction", "event" or "raw"
	Body      []byte
	Type      string    // Content-Type; "" means a form
	Sign      bool      // whether to sign with the configured secret
	Timestamp time.Time // of the signature; zero means now
	Header    http.Header
}

// DeliveryResult is the outcome of one delivery.
type DeliveryResult struct {
	ID      int
	Kind    string // "slash_commands", "block_actions", "view_submission", "view_closed", "block_suggestion", "event_callback", "url_verification", "ssl_check", "raw"
	Attempt int    // 0 for the first attempt
	At      time.Time
	Latency time.Duration // until the response was read
	Status  int           // 0 without a response; 200 for an acknowledgement on a socket
	Body    []byte        // of the response
	Failure string        // Slack's reason for a retry: "http_timeout", "connection_failed", "http_error"…; "" when acknowledged

	noRetry bool
}

// Limits of deliveries.
const (
	maxAnswer     = 1 << 20 // bytes of a response
	maxDeliveries = 5000
	maxPayloads   = 200 // for Redeliver
)

type deliveryLog struct {
	next     int
	entries  []DeliveryResult
	payloads []sentPayload
}

// sentPayload is a payload that Redeliver can send again.
type sentPayload struct {
	id      int
	payload payload
}

func deliveryClient(client *http.Client) *http.Client {
	if client == nil {
		client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second}}
	}
	copied := *client
	copied.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		if len(via) > 2 {
			return errTooManyRedirects
		}
		return nil
	}
	return &copied
}

var (
	errTooManyRedirects = errors.New("too many redirects")
	errSocketMode       = errors.New("slacksim: the app is in Socket Mode and has no request URL")
)

// Sign returns the X-Slack-Signature of a body sent at a time.
func Sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%d:", at.Unix())
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// Deliver sends d to the app over HTTP. It returns an error only if nothing could be sent; a failure of the app is in the
// result.
func (s *Sim) Deliver(ctx context.Context, d Delivery) (DeliveryResult, error) {
	if s.cfg.RequestURL == "" {
		return DeliveryResult{}, errSocketMode
	}
	setDefault(&d.Type, formType)
	setDefault(&d.Kind, "raw")
	at := d.Timestamp
	if at.IsZero() {
		at = s.now()
	}
	header := http.Header{"Content-Type": {d.Type}}
	if d.Sign {
		header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(at.Unix(), 10))
		header.Set("X-Slack-Signature", Sign(s.cfg.SigningSecret, at, d.Body))
	}
	for name, values := range d.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return s.record(DeliveryResult{Kind: d.Kind}, s.post(ctx, d.Body, header)), nil
}

// Deliveries returns the last 5000 deliveries, the oldest first.
func (s *Sim) Deliveries() []DeliveryResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log.entries)
}

// Redeliver sends an earlier delivery again, as Slack does when a response was lost: the same body with a new signature.
// The last 200 deliveries can be sent again.
func (s *Sim) Redeliver(ctx context.Context, id int) (DeliveryResult, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.log.payloads, func(d sentPayload) bool { return d.id == id })
	if i < 0 {
		s.mu.Unlock()
		return DeliveryResult{}, fmt.Errorf("slacksim: redeliver: delivery %d not found", id)
	}
	p := s.log.payloads[i].payload
	s.mu.Unlock()
	return s.send(ctx, p, 1, "http_timeout"), nil
}

// send delivers a payload over the app's transport, waits for the acknowledgement, and logs the result.
func (s *Sim) send(ctx context.Context, p payload, attempt int, reason string) DeliveryResult {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AckTimeout)
	defer cancel()
	stop := context.AfterFunc(s.ctx, cancel)
	defer stop()
	entry := DeliveryResult{Kind: p.kind, Attempt: attempt}
	var done DeliveryResult
	if s.cfg.RequestURL == "" {
		done = s.sendEnvelope(ctx, p, attempt, reason)
	} else {
		at := s.now()
		header := http.Header{
			"Content-Type": {p.mime}, "User-Agent": {"Slackbot 1.0 (+https://api.slack.com/robots)"},
			"X-Slack-Request-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
			"X-Slack-Signature":         {Sign(s.cfg.SigningSecret, at, p.body)},
		}
		if p.kind == "ssl_check" {
			header.Del("X-Slack-Signature")
			header.Del("X-Slack-Request-Timestamp")
		}
		if attempt > 0 {
			header.Set("X-Slack-Retry-Num", strconv.Itoa(attempt))
			header.Set("X-Slack-Retry-Reason", reason)
		}
		done = s.post(ctx, p.body, header)
	}
	done = s.record(entry, done)
	s.mu.Lock()
	s.log.payloads = append(s.log.payloads, sentPayload{done.ID, p})
	if over := len(s.log.payloads) - maxPayloads; over > 0 {
		s.log.payloads = slices.Delete(s.log.payloads, 0, over)
	}
	s.mu.Unlock()
	return done
}

// record adds a delivery's outcome to the log.
func (s *Sim) record(entry, outcome DeliveryResult) DeliveryResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.next++
	outcome.ID, outcome.Kind, outcome.Attempt = s.log.next, entry.Kind, entry.Attempt
	s.log.entries = append(s.log.entries, outcome)
	if over := len(s.log.entries) - maxDeliveries; over > 0 {
		s.log.entries = slices.Delete(s.log.entries, 0, over)
	}
	s.notifyChange()
	return outcome
}

// post sends one HTTP request to the app.
func (s *Sim) post(ctx context.Context, body []byte, header http.Header) DeliveryResult {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.AckTimeout)
	defer cancel()
	done := DeliveryResult{At: s.now()}
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.RequestURL, bytes.NewReader(body))
	if err != nil {
		done.Failure = "connection_failed"
		return done
	}
	req.Header = header
	resp, err := s.client.Do(req)
	if err != nil {
		done.Failure = retryReason(err)
		done.Latency = time.Since(start)
		return done
	}
	defer resp.Body.Close()
	done.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	done.Status, done.Latency = resp.StatusCode, time.Since(start)
	done.noRetry = resp.StatusCode != http.StatusOK && resp.Header.Get("X-Slack-No-Retry") == "1"
	switch {
	case err != nil:
		done.Failure = retryReason(err)
	case resp.StatusCode != http.StatusOK:
		done.Failure = "http_error"
	}
	return done
}

func retryReason(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, errTooManyRedirects):
		return "too_many_redirects"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "http_timeout"
	case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
		return "ssl_error"
	}
	return "connection_failed"
}

// appError returns the error that the person gets, nil if the delivery was acknowledged.
func (d DeliveryResult) appError() error {
	switch d.Failure {
	case "":
		return nil
	case "http_timeout":
		return &AppError{"operation_timeout", fmt.Sprintf("no answer in %s", d.Latency.Round(time.Millisecond))}
	case "http_error":
		return &AppError{"dispatch_failed", fmt.Sprintf("the app answered with status %d", d.Status)}
	}
	return &AppError{"dispatch_failed", d.Failure}
}

// VerifyURL sends the url_verification challenge, as Slack does when the request URL is configured.
func (s *Sim) VerifyURL(ctx context.Context) error {
	if s.cfg.RequestURL == "" {
		return errSocketMode
	}
	challenge := randomHex(16)
	done := s.send(ctx, jsonPayload("url_verification", map[string]any{
		"token": verificationToken, "challenge": challenge, "type": "url_verification",
	}), 0, "")
	if err := done.appError(); err != nil {
		return err
	}
	if body := string(bytes.TrimSpace(done.Body)); body != challenge && str(decode(done.Body)["challenge"]) != challenge {
		return &AppError{"dispatch_failed", "the challenge was not echoed"}
	}
	return nil
}

// CheckSSL sends the unsigned ssl_check request.
func (s *Sim) CheckSSL(ctx context.Context) error {
	if s.cfg.RequestURL == "" {
		return errSocketMode
	}
	return s.send(ctx, formPayload("ssl_check", url.Values{"ssl_check": {"1"}, "token": {verificationToken}}), 0, "").appError()
}
