package profile_test

import (
	"slices"
	"testing"

	"github.com/balcao/balcao/portal/profile"
)

// The bank prints one name of a state. These are names that a bank may have.
func TestWhatAStateMeansFollowsFromItsDescription(t *testing.T) {
	t.Parallel()
	const (
		bank, partner, nobody    = profile.Bank, profile.Partner, profile.Nobody
		open, granted, cancelled = profile.Open, profile.Granted, profile.Cancelled
	)
	for _, c := range []struct {
		status string
		turn   profile.Turn
		ends   profile.End
		name   string
	}{
		{"In Creation", partner, open, "creation"},
		{"Em criação", partner, open, "draft"},
		{"Rascunho", partner, open, "draft"},
		{"Não submetido", partner, open, "draft"},
		{"Por submeter", partner, open, "draft"},

		{"Recolha de documentos", partner, open, "documents"},
		{"Documents", partner, open, "documents"},
		{"Documentação em falta", partner, open, "documents"},
		{"Aguarda documentos", partner, open, "documents"},
		{"Aguarda documentos do cliente", partner, open, "documents"},
		{"Documentação não validada", partner, open, "documents"},
		{"Documentação não aprovada", partner, open, "documents"},
		{"Documentos rejeitados", partner, open, "documents"},
		{"Documentação recusada", partner, open, "documents"},
		{"Documentos caducados", partner, open, "documents"},
		{"Em análise – documentação em falta", partner, open, "documents"},
		{"Documents missing", partner, open, "documents"},
		{"Documents not approved", partner, open, "documents"},
		{"Documentação em validação", bank, open, "documents_sent"},
		{"Documentação validada", bank, open, "documents_sent"},
		{"Documentação por validar", bank, open, "documents_sent"},
		{"Documentação concluída", bank, open, "documents_sent"},
		{"Documentos recebidos", bank, open, "documents_sent"},
		{"Validação de documentos", bank, open, "documents_sent"},
		{"Aguarda validação de documentos", bank, open, "documents_sent"},
		{"Documents under review", bank, open, "documents_sent"},
		{"Documents received", bank, open, "documents_sent"},

		{"Submetido", bank, open, "submitted"},
		{"SUBMETIDO", bank, open, "submitted"},
		{"Submitted", bank, open, "submitted"},
		{"Enviado ao banco", bank, open, "submitted"},
		{"Devolvido pelo cliente", bank, open, "submitted"},
		{"Aguarda banco", bank, open, "submitted"},

		{"Em análise", bank, open, "analysis"},
		{"Análise e pré-aprovação", bank, open, "analysis"},
		{"Análise concluída", bank, open, "analysis"},
		{"Concluída a análise", bank, open, "analysis"},
		{"Análise de risco: recusado", bank, open, "analysis"},
		{"Pré-aprovado", bank, open, "analysis"},
		{"Pre-approved", bank, open, "analysis"},
		{"Under review", bank, open, "analysis"},
		{"Analysis", bank, open, "analysis"},
		{"Em validação", bank, open, "analysis"},

		{"Avaliação do imóvel", bank, open, "valuation"},
		{"Avaliação concluída", bank, open, "valuation"},
		{"Concluída a avaliação", bank, open, "valuation"},
		{"Avaliação não aprovada", bank, open, "valuation"},
		{"Aguarda avaliação", bank, open, "valuation"},
		{"Aprovado, aguarda avaliação", bank, open, "valuation"},
		{"Valuation completed", bank, open, "valuation"},
		{"Waiting for valuation", bank, open, "valuation"},

		{"Em decisão", bank, open, "decision"},
		{"Em aprovação", bank, open, "decision"},
		{"Por aprovar", bank, open, "decision"},
		{"Aguarda aprovação", bank, open, "decision"},
		{"Submetido para aprovação", bank, open, "decision"},
		{"Aprovação em análise", bank, open, "decision"},
		{"Ainda não aprovado", bank, open, "decision"},
		{"Not yet approved", bank, open, "decision"},
		{"Pending approval", bank, open, "decision"},
		{"Aguarda FINE", bank, open, "decision"},

		{"Aprovado", partner, open, "approved"},
		{"Aprovado – FINE emitida", partner, open, "approved"},
		{"Aprovação (FINE e minuta)", partner, open, "approved"},
		{"FINE emitida", partner, open, "approved"},
		{"Reaprovado", partner, open, "approved"},
		{"Crédito aprovado com condições", partner, open, "approved"},
		{"Aprovado após avaliação", partner, open, "approved"},
		{"Período de reflexão", partner, open, "approved"},
		{"Deferido", partner, open, "approved"},
		{"Approval", partner, open, "approved"},
		{"Approved", partner, open, "approved"},
		{"Re-approved", partner, open, "approved"},

		{"Devolvido ao parceiro", partner, open, "returned"},
		{"Pendente intermediário", partner, open, "returned"},
		{"Pendente – mediador", partner, open, "returned"},
		{"Aguarda decisão do cliente", partner, open, "returned"},
		{"Aguarda aprovação do cliente", partner, open, "returned"},
		{"Devolvido para correção", partner, open, "returned"},
		{"Pedido de esclarecimentos", partner, open, "returned"},
		{"Returned to broker", partner, open, "returned"},
		{"Awaiting client decision", partner, open, "returned"},
		{"Pending customer", partner, open, "returned"},

		{"CONTRATAÇÃO E ESCRITURA", nobody, open, "contract"},
		{"Contract", nobody, open, "contract"},
		{"Em formalização", nobody, open, "contract"},
		{"Aguarda escritura", nobody, open, "contract"},

		{"Cancelamento pedido", bank, open, "cancelling"},
		{"Pedido de cancelamento", bank, open, "cancelling"},
		{"Pedido de desistência", bank, open, "cancelling"},
		{"Cancellation requested", bank, open, "cancelling"},

		{"Concluído", nobody, granted, "granted"},
		{"  Processo  CONCLUÍDO ", nobody, granted, "granted"},
		{"Formalizado", nobody, granted, "granted"},
		{"Financiado", nobody, granted, "granted"},
		{"Contrato formalizado", nobody, granted, "granted"},
		{"Escritura realizada", nobody, granted, "granted"},
		{"Closed", nobody, granted, "granted"},
		{"Completed", nobody, granted, "granted"},
		{"Loan granted", nobody, granted, "granted"},

		{"Cancelado", nobody, cancelled, "cancelled"},
		{"Cancelado pelo cliente", nobody, cancelled, "cancelled"},
		{"Pedido cancelado", nobody, cancelled, "cancelled"},
		{"Anulado", nobody, cancelled, "cancelled"},
		{"Desistência do cliente", nobody, cancelled, "cancelled"},
		{"Encerrado: cancelado", nobody, cancelled, "cancelled"},
		{"Cancelled at the client's request", nobody, cancelled, "cancelled"},
		{"Withdrawn", nobody, cancelled, "cancelled"},
		{"Rejeitado", nobody, cancelled, "rejected"},
		{"Rejeitado após avaliação", nobody, cancelled, "rejected"},
		{"Recusado", nobody, cancelled, "rejected"},
		{"Não aprovado", nobody, cancelled, "rejected"},
		{"Não foi aprovado", nobody, cancelled, "rejected"},
		{"Não aprovado por falta de documentos", nobody, cancelled, "rejected"},
		{"Decisão: recusado", nobody, cancelled, "rejected"},
		{"Indeferido", nobody, cancelled, "rejected"},
		{"Not approved", nobody, cancelled, "rejected"},
		{"Rejected", nobody, cancelled, "rejected"},
		{"Declined", nobody, cancelled, "rejected"},
		{"Caducado", nobody, cancelled, "expired"},
		{"Caducado por falta de documentos", nobody, cancelled, "expired"},
		{"Expirado", nobody, cancelled, "expired"},
		{"Expired", nobody, cancelled, "expired"},
		{"Arquivado", nobody, cancelled, "archived"},
		{"Archived", nobody, cancelled, "archived"},

		{"", nobody, open, ""},
		{"–", nobody, open, ""},
		{"Em curso", nobody, open, ""},
		{"Suspenso", nobody, open, ""},
		{"Amended", nobody, open, ""},
		{"Não concluído", nobody, open, ""},
		{"Não foi cancelado", nobody, open, ""},
		{"Sem avaliação", nobody, open, ""},
		{"Cancelada a avaliação", nobody, open, ""}, // the valuation is: what the process is, nobody knows
		{"Cancelamento", nobody, open, ""},
		{"A state that nobody has thought of", nobody, open, ""},
	} {
		m, known := profile.Builtin().States.Meaning(99, c.status)
		if m.Name != c.name || m.Turn != c.turn || m.Ends != c.ends || known != (c.name != "") {
			t.Errorf("%q is %q, turn %q, ends %q; want %q, %q, %q", c.status, m.Name, m.Turn, m.Ends, c.name, c.turn, c.ends)
		}
	}
}

