#!/bin/sh
# Runs in the new root, as root, after the packages are installed.
set -eu

library=/usr/lib/soulbox
root=/usr/lib/go-1.24
ln -sf "$root/bin/go" /usr/bin/go
ln -sf "$root/bin/gofmt" /usr/bin/gofmt
rm -rf "$root/test" "$root/api" "$root/misc" /usr/share/go-1.24/test /usr/share/go-1.24/api /usr/share/go-1.24/misc

mkdir -p "$library/config/go/telemetry"
echo 'off 2024-01-01' >"$library/config/go/telemetry/mode"

# The same environment as in the recipe: it is part of the key of every entry of the cache.
export HOME=/tmp GOCACHE="$library/go-cache" GOPATH=/tmp/go GO111MODULE=auto GOFLAGS='-mod=mod -buildvcs=false' \
    GOPROXY=off GOSUMDB=off GOTOOLCHAIN=local CGO_ENABLED=0 XDG_CONFIG_HOME="$library/config"

# The standard library, compiled, and where each package of it lies: for the driver and for `go build`.
go list -export -f '{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}' std >"$library/importcfg"
go env GOTOOLDIR >"$library/tools"
cd "$library"
go build -ldflags='-s -w' -o compile compile.go

# The image is refused when it cannot compile, by either way.
directory=$(mktemp -d)
cd "$directory"
cat >main.go <<'GO'
package main

import "fmt"

func main() { fmt.Println(6 * 7) }
GO
"$library/compile" main.go
test "$(/tmp/build/program)" = 42
printf 'module example\n\ngo 1.24\n' >go.mod
"$library/compile" main.go
test "$(/tmp/build/program)" = 42
rm -rf "$directory" /tmp/build /tmp/go /tmp/.cache /tmp/.config

# Programs add entries of their own (to the sandbox's layer), so the directories belong to them. The entries themselves
# do not, and carry a date to come: `go build` would date each one it used, which copies it into that layer, and it
# would remove the old ones once a day.
chown -R 1000:1000 "$GOCACHE"
find "$GOCACHE" -type f -exec chown 0:0 {} +
find "$GOCACHE" -mindepth 2 -type f -exec touch -d 2100-01-01 {} +
