package notifications

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// atOnce is how many tests run at once: more than there are processors, because the tests mostly wait for Redis and for
// short intervals.
const atOnce = "10"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" || f.Name == "test.fuzz" })
	if !given {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}
