package portal

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Stage is how far a process has come, as far as that decides what can still be done with it.
type Stage string

// The stages. A process is open unless its status says in so many words that it is not.
const (
	Open      Stage = "open"
	Closed    Stage = "closed"    // the loan was granted, and nothing changes any more
	Cancelled Stage = "cancelled" // by the client or by the bank
)

// stages are the descriptions of the states that end a process (inferred: the bank prints no list of its states). They
// are compared whole, without case and accents: «Análise concluída» ends nothing.
var stages = map[Stage][]string{
	Closed: {"concluido", "concluida", "processo concluido", "encerrado", "fechado", "terminado", "finalizado",
		"closed", "completed", "process closed"},
	Cancelled: {"cancelado", "cancelada", "processo cancelado", "anulado", "recusado", "rejeitado", "desistencia",
		"cancelled", "canceled", "process cancelled", "rejected", "declined", "withdrawn"},
}

// StageOf reads the description of a process's state, in either language of the bank. What it does not know is open.
func StageOf(status string) Stage {
	plain := strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) {
			return -1
		}
		return unicode.ToLower(c)
	}, norm.NFD.String(strings.Join(strings.Fields(status), " ")))
	for stage, descriptions := range stages {
		if slices.Contains(descriptions, plain) {
			return stage
		}
	}
	return Open
}
