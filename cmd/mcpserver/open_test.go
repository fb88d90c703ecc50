package main

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/balcao/balcao/internal/words"
)

func TestThePageOpensByItselfWhereItsPersonWouldNotSeeTheAddress(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, c := range map[string]struct {
		playground, onStdio, want bool
	}{
		"a playground whose assistant started it":    {true, true, true},
		"a playground over HTTP, without a terminal": {true, false, false},
		"a real bank, on stdio":                      {false, true, false},
		"a real bank over HTTP, without a terminal":  {false, false, false},
	} {
		if got := opensPages(c.playground, c.onStdio, file); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if opensPages(true, false, strings.NewReader("")) {
		t.Error("what is no file is a terminal")
	}
	if opens := browser(map[string]string{}); runtime.GOOS == "linux" && opens != nil {
		t.Error("there is a browser without a screen")
	}
}

func TestTheAddressIsPrintedAndOneWindowOpened(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var opened []string
	p := &approvalPage{out: &out, lang: words.English, open: func(address string) error {
		opened = append(opened, address)
		return errors.New("no browser")
	}}
	p.announce("http://127.0.0.1:1/handed", true)
	p.announce("http://127.0.0.1:1/first", false)
	p.announce("http://127.0.0.1:1/second", false)
	p.opened = time.Now().Add(-reopening)
	p.announce("http://127.0.0.1:1/later", false)
	if got := strings.Join(opened, " "); got != "http://127.0.0.1:1/first http://127.0.0.1:1/later" {
		t.Errorf("opened %s", got)
	}
	for _, want := range []string{"/handed\n", "/first\n", "/second\n", "/later\n", "It could not be opened by itself."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed:\n%s", want, out.String())
		}
	}
}
