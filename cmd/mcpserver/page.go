package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/balcao/balcao/internal/words"
)

// approvalPage shows a person the address of the page on which she decides, and opens it in a browser where that is wanted.
type approvalPage struct {
	out  io.Writer
	lang words.Lang
	open func(address string) error // nil to only show it

	mu     sync.Mutex
	opened time.Time
}

// reopening is how long no further window is opened: the page shows all that waits.
const reopening = 30 * time.Second

// announce shows an address. If it is handed to the assistant's client, or the page is open, no window is opened.
func (p *approvalPage) announce(address string, handed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "\n%s\n  %s\n", texts.Say(p.lang, "page", nil), address)
	if p.open == nil || handed || time.Since(p.opened) < reopening {
		return
	}
	p.opened = time.Now()
	if err := p.open(address); err != nil { // the address is shown
		fmt.Fprintln(p.out, texts.Say(p.lang, "page.not-opened", nil))
	}
}

// opensPages reports whether the page opens in a browser by itself: in a playground whose person sees it start in a terminal, or
// whose assistant starts it and hides what it prints.
func opensPages(playground, onStdio bool, stdin io.Reader) bool {
	if !playground || onStdio {
		return playground
	}
	file, is := stdin.(*os.File)
	return is && term.IsTerminal(int(file.Fd()))
}

// browser returns what opens an address in the person's browser, nil if there is none to be seen. Other users of the machine may
// see the address in the list of processes until it is opened, which uses it up.
func browser(environ map[string]string) func(address string) error {
	command := []string{"xdg-open"}
	switch {
	case runtime.GOOS == "darwin":
		command = []string{"open"}
	case runtime.GOOS == "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler"}
	case environ["DISPLAY"] == "" && environ["WAYLAND_DISPLAY"] == "":
		return nil
	}
	return func(address string) error {
		opens := exec.Command(command[0], append(command[1:], address)...)
		if err := opens.Start(); err != nil {
			return err
		}
		go func() { _ = opens.Wait() }() // ends with the command, which hands over to the browser
		return nil
	}
}
