#!/bin/sh
# Runs in the new root, as root, after the packages are installed.
set -eu

library=/usr/lib/soulbox
directory=$(mktemp -d)

# Debian keeps the JDK's own sources out; these are for debuggers and packagers.
rm -rf /usr/lib/jvm/*/jmods /usr/lib/jvm/*/man

javac -d "$directory/classes" "$library/Compile.java"
jar --create --file "$library/compile.jar" -C "$directory/classes" soulbox

# The compiler's classes, parsed and laid out once, for the collector and compiler that the recipe runs it with. The
# archive is made while it compiles something with most of the language in it.
mkdir "$directory/workspace"
cp "$library/Sample.java" "$directory/workspace/Main.java"
cd "$directory/workspace"
options="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"
java $options -XX:ArchiveClassesAtExit="$library/compile.jsa" \
    -cp "$library/compile.jar" soulbox.Compile Main.java 2>"$directory/log" || { cat "$directory/log" >&2; exit 1; }
test -s "$library/compile.jsa"

# The image is refused when it cannot run what it compiled.
java $options @/tmp/build/launch | grep -q '^55$'
rm -rf "$directory" /tmp/build /tmp/hsperfdata_root
