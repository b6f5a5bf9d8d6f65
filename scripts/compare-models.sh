#!/usr/bin/env bash
# Puts the same loads on every model of thread-server; prints a table and draws a picture.
#
#   scripts/compare-models.sh [--quick]    two minutes; with --quick half a minute, for a test of the script
#
# The picture is target/compare-models.svg. Needs Python 3 beside Rust.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -gt 1 ] || [ "${1---quick}" != --quick ]; then
    echo "compare-models: usage: scripts/compare-models.sh [--quick]" >&2
    exit 2
fi
command -v python3 >/dev/null || { echo "compare-models: python3: not found" >&2; exit 2; }
target=$PWD/${CARGO_TARGET_DIR:-target}
[[ ${CARGO_TARGET_DIR-} = /* ]] && target=$CARGO_TARGET_DIR
profile=release
[ $# -eq 0 ] || profile=dev
built=${profile/dev/debug}
cargo build --quiet --profile "$profile" -p thread-server -p thread-client
ulimit -n "$(ulimit -Hn)"
exec python3 scripts/bench/compare_models.py "$target/$built" "$target/compare-models.svg" "${1-}"
