package mcpapp

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAddressesAndSessionsEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	p := newApprovalAccess()
	p.now = func() time.Time { return now }
	opened := func(cookie *http.Cookie) bool {
		r := httptest.NewRequest(http.MethodGet, approvalPath, nil)
		r.AddCookie(cookie)
		_, ok := p.session(r)
		return ok
	}
	late := p.address("ana", now.Add(4*time.Hour))
	now = now.Add(4 * time.Hour)
	if _, ok := p.open(late); ok || p.waits("ana") {
		t.Error("an address is opened after its time")
	}
	first, second, other := p.address("ana", now.Add(time.Hour)), p.address("ana", now.Add(time.Hour)), p.address("bruno", now.Add(time.Hour))
	cookie, ok := p.open(second)
	if !ok || !opened(cookie) {
		t.Fatal("an address is not opened")
	}
	if _, ok := p.open(first); ok {
		t.Error("an earlier address of the same person still works")
	}
	if theirs, ok := p.open(other); !ok || theirs.Value == cookie.Value {
		t.Error("the address of another does not work")
	}
	now = now.Add(sessionLife - time.Second)
	if !opened(cookie) {
		t.Error("the session ends too early")
	}
	now = now.Add(time.Second)
	if opened(cookie) || p.waits("ana") {
		t.Error("the session does not end")
	}
}

func TestAddressesAndSessionsAreBounded(t *testing.T) {
	t.Parallel()
	p := newApprovalAccess()
	until := time.Now().Add(time.Hour)
	kept := p.address("bruno", until)
	oldest := p.address("ana", until)
	for range maxOpenAddresses {
		p.address("ana", until)
	}
	if _, ok := p.open(oldest); ok || len(p.addresses) != maxOpenAddresses+1 {
		t.Errorf("%d addresses are kept", len(p.addresses))
	}
	if _, ok := p.open(kept); !ok {
		t.Error("the address of another is dropped")
	}
	for range 2 * maxSessions {
		if _, ok := p.open(p.address("ana", until)); !ok {
			t.Fatal("an address is not opened")
		}
	}
	if len(p.sessions) != maxSessions+1 {
		t.Errorf("%d sessions are kept", len(p.sessions))
	}
}
