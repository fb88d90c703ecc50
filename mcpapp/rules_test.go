package mcpapp_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/validation"
)

// severities returns the severity of each problem of a refused call, by path and code.
func severities(t *testing.T, result map[string]any) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, p := range result["problems"].([]any) {
		problem := p.(map[string]any)
		found[fmt.Sprint(problem["path"], " ", problem["code"])] = fmt.Sprint(problem["severity"])
	}
	return found
}

func TestTheBanksOwnExamplesPassWithWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		operation, tool string
		about           map[string]any
		warnings        []string
	}{
		{"create", "create_borrower", map[string]any{"process": "1042"}, []string{
			"borrowerTypeId borrower.key_unique", "financial.incomeWagesPensions income.situation", "personal.identificationDocumentNumber cc.number",
			"personal.matrimonialRegimeId marital.regime_unexpected", "personal.socialSecurityNumber niss.legacy_length",
		}},
		{"update", "update_borrower", borrowerArgs(requestKey), []string{
			" edit.changes", "financial.incomeWagesPensions income.situation", "personal.identificationDocumentNumber cc.number",
			"personal.matrimonialRegimeId marital.regime_unexpected", "personal.socialSecurityNumber niss.legacy_length",
		}},
	} {
		t.Run(c.operation, func(t *testing.T) {
			t.Parallel()
			e := start(t)
			a := variants[3].start(t, e)
			args := testenv.BankExample(t, c.operation)
			maps.Copy(args, c.about)
			asked := a.call(t, c.tool, args)
			failed(t, asked, "the bank decides. Confirm?")
			found := severities(t, asked.Meta.AdditionalFields["balcao/error"].(map[string]any))
			if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, c.warnings) {
				t.Errorf("got %q", got)
			}
			for problem, severity := range found {
				if severity != "warning" {
					t.Errorf("%s is of the severity %s", problem, severity)
				}
			}
			succeeded(t, a.call(t, c.tool, withArg(args, "confirmation", confirmationOf(asked))))
			if n := e.bank.Calls(map[string]portal.OperationID{"create": portal.BorrowerCreate, "update": portal.BorrowerUpdate}[c.operation]); n != 1 {
				t.Errorf("the bank was called %d times", n)
			}
		})
	}
}

func TestARulesStrictnessIsASetting(t *testing.T) {
	t.Parallel()
	niss := withArg(validBorrower(), "personal.socialSecurityNumber", "987654321")
	unnamed := withArg(validBorrower(), "personal.email", nil)
	wrong := withArg(validBorrower(), "personal.taxId", "299999990")
	for name, c := range map[string]struct {
		code       validation.Code
		strictness validation.Strictness // "" for that of the built-in profile
		args       map[string]any
		want       string // the severity, "" if nothing is wrong
	}{
		"niss, built in":        {validation.NISSLegacyLength, "", niss, "warning"},
		"niss, refused":         {validation.NISSLegacyLength, validation.Refuse, niss, "error"},
		"niss, off":             {validation.NISSLegacyLength, validation.Off, niss, ""},
		"expected, built in":    {validation.Expected, "", unnamed, "error"},
		"expected, asked":       {validation.Expected, validation.Ask, unnamed, "warning"},
		"check digit, built in": {validation.NIFCheckDigit, "", wrong, "error"},
		"check digit, asked":    {validation.NIFCheckDigit, validation.Ask, wrong, "warning"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, func(s *options) {
				s.checks = func(o *validation.Options) {
					if c.strictness != "" {
						o.Rules[c.code] = c.strictness
					}
				}
			})
			a := variants[3].start(t, e)
			tool, _ := e.runner.Catalogue.Named("create_borrower")
			if required := slices.Contains(tool.InputSchema().Properties["personal"].Required, "email"); required != (c.code != validation.Expected || c.strictness == "") {
				t.Errorf("the schema requires an e-mail address: %t", required)
			}
			asked := a.call(t, "create_borrower", c.args)
			got := ""
			if asked.IsError {
				for problem, severity := range severities(t, asked.Meta.AdditionalFields["balcao/error"].(map[string]any)) {
					if got = severity; !strings.HasSuffix(problem, " "+string(c.code)) {
						t.Errorf("got %s", problem)
					}
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if n := e.bank.Calls(portal.BorrowerCreate); (n == 1) != (c.want == "") {
				t.Errorf("the bank was called %d times, %d borrowers", n, len(e.bank.Borrowers(sandbox.SampleProcess(sandbox.SampleOpen))))
			}
		})
	}
}
