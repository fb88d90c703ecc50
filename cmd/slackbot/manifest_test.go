package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestTheManifestIsPrintedWithTheHostThatIsGiven(t *testing.T) {
	for _, args := range [][]string{{"-host", "https://bot.example.com", "-lang", "en"}, {"-host", "https://bot.example.com/", "-lang", "both"}, {"-socket-mode"}} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"manifest"}, args...), map[string]string{}, &stdout, &stderr); code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, stderr.String())
		}
		if !json.Valid(stdout.Bytes()) {
			t.Errorf("%q: not JSON", args)
		}
		if socket := args[0] == "-socket-mode"; strings.Contains(stdout.String(), `"https://bot.example.com/slack/events"`) == socket {
			t.Errorf("%q prints %s", args, stdout.String())
		}
	}
}

func TestAManifestThatSlackCouldNotUseIsRefused(t *testing.T) {
	for _, args := range [][]string{{}, {"-host", "bot.example.com"}, {"-host", "http://bot.example.com"}, {"-host", "https://bot.example.com/path"}, {"-host", "https://bot.example.com#part"}, {"-host", "https://bot.example.com?"}, {"-host", "https://ana@bot.example.com"}, {"-host", "https://:443"}, {"-host", "https://bot.example.com", "-lang", "fr"}, {"-host", "https://bot.example.com", "-socket-mode"}, {"-socket-mode", "more"}} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"manifest"}, args...), map[string]string{}, &stdout, &stderr); code != 2 || stdout.Len() > 0 || stderr.Len() == 0 {
			t.Errorf("%q: exit code %d, %d bytes printed", args, code, stdout.Len())
		}
	}
}
