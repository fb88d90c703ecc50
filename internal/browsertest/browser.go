// Package browsertest drives a real, headless Chromium in tests. The browser is started once for a test binary. Each page
// is a tab of its own, so that tests can run in parallel.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// timeout is how long a step on a page may take on a busy machine.
const timeout = 20 * time.Second

var (
	start   sync.Once
	browser context.Context
	end     = func() {}
	failed  error
)

// Main runs the tests of a binary, ends the browser and calls the functions that are given:
// func TestMain(m *testing.M) { browsertest.Main(m) }.
func Main(m *testing.M, after ...func()) {
	code := m.Run()
	end()
	for _, f := range after {
		f()
	}
	os.Exit(code)
}

func started() error {
	start.Do(func() {
		flags := []chromedp.ExecAllocatorOption{
			chromedp.NoFirstRun, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
			chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.WindowSize(1280, 860),
			chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
			chromedp.Flag("disable-backgrounding-occluded-windows", true),
		}
		allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
		var stopBrowser context.CancelFunc
		browser, stopBrowser = chromedp.NewContext(allocator)
		end = func() { stopBrowser(); stopAllocator() }
		failed = chromedp.Do(browser, chromedp.Navigate("about:blank"))
	})
	return failed
}

// emulateFocus makes a tab behave as the focused one, even if another tab has the focus.
var emulateFocus = chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
	_, err := cdp.Call(ctx, tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return err
})

// Page is a tab. The test fails if a step fails or a condition does not become true.
type Page struct {
	t   *testing.T
	ctx context.Context
}

// Open opens a tab at an address. The tab closes at the end of the test. It behaves as if it had the focus, whichever tab
// has it.
func Open(t *testing.T, address string) *Page {
	t.Helper()
	if err := started(); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	tab, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	if err := chromedp.Do(tab, emulateFocus, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, 6*timeout)
	t.Cleanup(cancel)
	return &Page{t, ctx}
}

// Do runs actions of chromedp.
func (p *Page) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// Keys presses keys one after the other in the focused element.
func (p *Page) Keys(keys string) {
	p.t.Helper()
	p.Do(chromedp.KeyEvent(keys))
}

// Click clicks the element of a selector once it is visible.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Until waits until a JavaScript expression is true. An expression that throws is not true yet.
func (p *Page) Until(what, expression string) {
	p.t.Helper()
	p.Within(timeout, what, expression)
}

// Within is Until with another time-out.
func (p *Page) Within(limit time.Duration, what, expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(limit); ; {
		if p.Eval(`(() => { try { return !!(`+expression+`) } catch { return false } })()`) == true {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: never so (%s); focus on %v; the page says:\n%v", what, expression,
				p.Eval(`document.activeElement.outerHTML.slice(0, 200)`), p.Eval(`document.body.innerText`))
		}
		if err := chromedp.Do(p.ctx, chromedp.Sleep(20*time.Millisecond)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// Eval returns the value of a JavaScript expression.
func (p *Page) Eval(expression string) any {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Text returns the text of the element of a selector, "" if there is none.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	found, _ := p.Eval(`document.querySelector(` + Quoted(selector) + `)?.innerText ?? ''`).(string)
	return found
}

// Screenshot saves the visible part of the page as a PNG file.
func (p *Page) Screenshot(path string) {
	p.t.Helper()
	image, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, image, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// Quoted returns text as a JavaScript literal.
func Quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("browsertest: %v", err))
	}
	return string(data)
}
