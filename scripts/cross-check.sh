#!/usr/bin/env bash
# Checks that every crate compiles for the systems that it runs on beside Linux: macOS, FreeBSD, Windows. Nothing is run;
# scripts/windows.sh does that for Windows.
#
#   scripts/cross-check.sh [macos|freebsd|windows]...    all of them when none is named
#
# Needs Debian's packages rustc-web, cargo-web, rust-web-src and mingw-w64, and PyPI's ziglang. A system for which one is
# missing is skipped by name.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/steps.sh
source scripts/lib/cross.sh

systems=("$@")
[ $# -gt 0 ] || systems=(macos freebsd windows)
for system in "${systems[@]}"; do
    case $system in
        macos | freebsd | windows) ;;
        *)
            echo "cross-check: usage: scripts/cross-check.sh [macos|freebsd|windows]..." >&2
            exit 2
            ;;
    esac
done
for system in "${systems[@]}"; do
    step "$(cross_triple "$system")"
    missing=$(cross_missing "$system")
    if [ -n "$missing" ]; then
        skip "$missing not found"
        continue
    fi
    cross_cargo "$system" check --quiet --workspace
done
step "done"
