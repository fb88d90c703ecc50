package portal

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The reasons with which the bank says that what a call names does not exist, or is not the broker's.
const (
	ProcessMissing  Reason = "process.missing"
	BorrowerMissing Reason = "borrower.missing"
	PropertyMissing Reason = "property.missing"
	callbackMissing Reason = "callback.missing"
)

// IsMissing reports whether the bank says that what a call names does not exist, or is not the broker's: by a status that
// the operation documents for that, or by a text that is known. Any other refusal says something else.
func IsMissing(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && (failure.Kind == NotFound || failure.Kind == Refused && saysMissing(failure.Messages) != "")
}

// MissingReason returns what the bank says is missing, "" if it names nothing.
func MissingReason(err error) Reason {
	if failure, ok := errors.AsType[*Error](err); ok {
		return saysMissing(failure.Messages)
	}
	return ""
}

// saysMissing returns the reason among messages with which something is missing. A code alone counts only if the bank adds no
// text that says otherwise, since the bank prints no list of codes.
func saysMissing(messages []ErrorMessage) Reason {
	for _, message := range messages {
		if slices.Contains([]Reason{ProcessMissing, BorrowerMissing, DocumentMissing, PropertyMissing, SimulationMissing, callbackMissing}, message.Reason) && (message.Known || message.Text == "") {
			return message.Reason
		}
	}
	return ""
}

// refusesOwn reports whether a refusal is about what the client adds to the request: the form of its body, or a parameter
// of the query that is not among [Operation.Parameters], such as the size of a page. A text that names one of those too is
// not about the client's alone.
func (r request) refusesOwn(said, messages []ErrorMessage) bool {
	var own []string
	given := false
	for name := range r.query() {
		if slices.ContainsFunc(pageParameters, func(page string) bool { return r.wire.QueryName(page) == name }) {
			own = append(own, name)
		} else {
			given = true
		}
	}
	for i, message := range messages {
		words := wordsOf.FindAllString(said[i].Text, -1)
		others := slices.ContainsFunc(r.op.Parameters, func(name string) bool { return slices.Contains(words, name) })
		names := slices.ContainsFunc(own, func(name string) bool {
			inText := strings.ToLower(name) != name && slices.Contains(words, name) // «limit» is a word too
			return strings.EqualFold(lastPart(said[i].Field), name) || inText && !others
		})
		form := message.Known && slices.Contains([]Reason{"request.json", "request.contentType", "request.path", "request.method"}, message.Reason)
		query := message.Known && message.Reason == "request.query" && len(own) > 0 && !given
		if names || form || query {
			return true
		}
	}
	return false
}

var wordsOf = regexp.MustCompile(`\w+`)

// query returns the parameters of the request's query.
func (r request) query() url.Values {
	parsed, err := url.Parse(r.url)
	if err != nil {
		return nil
	}
	return parsed.Query()
}
