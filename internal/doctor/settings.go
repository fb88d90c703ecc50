package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/settings"
)

const settingsName = "settings"

// settingsPart checks the settings: each that is missing or wrong, with how to obtain it, and the warnings of a start.
func settingsPart(setup Setup) Part {
	return Part{Name: settingsName, Checks: []finding.Check{{Subject: "settings", Run: func(context.Context) []finding.Finding {
		return settingsFindings(setup)
	}}}}
}

func settingsFindings(setup Setup) (found []finding.Finding) {
	problems := slices.Clone(setup.Problems)
	slices.SortFunc(problems, func(a, b settings.Problem) int { return strings.Compare(a.Name, b.Name) })
	for _, problem := range problems {
		f := finding.New(finding.Fail, "settings."+problem.What).About(problem.Name)
		f.What, f.Fix = problem.Text(setup.Lang)
		found = append(found, f)
	}
	for _, warning := range setup.Settings.Warnings {
		f := finding.New(finding.Warn, "settings."+warning.What).About(warning.Name)
		f.What = warning.Text(setup.Lang)
		found = append(found, f)
	}
	if len(problems) == 0 {
		found = append([]finding.Finding{finding.New(finding.OK, "settings.valid")}, found...)
	}
	return found
}
