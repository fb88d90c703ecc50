package bank

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/profile"
)

// messagesOf returns the bank's messages that the client finds in a refusal.
func messagesOf(probe portal.Probe) []portal.ErrorMessage {
	if failure, ok := errors.AsType[*portal.Error](probe.Err); ok {
		return failure.Messages
	}
	return nil
}

// checkErrors provokes two refusals that change nothing: a read of a process that cannot exist, and one of an id in another
// form. It looks for code, text and field in them.
func (x *Examination) checkErrors(ctx context.Context) (found []finding.Finding) {
	probes := x.provoke(ctx, x.profile)
	came := describe(probes[0])
	if probes[0].Status == 0 {
		return []finding.Finding{x.found(finding.NotTried, "bank.read.spent")}
	}
	var entries []entry
	if answered(probes[0]) && !refusedIn(probes[0]) {
		condition := conditionOf(tree(probes[0].Body), x.good)
		if condition == "" {
			return []finding.Finding{x.found(finding.Warn, "bank.errors.none", "came", came)}
		}
		entries = append(entries, set(append(slices.Clone(x.profile.Errors.InReply), condition), "errors", "in_reply"))
	}
	x.passed = true
	entries = append(entries, x.missing(ctx, probes[0])...)
	if p, err := x.over(entries); err == nil && len(entries) > 0 {
		probes = x.provoke(ctx, p)
	}
	if names := x.errorNames(probes); len(names) > 0 {
		if p, err := x.over(slices.Concat(entries, names)); err == nil {
			if better := x.provoke(ctx, p); understood(better) > understood(probes) {
				entries, probes = append(entries, names...), better
			}
		}
	}
	switch {
	case len(entries) > 0:
		found = append(found, x.differs(came, entries))
	case understood(probes) > 0:
		f := x.found(finding.OK, "bank.errors.read")
		f.Entries = confirmed(finding.OK, "errors.at", "errors.code", "errors.text")
		found = append(found, f)
	}
	if understood(probes) == 0 {
		code := "bank.errors.unread"
		if len(probes[0].Body) == 0 {
			code = "bank.errors.empty"
		}
		found = append(found, x.found(finding.Warn, code, "came", came))
	}
	return found
}

// refusedIn reports whether the client understands a reply as a refusal, whatever its status is.
func refusedIn(probe portal.Probe) bool {
	kind := portal.KindOf(probe.Err)
	return kind == portal.Refused || kind == portal.NotFound || kind == portal.Mismatch
}

// provoke reads a process that does not exist, and one by an id in the form that the bank does not have.
func (x *Examination) provoke(ctx context.Context, p *profile.Profile) []portal.Probe {
	integer, _ := profile.ParseID(profile.Integer, "99999999999999")
	unknown, other, form := uuid.New(), integer, profile.Integer
	if p.Forms.IDs["process"] == profile.Integer {
		unknown, other, form = integer, uuid.New(), profile.UUID
	}
	read := func(p *profile.Profile, id uuid.UUID) portal.Probe {
		ids := maps.Clone(x.ids)
		ids["processUniqueId"] = id
		return x.askIn(ctx, portuguese, p, portal.ProcessDetail, ids, nil)
	}
	probes := []portal.Probe{read(p, unknown)}
	if malformed, err := with(p, []entry{set(string(form), "forms", "ids", "process")}); err == nil {
		probes = append(probes, read(malformed, other))
	}
	return probes
}

// understood returns how much the client understands of refusals: messages, with code, text and field.
func understood(probes []portal.Probe) (n int) {
	for _, probe := range probes {
		for _, message := range messagesOf(probe) {
			n++
			for _, part := range []string{message.Code, message.Text, message.Field} {
				if part != "" {
					n++
				}
			}
		}
	}
	return n
}

