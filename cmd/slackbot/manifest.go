package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/balcao/balcao/internal/words"
	"github.com/balcao/balcao/slackapp"
	"github.com/balcao/balcao/tools/catalogue"
)

// manifestLangs are the languages of the commands of a manifest, as -lang names them.
var manifestLangs = map[string][]words.Lang{
	"pt": {words.Portuguese}, "en": {words.English}, "both": words.Langs,
}

// printManifest runs «manifest»: it prints the manifest of the Slack app, ready to paste. It returns the exit code.
func printManifest(args []string, stdout, stderr io.Writer, say translator) int {
	flags := flag.NewFlagSet("slackbot manifest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	host := flags.String("host", "", say("flag.manifest.host"))
	socketMode := flags.Bool("socket-mode", false, say("flag.manifest.socket-mode"))
	mcp := flags.Bool("mcp", true, say("flag.manifest.mcp"))
	lang := flags.String("lang", "pt", say("flag.manifest.lang"))
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	langs, known := manifestLangs[*lang]
	switch {
	case !known || flags.NArg() > 0 || *socketMode == (*host != ""):
		flags.Usage()
		return 2
	case *host != "" && !isHost(*host):
		fmt.Fprintln(stderr, say("manifest.host"))
		return 2
	}
	manifest, err := slackapp.Manifest(catalogue.New(), *host, *mcp, langs...)
	if err == nil {
		_, err = stdout.Write(manifest)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// isHost reports whether Slack can send its requests there: to an https address without a path.
func isHost(text string) bool {
	address, err := url.Parse(text)
	return err == nil && address.Hostname() != "" && strings.TrimSuffix(text, "/") == "https://"+address.Host
}

// playgroundManifest is the manifest of the simulated workspace, whose people speak both languages.
func playgroundManifest() []byte {
	manifest, err := slackapp.Manifest(catalogue.New(), "https://slack.invalid", false, words.Langs...)
	if err != nil {
		panic(err) // texts of our own
	}
	return manifest
}
