package processes_test

import (
	"testing"

	"github.com/balcao/balcao/internal/testenv"
)

func TestProcessesAreFoundByNumberByNameAndWithoutText(t *testing.T) {
	t.Parallel()
	e := testenv.Start(t, testenv.Options{})
	for text, want := range map[string]int{`{}`: 9, `{"text":"1042"}`: 1, `{"text":"nobody of that name"}`: 0} {
		result, failure := e.Call(t, "find_processes", text)
		if failure != nil {
			t.Fatal(failure)
		}
		if rows := len(result.Card.Table.Rows); rows < want || want < 2 && rows != want {
			t.Errorf("%s found %d, want %d", text, rows, want)
		}
	}
}
