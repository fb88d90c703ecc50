package mcpapp_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
)

func TestWhatTheItemsOfABanksListsMeanIsInItsWordsOrItsProfile(t *testing.T) {
	t.Parallel()
	for _, bank := range testenv.BanksWithOtherLists(t) {
		t.Run(bank.Name, func(t *testing.T) {
			t.Parallel()
			a := variants[3].start(t, start(t, func(s *options) { s.lists = bank }))
			number := func(id string) int {
				n, err := strconv.Atoi(id)
				must(t, err)
				return n
			}
			second := withArg(withArg(validBorrower(), "borrowerTypeId", number(bank.Key)), "personal.maritalStatusId", number(bank.Married))
			var want []string
			for path, code := range bank.Problems() {
				want = append(want, path+" "+string(code))
			}
			slices.Sort(want)
			var got []string
			if asked := a.call(t, "create_borrower", second); asked.IsError {
				found := severities(t, asked.Meta.AdditionalFields["balcao/error"].(map[string]any))
				got = slices.Sorted(maps.Keys(found))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
			}
		})
	}
}