func TestAnIDOfTheProfileHasPrecedenceOverWordsAndAReplyOverTheList(t *testing.T) {
	t.Parallel()
	states := profile.Builtin().States
	states.IDs = map[string]string{"17": "approved", "18": "", "0": "granted"}
	w := states.Workflow([]profile.State{{ID: 4, Description: "Avaliação"}, {ID: 17, Description: "Anulado"}, {ID: 20, Description: "Em banho-maria"}}, nil)
	for name, c := range map[string]struct {
		id     int32
		status string
		want   string
		known  bool
	}{
		"the profile's":                          {17, "Rejeitado", "approved", true},
		"the profile says that it means nothing": {18, "Rejeitado", "", true},
		"the reply's":                            {4, "Rejeitado", "rejected", true},
		"the list's, without words in the reply": {4, "", "valuation", true},
		"the list's, without known words there":  {4, "Passo 4", "valuation", true},
		"neither's":                              {20, "Em banho-maria", "", false},
		"a state without an id":                  {0, "Em curso", "", false},
		"of which nothing is said":               {21, "", "", false},
	} {
		m, known := w.Meaning(c.id, c.status)
		if m.Name != c.want || known != c.known {
			t.Errorf("%s: got %q, %v", name, m.Name, known)
		}
		if m.Turn != states.Meanings[c.want].Turn || m.Ends != states.Meanings[c.want].Ends {
			t.Errorf("%s: got %+v", name, m)
		}
	}
}

