package doctor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

// Program is a program with a doctor.
type Program struct {
	Name     settings.Program
	Settings []settings.Option
	Parts    func(Setup) []Part // what it checks beside its settings
}

// Setup is what the parts are made of.
type Setup struct {
	Settings settings.Settings
	Problems settings.Problems
	Lang     words.Lang
}

// Blocked returns the settings of these that have to be corrected first.
func (s Setup) Blocked(names ...string) (blocked []string) {
	for _, problem := range s.Problems {
		if slices.Contains(names, problem.Name) {
			blocked = append(blocked, problem.Name)
		}
	}
	slices.Sort(blocked)
	return blocked
}

// Command runs «doctor» with its arguments and returns the exit status: 0 if all is well, 1 if something should be corrected,
// 2 if something does not work, 3 if the doctor could not run.
func (p Program) Command(ctx context.Context, args []string, environ map[string]string, stdout, stderr io.Writer) int {
	lang := settings.Lang(environ)
	flags := flag.NewFlagSet(string(p.Name)+" doctor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asJSON := flags.Bool("json", false, text(lang, "flag.json"))
	path := flags.String("record", "", text(lang, "flag.record"))
	only := flags.String("parts", "", text(lang, "flag.parts"))
	playground := flags.Bool("playground", false, text(lang, "flag.playground"))
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitNotRun
	}
	if flags.NArg() > 0 {
		flags.Usage()
		return exitNotRun
	}
	if *playground {
		environ = settings.Playground(environ)
	}
	parts := p.parts(lang, environ)
	if *only != "" {
		chosen, unknown := choose(parts, strings.Split(*only, ","))
		if unknown != "" {
			fmt.Fprintln(stderr, text(lang, "no-part", "part", unknown, "parts", strings.Join(names(parts), ", ")))
			return exitNotRun
		}
		parts = chosen
	}
	var kept *record
	if *path != "" {
		var err error
		if kept, err = createRecord(*path); err != nil {
			fmt.Fprintln(stderr, err)
			return exitNotRun
		}
		defer kept.discard()
	}
	report := p.run(ctx, lang, parts, stderr)
	err := error(nil)
	if kept != nil {
		err = kept.write(report.recording(string(p.Name), time.Now()))
	}
	if *asJSON {
		err = errors.Join(err, report.writeJSON(stdout, string(p.Name)))
	} else {
		report.WriteTable(stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitNotRun
	}
	return report.Exit()
}

// run runs the checks, with a progress bar if stderr is a terminal.
func (p Program) run(ctx context.Context, lang words.Lang, parts []Part, stderr io.Writer) Report {
	ctx, cancel := context.WithTimeout(ctx, totalTimeout)
	defer cancel()
	shown := newBar(stderr, lang, parts)
	if shown == nil {
		return Run(ctx, lang, parts, nil)
	}
	defer shown.finish()
	return Run(ctx, lang, parts, shown)
}

// parts returns all parts of the program.
func (p Program) parts(lang words.Lang, environ map[string]string) []Part {
	s, problems := settings.Read(p.Name, environ, p.Settings...)
	setup := Setup{s, problems, lang}
	return append([]Part{settingsPart(setup)}, p.Parts(setup)...)
}

func names(parts []Part) (all []string) {
	for _, part := range parts {
		all = append(all, part.Name)
	}
	return all
}

// choose returns the parts with these names, and closes the others. unknown is a name that is of no part.
func choose(parts []Part, wanted []string) (chosen []Part, unknown string) {
	for i, name := range wanted {
		wanted[i] = strings.TrimSpace(name)
		if !slices.Contains(names(parts), wanted[i]) {
			return nil, name
		}
	}
	// What has to be corrected before a part can be checked is said with it.
	if slices.ContainsFunc(parts, func(part Part) bool { return slices.Contains(wanted, part.Name) && len(part.Blocked) > 0 }) {
		wanted = append(wanted, settingsName)
	}
	for _, part := range parts {
		if slices.Contains(wanted, part.Name) {
			chosen = append(chosen, part)
		} else if part.Close != nil {
			part.Close()
		}
	}
	return chosen, ""
}
