package main_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func TestTheDoctorChecksWhatThisProgramUses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		env  []string
		code int
		says []string
	}{
		"all is well":         {[]string{"-playground"}, nil, 0, []string{"Redis\n  ok", "All is well."}},
		"nothing is set":      {nil, nil, 2, []string{"PORTAL_URL is missing", "not tried   REDIS_URL", "Correct first: REDIS_URL"}},
		"ADDR is the bot's":   {[]string{"-playground"}, []string{"ADDR=0.0.0.0:8080"}, 0, []string{"All is well."}},
		"a Redis that is off": {[]string{"-playground"}, []string{"REDIS_URL=redis://127.0.0.1:1", "STATE_KEY=wrong"}, 2, []string{"STATE_KEY is not valid"}},
		"no such part":        {[]string{"-playground", "-parts", "slack"}, nil, 3, []string{"settings, redis"}},
	} {
		var out bytes.Buffer
		program := exec.Command(build(t), append([]string{"doctor"}, c.args...)...)
		program.Env, program.Stdout, program.Stderr = append([]string{"LANG=en"}, c.env...), &out, &out
		_ = program.Run()
		if code := program.ProcessState.ExitCode(); code != c.code {
			t.Errorf("%s: exits with %d, want %d", name, code, c.code)
		}
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: does not say %q but\n%s", name, want, out.String())
			}
		}
	}
}
