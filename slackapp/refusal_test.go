package slackapp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
)

// The bank repeats the request in its error and names somebody else. The person reads the error without what she sent;
// it is not in the channel and not in the log.
func TestARefusalIsShownWithoutWhatThePersonSent(t *testing.T) {
	t.Parallel()
	h := newHarness(t, overHTTP)
	ana := h.ana()
	ana.begins("1042")
	h.bank.Inject(sandbox.Fault{
		Operation: portal.BorrowerCreate, Status: http.StatusBadRequest,
		Reply: `{"code": "050308", "message": "Recusado por causa de Berta Terceira (NIF 123/456/789): {{request}}"}`,
	})
	ana.submits(nil)
	seen := []string{ana.sees("O banco recusou", "Recusado por causa de Berta Terceira").Text(), ana.reads("O banco recusou", "Berta Terceira").Text}
	for _, message := range h.user(slacksim.Tom).Messages(slacksim.TeamChannel) {
		seen = append(seen, message.Text)
		if strings.Contains(message.Text, "Berta") {
			t.Errorf("the channel reads %s", message.Text)
		}
	}
	for _, text := range append(seen, h.log.String()) {
		for _, part := range []string{"Rui", "Amostra", "1985-04-12", "299999998", "912345678", "rui@", "123/456"} {
			if strings.Contains(text, part) {
				t.Errorf("%q is shown: %s", part, text)
			}
		}
	}
	if log := h.log.String(); strings.Contains(log, "Berta") || !strings.Contains(log, "refused") {
		t.Errorf("the log says %s", log)
	}
}