func TestAPhaseIsTheBanksOrElseFollowsFromTheMeaning(t *testing.T) {
	t.Parallel()
	phases := func(descriptions ...string) (list []profile.Phase) {
		for i, description := range descriptions {
			list = append(list, profile.Phase{ID: int32(i + 1), Description: description})
		}
		return list
	}
	fine := phases("Em criação", "Recolha de documentos", "Análise e pré-aprovação", "Avaliação", "Aprovação (FINE e minuta)", "Contratação e escritura", "Concluído", "Cancelado")
	portuguese, english := phases("Preparação", "Decisão", "Contratação", "Terminado"), phases("Preparation", "Decision", "Contract", "Ended")
	for _, c := range []struct {
		pt, en       string
		coarse, fine int32
	}{
		{"Em criação", "In Creation", 1, 1},
		{"Recolha de documentos", "Documents", 1, 2},
		{"Documentação validada", "Documents validated", 1, 2},
		{"Análise e pré-aprovação", "Analysis", 2, 3},
		{"Submetido", "Submitted", 2, 3},
		{"Avaliação do imóvel", "Valuation", 2, 4},
		{"Em decisão", "Decision", 2, 5},
		{"Aprovação (FINE e minuta)", "Approval", 2, 5},
		{"Contratação e escritura", "Contract", 3, 6},
		{"Formalizado", "Closed", 4, 7},
		{"Cancelado", "Cancelled", 4, 8},
		{"Rejeitado", "Rejected", 4, 8},
		{"Devolvido ao parceiro", "Returned", 0, 0}, // in which phase does not follow
		{"Outra coisa", "Something else", 0, 0},
	} {
		for _, list := range []struct {
			status string
			phases []profile.Phase
			want   int32
		}{{c.pt, portuguese, c.coarse}, {c.en, english, c.coarse}, {c.pt, fine, c.fine}, {c.en, fine, c.fine}} {
			phase, known := profile.Builtin().States.Workflow(nil, list.phases).Phase(99, list.status, profile.Phase{})
			if phase.ID != list.want || known != (list.want != 0) {
				t.Errorf("%q is in %+v, want %d", list.status, phase, list.want)
			}
		}
	}

	states := profile.Builtin().States
	states.Phases = map[string]int32{"17": 4, "18": 9}
	w := states.Workflow([]profile.State{{ID: 17, PhaseID: 1}, {ID: 20, PhaseID: 3}, {ID: 21, Description: "Avaliação", PhaseID: 1}, {ID: 22, Description: "Avaliação"}}, portuguese)
	for name, c := range map[string]struct {
		id         int32
		said, want profile.Phase
	}{
		"the profile's":                  {17, profile.Phase{ID: 2}, profile.Phase{ID: 4, Description: "Terminado"}},
		"the profile's, not in the list": {18, profile.Phase{}, profile.Phase{ID: 9}},
		"the reply's":                    {21, profile.Phase{ID: 2, Description: "A decidir"}, profile.Phase{ID: 2, Description: "A decidir"}},
		"the reply's, without words":     {21, profile.Phase{ID: 2}, profile.Phase{ID: 2, Description: "Decisão"}},
		"the list's, though not known":   {20, profile.Phase{}, profile.Phase{ID: 3, Description: "Contratação"}},
		"the list's, before words":       {21, profile.Phase{}, profile.Phase{ID: 1, Description: "Preparação"}},
		"that of the words in the list":  {22, profile.Phase{}, profile.Phase{ID: 2, Description: "Decisão"}},
	} {
		if phase, known := w.Phase(c.id, "", c.said); phase != c.want || !known {
			t.Errorf("%s: got %+v, %v", name, phase, known)
		}
	}
}

