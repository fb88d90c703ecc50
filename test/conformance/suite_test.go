package conformance

import "testing"

// What the program does not pass, and why. All else has to pass.
const (
	notOfABank  = "the suite calls a tool, prompt or resource of its own, and the catalogue has those of a mortgage broker"
	noLogging   = "a log may have personal data, so that assistants get none"
	noSampling  = "the program asks nothing of the client's model"
	noChanges   = "tools and resources never change while the program runs, so that there is nothing to subscribe to"
	noTasks     = "the extension for tasks is off, because the library mixes those of several callers"
	noSession   = "the front has no sessions, so that the suite has none to stream in"
	noURIInData = "the library does not name the resource in the data of the error, which a server should"
)

// programKnown lists them for each revision.
var programKnown = map[string]Known{
	Legacy: {
		notOfABank: {
			"tools-call-simple-text", "tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content",
			"tools-call-error", "tools-call-with-progress", "tools-call-elicitation", "elicitation-sep1034-defaults", "elicitation-sep1330-enums",
			"json-schema-2020-12", "resources-read-text", "resources-read-binary", "resources-templates-read",
			"prompts-get-simple", "prompts-get-with-args", "prompts-get-embedded-resource", "prompts-get-with-image",
		},
		noLogging:  {"logging-set-level", "tools-call-with-logging"},
		noSampling: {"tools-call-sampling"},
		noChanges:  {"resources-subscribe", "resources-unsubscribe"},
		noSession:  {"server-sse-polling:server-sse-polling-session", "server-sse-multiple-streams:server-sse-multiple-streams-session"},
	},
	Modern: {
		notOfABank: {
			"tools-call-simple-text", "tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content",
			"tools-call-error", "tools-call-with-progress", "json-schema-2020-12", "resources-read-text", "resources-read-binary",
			"resources-templates-read", "prompts-get-simple", "prompts-get-with-args", "prompts-get-embedded-resource", "prompts-get-with-image",
			"server-stateless:sep-2575-server-rejects-undeclared-capability", "server-stateless:sep-2575-missing-capability-http-400",
			"server-stateless:sep-2575-http-server-no-independent-requests-on-stream", "server-stateless:sep-2575-server-no-log-without-loglevel",
			"input-required-result-basic-elicitation", "input-required-result-basic-sampling", "input-required-result-basic-list-roots",
			"input-required-result-request-state", "input-required-result-multiple-input-requests", "input-required-result-multi-round",
			"input-required-result-missing-input-response", "input-required-result-non-tool-request", "input-required-result-result-type",
			"input-required-result-tampered-state", "input-required-result-capability-check", "input-required-result-ignore-extra-params",
			"http-custom-header-server-validation",
		},
		noTasks: {
			"tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields", "tasks-request-state-removal", "tasks-mrtr-input",
			"tasks-request-headers", "tasks-dispatch-and-envelope", "tasks-required-task-error", "tasks-mrtr-composition",
		},
		noURIInData: {"sep-2164-resource-not-found:sep-2164-data-uri"},
	},
}

func TestTheProgramPassesWhatNeedsNoFixtureInNode(t *testing.T) {
	t.Parallel()
	url := serve(t, "")
	for _, revision := range []string{Legacy, Modern} {
		Run(t, url, revision, programKnown[revision])
	}
}
