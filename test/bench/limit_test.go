package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A limit is given for each period, so short that nobody waits long for the next one.
const limitPeriod = 10 * time.Millisecond

// limitCPU limits a process to a part of one core, as the limit of a container does. It needs control groups of the kernel
// and the right to make one, and returns an error without.
func limitCPU(b *testing.B, p *process, cores float64) error {
	b.Helper()
	period := limitPeriod.Microseconds()
	quota := int64(cores * float64(period))
	name, pid := fmt.Sprintf("balcao-bench-%d", p.cmd.Process.Pid), strconv.Itoa(p.cmd.Process.Pid)
	one := filepath.Join("/sys/fs/cgroup/cpu", name) // version 1
	two := filepath.Join("/sys/fs/cgroup", name)     // version 2
	err := limitIn(b, p, one, [][2]string{{"cpu.cfs_period_us", strconv.FormatInt(period, 10)}, {"cpu.cfs_quota_us", strconv.FormatInt(quota, 10)}, {"cgroup.procs", pid}})
	if err == nil {
		return nil
	}
	return errors.Join(err, limitIn(b, p, two, [][2]string{{"cpu.max", fmt.Sprintf("%d %d", quota, period)}, {"cgroup.procs", pid}}))
}

// limitIn makes a control group and writes to its files.
func limitIn(b *testing.B, p *process, group string, files [][2]string) error {
	if err := os.Mkdir(group, 0o755); err != nil {
		return err
	}
	b.Cleanup(func() {
		p.stop() // a group with a process in it stays
		if err := os.Remove(group); err != nil {
			b.Error(err)
		}
	})
	for _, file := range files {
		if err := writeExisting(filepath.Join(group, file[0]), file[1]); err != nil {
			return err
		}
	}
	return nil
}

// writeExisting writes to a file that the kernel made. A directory that is no control group has none.
func writeExisting(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
