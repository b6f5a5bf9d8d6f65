#!/usr/bin/env bash
# Explores the interleavings of the threads in our own concurrent code:
#
#   lamport   the atomic clock of the benchmark       all interleavings, with weak memory (loom)
#   naming    the published zones                     the same
#   common    the journal: sources, writer, terminal  many random interleavings (shuttle)
#
#   scripts/interleavings.sh
#
# Builds in target/interleavings, with its own flags; takes about a minute when nothing is built yet.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -eq 0 ] || { echo "interleavings: usage: scripts/interleavings.sh" >&2; exit 2; }
target=${CARGO_TARGET_DIR:-target}/interleavings
mkdir -p "$target"

# One kind of threads at a time: cfg, package, target.
try() {
    printf '\n== %s, by %s\n' "$2" "$1"
    CARGO_TARGET_DIR=$target/$1 RUSTFLAGS="--cfg $1" cargo test --quiet -p "$2" $3 interleavings | tee "$target/output"
    # A filter that matches no test is an error.
    if grep -q '^running 0 tests' "$target/output"; then
        echo "interleavings: $2: no test is called interleavings" >&2
        exit 1
    fi
}

try loom lamport "--test atomic_clock"
try loom naming --lib
try shuttle common --lib
