package mcpapp_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/balcao/balcao/tools/catalogue"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
)

func TestUpdatesFitInFourKilobytes(t *testing.T) {
	t.Parallel()
	var updates staticUpdates
	for i := range 100 {
		updates = append(updates, tools.ProcessChange{
			Subject: tools.Subject{Process: sandbox.SampleProcess(1042)}, Number: 1042, At: time.Now().Add(time.Duration(i-100) * time.Minute),
			What: []string{fmt.Sprintf("Status: In Creation → Under Analysis at the branch %d", i)},
		})
	}
	for _, variant := range variants {
		t.Run(variant.name, func(t *testing.T) {
			t.Parallel()
			a := variant.start(t, start(t, func(s *options) { s.updates = updates }))
			result := a.call(t, "process_updates", map[string]any{})
			data, err := json.Marshal(result)
			must(t, err)
			if len(data) > 4<<10 {
				t.Errorf("the answer takes %d bytes", len(data))
			}
			contains(t, string(data), "1042", "There is more")
		})
	}
}

func TestToolsThatNeedADestinationAreForPeople(t *testing.T) {
	t.Parallel()
	a := variants[3].start(t, start(t))
	for _, tool := range catalogue.New().Tools() {
		if !tool.NeedsDestination {
			continue
		}
		result := a.call(t, tool.Name, map[string]any{"process": "1042"})
		if data, err := json.Marshal(result); err != nil || !result.IsError {
			t.Errorf("%s gives %s, %v", tool.Name, data, err)
		}
		contains(t, text(result), (&tools.Error{Kind: tools.PeopleOnly}).What(words.English), "in Slack, with /")
	}
}
