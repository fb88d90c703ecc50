// Package version names the version of this program, as the Go tool recorded it in the binary.
package version

import "runtime/debug"

// released is the version of a release, which internal/release sets when it builds the program.
var released string

// String returns the version of the release or of the main module: a tag such as v1.2.0, a pseudo-version of the commit, or «devel» if the
// binary was built without version control, as by go run and go test.
func String() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	return of(info)
}

const devel = "devel"

func of(info *debug.BuildInfo) string {
	if info.Main.Version == "" || info.Main.Version == "(devel)" {
		return devel
	}
	return info.Main.Version
}
