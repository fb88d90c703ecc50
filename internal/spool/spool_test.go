package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/balcao/balcao/internal/spool"
	"github.com/balcao/balcao/internal/waittest"
)

// content returns bytes that are the same in each run.
func content(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	source.Read(data)
	return data
}

// read returns all of a file.
func read(t *testing.T, file *spool.File) []byte {
	t.Helper()
	reader, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	data, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sizes are sizes around what is in memory and what is encrypted at once.
var sizes = []int{0, 1, 3071, 3072, 3073, 16 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 5*16<<10 - 40, 5 * 16 << 10, 1<<20 + 7}

func TestAContentIsReadAsItWasWrittenAnyNumberOfTimes(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		data := content(size)
		for name, from := range map[string]io.Reader{
			"at once": bytes.NewReader(data), "in halves": iotest.HalfReader(bytes.NewReader(data)), "with the end": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			file, err := spool.Read(from, int64(size))
			if err != nil {
				t.Fatalf("%d bytes %s: %v", size, name, err)
			}
			if file.Size() != int64(size) || !bytes.Equal(file.Head(), data[:min(size, 3072)]) {
				t.Errorf("%d bytes %s: size %d, %d bytes of head", size, name, file.Size(), len(file.Head()))
			}
			for range 2 {
				if !bytes.Equal(read(t, file), data) {
					t.Errorf("%d bytes %s: other bytes", size, name)
				}
			}
			if err := errors.Join(file.Close(), file.Close()); err != nil {
				t.Error(err)
			}
			if _, err := file.Open(); err == nil {
				t.Errorf("%d bytes %s: open after it is closed", size, name)
			}
		}
	}
}

func TestTwoReadersOfAFileDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	data := content(200 << 10)
	file, err := spool.Read(bytes.NewReader(data), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	slow, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 70<<10)
	if _, err := io.ReadFull(slow, first); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, file), data) {
		t.Error("the second reader gets other bytes")
	}
	if rest, err := io.ReadAll(slow); err != nil || !bytes.Equal(append(first, rest...), data) {
		t.Errorf("the first reader gets other bytes: %v", err)
	}
}

func TestAContentThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	for _, max := range []int64{0, 10, 64 << 10, 200 << 10} {
		if _, err := spool.Read(bytes.NewReader(content(int(max)+1)), max); !errors.Is(err, spool.ErrTooLarge) {
			t.Errorf("of at most %d bytes: got %v", max, err)
		}
		writer := spool.NewWriter(max)
		writer.Write(content(int(max) + 1))
		if _, err := writer.Write(nil); !errors.Is(err, spool.ErrTooLarge) {
			t.Errorf("of at most %d bytes, writing on: %v", max, err)
		}
		if _, err := writer.File(); !errors.Is(err, spool.ErrTooLarge) {
			t.Errorf("of at most %d bytes, ending: %v", max, err)
		}
		if err := writer.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := spool.Read(iotest.ErrReader(io.ErrUnexpectedEOF), 10); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// The directory is set for the process, so the test is not parallel.
func TestNothingOfAContentIsLeftOnDisk(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	writer := spool.NewWriter(1 << 20)
	writer.Write(content(100 << 10))
	file, err := writer.File()
	if err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("there are %v, %v", names, err)
	}
	if size := openFiles(t, dir); len(size) != 1 || size[0] <= 100<<10 {
		t.Fatalf("the open files are of %v bytes", size)
	}
	file.Close()
	if size := openFiles(t, dir); len(size) != 0 {
		t.Errorf("after it is closed, the open files are of %v bytes", size)
	}
	unfinished := spool.NewWriter(1 << 20)
	unfinished.Write(content(100 << 10))
	unfinished.Close()
	if size := openFiles(t, dir); len(size) != 0 {
		t.Errorf("after a writer is closed, the open files are of %v bytes", size)
	}
	func() {
		forgotten, err := spool.Read(bytes.NewReader(content(100<<10)), 1<<20)
		if err != nil || len(openFiles(t, dir)) != 1 {
			t.Errorf("%v, %v", forgotten, err)
		}
	}()
	waittest.Eventually(t, "a file that nobody closes is closed", func() bool {
		runtime.GC()
		return len(openFiles(t, dir)) == 0
	})
}

// openFiles returns the sizes of the files of a directory that the process has open, though they have no name.
func openFiles(t *testing.T, dir string) (sizes []int64) {
	t.Helper()
	for _, path := range opened(t, dir) {
		if info, err := os.Stat(path); err == nil {
			sizes = append(sizes, info.Size())
		}
	}
	return sizes
}

func opened(t *testing.T, dir string) (paths []string) {
	t.Helper()
	handles, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, handle := range handles {
		if target, err := os.Readlink(handle); err == nil && strings.HasPrefix(target, dir) {
			paths = append(paths, handle)
		}
	}
	return paths
}

func TestAContentOnDiskIsEncrypted(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	text := strings.Repeat("Maria Exemplo, 299999998. ", 10_000)
	file, err := spool.Read(strings.NewReader(text), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	paths := opened(t, dir)
	if len(paths) != 1 {
		t.Fatalf("open are %v", paths)
	}
	stored, err := os.ReadFile(paths[0])
	if err != nil || len(stored) < len(text) {
		t.Fatalf("%d bytes, %v", len(stored), err)
	}
	if bytes.Contains(stored, []byte("Exemplo")) || bytes.Contains(stored, []byte("2999")) {
		t.Error("the content can be read on disk")
	}
	if string(read(t, file)) != text {
		t.Error("other bytes are read")
	}
	changed, err := os.OpenFile(paths[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer changed.Close()
	if _, err := changed.WriteAt([]byte{stored[1000] ^ 1}, 1000); err != nil {
		t.Fatal(err)
	}
	reader, err := file.Open()
	if err == nil {
		_, err = io.ReadAll(reader)
	}
	if err == nil {
		t.Error("a changed file is read")
	}
	if err := changed.Truncate(50_000); err != nil {
		t.Fatal(err)
	}
	if reader, err = file.Open(); err == nil {
		_, err = io.ReadAll(reader)
	}
	if err == nil || strings.Contains(err.Error(), dir) {
		t.Errorf("of a cut file: %v", err)
	}
}

func TestOneCannotStoreWithoutADirectory(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "Maria Exemplo"))
	small, err := spool.Read(strings.NewReader("small"), 10)
	if err != nil || string(read(t, small)) != "small" {
		t.Errorf("a small content needs no file: %v", err)
	}
	_, err = spool.Read(bytes.NewReader(content(100<<10)), 1<<20)
	if err == nil || strings.Contains(err.Error(), "Exemplo") {
		t.Errorf("got %v", err)
	}
}

func TestNothingButTheSizeIsPrinted(t *testing.T) {
	t.Parallel()
	file, err := spool.Read(strings.NewReader("secret"), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if got := fmt.Sprintf(verb, file); got != "content of 6 bytes" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	var none *spool.File
	if none.Size() != 0 || len(none.Head()) != 0 || none.Close() != nil || len(read(t, none)) != 0 {
		t.Error("no file is not empty")
	}
}

func BenchmarkSpool(b *testing.B) {
	data := content(20 << 20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		file, err := spool.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			b.Fatal(err)
		}
		reader, err := file.Open()
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, reader); err != nil || n != int64(len(data)) {
			b.Fatal(n, err)
		}
		file.Close()
	}
}
