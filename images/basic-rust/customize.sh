#!/bin/sh
# Runs in the new root, as root, after the packages are installed.
set -eu

# Used by no Rust program: the C compiler is here to call the linker only.
cc1=$(gcc -print-prog-name=cc1)
lto1=$(gcc -print-prog-name=lto1)
rm -f "$cc1" "$lto1"
rm -rf /usr/lib/*/gprofng /usr/lib/gprofng /usr/bin/*gprofng* /usr/bin/*-gp-*

# The image is refused when it cannot compile.
directory=$(mktemp -d)
echo 'fn main() { println!("{}", std::thread::spawn(|| 6 * 7).join().unwrap()); }' >"$directory/main.rs"
rustc --edition=2021 --out-dir="$directory" -Clink-arg=-fuse-ld=mold -Clink-arg=-Wl,--strip-debug "$directory/main.rs"
test "$("$directory/main")" = 42
rm -rf "$directory"
