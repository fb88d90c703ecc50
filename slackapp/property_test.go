package slackapp_test

import (
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/slacksim"
)

// propertyFlows are about choices that are within another of the same page.
var propertyFlows = []flow{
	{"another district forgets the county, offers its own ones, and keeps what was typed", func(t *testing.T, h *harness) {
		ana := h.ana()
		ana.types("/property edit 1042")
		form := ana.sees("Página 3 de 5", "Localização") // the process has one property: nobody is asked which
		if got := typed(form.Values["countyId"]); got != "1110" {
			t.Fatalf("the county is %q", got)
		}
		ana.fills(slacksim.Values{"address": "Rua Nova", "doorNumber": "7"})
		ana.fills(slacksim.Values{"districtId": "Porto"})
		h.checkHeld("countyId", "")
		h.wait("the county to be empty", func() bool { view, _ := ana.TopView(); return typed(view.Values["countyId"]) == "" })
		view, _ := ana.TopView()
		if typed(view.Values["address"]) != "Rua Nova" || typed(view.Values["doorNumber"]) != "7" || typed(view.Values["districtId"]) != "13" {
			t.Errorf("the page holds %v", view.Values)
		}
		options, err := ana.Options(h.ctx(), "countyId", "")
		must(t, err)
		var counties []string
		for _, option := range options {
			counties = append(counties, option.Text)
		}
		if all := strings.Join(counties, ", "); !strings.Contains(all, "Vila Nova de Gaia") || strings.Contains(all, "Oeiras") {
			t.Errorf("offered are %s", all)
		}
		ana.fills(slacksim.Values{"countyId": "Porto"})
		h.checkHeld("countyId", "1312")
		ana.fills(slacksim.Values{"parishId": "Paranhos"})
		h.checkHeld("parishId", "131203")
		ana.submits(nil)
		ana.sees("Página 4 de 5", "Características")
		ana.presses("back")
		ana.sees("Página 3 de 5")
	}},
}
