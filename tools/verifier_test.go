package tools_test

import (
	"slices"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"
	"github.com/balcao/balcao/tools/documents"
	"github.com/balcao/balcao/tools/simulations"
)

func TestTheBankShowsTheEffectOfEveryWriteExceptAnEMail(t *testing.T) {
	t.Parallel()
	var unverifiable []string
	for _, tool := range catalogue.New().Tools() {
		if tool.Effect.Writes() && !tool.Verifiable() {
			unverifiable = append(unverifiable, tool.Name)
		}
	}
	slices.Sort(unverifiable)
	if !slices.Equal(unverifiable, []string{documents.SendESIS.Name, simulations.SendESIS.Name}) {
		t.Errorf("not verifiable: %q", unverifiable)
	}
}
