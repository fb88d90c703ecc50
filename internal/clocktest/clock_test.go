package clocktest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/balcao/balcao/internal/clocktest"
)

func TestAClockIsSetWhetherItGoesOrStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		goes, stands := new(clocktest.Clock), clocktest.At(began)
		for name, c := range map[string]struct {
			clock *clocktest.Clock
			went  time.Duration // within an hour
		}{"one that goes": {goes, time.Hour}, "one that stands": {stands, 0}} {
			synctest.Wait()
			if first := c.clock.Now(); !first.Equal(time.Now()) && !first.Equal(began) {
				t.Errorf("%s begins at %v", name, first)
			}
			c.clock.Set(began.Add(24 * time.Hour))
			c.clock.Add(time.Minute)
			c.clock.Add(-time.Second)
			before := c.clock.Now()
			if want := began.Add(24*time.Hour + 59*time.Second); !before.Equal(want) {
				t.Errorf("%s was set to %v, want %v", name, before, want)
			}
			time.Sleep(time.Hour)
			if went := c.clock.Now().Sub(before); went != c.went {
				t.Errorf("%s went by %v in an hour", name, went)
			}
		}
	})
}
