#!/bin/sh
# Runs in the new root, as root, after the packages are installed.
set -eu

# The image is refused when it cannot start.
node -e 'require("worker_threads"); require("crypto").createHash("sha256")'
