package app

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"github.com/balcao/balcao/internal/pause"
)

// How much garbage there may be, in percent of what is in use: little during the start, which leaves much at once, and more
// afterwards, when collecting it takes time from every call.
const (
	garbageAtStart = 50
	garbageServing = 300
)

// startTime is how long a start takes, with the first reading of the bank's lists.
const startTime = 5 * time.Second

// SetGCPercent sets the garbage collector for the start, unless GOGC is set.
func SetGCPercent() { setGCPercent(garbageAtStart) }

// SettleMemory waits for the end of the start, or of ctx. It gives back the memory that only a start needs: garbage, and the
// pages of the program's code and constants, which the system maps again when they are used. Then it lets more garbage
// collect, unless GOGC is set.
func SettleMemory(ctx context.Context) {
	if !pause.For(ctx, startTime) {
		return
	}
	debug.FreeOSMemory()
	releaseCode()
	setGCPercent(garbageServing)
}

func setGCPercent(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
