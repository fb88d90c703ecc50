package sandbox

import (
	"testing"

	"github.com/google/uuid"
)

func TestARowIsOfOneBankAndGoesWithItsProcess(t *testing.T) {
	numbers := &table[[]int]{first: func(*Bank, uuid.UUID) []int { return []int{1} }}
	one, other, process := New(Config{}), New(Config{}), SampleProcess(SampleOpen)
	row := numbers.row(one, process)
	*row = append(*row, 2)
	if got := *numbers.row(one, process); len(got) != 2 {
		t.Errorf("the row is not kept: %v", got)
	}
	if got := *numbers.row(other, process); len(got) != 1 {
		t.Errorf("another bank has the row %v", got)
	}
	one.forget(process)
	if got := *numbers.row(one, process); len(got) != 1 || one.State(process) != 0 {
		t.Errorf("a process that is forgotten leaves its row: %v", got)
	}
}