// missing returns entries for a status with which the bank says that something does not exist. That the path is right is
// known: a process that exists was read there.
func (x *Examination) missing(ctx context.Context, probe portal.Probe) (entries []entry) {
	if portal.KindOf(probe.Err) != portal.WrongPath {
		return nil
	}
	ids := maps.Clone(x.ids)
	ids["processUniqueId"] = uuid.New()
	if x.profile.Forms.IDs["process"] == profile.Integer {
		ids["processUniqueId"], _ = profile.ParseID(profile.Integer, "99999999999999")
	}
	for _, op := range []portal.OperationID{portal.ProcessDetail, portal.BorrowerList, portal.BorrowerGet, portal.ProcessESISGet} {
		if _, known := ids["borrowerUniqueId"]; op == portal.BorrowerGet && !known {
			continue
		}
		if again := x.askIn(ctx, portuguese, x.profile, op, ids, nil); again.Status != probe.Status {
			continue
		}
		path := x.profile.Operations[string(op)].Path
		for _, id := range sortedKeys(x.profile.Operations) {
			if other := x.profile.Operations[id]; other.Path == path && len(other.Missing) == 0 {
				entries = append(entries, set([]int{probe.Status}, "operations", id, "missing"))
			}
		}
	}
	return entries
}

// conditionOf returns a condition that tells a refusal with a status of success from a good reply, "" if there is none.
func conditionOf(refusal any, good map[string]any) string {
	object, ok := refusal.(map[string]any)
	if !ok {
		return ""
	}
	for _, name := range sortedKeys(object) { // a flag first
		value, is := object[name].(bool)
		if own, known := profile.Lookup(good, name); is && (!known || own != value) {
			return fmt.Sprintf("%s=%t", name, value)
		}
	}
	for _, name := range sortedKeys(object) {
		_, known := profile.Lookup(good, name)
		if isContainer(object[name]) && !known {
			return name
		}
	}
	return ""
}

var codeForm = regexp.MustCompile(`^(\d{2,12}|[A-Z][A-Z0-9]*([._-][A-Z0-9]+)*\d*)$`)

// errorNames returns entries for the names of what is in refusals, by the form of the values.
func (x *Examination) errorNames(probes []portal.Probe) (entries []entry) {
	at, code, wording, field := map[string]bool{}, "", "", ""
	for _, probe := range probes {
		eachObject(tree(probe.Body), nil, func(path []string, object map[string]any) {
			c, t, f := namesIn(x.vocabulary(), object)
			if t == "" && !textsByField(object) {
				return
			}
			for _, name := range path {
				at[name] = true
			}
			code, wording, field = orOld(code, c), orOld(wording, t), orOld(field, f)
		})
	}
	own := x.profile.Errors
	add := func(name string, known profile.Names, key string) {
		if name != "" && !slices.ContainsFunc(known, func(other string) bool { return strings.EqualFold(other, name) }) {
			entries = append(entries, set(first(name, known), "errors", key))
		}
	}
	outer := own.At
	for _, name := range sortedKeys(at) {
		if !slices.ContainsFunc(own.At, func(other string) bool { return strings.EqualFold(other, name) }) {
			outer = first(name, outer)
		}
	}
	if len(outer) > len(own.At) {
		entries = append(entries, set(outer, "errors", "at"))
	}
	add(code, own.Code, "code")
	add(wording, own.Text, "text")
	add(field, own.Field, "field")
	return entries
}

func orOld(old, name string) string {
	if old != "" {
		return old
	}
	return name
}

// eachObject calls do with the objects in a value, and with the names on the way to them.
func eachObject(value any, path []string, do func(path []string, object map[string]any)) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			eachObject(item, path, do)
		}
	case map[string]any:
		do(path, value)
		for _, name := range sortedKeys(value) {
			if len(path) < 4 {
				eachObject(value[name], append(slices.Clone(path), name), do)
			}
		}
	}
}

// namesIn returns the names of the fields of an object that look like a code, a text and the name of a field.
func namesIn(v vocabulary, object map[string]any) (code, wording, field string) {
	longest := 0
	for _, name := range sortedKeys(object) {
		value := textOf(object[name])
		means := func(word string) bool { return slices.Contains(v.meanings(name), v.meanings(word)[0]) }
		_, isText := object[name].(string)
		switch {
		case value == "":
		case means("field") && isText && !strings.Contains(value, " "):
			field = name
		case strings.Contains(value, " "):
			if len(value) > longest {
				wording, longest = name, len(value)
			}
		case codeForm.MatchString(value) && (means("code") || code == "" && !means("status")):
			code = name
		}
	}
	return code, wording, field
}

// textsByField reports whether an object has nothing but texts by names of fields.
func textsByField(object map[string]any) bool {
	for _, value := range object {
		array, ok := value.([]any)
		if !ok || !all(array, func(item any) bool { _, is := item.(string); return is }) {
			return false
		}
	}
	return len(object) > 0
}
