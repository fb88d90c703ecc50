package assistant

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools"
)

// maxCalls is how often the model calls a tool for one goal before it gives up.
const maxCalls = 10

// model is a client that knows the list of tools and the answers that it got, and nothing else.
type model struct {
	t          *testing.T
	url        string
	tools      []listedTool
	calls      int
	bytes      int // of all answers
	wrong      []string
	answer     answer // the last
	transcript []string
	approve    func() // has the person approve what waits for her
}

// listedTool is a tool as tools/list has it.
type listedTool struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	Description string `json:"description"`
	InputSchema schema `json:"inputSchema"`
}

type schema struct {
	Description string            `json:"description"`
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
}

// answer is what a call of a tool gave.
type answer struct {
	IsError bool `json:"isError"`
	Content []struct {
		Text string `json:"text"`
		URI  string `json:"uri"`
	} `json:"content"`
	StructuredContent json.RawMessage `json:"structuredContent"`
}

func (a answer) text() string {
	var texts []string
	for _, part := range a.Content {
		texts = append(texts, part.Text, part.URI)
	}
	return strings.Join(texts, "\n")
}

// newModel reads the list of tools.
func newModel(t *testing.T, url string) *model {
	t.Helper()
	m := &model{t: t, url: url}
	var list struct {
		Tools []listedTool `json:"tools"`
	}
	m.request("tools/list", map[string]any{}, &list)
	m.tools = list.Tools
	return m
}

func (m *model) request(method string, params map[string]any, into any) (size int) {
	m.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		m.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.url, strings.NewReader(string(body)))
	if err != nil {
		m.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	var reply struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(data, &reply); err != nil || reply.Error != nil {
		m.t.Fatalf("%s: %s, %v", method, data, err)
	}
	if err := json.Unmarshal(reply.Result, into); err != nil {
		m.t.Fatal(err)
	}
	return len(reply.Result)
}

// call calls a tool, and counts the call and the bytes of its answer.
func (m *model) call(tool string, args map[string]any) answer {
	m.t.Helper()
	m.answer = answer{}
	m.calls++
	m.bytes += m.request("tools/call", map[string]any{"name": tool, "arguments": args}, &m.answer)
	data, _ := json.Marshal(args)
	m.transcript = append(m.transcript, fmt.Sprintf("%s %s\n%s", tool, data, m.answer.text()))
	return m.answer
}

// deadEnd notes that the model does not know how to go on.
func (m *model) deadEnd(why string) { m.wrong = append(m.wrong, why) }

// operation is what the model has learnt of one operation.
type operation struct {
	name    string
	through string // the tool by which it is called
	people  bool
	fields  []field
}

// field is an argument of an operation. An edited one is an entry of «set».
type field struct {
	path   string
	text   string
	edited bool
}

// choose finds the operation for words: a listed tool that has all of them, or else the first that find_operation names.
func (m *model) choose(words string) operation {
	m.t.Helper()
	for _, tool := range m.tools {
		if hasAll(tool.Name+" "+tool.Title+" "+tool.Description, words) && len(tool.InputSchema.Properties) > 0 && !strings.HasSuffix(tool.Name, "_operation") {
			return operation{name: tool.Name, through: tool.Name, fields: m.fieldsOf(tool)}
		}
	}
	found := m.call("find_operation", map[string]any{"text": words})
	first := closest(foundLine.FindAllStringSubmatch(found.text(), -1), words)
	if first == nil {
		return operation{}
	}
	chosen := operation{name: first[1], through: "read_operation", people: strings.Contains(first[2], "/")}
	if chosen.people {
		return chosen
	}
	if strings.Contains(first[2], "writes") {
		chosen.through = "write_operation"
	}
	if i := slices.IndexFunc(m.tools, func(t listedTool) bool { return t.Name == chosen.name }); i >= 0 {
		return operation{name: chosen.name, through: chosen.name, fields: m.fieldsOf(m.tools[i])}
	}
	described := m.call("describe_operation", map[string]any{"operation": chosen.name})
	for _, line := range fieldLine.FindAllStringSubmatch(described.text(), -1) {
		path, edited := strings.CutPrefix(line[1], `set["`)
		chosen.fields = append(chosen.fields, field{strings.TrimSuffix(path, `"]`), line[2], edited})
	}
	return chosen
}

// closest returns the line that has most of the words, the first of several.
func closest(lines [][]string, words string) (best []string) {
	most := -1
	for _, line := range lines {
		count := 0
		for _, word := range strings.Fields(words) {
			if hasAll(line[0], word) {
				count++
			}
		}
		if count > most {
			best, most = line, count
		}
	}
	return best
}

var (
	foundLine = regexp.MustCompile(`(?m)^- ([a-z_]+): .*\((.*)\)$`) // its name, and what it does
	fieldLine = regexp.MustCompile(`(?m)^- (set\["[A-Za-z.]+"\]|[A-Za-z.]+): (.*)$`)
)

