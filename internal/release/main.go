// Command release builds what a version consists of: both programs for each platform, MCP bundles (.mcpb) for assistants on a
// person's own machine, the entry for the MCP registry (server.json), and the checksums of all. script/release runs it.
package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/balcao/balcao/internal/words"
)

//go:embed words
var wordFiles embed.FS

var texts = words.Sub(wordFiles, "words")

func say(lang words.Lang, key string) string { return texts.Say(lang, key, nil) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	version := flag.String("version", "", "the version, such as v1.2.0")
	out := flag.String("out", "dist", "the directory to write to, which must not exist")
	only := flag.String("platform", "", "build for one platform only, such as linux/amd64")
	flag.Parse()
	built, err := platformsFor(*only)
	if err == nil {
		err = release{version: *version, out: *out, platforms: built}.build(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// platform is what a program is built for, as Go names it.
type platform struct{ os, arch string }

// platforms are those of a release.
var platforms = []platform{{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}}

// thisPlatform is the one that this program runs on.
var thisPlatform = platform{runtime.GOOS, runtime.GOARCH}

func platformsFor(only string) ([]platform, error) {
	if only == "" {
		return platforms, nil
	}
	system, arch, ok := strings.Cut(only, "/")
	if !ok {
		return nil, fmt.Errorf("%q is not a platform such as linux/amd64", only)
	}
	return []platform{{system, arch}}, nil
}

// String returns the platform in the name of a file.
func (p platform) String() string { return p.os + "-" + p.arch }

// file returns the name of a program's file.
func (p platform) file(program string) string {
	if p.os == "windows" {
		return program + ".exe"
	}
	return program
}

// program is the path of the MCP server in a bundle.
func (p platform) program() string { return "server/" + p.file("mcpserver") }

// node returns the operating system as manifests of bundles name it.
func (p platform) node() string {
	if p.os == "windows" {
		return "win32"
	}
	return p.os
}

// versionPattern matches a version by Semantic Versioning, with the v of a tag.
var versionPattern = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

// release is a version to build.
type release struct {
	version   string
	out       string // a directory that does not exist yet
	platforms []platform
}

// build builds everything from the module in the working directory.
func (r release) build(ctx context.Context) error {
	if !versionPattern.MatchString(r.version) {
		return fmt.Errorf("%q is not a version such as v1.2.0", r.version)
	}
	if err := os.Mkdir(r.out, 0o755); err != nil {
		return err
	}
	icon, err := os.ReadFile(filepath.Join("mcpapp", "page", iconName))
	if err != nil {
		return err
	}
	server, err := r.offered(ctx)
	if err != nil {
		return fmt.Errorf("asking the server what it offers: %w", err)
	}
	var bundles []bundle
	for _, p := range r.platforms {
		for _, program := range []string{"slackbot", "mcpserver"} {
			if err := r.compile(ctx, p, program, r.program(p, program)); err != nil {
				return err
			}
		}
		name := "balcao-" + p.String() + ".mcpb"
		if err := r.write(name, func(out io.Writer) error {
			return writeBundle(out, bundleManifest(r.number(), p, server), p, r.program(p, "mcpserver"), icon)
		}); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		hash, err := hashOf(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		bundles = append(bundles, bundle{name, hash})
	}
	if err := r.write("server.json", func(out io.Writer) error {
		_, err := io.WriteString(out, encoded(serverJSON(r.number(), bundles)))
		return err
	}); err != nil {
		return err
	}
	return r.checksums()
}

// number returns the version without the v of a tag.
func (r release) number() string { return strings.TrimPrefix(r.version, "v") }

// program returns the path of a program that was built.
func (r release) program(p platform, program string) string {
	return filepath.Join(r.out, p.file(program+"-"+p.String()))
}

// compile builds a program without cgo, and without anything that depends on where or when it is built.
func (r release) compile(ctx context.Context, p platform, program, path string) error {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -X github.com/balcao/balcao/internal/version.released="+r.version, "-o", path, "./cmd/"+program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s for %s: %w\n%s", program, p, err, out)
	}
	return nil
}

// write writes a file of the release.
func (r release) write(name string, content func(io.Writer) error) error {
	file, err := os.Create(filepath.Join(r.out, name))
	if err != nil {
		return err
	}
	return errors.Join(content(file), file.Close())
}

// checksums writes the SHA-256 of every file, as sha256sum prints and checks it.
func (r release) checksums() error {
	files, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, file := range files {
		hash, err := hashOf(filepath.Join(r.out, file.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s  %s\n", hash, file.Name())
	}
	return r.write("SHA256SUMS", func(out io.Writer) error {
		_, err := io.WriteString(out, lines.String())
		return err
	})
}

func hashOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("hashing %s: %w", filepath.Base(path), err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
