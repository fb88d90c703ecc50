package doctor

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/balcao/balcao/internal/words"
)

// bar is a progress bar on a terminal. It is removed at the end.
type bar struct {
	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	lang words.Lang
}

// newBar returns a progress bar for the checks of these parts, or nil if w is no terminal.
func newBar(w io.Writer, lang words.Lang, parts []Part) *bar {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	checks := 0
	for _, part := range parts {
		checks += len(part.Checks)
	}
	return &bar{lang: lang, bar: progressbar.NewOptions(checks,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true))}
}

// Begin implements [Progress].
func (b *bar) Begin(part, subject string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bar.Describe(pad(text(b.lang, "part."+part)+": "+subjectText(b.lang, subject), 34))
}

// End implements [Progress].
func (b *bar) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.bar.Add(1) // the terminal may be gone
}

func (b *bar) finish() { _ = b.bar.Finish() }
