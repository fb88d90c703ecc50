package main

import (
	"github.com/balcao/balcao/internal/app"
	"github.com/balcao/balcao/internal/doctor"
	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/tools/catalogue"
)

// newDoctor returns the doctor of this program, which does not use Slack.
func newDoctor() doctor.Program {
	return doctor.Program{
		Name:     settings.MCPServer,
		Settings: []settings.Option{settings.KnownToolsets(catalogue.New().Selectable()...), settings.KnownRules(app.RuleCodes()...)},
		Parts: func(setup doctor.Setup) []doctor.Part {
			return append([]doctor.Part{doctor.NewRedis(setup).Part, doctor.NewBank(setup)}, doctor.NewIssuer(setup)...)
		},
	}
}
