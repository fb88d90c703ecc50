package profile

import "testing"

func TestTypesOfNotificationsAreKnownByTheirWords(t *testing.T) {
	t.Parallel()
	p := Builtin()
	for description, want := range map[string]string{
		"Mudança de estado do processo": "status", "Process changed state": "status", "Alteração de estado da simulação": "status", "Proposta aprovada": "status",
		"Nova mensagem": "message", "New message": "message", "Comunicação do banco": "message",
		"Documento pedido": "document_asked", "Pedido de documentos": "document_asked", "Documentos em falta": "document_asked", "Document requested": "document_asked",
		"Documento recebido": "document_received", "Document received": "document_received", "Novo documento": "document_received",
		"Documento recusado": "document_refused", "Documento não aceite": "document_refused", "Document refused": "document_refused",
		"Documentos": "documents", "Mudança de estado de documento": "documents",
		"FINE disponível": "esis", "Emissão da FINE": "esis", "ESIS available": "esis",
		"Avaliação do imóvel concluída": "valuation", "Property valuation completed": "valuation", "Relatório de avaliação": "valuation",
		"Dados do proponente alterados": "borrowers",
		"Aviso 7":                       "", "": "",
	} {
		name, known := p.NotificationMeaning(3, description)
		if name != want || known != (want != "") {
			t.Errorf("%q means %q, %t; want %q", description, name, known, want)
		}
	}
}

func TestTheIDOfATypeCountsBeforeItsWords(t *testing.T) {
	t.Parallel()
	own := *Builtin()
	own.Notifications.IDs = map[string]string{"3": "message", "4": ""}
	for id, want := range map[int32]string{3: "message", 4: "", 5: "esis"} {
		if name, known := own.NotificationMeaning(id, "FINE disponível"); name != want || !known {
			t.Errorf("%d means %q, %t", id, name, known)
		}
	}
	types := []State{{ID: 9, Description: "Aviso"}, {ID: 4, Description: "Outro"}, {ID: 8, Description: "Nota"}, {ID: 7, Description: "Lembrete"}}
	unknown := own.UnknownNotifications(types)
	if len(unknown) != 2 || unknown[0].Line() != `7 = "" # Lembrete` || unknown[1].ID != 9 {
		t.Errorf("unknown are %+v", unknown)
	}
}