// fieldsOf reads the fields of a listed tool from its schema. Those of «set» are the fields of the tool that its description
// names.
func (m *model) fieldsOf(tool listedTool) []field {
	var fields []field
	for _, path := range slices.Sorted(maps.Keys(tool.InputSchema.Properties)) {
		property := tool.InputSchema.Properties[path]
		if path != "set" {
			fields = append(fields, leaves(path, property)...)
			continue
		}
		for _, other := range m.tools {
			if other.Name != tool.Name && strings.Contains(property.Description+tool.Description, other.Name) {
				for _, each := range m.fieldsOf(other) {
					each.edited = each.path != "process"
					fields = append(fields, each)
				}
			}
		}
	}
	return fields
}

func leaves(path string, s schema) []field {
	if len(s.Properties) == 0 {
		return []field{{path: path, text: s.Description}}
	}
	var fields []field
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		fields = append(fields, leaves(path+"."+name, s.Properties[name])...)
	}
	return fields
}

// arguments fills the fields of an operation with the facts whose words they have. A fact that no field has is a dead end.
func (m *model) arguments(op operation, facts map[string]any) map[string]any {
	args, set := map[string]any{}, map[string]any{}
	for _, fact := range slices.Sorted(maps.Keys(facts)) {
		best := -1
		for i, each := range op.fields {
			if hasAll(each.path+" "+each.text, fact) && (best < 0 || better(each, op.fields[best], fact)) {
				best = i
			}
		}
		switch {
		case best < 0:
			m.deadEnd(fmt.Sprintf("%s has no field for %q", op.name, fact))
		case op.fields[best].edited:
			set[op.fields[best].path] = facts[fact]
		default:
			value := facts[fact]
			if strings.Contains(op.fields[best].text, "(array") {
				value = []any{value}
			}
			put(args, strings.Split(op.fields[best].path, "."), value)
		}
	}
	if len(set) > 0 {
		args["set"] = set
	}
	return args
}

// better reports whether the name of a field has more of the words than that of another, or is shorter.
func better(a, b field, words string) bool {
	if x, y := hasAll(spaced(a.path), words), hasAll(spaced(b.path), words); x != y {
		return x
	}
	return len(a.path)+len(a.text) < len(b.path)+len(b.text)
}

func put(into map[string]any, path []string, value any) {
	if len(path) == 1 {
		into[path[0]] = value
		return
	}
	inner, is := into[path[0]].(map[string]any)
	if !is {
		inner = map[string]any{}
		into[path[0]] = inner
	}
	put(inner, path[1:], value)
}

// hasAll reports whether a text has each of the words, or one that begins as it does.
func hasAll(text, words string) bool {
	in := strings.FieldsFunc(tools.Fold(spaced(text)), notWord)
	for _, word := range strings.FieldsFunc(tools.Fold(spaced(words)), notWord) {
		stem := word[:min(len(word), 5)]
		if !slices.ContainsFunc(in, func(other string) bool { return strings.HasPrefix(other, stem) }) {
			return false
		}
	}
	return true
}

func notWord(c rune) bool { return !('a' <= c && c <= 'z' || '0' <= c && c <= '9') }

// spaced separates the words of a name: «taxId» becomes «tax Id», and «e-mail» is one word.
func spaced(name string) string {
	name = strings.ReplaceAll(strings.ReplaceAll(name, "e-mail", "email"), "E-mail", "email")
	return regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "$1 $2")
}

// follow calls the next step of the last answer whose label has the words of a goal, as it stands, and confirms it.
func (m *model) follow(g goal) (followed bool) {
	m.t.Helper()
	for _, step := range stepLine.FindAllStringSubmatch(m.answer.text(), -1) {
		if !hasAll(step[3], g.words) {
			continue
		}
		args := map[string]any{}
		if err := json.Unmarshal([]byte(step[2]), &args); err != nil {
			m.deadEnd("a step cannot be read: " + step[0])
			return true
		}
		got := m.call(step[1], args)
		if confirmation := confirmationIn.FindStringSubmatch(got.text()); got.IsError && confirmation != nil {
			args["confirmation"] = confirmation[1]
			got = m.call(step[1], args)
		}
		if got.IsError {
			m.deadEnd("a step fails: " + got.text())
		}
		m.expect(got, g)
		return true
	}
	return false
}

// expect notes what an answer should say and does not.
func (m *model) expect(got answer, g goal) {
	for _, want := range g.wants {
		if !strings.Contains(got.text(), want) {
			m.deadEnd(fmt.Sprintf("the answer does not say %q: %s", want, got.text()))
		}
	}
}

