// Command compile builds a program of the workspace as program in the directory SOULBOX_BUILD.
//
// A program that is one package and imports nothing but the standard library goes straight to the compiler and the
// linker, with the packages that the image holds compiled: `go build` spends more time on finding out that its cache is
// right than both of them on a small program. Everything else is left to `go build`.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	library  = "/usr/lib/soulbox"
	packages = library + "/importcfg"
)

// Where the program goes: SOULBOX_BUILD, so that programs of one sandbox can be built beside each other.
var output = "/tmp/build"

func main() {
	if directory := os.Getenv("SOULBOX_BUILD"); directory != "" {
		output = directory
	}
	if len(os.Args) != 2 {
		fail(errors.New("usage: compile FILE"))
	}
	entry := filepath.Clean(os.Args[1])
	if _, err := os.Stat(entry); err != nil {
		fail(err)
	}
	if err := os.MkdirAll(output, 0o755); err != nil {
		fail(err)
	}
	files, ok := plainProgram(entry)
	if !ok {
		goBuild(entry)
	}
	tools, err := os.ReadFile(library + "/tools")
	if err != nil {
		fail(err)
	}
	directory := strings.TrimSpace(string(tools))
	archive := output + "/main.a"
	compile := []string{"-o", archive, "-p", "main", "-complete", "-importcfg", packages, "-pack"}
	if !run(directory+"/compile", append(compile, files...)) {
		os.Exit(1)
	}
	// Tracebacks need neither the symbol table nor DWARF.
	if !run(directory+"/link", []string{"-s", "-w", "-importcfg", packages, "-o", output + "/program", archive}) {
		os.Exit(1)
	}
	os.Remove(archive)
}

// plainProgram returns the files of the program when it needs the compiler and the linker only.
func plainProgram(entry string) ([]string, bool) {
	if found(filepath.Dir(entry), "go.mod") || found(filepath.Dir(entry), "go.work") {
		return nil, false
	}
	candidates, ok := programFiles(entry)
	if !ok {
		return nil, false
	}
	known, err := knownPackages()
	if err != nil {
		return nil, false
	}
	context := build.Default
	context.CgoEnabled = false
	files := []string{}
	for _, path := range candidates {
		directory, name := filepath.Split(path)
		if matched, err := context.MatchFile(directory, name); err != nil || !matched {
			if path == entry {
				return nil, false
			}
			continue
		}
		if !importsOnly(path, known) {
			return nil, false
		}
		files = append(files, "./"+path)
	}
	return files, true
}

// programFiles returns the Go files beside a main.go, or else the one file; no program of other languages' files.
func programFiles(entry string) ([]string, bool) {
	if filepath.Base(entry) != "main.go" {
		return []string{entry}, strings.HasSuffix(entry, ".go")
	}
	names, err := os.ReadDir(filepath.Dir(entry))
	if err != nil {
		return nil, false
	}
	files := []string{}
	for _, file := range names {
		name := file.Name()
		switch filepath.Ext(name) {
		case ".go":
			if !strings.HasSuffix(name, "_test.go") && name[0] != '_' && name[0] != '.' {
				files = append(files, filepath.Join(filepath.Dir(entry), name))
			}
		case ".s", ".syso":
			return nil, false
		}
	}
	return files, true
}

// importsOnly tells whether a file belongs to package main and imports known packages, with no directive to `go build`.
func importsOnly(path string, known map[string]bool) bool {
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte("//go:embed")) || bytes.Contains(text, []byte("//go:debug")) {
		return false
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
	if err != nil || file.Name.Name != "main" {
		return false
	}
	for _, declaration := range file.Imports {
		name, err := strconv.Unquote(declaration.Path.Value)
		if err != nil || !known[name] && name != "unsafe" || strings.Contains(name, "internal") ||
			strings.HasPrefix(name, "vendor/") {
			return false
		}
	}
	return true
}

// knownPackages reads the names of the compiled packages.
func knownPackages() (map[string]bool, error) {
	file, err := os.Open(packages)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	known := map[string]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, _, ok := strings.Cut(strings.TrimPrefix(lines.Text(), "packagefile "), "="); ok {
			known[name] = true
		}
	}
	return known, nil
}

// found tells whether a file of that name is in a directory or in one above it, up to the workspace.
func found(directory, name string) bool {
	for {
		if _, err := os.Stat(filepath.Join(directory, name)); err == nil {
			return true
		}
		if directory == "." || directory == "/" {
			return false
		}
		directory = filepath.Dir(directory)
	}
}

// run starts a tool and shows what it says under the heading that `go build` gives it.
func run(path string, arguments []string) bool {
	command := exec.Command(path, arguments...)
	text, err := command.CombinedOutput()
	if len(text) > 0 {
		fmt.Fprintln(os.Stderr, "# command-line-arguments")
	}
	os.Stderr.Write(text)
	if err != nil && len(text) == 0 {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(path), err)
	}
	return err == nil
}

// goBuild becomes `go build`: of the directory of a main.go, or else of the one file.
func goBuild(entry string) {
	target := "./" + entry
	if filepath.Base(entry) == "main.go" {
		target = "./" + filepath.Dir(entry)
	}
	arguments := []string{"go", "build", "-ldflags=-s -w", "-o", output + "/program", target}
	fail(syscall.Exec("/usr/bin/go", arguments, os.Environ()))
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "compile: %v\n", err)
	os.Exit(1)
}
