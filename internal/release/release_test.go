package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/balcao/balcao/internal/settings"
	"github.com/balcao/balcao/internal/words"
)

// theRoot is the directory of the module.
const theRoot = "../.."

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// validate fails the test if an object breaks a schema in testdata.
func validate(t *testing.T, schema string, o object) {
	t.Helper()
	if err := check(t, schema, o); err != nil {
		t.Errorf("%s: %v", schema, err)
	}
}

func check(t *testing.T, schema string, o object) error {
	t.Helper()
	compiled, err := jsonschema.NewCompiler().Compile("testdata/" + schema)
	must(t, err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(encoded(o)))
	must(t, err)
	return compiled.Validate(document)
}

// What a person installs starts with nothing filled in, on the sandbox bank, and offers the tools that its manifest lists.
func TestABundleRunsAsItsManifestSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, thisPlatform.file("built"))
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./cmd/mcpserver")
	build.Dir = theRoot
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server, err := ask(t.Context(), exec.Command(program, "-playground"))
	must(t, err)
	icon, err := os.ReadFile(filepath.Join(theRoot, "mcpapp/page", iconName))
	must(t, err)
	manifest := bundleManifest("1.2.0", thisPlatform, server)
	validate(t, "mcpb-manifest-v0.3.schema.json", manifest)

	var written bytes.Buffer
	must(t, writeBundle(&written, manifest, thisPlatform, program, icon))
	installed := filepath.Join(dir, "installed")
	unpack(t, written.Bytes(), installed)
	var read struct {
		Icon   string
		Server struct {
			EntryPoint string `json:"entry_point"`
			Config     struct {
				Command string
				Args    []string
				Env     map[string]string
			} `json:"mcp_config"`
		}
		Tools   []struct{ Name, Description string }
		Options map[string]struct{ Default any } `json:"user_config"`
	}
	data, err := os.ReadFile(filepath.Join(installed, "manifest.json"))
	must(t, err)
	must(t, json.Unmarshal(data, &read))
	for _, file := range []string{read.Icon, read.Server.EntryPoint} {
		if _, err := os.Stat(filepath.Join(installed, file)); err != nil {
			t.Errorf("%s is not in the bundle", file)
		}
	}
	filled := func(text string) string {
		text = strings.ReplaceAll(text, "${__dirname}", installed)
		for name, option := range read.Options {
			if value, is := option.Default.(bool); is {
				text = strings.ReplaceAll(text, "${user_config."+name+"}", map[bool]string{true: "true", false: "false"}[value])
			} else {
				text = strings.ReplaceAll(text, "${user_config."+name+"}", option.Default.(string))
			}
		}
		if strings.Contains(text, "${") {
			t.Errorf("%s is not filled in", text)
		}
		return text
	}
	command := exec.Command(filled(read.Server.Config.Command))
	for _, arg := range read.Server.Config.Args {
		command.Args = append(command.Args, filled(arg))
	}
	known := settingNames()
	for name, value := range read.Server.Config.Env {
		if !slices.Contains(known, name) {
			t.Errorf("%s is no setting", name)
		}
		command.Env = append(command.Env, name+"="+filled(value))
	}
	running, err := ask(t.Context(), command)
	must(t, err)
	if !reflect.DeepEqual(running, server) || len(read.Tools) != len(server.Tools) {
		t.Errorf("installed it offers %d tools, the manifest lists %d of %d", len(running.Tools), len(read.Tools), len(server.Tools))
	}
	for i, tool := range server.Tools {
		if read.Tools[i].Name != tool.Name || read.Tools[i].Description != tool.Description || tool.Description == "" {
			t.Errorf("the manifest lists %+v, the server %+v", read.Tools[i], tool)
		}
	}
	for _, lang := range words.Langs {
		text, err := os.ReadFile(filepath.Join(installed, "mcpb-resources", string(lang)+".json"))
		must(t, err)
		if !strings.Contains(string(text), say(lang, "bundle.description")) {
			t.Errorf("%s: %s", lang, text)
		}
	}
}

// settingNames lists the environment variables that the programs read.
func settingNames() (names []string) {
	of := reflect.TypeFor[settings.Settings]()
	for i := range of.NumField() {
		names = append(names, of.Field(i).Tag.Get("env"))
	}
	return names
}

func unpack(t *testing.T, bundle []byte, into string) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(bundle), int64(len(bundle)))
	must(t, err)
	for _, file := range archive.File {
		path := filepath.Join(into, filepath.FromSlash(file.Name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		content, err := file.Open()
		must(t, err)
		out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, file.Mode())
		must(t, err)
		_, err = io.Copy(out, content)
		must(t, err)
		must(t, out.Close())
	}
}

func TestABundleDependsOnNothingButItsContent(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "program")
	must(t, os.WriteFile(program, []byte("the program"), 0o600)) // whatever its mode
	for _, p := range platforms {
		var first, second bytes.Buffer
		manifest := bundleManifest("1.2.0", p, offered{})
		validate(t, "mcpb-manifest-v0.3.schema.json", manifest)
		must(t, writeBundle(&first, manifest, p, program, []byte("icon")))
		must(t, writeBundle(&second, manifest, p, program, []byte("icon")))
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: two bundles differ", p)
		}
		archive, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
		must(t, err)
		at := slices.IndexFunc(archive.File, func(f *zip.File) bool { return f.Name == p.program() })
		if at < 0 || archive.File[at].Mode() != fs.FileMode(0o755) {
			t.Errorf("%s: the program cannot be run", p)
		}
	}
}

func TestTheEntryForTheRegistryPassesItsSchema(t *testing.T) {
	t.Parallel()
	bundles := []bundle{{"balcao-darwin-arm64.mcpb", strings.Repeat("0a", 32)}, {"balcao-windows-amd64.mcpb", strings.Repeat("0b", 32)}}
	entry := serverJSON("1.2.0", bundles)
	validate(t, "server-2025-12-11.schema.json", entry)
	for i, each := range entry["packages"].([]object) {
		// The registry takes bundles from releases on GitHub only, with «mcp» in the address.
		want := "https://github.com/balcao/balcao/releases/download/v1.2.0/" + bundles[i].name
		if each["identifier"] != want || each["fileSha256"] != bundles[i].hash || each["version"] != entry["version"] {
			t.Errorf("got %v", each)
		}
	}
	if err := check(t, "server-2025-12-11.schema.json", serverJSON("1.2.0", []bundle{{"x", "no hash"}})); err == nil {
		t.Error("the schema takes what is no hash")
	}
}

func TestOnlyAVersionIsReleased(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "1.2.0", "v1.2", "v01.2.0", "v1.2.0+dirty", "latest", "v1.2.0 "} {
		out := filepath.Join(t.TempDir(), "dist")
		if err := (release{version: version, out: out}).build(t.Context()); err == nil || !strings.Contains(err.Error(), "not a version") {
			t.Errorf("%q: got %v", version, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: something was written", version)
		}
	}
	existing := t.TempDir()
	if err := (release{version: "v1.2.0", out: existing}).build(t.Context()); err == nil {
		t.Error("an old release is overwritten")
	}
	if _, err := platformsFor("linux"); err == nil {
		t.Error("half a platform is accepted")
	}
	if got, err := platformsFor("windows/arm64"); err != nil || len(got) != 1 || got[0].program() != "server/mcpserver.exe" || got[0].node() != "win32" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestChecksumsAreThoseOfTheFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("abc"), 0o600))
	must(t, release{out: dir}.checksums())
	got, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	must(t, err)
	if string(got) != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n" {
		t.Errorf("got %s", got)
	}
}
