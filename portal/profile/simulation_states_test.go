package profile

import "testing"

func TestWhatAStateOfASimulationMeansFollowsFromItsDescription(t *testing.T) {
	p := Builtin()
	for description, want := range map[string]string{
		"Rascunho": "draft", "Em criação": "draft", "Criada": "draft", "Created": "draft", "Ativa": "draft", "Active": "draft",
		"Validada": "validated", "Validated": "validated", "Simulada": "validated",
		"FINE emitida": "esis_issued", "ESIS issued": "esis_issued",
		"Em análise": "analysis", "Pendente de decisão": "analysis", "Under review": "analysis", "Aguarda aprovação": "analysis",
		"Aprovada": "approved", "Pré-aprovada": "approved", "Approved": "approved", "Viável": "approved",
		"Recusada": "rejected", "Rejeitada": "rejected", "Não aprovada": "rejected", "Não viável": "rejected", "Not approved": "rejected", "Rejected: DSTI": "rejected",
		"Convertida em processo": "converted", "Converted": "converted", "Concluída": "converted", "Process created": "converted",
		"Cancelada": "cancelled", "Cancelled by broker": "cancelled", "Anulada": "cancelled",
		"Expirada": "expired", "Caducada": "expired", "Expired": "expired",
		"Outra coisa": "", "": "",
	} {
		m, known := p.SimulationMeaning(0, description)
		if m.Name != want || known != (want != "") {
			t.Errorf("%q means %q", description, m.Name)
		}
		ended := want == "rejected" || want == "converted" || want == "cancelled" || want == "expired"
		if m.Ends != ended || ended && (m.Editable || m.Cancelable || m.Convertible) {
			t.Errorf("%q: %+v", description, m)
		}
	}
}

func TestAnIDOfASimulationsStateHasPrecedenceOverWords(t *testing.T) {
	p, err := Read("bank.toml", []byte("[simulation_states.ids]\n17 = \"approved\"\n18 = \"\"\n[simulation_states.meanings.approved]\neditable = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m, known := p.SimulationMeaning(17, "Recusada"); !known || m.Name != "approved" || !m.Editable || !m.Convertible {
		t.Errorf("got %+v", m)
	}
	if m, known := p.SimulationMeaning(18, "Recusada"); !known || m.Name != "" {
		t.Errorf("got %+v", m)
	}
	if _, err := Read("bank.toml", []byte("[simulation_states.ids]\n17 = \"aproved\"\n")); err == nil {
		t.Error("a meaning that does not exist is accepted")
	}
}
