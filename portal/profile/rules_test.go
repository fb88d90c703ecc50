package profile_test

import (
	"testing"

	"github.com/balcao/balcao/portal/profile"
	"github.com/balcao/balcao/validation"
)

// refusing are the rules that depend on the bank and refuse all the same, with the reason. All others only ask.
var refusing = map[validation.Code]string{
	validation.Expected: "the bank's own page on its schemas lists these fields before the optional ones",
}

func TestARuleIsCertainOrInTheProfileAndThenOnlyAsks(t *testing.T) {
	rules := profile.Builtin().Rules
	for _, code := range validation.Codes() {
		strictness, inProfile := rules[string(code)]
		source, certain := validation.Certain(code)
		want := profile.Warn
		if refusing[code] != "" {
			want = profile.Error
		}
		switch {
		case certain && inProfile:
			t.Errorf("%s is certain (%s), and in the profile", code, source)
		case certain && source == "":
			t.Errorf("%s is certain for no reason", code)
		case !certain && !inProfile:
			t.Errorf("%s depends on the bank, and is not in the profile", code)
		case !certain && strictness != want:
			t.Errorf("%s is %q, want %q", code, strictness, want)
		}
		if mark, source := profile.Builtin().Mark("rules." + string(code)); inProfile && (mark == "" || source == "" || mark == profile.Inferred && strictness == profile.Error) {
			t.Errorf("%s is %s: %s, and %q", code, mark, source, strictness)
		}
	}
	if _, err := validation.RulesOf(rules); err != nil {
		t.Error(err)
	}
}
