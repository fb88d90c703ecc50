// Package lisbon is the time zone of the bank and of its brokers. It brings its own data, for machines that have none.
package lisbon

import (
	"time"
	_ "time/tzdata"
)

// Zone is Europe/Lisbon.
var Zone = load()

func load() *time.Location {
	zone, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		panic(err) // the data is compiled in
	}
	return zone
}
