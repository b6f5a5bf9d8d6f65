# What the two test scripts share: a title for each step, and what is left out. Sourced, not run.

# Announces a step, and how long the script has run.
step() {
    printf '\n== %s (%d:%02d so far)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60))
}

# Reports what is left out, and why. Where everything is installed that is a failure.
skip() {
    if [ -n "${LAB_NO_SKIP-}" ]; then
        echo "skipped: $1, and LAB_NO_SKIP is set" >&2
        exit 1
    fi
    echo "skipped: $1"
}

# Runs a cargo command that comes as a component of its own.
component() {
    if cargo "$1" --version >/dev/null 2>&1; then
        cargo "$@"
    else
        skip "cargo $1 not found"
    fi
}
