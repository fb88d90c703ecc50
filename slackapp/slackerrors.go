package slackapp

import (
	"cmp"
	"errors"
	"time"
)

// How long a caller waits before it tries again where Slack limits our rate.
const (
	defaultRetryAfter = 30 * time.Second // where Slack does not say
	maxRetryAfter     = 15 * time.Minute
)

// slackError is a call to Slack that failed. It names the method and Slack's code, and nothing that was sent.
type slackError struct{ method, code string }

func (e *slackError) Error() string { return "slack: " + e.method + ": " + e.code }

// viewGone reports whether the view that a call was about was closed or has changed since.
func (e *slackError) viewGone() bool {
	switch e.code {
	case "not_found", "view_not_found", "hash_conflict":
		return true
	}
	return false
}

// notSentError is a failed call that certainly had no effect.
type notSentError struct{ error }

func (e *notSentError) NotSent() bool { return true }
func (e *notSentError) Unwrap() error { return e.error }

// notSent marks an error as one of a call without effect, unless it already says so.
func notSent(err error) error {
	if _, says := errors.AsType[interface {
		error
		NotSent() bool
	}](err); says {
		return err
	}
	return &notSentError{err}
}

// rateLimitedError is a refusal because we call too often.
type rateLimitedError struct {
	notSentError
	after time.Duration // 0 where Slack does not say
}

func (e *rateLimitedError) RetryAfter() time.Duration { return cmp.Or(e.after, defaultRetryAfter) }

// unreachableError is a refusal until somebody acts: invites us, opens the channel, installs the app again.
type unreachableError struct {
	notSentError
	reason string
}

func (e *unreachableError) Unreachable() string { return e.reason }

// goneError is a refusal because the message that a call is about does not exist or can no longer be changed.
type goneError struct{ notSentError }

func (e *goneError) Gone() bool { return true }

// unreachableReasons maps Slack's codes for what somebody has to correct to the reason that we report.
var unreachableReasons = map[string]string{
	"not_in_channel": "not_in_channel", "channel_not_found": "channel_not_found",
	"is_archived": "is_archived", "is_inactive": "is_archived",
	"restricted_action": "restricted_action", "restricted_action_read_only_channel": "restricted_action",
	"restricted_action_thread_only_channel": "restricted_action", "restricted_action_non_threadable_channel": "restricted_action",
	"restricted_action_thread_locked": "restricted_action", "no_permission": "restricted_action", "access_denied": "restricted_action",
	"token_revoked": "token_revoked", "token_expired": "token_revoked", "account_inactive": "account_inactive",
	"invalid_auth": "invalid_auth", "not_authed": "invalid_auth", "not_allowed_token_type": "invalid_auth",
	"missing_scope": "missing_scope", "team_access_not_granted": "missing_scope", "ekm_access_denied": "restricted_action",
	"org_login_required": "restricted_action", "messages_tab_disabled": "messages_tab_disabled",
	"user_not_found": "user_not_found", "user_disabled": "user_not_found", "users_not_found": "user_not_found",
	sharedChannel: sharedChannel, notOfTeam: notOfTeam,
	"cannot_dm_bot": "user_not_found", "user_not_visible": "user_not_found",
}

// classify returns the error for a code of Slack's. Where Slack itself failed, or gave no code, the call may have had an
// effect.
func classify(method, code string, after time.Duration) error {
	failed := &slackError{method, code}
	refused := notSentError{failed}
	switch code {
	case "":
		failed.code = "no_reason"
		return failed
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		return failed
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return &rateLimitedError{refused, after}
	case "message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed":
		return &goneError{refused}
	}
	if reason := unreachableReasons[code]; reason != "" {
		return &unreachableError{refused, reason}
	}
	return &refused
}
