package portal_test

import (
	"testing"

	"github.com/balcao/balcao/portal"
)

func TestAProcessIsOpenUnlessItsStatusSaysOtherwiseInSoManyWords(t *testing.T) {
	for status, want := range map[string]portal.Stage{
		"Concluído": portal.Closed, " CONCLUÍDO ": portal.Closed, "Closed": portal.Closed, "Processo  concluído": portal.Closed,
		"Cancelado": portal.Cancelled, "cancelled": portal.Cancelled, "Desistência": portal.Cancelled, "Recusado": portal.Cancelled,
		"": portal.Open, "Em criação": portal.Open, "In Creation": portal.Open, "Contract": portal.Open,
		"Análise concluída": portal.Open, "Suspended": portal.Open, "Amended": portal.Open, "Pedido de cancelamento": portal.Open,
		"Não concluído": portal.Open, "A state of the bank's that nobody knows": portal.Open,
	} {
		if got := portal.StageOf(status); got != want {
			t.Errorf("%q is %s, want %s", status, got, want)
		}
	}
}
