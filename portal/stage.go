package portal

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Stage says whether a process can still be changed.
type Stage string

// The stages. A process is open unless its status is one of the descriptions in stages.
const (
	Open      Stage = "open"
	Closed    Stage = "closed"    // the loan was granted, and the process cannot be changed
	Cancelled Stage = "cancelled" // by the client or by the bank
)

// stages are the descriptions of the states that end a process (inferred: the bank prints no list of its states). The whole
// description is compared, without case and accents: «Análise concluída» does not end a process.
var stages = map[Stage][]string{
	Closed: {"concluido", "concluida", "processo concluido", "encerrado", "fechado", "terminado", "finalizado",
		"closed", "completed", "process closed"},
	Cancelled: {"cancelado", "cancelada", "processo cancelado", "anulado", "recusado", "rejeitado", "desistencia",
		"cancelled", "canceled", "process cancelled", "rejected", "declined", "withdrawn"},
}

// StageOf returns the stage for the description of a process's state, in either language of the bank. An unknown
// description is [Open].
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
