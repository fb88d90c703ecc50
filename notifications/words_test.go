package notifications

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/balcao/balcao/internal/words"
)

var sayCall = regexp.MustCompile(`(?:\bsay\([a-zA-Z.]+, |\bfact\()"([a-z][a-z._]*)"`)

func TestEveryTextExistsInEveryLanguageAndIsUsed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{"waits.bank": true, "waits.partner": true}
	for _, kind := range []string{
		Opened, StatusChanged, Approved, Rejected, BranchChanged, BorrowerAdded, BorrowerRemoved, BorrowerChanged, BankWrote, SomebodyWrote,
		DocumentAsked, DocumentArrived, DocumentAccepted, DocumentRefused, DocumentRemoved, PropertyValued, ESISIssued, ProcessMade, Acted,
	} {
		used["change."+kind] = true
		if strings.HasPrefix(kind, "document_") {
			used["change."+kind+"_untyped"] = true
		}
	}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, match := range sayCall.FindAllStringSubmatch(string(code), -1) {
			if !strings.HasSuffix(match[1], ".") {
				used[match[1]] = true
			}
		}
	}
	var want []string
	for key := range used {
		want = append(want, key)
	}
	if missing := texts.Missing(want...); missing != nil {
		t.Errorf("missing: %q", missing)
	}
	for _, key := range texts.Keys(words.Portuguese) {
		if !used[key] && !strings.HasPrefix(key, "unreachable.") {
			t.Errorf("%s is said nowhere", key)
		}
	}
	if len(used) < 25 {
		t.Errorf("only %d keys were found in the code", len(used))
	}
}

func TestStatusesAreDescribedInTheLanguageOfTheReader(t *testing.T) {
	t.Parallel()
	moved := Update{StatusBefore: 3, Snapshot: Snapshot{StatusID: 4}, Changes: []Change{{StatusChanged, "Análise e pré-aprovação", "Avaliação do imóvel"}}}
	opened := Update{Snapshot: Snapshot{StatusID: 4}, Changes: []Change{{Opened, "", "Avaliação do imóvel"}}}
	for _, c := range []struct {
		update Update
		states map[int32]string
		want   string
	}{
		{moved, map[int32]string{3: "Analysis", 4: "Valuation"}, "Status: Analysis → Valuation"},
		{moved, map[int32]string{4: "Valuation"}, "Status: Análise e pré-aprovação → Valuation"},
		{moved, nil, "Status: Análise e pré-aprovação → Avaliação do imóvel"},
		{opened, map[int32]string{4: "Valuation"}, "New process: Valuation"},
	} {
		if got := c.update.Texts(words.English, c.states); len(got) != 1 || got[0] != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestChangesAreDescribedInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change Change
		pt, en string
	}{
		{Change{StatusChanged, "Em criação", "Análise"}, "Estado: Em criação → Análise", "Status: Em criação → Análise"},
		{Change{BranchChanged, "7", "1"}, "Balcão do banco: 7 → 1", "Branch: 7 → 1"},
		{Change{Opened, "", "Em criação"}, "Novo processo: Em criação", "New process: Em criação"},
		{Change{BorrowerAdded, "", "1"}, "Foi acrescentado um proponente", "A borrower was added"},
		{Change{BorrowerRemoved, "", "2"}, "Foram retirados 2 proponentes", "2 borrowers were removed"},
		{Change{BorrowerChanged, "", "1"}, "Foram alterados os dados de um proponente", "A borrower's data changed"},
		{Change{Kind: Acted}, "O banco registou uma ação que não é visível aqui: consulte o portal", "The bank recorded an action that is not visible here; check the portal"},
		{Change{Kind: "of a newer release"}, "O banco registou uma ação que não é visível aqui: consulte o portal", "The bank recorded an action that is not visible here; check the portal"},
	} {
		if pt, en := c.change.Text(words.Portuguese), c.change.Text(words.English); pt != c.pt || en != c.en {
			t.Errorf("%+v: %q and %q", c.change, pt, en)
		}
	}
	long := Change{StatusChanged, strings.Repeat("ã", 500) + "\n<!channel>", "x"}.Text(words.Portuguese)
	if utf8.RuneCountInString(long) > 150 || strings.Contains(long, "\n") || !utf8.ValidString(long) {
		t.Errorf("got %q", long)
	}
}

func TestEveryReasonHasAnInstruction(t *testing.T) {
	t.Parallel()
	for _, lang := range words.Langs {
		for _, reason := range []string{"not_in_channel", "channel_not_found", "is_archived", "user_not_found", "restricted_action",
			"missing_scope", "messages_tab_disabled", "something_new"} {
			n := unreachableNotice(lang, "word:x", channel, reason)
			if strings.Contains(n.Text, "unreachable.") || strings.Contains(n.Text, "<no value>") || len(n.Text) < 80 || n.Facts[1][1] != reason {
				t.Errorf("%s %s: %+v", lang, reason, n)
			}
		}
	}
}
