package portal

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal/profile"
)

// namesOf returns the dotted JSON names of a type's fields. Those of a type within itself are not repeated: the items below an
// item of a list have the same names.
func namesOf(t reflect.Type, path string) (all []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if list, ok := t.FieldByNameFunc(func(name string) bool { return name == "all" }); t.Kind() == reflect.Struct && ok {
		return namesOf(list.Type, path)
	}
	for field := range t.Fields() {
		name, _, tagged := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous:
			all = append(all, namesOf(field.Type, path)...)
		case name == "-":
		case name != "" || tagged:
			own := strings.TrimPrefix(path+"."+name, ".")
			all = append(all, own)
			inner := field.Type
			if inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if name != profile.ListName && inner.Kind() == reflect.Struct && inner != t {
				all = append(all, namesOf(inner, own)...)
			}
		}
	}
	return all
}

func TestEachNameAtTheWireIsInTheProfile(t *testing.T) {
	p := profile.Builtin()
	status := int32(1)
	for id, c := range map[OperationID]struct{ reply, item, body any }{
		ProcessList:    {reply: processListReply{}, item: ProcessSummary{}},
		ProcessDetail:  {reply: Process{}},
		BorrowerList:   {reply: borrowerListReply{}, item: BorrowerSummary{}},
		BorrowerGet:    {reply: Borrower{}},
		BorrowerCreate: {reply: borrowerCreateReply{}, body: BorrowerRequest{}},
		BorrowerUpdate: {reply: writeReply{}, body: BorrowerRequest{}},
		BorrowerDelete: {reply: writeReply{}},
		ProcessESISGet: {reply: esisReply{}},
		CallbackList:   {reply: callbackListReply{}, item: Callback{}},
		CallbackEcho:   {reply: echoReply{}, body: echoBody{}},
		"gendersGet":   {reply: taxonomyReply{}, item: TaxonomyItem{}},

		DocumentList:   {reply: documentListReply{}, item: DocumentSummary{}},
		DocumentGet:    {reply: documentReply{}},
		DocumentCreate: {reply: documentCreateReply{}, body: documentBody{}},
		DocumentUpdate: {reply: writeReply{}, body: documentBody{}},
		DocumentDelete: {reply: writeReply{}},

		SimulationList:     {reply: simulationListReply{}, item: SimulationSummary{}},
		SimulationDetail:   {reply: Simulation{}},
		SimulationCreate:   {reply: simulationCreateReply{}, body: SimulationRequest{}},
		SimulationUpdate:   {reply: writeReply{}, body: SimulationRequest{}},
		SimulationValidate: {reply: simulationValidateReply{}, body: SimulationRequest{}},
		SimulationCancel:   {reply: writeReply{}},
		SimulationESISGet:  {reply: esisReply{}},

		ProcessesMessageList:     {reply: messageListReply{}, item: Message{}},
		SimulationsMessageList:   {reply: messageListReply{}, item: Message{}},
		SimulationsMessageCreate: {reply: writeReply{}, body: MessageRequest{}},
	} {
		wire := p.Wire(string(id))
		for what, v := range map[string]any{"reply": c.reply, "item": c.item, "body": c.body} {
			if v == nil {
				continue
			}
			for _, name := range namesOf(reflect.TypeOf(v), "") {
				if name != profile.ListName && !wire.Knows(what, name) {
					t.Errorf("%s: the profile has no %s %s", id, what, name)
				}
			}
		}
	}
	queries := map[OperationID]url.Values{
		ProcessList:    ProcessQuery{Text: pii.New[pii.Name]("x"), StatusID: &status, From: time.Now(), To: time.Now()}.values(),
		SimulationList: SimulationQuery{Text: pii.New[pii.Name]("x"), StatusID: &status, From: time.Now(), To: time.Now()}.values(),
	}
	for id, query := range queries {
		newPages(profile.Page{Style: profile.ByCursor, Size: 10}, 10).query(query, "x")
		newPages(profile.Page{Style: profile.ByNumber, Size: 10}, 10).query(query, "2")
		newPages(profile.Page{Style: profile.ByOffset, Size: 10}, 10).query(query, "2")
		known := slices.Concat(p.Wire(string(id)).Names(), []string{"limit", "pageSize", "pageNumber", "offset"}) // of other lists
		for name := range query {
			if !slices.Contains(known, name) {
				t.Errorf("%s: the profile has no parameter %s", id, name)
			}
		}
	}
}
