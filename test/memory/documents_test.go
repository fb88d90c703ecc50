// Package memory measures how much memory a document takes on its way.
package memory

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/internal/testenv"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/portal/sandbox"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/tools/documents"
)

const (
	documentSize = 20_000_000 // bytes
	mostExtra    = 8_000_000
)

// What the package's test program does when another one has started it.
const (
	asBank    = "BALCAO_MEMORY_BANK"    // serve the sandbox, and print its address
	asMeasure = "BALCAO_MEMORY_MEASURE" // measure with the bank at this address
)

func TestMain(m *testing.M) {
	if os.Getenv(asBank) != "" {
		serveBank()
		return
	}
	os.Exit(m.Run())
}

// serveBank serves the sandbox until its standard input ends.
func serveBank() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(listener, sandbox.New(sandbox.Config{})) }()
	fmt.Println("http://" + listener.Addr().String())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// A process with a Runner sends a document of 20 MB from a file to a bank in another process, and fetches it again. The peak
// of its resident memory grows by less than 8 MB. It is built without the race detector, which takes a multiple.
func TestADocumentOf20MBTakesLessThan8MBOfMemory(t *testing.T) {
	program := filepath.Join(t.TempDir(), "memory.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-race=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bank := startBank(t, program)
	measure := exec.CommandContext(t.Context(), program, "-test.run", "^TestMeasure$", "-test.v")
	measure.Env = append(os.Environ(), asMeasure+"="+bank)
	out, err := measure.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, after, found := strings.Cut(string(out), "extra bytes: ")
	text, _, _ := strings.Cut(after, "\n")
	extra, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if !found || err != nil || extra <= 0 {
		t.Fatalf("it measured nothing: %s", out)
	}
	t.Logf("%d bytes of extra memory for %d bytes up and down", extra, documentSize)
	if extra >= mostExtra {
		t.Errorf("%d bytes of extra memory", extra)
	}
}

// startBank starts a bank in a process of its own and returns its address.
func startBank(t testing.TB, program string) string {
	t.Helper()
	bank := exec.CommandContext(t.Context(), program)
	bank.Env = append(os.Environ(), asBank+"=1")
	in, err := bank.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := bank.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bank.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), bank.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// TestMeasure does nothing unless TestADocumentOf20MBTakesLessThan8MBOfMemory has started it.
func TestMeasure(t *testing.T) {
	bank := os.Getenv(asMeasure)
	if bank == "" {
		return
	}
	w := newWay(t, bank)
	w.there(t, 1_000_000) // what is made once, such as buffers of connections, is no document's
	runtime.GC()
	debug.FreeOSMemory()
	before := resetPeak(t)
	w.there(t, documentSize)
	fmt.Printf("extra bytes: %d\n", peak(t)-before)
}

// way sends documents to a bank and fetches them.
type way struct {
	*testenv.Env
	dir string
}

func newWay(t testing.TB, bank string) way {
	t.Helper()
	e := testenv.Start(t, testenv.Options{Portal: func(c *portal.Config) { c.BaseURL = bank }})
	w := way{e, t.TempDir()}
	e.AddFileSource("file", w)
	return w
}

// Open implements [tools.FileSource]: the file of a reference is in the directory.
func (w way) Open(_ context.Context, _ tools.Actor, file tools.FileRef, max int64) (tools.FileRef, *spool.File, error) {
	name := strings.TrimPrefix(file.ID, "file:")
	from, err := os.Open(filepath.Join(w.dir, name))
	if err != nil {
		return file, nil, tools.ErrNoFile
	}
	defer from.Close()
	content, err := spool.Read(from, max)
	file.Name = pii.New[pii.Private](name)
	return file, content, err
}

// there sends a document of a size and fetches it again.
func (w way) there(t testing.TB, size int64) {
	t.Helper()
	name, sum := w.write(t, size)
	args := fmt.Sprintf(`{"process":"1042","documentTypeId":203,"files":["file:%s"]}`, name)
	added := w.MustCall(t, "add_document", args).Output.(documents.DocumentsAdded)
	result := w.MustCall(t, "get_document", fmt.Sprintf(`{"process":"1042","document":"%s"}`, added.Added[0].Document))
	defer result.Close()
	reader, err := result.Card.File.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	hash := sha256.New()
	if n, err := io.Copy(hash, reader); err != nil || n != size || !bytes.Equal(hash.Sum(nil), sum) {
		t.Fatalf("%d bytes came back, %v", n, err)
	}
}

var written int

// write writes a PDF of a size that no compression makes smaller, a piece at a time. It returns its name and hash.
func (w way) write(t testing.TB, size int64) (name string, sum []byte) {
	t.Helper()
	written++
	name = fmt.Sprintf("%d.pdf", written)
	file, err := os.Create(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	both := io.MultiWriter(file, hash)
	piece := sha256.Sum256([]byte(name))
	_, err = io.WriteString(both, "%PDF-1.7\n")
	for left := size - 9; left > 0 && err == nil; left -= int64(len(piece)) {
		piece = sha256.Sum256(piece[:])
		_, err = both.Write(piece[:min(left, int64(len(piece)))])
	}
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return name, hash.Sum(nil)
}

// resetPeak makes the peak of the resident memory its present size, and returns it.
func resetPeak(t testing.TB) int64 {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return peak(t)
}

// peak returns the peak of the resident memory in bytes.
func peak(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscanf(line, "%d kB", &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// BenchmarkDocument sends a document of 20 MB and fetches it; the bank is another process.
func BenchmarkDocument(b *testing.B) {
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	w := newWay(b, startBank(b, program))
	b.SetBytes(2 * documentSize)
	b.ReportAllocs()
	for b.Loop() {
		w.there(b, documentSize)
	}
}
