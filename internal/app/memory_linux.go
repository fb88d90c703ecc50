package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"
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
// does nothing where the system does not say what is mapped.
func releaseCode() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for _, m := range mappings() {
		if m.path == program && m.readOnly && !m.changed {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_DONTNEED) // an advice may be refused
		}
	}
}

// mappings reads what is mapped.
func mappings() (all []mapping) {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if from, to, is := bounds(fields[0]); is {
			m := mapping{from: from, to: to, readOnly: !strings.Contains(fields[1], "w")}
			if len(fields) > 5 {
				m.path = fields[5]
			}
			all = append(all, m)
			continue
		}
		switch name := fields[0]; name {
		case "Anonymous:", "Swap:":
			if last := len(all) - 1; last >= 0 && fields[1] != "0" {
				all[last].changed = true
			}
		}
	}
	return all
}

// bounds reads the first field of a mapping: «00400000-0159f000».
func bounds(text string) (from, to uintptr, is bool) {
	first, last, _ := strings.Cut(text, "-")
	a, err := strconv.ParseUint(first, 16, 64)
	b, err2 := strconv.ParseUint(last, 16, 64)
	return uintptr(a), uintptr(b), err == nil && err2 == nil && a < b
}
