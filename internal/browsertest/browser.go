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
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// timeout is how long a step on a page may take on a busy machine.
const timeout = 30 * time.Second

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
	return OpenIn(t, address, "")
}

// OpenIn is Open in a browser whose person prefers a language, "" for that of chromium.
func OpenIn(t *testing.T, address, lang string) *Page {
	t.Helper()
	if err := started(); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	tab, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	prefers := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		headers := network.Headers{}
		if lang != "" {
			headers["Accept-Language"] = lang
		}
		_, err := cdp.Call(ctx, tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers})
		return err
	})
	if err := chromedp.Do(tab, emulateFocus, prefers, chromedp.Navigate(address)); err != nil {
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

// Elements are found by the page's own querySelector, not by the queries of chromedp: those wait for a copy of the document
// that chromedp keeps, which on a busy machine may lack an element for good.

// Click clicks the element of a selector, once it is visible, at rest and not covered.
func (p *Page) Click(selector string) {
	p.t.Helper()
	press, release := p.Mouse(selector)
	press()
	release()
}

// Mouse waits until the element of a selector is visible, at rest and not covered. It returns functions that press and
// release the mouse button in the middle of the element.
func (p *Page) Mouse(selector string) (press, release func()) {
	p.t.Helper()
	p.Until("the mouse reaches "+selector, `(() => {
		const element = document.querySelector(`+Quoted(selector)+`);
		element.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
		const { left, top, width, height } = element.getBoundingClientRect();
		const before = window.mouseAt;
		const now = window.mouseAt = { element, x: left + width / 2, y: top + height / 2 };
		const hit = document.elementFromPoint(now.x, now.y);
		return before?.element === element && before.x === now.x && before.y === now.y && element.contains(hit);
	})()`)
	x, y := p.Eval(`window.mouseAt.x`).(float64), p.Eval(`window.mouseAt.y`).(float64)
	event := func(what input.DispatchMouseEventType) func() {
		return func() {
			p.t.Helper()
			p.Do(chromedp.MouseEvent(what, x, y, chromedp.ButtonLeft, oneClick))
		}
	}
	return event(chromedp.MousePressed), event(chromedp.MouseReleased)
}

func oneClick(event *input.DispatchMouseEventParams) { event.ClickCount = 1 }

// Fill replaces the value of a field, as if a person typed the value.
func (p *Page) Fill(selector, value string) {
	p.t.Helper()
	p.Until("filling "+selector, `document.querySelector(`+Quoted(selector)+`).checkVisibility()`)
	p.Eval(`(() => {
		const field = document.querySelector(` + Quoted(selector) + `);
		field.focus();
		field.value = ` + Quoted(value) + `;
		for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
	})()`)
}

// ChooseFiles chooses files in a file input.
func (p *Page) ChooseFiles(selector string, paths ...string) {
	p.t.Helper()
	p.Until("choosing files in "+selector, `document.querySelector(`+Quoted(selector)+`)`)
	p.Do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		found, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{Expression: `document.querySelector(` + Quoted(selector) + `)`})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, tab, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: paths, ObjectID: found.Result.ObjectID})
		return err
	}))
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
