// Package profilecmd is the command «profile» of both programs: it prints, checks and compares profiles of the bank.
package profilecmd

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/portal/profile"
)

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

// The exit statuses.
const (
	exitOK      = 0
	exitDiffers = 1 // two profiles differ
	exitWrong   = 1 // a file is wrong
	exitUsage   = 2
)

// Command is the command of a program.
type Command struct {
	Program settings.Program
	Rules   []string // the rules of which a profile may set the strictness
}

// command is one run of it.
type command struct {
	Command
	lang           words.Lang
	stdout, stderr io.Writer
}

// Run runs «profile» with its arguments and returns the exit status: 0, 1 if a file is wrong or two profiles differ, 2 if
// the arguments are wrong or, for diff, a file is.
func (c Command) Run(args []string, environ map[string]string, stdout, stderr io.Writer) int {
	run := command{c, settings.Lang(environ), stdout, stderr}
	if len(args) == 0 {
		return run.usage()
	}
	switch args[0] {
	case "print":
		return run.print(args[1:], environ["PORTAL_PROFILE"])
	case "check":
		return run.check(args[1:], environ["PORTAL_PROFILE"])
	case "diff":
		return run.diff(args[1:])
	}
	return run.usage()
}

func (c command) say(key string, args map[string]any) string { return texts.Say(c.lang, key, args) }

func (c command) usage() int {
	fmt.Fprintln(c.stderr, c.say("usage", map[string]any{"program": string(c.Program)}))
	return exitUsage
}

// read reads a file. It prints what is wrong with it.
func (c command) read(path string) (p *profile.Profile, ok bool) {
	p, err := profile.Load(path, profile.KnownRules(c.Rules...))
	if problems, is := errors.AsType[*profile.Problems](err); is {
		fmt.Fprint(c.stderr, problems.Text(c.lang))
		fmt.Fprintln(c.stderr, c.say("wrong", map[string]any{"count": len(problems.List)}))
	} else if err != nil {
		fmt.Fprintln(c.stderr, err)
	}
	return p, err == nil
}

// print prints the profile of a file, of PORTAL_PROFILE, or the built-in one.
func (c command) print(args []string, path string) int {
	flags := flag.NewFlagSet(string(c.Program)+" profile print", flag.ContinueOnError)
	flags.SetOutput(c.stderr)
	only := flags.String("only", "", c.say("flag.only", nil))
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage
	}
	if flags.NArg() > 1 || *only != "" && !slices.Contains(profile.Marks, profile.Mark(*only)) {
		return c.usage()
	}
	if flags.NArg() == 1 {
		path = flags.Arg(0)
	}
	p := profile.Builtin()
	if path != "" {
		var ok bool
		if p, ok = c.read(path); !ok {
			return exitWrong
		}
	}
	if _, err := io.WriteString(c.stdout, p.TOML(profile.Mark(*only))); err != nil {
		fmt.Fprintln(c.stderr, err)
		return exitWrong
	}
	return exitOK
}

// check checks a file, or that of PORTAL_PROFILE.
func (c command) check(args []string, path string) int {
	if len(args) == 1 {
		path = args[0]
	}
	if len(args) > 1 || path == "" {
		return c.usage()
	}
	p, ok := c.read(path)
	if !ok {
		return exitWrong
	}
	fmt.Fprintln(c.stdout, c.say("fine", map[string]any{"entries": len(p.Entries()), "count": len(p.Compare(profile.Builtin()))}))
	return exitOK
}

// diff prints the entries that differ between a file and the built-in profile, or between two files.
func (c command) diff(args []string) int {
	if len(args) < 1 || len(args) > 2 {
		return c.usage()
	}
	profiles := []*profile.Profile{profile.Builtin()}
	for _, path := range args {
		p, ok := c.read(path)
		if !ok {
			return exitUsage
		}
		profiles = append(profiles, p)
	}
	last := len(profiles) - 1
	differences := profiles[last].Compare(profiles[last-1])
	for _, d := range differences {
		fmt.Fprintf(c.stdout, "%s: %s → %s\n", d.Path, c.side(d.Old), c.side(d.New))
	}
	if len(differences) > 0 {
		return exitDiffers
	}
	fmt.Fprintln(c.stdout, c.say("same", nil))
	return exitOK
}

// side is one side of a difference: the value, and its mark.
func (c command) side(entry profile.Entry) string {
	if entry.Value == nil {
		return c.say("nothing", nil)
	}
	return fmt.Sprintf("%s (%s: %s)", entry.Text(), entry.Mark, entry.Source)
}