// reach calls operations until the goal is reached: it confirms what the person agrees to, and looks up what it is told to look
// up.
func (m *model) reach(g goal) {
	m.t.Helper()
	if m.follow(g) {
		return
	}
	op := m.choose(g.words)
	switch {
	case op.name == "":
		m.deadEnd("no operation is found for " + g.words)
		return
	case op.people:
		if !g.people {
			m.deadEnd(op.name + " is for people")
		}
		return
	case g.people:
		m.deadEnd(op.name + " should be for people")
	}
	args := m.arguments(op, g.facts)
	outer := args
	if op.through != op.name {
		outer = map[string]any{"operation": op.name, "arguments": args}
	}
	for range maxCalls {
		got := m.call(op.through, outer)
		if !got.IsError {
			m.expect(m.await(got), g)
			return
		}
		if confirmation := confirmationIn.FindStringSubmatch(got.text()); confirmation != nil && outer["confirmation"] == nil {
			outer["confirmation"] = confirmation[1]
			continue
		}
		if g.handsOver != "" && strings.Contains(got.text(), g.handsOver) {
			return
		}
		if !m.giveFile(op, args) && !m.lookUp(got, args, g.facts) {
			break
		}
	}
	m.deadEnd(fmt.Sprintf("%s fails: %s", op.name, m.answer.text()))
}

// await tells the person that a call waits for her, and looks for a tool that tells what she decided.
func (m *model) await(got answer) answer {
	waits := approvalIn.FindStringSubmatch(got.text())
	if waits == nil {
		return got
	}
	m.approve()
	op := m.choose("await approval")
	if op.name == "" {
		m.deadEnd("no tool tells what became of a call that waits")
		return got
	}
	return m.call(op.through, map[string]any{op.fields[0].path: waits[1]})
}

var (
	approvalIn      = regexp.MustCompile(`waits for her approval\. Approval: ([a-z0-9]+)`)
	confirmationIn  = regexp.MustCompile(`«?confirmation»?[^A-Za-z0-9]{1,6}([A-Za-z0-9_.~=-]{16,})`)
	problemLine     = regexp.MustCompile(`(?m)^- ([A-Za-z.]+): (.*) \(error, [a-z_.]+\)$`)
	operationName   = regexp.MustCompile(`\b[a-z]+_[a-z_]+\b`)
	stepLine        = regexp.MustCompile(`(?m)^Next: ([a-z_]+) (\{.*\}) \((.*)\)$`)
	uploadReference = regexp.MustCompile(`upload:[A-Za-z0-9_-]+`)
	address         = regexp.MustCompile(`https?://[^\s"')]+`)
)

// giveFile calls the operation that the text of a field for files names, gives the file at the address that it is told, and puts
// the reference that it is told into the arguments.
func (m *model) giveFile(op operation, args map[string]any) (given bool) {
	for _, field := range op.fields {
		value, many := args[field.path].([]any)
		if args[field.path] != payslip && !(many && value[0] == payslip) {
			continue
		}
		m.callNamed(operationName.FindString(field.text), nil)
		file, at := uploadReference.FindString(m.answer.text()), address.FindString(m.answer.text())
		request, err := http.NewRequestWithContext(m.t.Context(), http.MethodPut, at, strings.NewReader("%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"))
		if err != nil {
			m.deadEnd("no address for a file: " + m.answer.text())
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			m.t.Fatal(err)
		}
		response.Body.Close()
		if args[field.path], given = any(file), response.StatusCode/100 == 2; many {
			args[field.path] = []any{file}
		}
	}
	return given
}

// lookUp reads the problems of an answer. Where one names an operation that has the value, it calls that with what it knows,
// and replaces the argument by the one of the row that has the fact's words.
func (m *model) lookUp(got answer, args, facts map[string]any) (changed bool) {
	for _, problem := range problemLine.FindAllStringSubmatch(got.text(), -1) {
		path := problem[1]
		named := operationName.FindString(problem[2])
		value, given := args[path].(string)
		if named == "" || !given {
			continue
		}
		rows := m.callNamed(named, facts)
		for _, row := range rows {
			if text, _ := json.Marshal(row); hasAll(string(text), value) {
				args[path], changed = row[path], true
				break
			}
		}
	}
	return changed
}

// callNamed calls an operation by its name with the process of the facts, and returns the objects in the first list of its
// answer.
func (m *model) callNamed(name string, facts map[string]any) (rows []map[string]any) {
	args := map[string]any{}
	for _, subject := range []string{"process", "simulation"} {
		if facts[subject] != nil {
			args[subject] = facts[subject]
		}
	}
	listed := slices.ContainsFunc(m.tools, func(t listedTool) bool { return t.Name == name })
	if !listed {
		name, args = "read_operation", map[string]any{"operation": name, "arguments": args}
	}
	got := m.call(name, args)
	var members map[string]json.RawMessage
	if json.Unmarshal(got.StructuredContent, &members) != nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if json.Unmarshal(members[key], &rows) == nil && len(rows) > 0 {
			return rows
		}
	}
	return nil
}
