package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/balcao/balcao/internal/browsertest"
	"github.com/balcao/balcao/internal/logtest"
	"github.com/balcao/balcao/internal/waittest"
)

// playgroundProcess is a playground in a process of its own.
type playgroundProcess struct {
	*exec.Cmd
	stdout *bufio.Reader
	page   string
	stderr *logtest.Log
}

// startPlaygroundProcess starts a playground and reads its banner.
func startPlaygroundProcess(t *testing.T, args ...string) playgroundProcess {
	t.Helper()
	program := playgroundProcess{Cmd: exec.Command(buildProgram(t), append([]string{"-playground", "-addr", "127.0.0.1:0"}, args...)...), stderr: &logtest.Log{}}
	program.Env, program.Stderr = []string{"LANG=en_GB.UTF-8", "HOME=" + t.TempDir()}, program.stderr
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = program.Process.Kill()
		_ = program.Wait()
	})
	program.stdout = bufio.NewReader(out)
	for line := ""; !strings.HasPrefix(line, "Open the simulated Slack"); {
		if line, err = program.stdout.ReadString('\n'); err != nil {
			t.Fatalf("the banner breaks off: %v\n%s", err, program.stderr)
		}
		if _, url, found := strings.Cut(line, "simulated Slack:"); found {
			program.page = strings.TrimSpace(url)
		}
	}
	return program
}

func TestAPlaygroundLogsNothingAndEndsAtOnceInTheBrowser(t *testing.T) {
	t.Parallel()
	program := startPlaygroundProcess(t)
	if log := program.stderr.String(); log != "" {
		t.Errorf("before the banner it logs\n%s", log)
	}
	page := browsertest.Open(t, program.page+"?user=U0ANA")
	page.Until("one card is there, with what moved", cards+`.length === 1 && `+firstThread+`.length === 1`)
	if others := page.Eval(channelMessages + `.length`); others != 1.0 {
		t.Errorf("%v messages are in the channel, want one", others)
	}
	for width, height := range map[int64]int64{1280: 860, 390: 500} { // where the card is higher than the page
		page.Do(chromedp.EmulateViewport(width, height), chromedp.Reload())
		page.Until("the card is there again", cards+`.length === 1`)
		if top := page.Eval(`document.querySelector('#messages').scrollTop`); top != 0.0 {
			t.Errorf("at %d the page opens %v below its top", width, top)
		}
		page.Until("its title is visible", `(() => {
			const title = `+cards+`[0].querySelector('h3, h2, .header, .content').getBoundingClientRect(), list = document.querySelector('#messages').getBoundingClientRect()
			return title.top >= list.top && title.top < list.bottom })()`)
	}

	t.Run("a taken port is one line", func(t *testing.T) {
		addr := strings.TrimSuffix(strings.TrimPrefix(program.page, "http://"), "/")
		var stdout, stderr bytes.Buffer
		second := exec.Command(program.Path, "-playground", "-addr", addr)
		second.Env, second.Stdout, second.Stderr = program.Env, &stdout, &stderr
		_ = second.Run()
		if said := stderr.String(); second.ProcessState.ExitCode() != 1 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "-addr") || !strings.Contains(said, addr) || stdout.Len() > 0 {
			t.Errorf("exits with %d and says\n%s%s", second.ProcessState.ExitCode(), said, stdout.String())
		}
	})

	began := time.Now()
	if err := program.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(program.stdout)
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if took := time.Since(began); took > shutdownTimeout/2 {
		t.Errorf("with a tab open it takes %s to end", took)
	}
	if string(rest) != "Balcão has stopped.\n" {
		t.Errorf("at the end it says %q", rest)
	}
	if log := program.stderr.String(); log != "" {
		t.Errorf("the log says\n%s", log)
	}
}

func TestTheVerboseFlagLogsCalls(t *testing.T) {
	t.Parallel()
	program := startPlaygroundProcess(t, "-v")
	waittest.Eventually(t, "a call is logged", func() bool { return strings.Contains(program.stderr.String(), "level=INFO msg=call") })
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// environ returns the settings of the harness with changes to them.
func (h *harness) environ(change ...string) map[string]string {
	environ := map[string]string{}
	for _, setting := range append(h.env, change...) {
		name, value, _ := strings.Cut(setting, "=")
		environ[name] = value
	}
	return environ
}

// runInProcess runs the program in this process, with the settings of the harness and changes to them, until stop is called.
func (h *harness) runInProcess(t *testing.T, change ...string) (said *logtest.Log, stop func() int) {
	t.Helper()
	environ := h.environ(change...)
	ctx, cancel := context.WithCancel(t.Context())
	said, ended := &logtest.Log{}, make(chan int, 1)
	go func() { ended <- run(ctx, nil, environ, said, h.logs) }()
	return said, func() int { cancel(); return <-ended }
}
