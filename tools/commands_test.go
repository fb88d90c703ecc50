package tools_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balcao/balcao/tools/catalogue"
)

func TestACommandIsUnderstoodInEitherLanguage(t *testing.T) {
	for line, want := range map[string]string{
		"/processos":                    "find_processes|",
		"/processes silva":              "find_processes|silva",
		"/proponentes 1042":             "list_borrowers|1042",
		"/borrowers 1042":               "list_borrowers|1042",
		"/proponente 1042":              "get_borrower|1042",
		"/proponente novo 1042":         "create_borrower|1042",
		"/proponente new 1042":          "create_borrower|1042",
		"/borrower NOVO 1042":           "create_borrower|1042",
		"/borrower  edit   1042 ":       "update_borrower|1042",
		"/fine enviar 1042":             "send_esis|1042",
		"/esis 1042":                    "get_esis|1042",
		"/listas profissões":            "search_taxonomy|profissões",
		"/balcao seguir 1042":           "follow_processes|1042",
		"/balcao follow me now":         "follow_processes|me now",
		"/balcao alteracoes 48":         "process_updates|48",
		"/balcao alterações 48":         "process_updates|48",
		"/balcao SILÊNCIO 20:00-08:00":  "set_quiet|20:00-08:00",
		"/balcao":                       "|",
		"/balcao nothing":               "|",
		"/proponente editra 1042":       "|",                    // not a borrower of the process «editra»
		"/proponente novo\n1042":        "create_borrower|1042", // pasted
		"/proponente novo\u00a01042":    "create_borrower|1042",
		"/proponente Nuno":              "get_borrower|Nuno",
		"/proponente silva":             "get_borrower|silva",
		"/no-such-command":              "|",
		"/proponente":                   "get_borrower|",
		"/balcao seguirprocessos 1042 ": "|",
	} {
		command, text, _ := strings.Cut(line, " ")
		got := "|"
		if tool, rest, ok := catalogue.New().ForCommand(command, text); ok {
			got = tool.Name + "|" + rest
		}
		if got != want {
			t.Errorf("%q asks for %q, want %q", line, got, want)
		}
	}
}

func TestAVerbThatIsNotKnownSuggestsTheNearest(t *testing.T) {
	for line, want := range map[string][]string{
		"/proponente editra 1042": {"update_borrower"},
		"/borrower nw":            {"create_borrower"},
		"/borrower edti 1042":     {"update_borrower"},
		"/proponente nvoo 1042":   {"create_borrower"},
		"/proponente novi\t1042":  {"create_borrower"},
		"/proponente Nuno":        {}, // a name
		"/balcao segiur 1042":     {"follow_processes"},
		"/balcao silencia 1042":   {"mute_process", "set_quiet"},
		"/fine envair":            {"send_esis"},
		"/proponente 1042":        {},
		"/balcao xyz":             {},
		"/balcao":                 {},
	} {
		command, text, _ := strings.Cut(line, " ")
		got := []string{}
		for _, tool := range catalogue.New().Nearest(command, text) {
			got = append(got, tool.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q suggests %q, want %q", line, got, want)
		}
	}
}