func TestUnknownStatesAreListedWithALineForTheProfile(t *testing.T) {
	t.Parallel()
	states := profile.Builtin().States
	states.IDs = map[string]string{"30": ""}
	unknown := states.Unknown([]profile.State{
		{ID: 21, Description: "Em banho-maria\n[rules]"}, {ID: 1, Description: "In Creation"}, {ID: 20}, {ID: 21, Description: "Again"},
		{ID: 30, Description: "Given in the profile"}, {Description: "Without an id"}, {Description: "Another"},
	})
	var lines []string
	for _, state := range unknown {
		lines = append(lines, state.Line())
	}
	if want := []string{"", "", `20 = "" #`, `21 = "" # Em banho-maria [rules]`}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	if unknown[0].Description != "Without an id" || unknown[1].Description != "Another" {
		t.Errorf("got %+v", unknown)
	}
}

// A text of the bank may be of any length.
func FuzzMeaning(f *testing.F) {
	f.Add("Aprovado – FINE emitida")
	f.Add("não – não pré-aprovado")
	f.Fuzz(func(t *testing.T, text string) {
		m, known := profile.Builtin().States.Meaning(1, text)
		if again, _ := profile.Builtin().States.Meaning(1, text); again.Name != m.Name {
			t.Errorf("%q is %q and %q", text, m.Name, again.Name)
		}
		if known == (m.Name == "") {
			t.Errorf("%q is %q, known %v", text, m.Name, known)
		}
	})
}
