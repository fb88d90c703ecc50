package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestTheManifestIsPrintedWithTheHostThatIsGiven(t *testing.T) {
	for _, args := range [][]string{{"-host", "https://bot.example.com", "-lang", "en"}, {"-host", "https://bot.example.com/", "-lang", "both"}, {"-host", "https://bot.example.com", "-mcp=false"}, {"-socket-mode"}} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"manifest"}, args...), map[string]string{}, &stdout, &stderr); code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, stderr.String())
		}
		if !json.Valid(stdout.Bytes()) {
			t.Errorf("%q: not JSON", args)
		}
		if declared := strings.Contains(stdout.String(), `"https://bot.example.com/mcp"`); declared != (args[0] == "-host" && !slices.Contains(args, "-mcp=false")) {
			t.Errorf("%q declares the MCP server: %v", args, declared)
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
