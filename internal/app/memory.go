package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/balcao/balcao/internal/pause"
)

// How much garbage there may be, in percent of what is in use: little during the start, which leaves much at once, and more
// afterwards, when collecting it takes time from every call.
const (
	garbageAtStart = 25
	garbageServing = 300
)

// startTime is how long a start takes at least. The first reading of the bank's lists may take longer.
const startTime = 5 * time.Second

// The program is idle if it allocates less than idleBytes in idleTime, which is what a few calls a second do. It collects
// garbage then if garbageBytes were allocated since the last time.
const (
	idleTime     = 5 * time.Second
	idleBytes    = 2 << 20
	garbageBytes = 1 << 20
)

// SetGCPercent sets the garbage collector for the start, unless GOGC is set.
func SetGCPercent() { setGCPercent(garbageAtStart) }

// ReleaseMemory gives memory back to the system after the start, and then as long as the program is idle, until ctx ends:
// garbage, and the pages of the program's code and constants, which the system maps again when they are used. After the start
// it lets more garbage collect, unless GOGC is set.
func ReleaseMemory(ctx context.Context) {
	if !pause.For(ctx, startTime) {
		return
	}
	debug.FreeOSMemory()
	releaseCode()
	setGCPercent(garbageServing)
	collected := allocated()
	for before := collected; pause.For(ctx, idleTime); {
		now := allocated()
		if now-before < idleBytes {
			if now-collected >= garbageBytes {
				debug.FreeOSMemory()
				collected = now
			}
			releaseCode()
		}
		before = now
	}
}

// allocated returns how many bytes the program has allocated since its start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func setGCPercent(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
