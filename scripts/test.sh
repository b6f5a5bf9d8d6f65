#!/usr/bin/env bash
# Tests everything in a few minutes: formatting, lints, documentation, the demonstration, every example
# of the pages, every test.
#
# Needs Rust and nothing else. A test that needs more (Python, network namespaces) prints "skipped: python3 not found"
# where it is missing; with LAB_NO_SKIP=1 a skip is a failure. LAB_HANDOUT=FOLDER adds the handout's own Python
# programs to the peers of the tests. scripts/test-long.sh tests what takes longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/steps.sh

step "formatting"
component fmt --all --check

step "the demonstration"
mkdir -p target
if ! scripts/demo.sh >target/demo.txt 2>&1; then
    cat target/demo.txt >&2
    exit 1
fi
tail -n 14 target/demo.txt

step "the examples of the pages"
if ! command -v python3 >/dev/null; then
    skip "python3 not found"
elif ! command -v ip >/dev/null || ! unshare -rn true 2>/dev/null; then
    skip "unshare -rn or ip not found"
else
    scripts/check-docs.py --self-test 2>/dev/null
    scripts/check-docs.py
fi

step "lints"
component clippy --quiet --workspace --all-targets --all-features -- --deny warnings

step "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --workspace --all-features --no-deps

step "tests: compiling"
cargo test --quiet --workspace --all-features --lib --tests --no-run

step "tests"
run_tests --workspace --all-features --lib --tests

step "examples in the documentation"
cargo test --quiet --workspace --all-features --doc

step "done"
