// Package pagetest tries the workspace's page in a real browser, with the keyboard and with hostile text. It is apart
// from slacksim's own tests because it needs Chromium.
package pagetest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long anything on the page may take on a busy machine.
const patience = 20 * time.Second

var browser context.Context

func TestMain(m *testing.M) {
	os.Exit(inBrowser(m.Run))
}

// inBrowser starts the one browser that all tests share; each has a tab of its own.
func inBrowser(run func() int) int {
	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoFirstRun, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.WindowSize(1280, 860),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	defer stop()
	var end context.CancelFunc
	browser, end = chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		fmt.Fprintln(os.Stderr, "starting chromium:", err)
		return 1
	}
	return run()
}

// page is a tab that shows a stage.
type page struct {
	t   *testing.T
	ctx context.Context
}

// open shows the stage to a user, and waits until she can write.
func open(t *testing.T, s *stage, user string) *page {
	t.Helper()
	p := openAny(t, s.URL, user)
	p.until("the page is ready", `document.querySelector('#channels button') && document.activeElement.id === 'composer'`)
	return p
}

// openAny shows the page at an address to a user, whatever she sees first.
func openAny(t *testing.T, address, user string) *page {
	t.Helper()
	tab, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	if err := chromedp.Do(tab, chromedp.Navigate(address+"/?user="+user)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, 3*patience)
	t.Cleanup(cancel)
	return &page{t, ctx}
}

func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// keys presses keys one after the other, wherever the focus is.
func (p *page) keys(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// click presses the mouse on the element that a selector finds, once it can be seen.
func (p *page) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// until waits for a JavaScript expression to become true; what is not there yet is not true yet.
func (p *page) until(what, expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if p.eval(`(() => { try { return !!(`+expression+`) } catch { return false } })()`) == true {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: never so (%s); focus on %v; the page says:\n%v", what, expression,
				p.eval(`document.activeElement.outerHTML.slice(0, 200)`), p.eval(`document.body.innerText`))
		}
		if err := chromedp.Do(p.ctx, chromedp.Sleep(20*time.Millisecond)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// eval is the value of a JavaScript expression.
func (p *page) eval(expression string) any {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// text is what is written in the element that a selector finds.
func (p *page) text(selector string) string {
	p.t.Helper()
	found, _ := p.eval(`document.querySelector(` + quoted(selector) + `)?.innerText ?? ''`).(string)
	return found
}

func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(data)
}
