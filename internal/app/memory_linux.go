package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// mapping is a part of the address space, as /proc/self/smaps describes it.
type mapping struct {
	from, to uintptr
	path     string
	readOnly bool
	changed  bool // it has pages that differ from the file, which must stay
}

// releaseCode unmaps the pages of the program's file that nobody has changed. They stay in the system's cache of files. It
// does nothing where the system does not say what is mapped, or while a debugger is attached, whose breakpoints would be lost.
func releaseCode() {
	if status, err := os.ReadFile("/proc/self/status"); err != nil || isTraced(string(status)) {
		return
	}
	for _, m := range code() {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_DONTNEED) // an advice may be refused
	}
}

// isTraced reports whether the status of a process, as in /proc/self/status, names a debugger.
func isTraced(status string) bool {
	_, tracer, told := strings.Cut(status, "\nTracerPid:\t")
	return told && !strings.HasPrefix(tracer, "0\n")
}

// code are the mappings of the program's file that are read only and unchanged. They stay as they are.
var code = sync.OnceValue(func() (found []mapping) {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	for _, m := range mappings() {
		if m.path == program && m.readOnly && !m.changed {
			found = append(found, m)
		}
	}
	return found
})

// mappings reads what is mapped.
func mappings() (all []mapping) {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		if from, to, is := bounds(name); is {
			rights, rest, _ := strings.Cut(rest, " ")
			m := mapping{from: from, to: to, readOnly: !strings.Contains(rights, "w")}
			if fields := strings.Fields(rest); len(fields) > 3 {
				m.path = fields[3]
			}
			all = append(all, m)
		}
		if last := len(all) - 1; (name == "Anonymous:" || name == "Swap:") && last >= 0 && strings.TrimSpace(rest) != "0 kB" {
			all[last].changed = true
		}
	}
	return all
}

// bounds reads the first field of a mapping: «00400000-0159f000».
func bounds(text string) (from, to uintptr, is bool) {
	first, last, is := strings.Cut(text, "-")
	if !is { // as of most lines, for which errors would be made
		return 0, 0, false
	}
	a, err := strconv.ParseUint(first, 16, 64)
	b, err2 := strconv.ParseUint(last, 16, 64)
	return uintptr(a), uintptr(b), err == nil && err2 == nil && a < b
}
