package settings

import (
	"errors"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

// replacedOperations is a setting that a profile has replaced.
const replacedOperations = "PORTAL_OPERATIONS"

// readProfile reads the profiles of the bank and of the sandbox bank.
func (s *Settings) readProfile(environ map[string]string) (problems Problems) {
	if environ[replacedOperations] != "" {
		problems = Problems{{Name: replacedOperations, What: "replaced"}}
	}
	s.Profile, problems = s.loadProfile("PORTAL_PROFILE", s.PortalProfile, problems)
	s.SandboxProfile, problems = s.loadProfile("SANDBOX_PROFILE", s.SandboxProfilePath, problems)
	return problems
}

// loadProfile reads the file of a setting, and adds what is wrong with it to problems. It returns the built-in profile if
// there is no file or if it is wrong.
func (s *Settings) loadProfile(name, path string, problems Problems) (*profile.Profile, Problems) {
	if path == "" {
		return profile.Builtin(), problems
	}
	p, err := profile.Load(path, profile.KnownRules(s.rules...))
	if wrong, ok := errors.AsType[*profile.Problems](err); ok {
		return profile.Builtin(), append(problems, Problem{Name: name, What: "profile", Profile: wrong})
	} else if err != nil {
		return profile.Builtin(), append(problems, Problem{Name: name, What: "wrong"})
	}
	return p, problems
}

// checkIDs checks the ids that have the form of the profile.
func (s *Settings) checkIDs() (problems Problems) {
	for name, id := range map[string]struct{ kind, value string }{
		"PORTAL_BROKER_UID": {"broker", s.PortalBrokerUID}, "PORTAL_PARTNER_UID": {"partner", s.PortalPartnerUID},
	} {
		form := s.Profile.Forms.IDs[id.kind]
		if _, err := profile.ParseID(form, id.value); id.value == "" || err == nil {
			continue
		}
		what := "wrong"
		if form == profile.Integer {
			what = "integer"
		}
		problems = append(problems, Problem{Name: name, What: what})
	}
	return problems
}

// profileText describes what is wrong with the file of a profile: a line for each entry.
func (p Problem) profileText(lang words.Lang) (text, fix string) {
	lines := strings.TrimSpace(p.Profile.Text(lang))
	return texts.Say(lang, "problem.profile", map[string]any{"name": p.Name, "count": len(p.Profile.List)}), strings.ReplaceAll(lines, "\n", "\n    ")
}
