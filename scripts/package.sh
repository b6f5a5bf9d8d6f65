#!/usr/bin/env bash
# Makes archives of all programs, which need nothing installed, in target/packages/: a tar.gz for Linux (x86-64, static), a
# zip for Windows (x86-64) and a tar.gz for macOS (ARM), which is linked here and not run. In each are the programs,
# completions for shells, manual pages, the pages for students and the licences.
#
#   scripts/package.sh [--target linux|windows|macos]... [--quick] [--check]
#
# Without --target all three. --check starts the programs: those for Linux in a root folder with nothing in it but them, those
# for Windows under Wine (scripts/windows.sh); it packs the archives again, and builds a program again, from another folder,
# which must be the same to the byte. --quick packs programs that are not optimised, as windows.sh builds them, and builds
# none again: it shows that everything works.
#
# Needs Debian's packages rustc-web, cargo-web, rust-web-src, and for Windows mingw-w64 and wine; PyPI's ziglang. An archive for
# which one is missing is skipped by name. SOURCE_DATE_EPOCH is the time of all files; without it that of the last commit.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/steps.sh
source scripts/lib/cross.sh

# The most that the programs of an archive may take together, in bytes.
most=40000000

usage() {
    echo "package: usage: scripts/package.sh [--target linux|windows|macos]... [--quick] [--check]" >&2
    exit 2
}
systems=() check='' quick='' profile=dist out=dist
while [ $# -gt 0 ]; do
    case $1 in
        --check) check=yes ;;
        --quick) quick=yes profile=quick out=quick ;;
        --target)
            case ${2-} in linux | windows | macos) systems+=("$2") ;; *) usage ;; esac
            shift
            ;;
        *) usage ;;
    esac
    shift
done
[ ${#systems[@]} -gt 0 ] || systems=(linux windows macos)

fail() {
    echo "package: $1" >&2
    exit 1
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
packages=$(cd "$cross_folder/.." 2>/dev/null && pwd || (mkdir -p "$cross_folder/.." && cd "$cross_folder/.." && pwd))/packages
mkdir -p "$packages"
if [ -z "${SOURCE_DATE_EPOCH-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.lock)
fi
export SOURCE_DATE_EPOCH
scratch=$(mktemp -d)
started=()
tidy() {
    local process
    for process in "${started[@]}"; do
        kill "$process" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap tidy EXIT

ending() {
    [ "$1" != windows ] || echo .exe
}

# Compiles programs for a system: its name, then cargo's arguments.
compile() {
    local system=$1
    shift
    [ "$system" != macos ] || local -x CARGO_PROFILE_DIST_STRIP=none
    cross_cargo "$system" build --quiet --locked --profile "$profile" "$@"
}

# Runs a program of a folder, whichever system it is for.
start() {
    local system=$1 folder=$2 program=$3
    shift 3
    case $system in
        linux) "$folder/$program" "$@" ;;
        windows) wine "$folder/$program.exe" "$@" ;;
    esac
}

# Writes completions and manual pages of all programs into a folder: the system that they are for, the programs' folder.
documents() {
    local system=$1 bin=$2 folder=$3 program page subcommand
    mkdir -p "$folder"/completions/{bash,fish,powershell,zsh} "$folder/man/man1"
    for program in "${programs[@]}"; do
        start "$system" "$bin" "$program" --completions bash >"$folder/completions/bash/$program"
        start "$system" "$bin" "$program" --completions fish >"$folder/completions/fish/$program.fish"
        start "$system" "$bin" "$program" --completions powershell >"$folder/completions/powershell/$program.ps1"
        start "$system" "$bin" "$program" --completions zsh >"$folder/completions/zsh/_$program"
        page=$folder/man/man1/$program.1
        start "$system" "$bin" "$program" --man >"$page"
        # The page lists those of the subcommands: "naming\-serve(1)".
        for subcommand in $(sed -n "s/^${program//-/\\\\\\\\-}"'\\-\(.*\)(1)$/\1/p' "$page"); do
            start "$system" "$bin" "$program" "${subcommand//\\/}" --man >"$folder/man/man1/$program-${subcommand//\\/}.1"
        done
    done
}

# Lays out an archive's folder, and packs it.
package() {
    local system=$1 triple name folder program built size source
    triple=$(cross_triple "$system")
    case $system in
        linux) name=linux-x86_64 ;;
        windows) name=windows-x86_64 ;;
        macos) name=macos-arm64-not-run ;;
    esac
    name=distributed-systems-lab-$version-$name
    folder=$scratch/$name
    compile "$system" "${programs[@]/#/--package=}"
    mkdir -p "$folder/bin" "$folder/docs"
    for program in "${programs[@]}"; do
        built=$cross_folder/$triple/$out/$program$(ending "$system")
        install -m 755 "$built" "$folder/bin/"
        case $system$quick in
            linuxyes) strip "$folder/bin/$program" ;;
            windowsyes) x86_64-w64-mingw32-strip "$folder/bin/$program.exe" ;;
        esac
    done
    size=$(cat "$folder"/bin/* | wc -c)
    [ "$size" -le $most ] || [ -n "$quick" ] || fail "$system: the programs take $size bytes, more than $most"
    if [ "$system" = windows ]; then
        wine_prepare
        mkdir -p "$scratch/wine"
        cp "$folder"/bin/* "$scratch/wine/"
        wine_library "$scratch/wine"
        documents windows "$scratch/wine" "$folder"
    else
        # What is for macOS cannot be run here.
        documents linux "$cross_folder/$(cross_triple linux)/$out" "$folder"
    fi
    cp LICENSE-MIT LICENSE-APACHE "$folder/"
    scripts/lib/licences.py "$triple" >"$folder/LICENSES-OF-LIBRARIES.txt"
    cp scripts/lib/archive.md "$folder/README.md"
    cp -r docs/student docs/reference docs/pictures "$folder/docs/"
    # In the archive, programs are not run by cargo.
    sed -i -E 's/cargo run (--release |-q )*-p ([a-z-]+) -- /\2 /g; s/cargo run (--release |-q )*-p ([a-z-]+)/\2/g' "$folder"/docs/*/*.md
    # The sources that the pages show.
    for source in crates/*/src/handout.rs $(grep -ohE 'crates/[a-z/_-]+\.rs' docs/student/*.md | sort -u); do
        install -D -m 644 "$source" "$folder/$source"
    done
    archive=$packages/$name.tar.gz
    [ "$system" != windows ] || archive=$packages/$name.zip
    scripts/lib/archive.py "$folder" "$archive"
    printf '%s: %s bytes, %s unpacked, of which the programs %s\n' "${archive##*/}" "$(wc -c <"$archive")" \
        "$(find "$folder" -type f -exec cat {} + | wc -c)" "$size"
    if [ -n "$check" ]; then
        scripts/lib/archive.py "$folder" "$scratch/again.${archive##*.}"
        cmp "$archive" "$scratch/again.${archive##*.}" || fail "$archive: packed twice it is not the same"
        check_links "$folder"
    fi
}

# Every file that the pages for students name is in the archive.
check_links() {
    local page link
    for page in "$1"/README.md "$1"/docs/student/*.md; do
        for link in $(grep -oE '\]\([^)# ]+' "$page" | sed 's/^](//' | grep -v '^http'); do
            [ -e "$(dirname "$page")/$link" ] || fail "${page#"$1/"}: $link: no such file"
        done
    done
}

# Builds a program from another folder, into another: it must be the same to the byte.
check_same() {
    local system=$1 program=thread-client first
    first=$cross_folder/$(cross_triple "$system")/$out/$program$(ending "$system")
    mkdir "$scratch/elsewhere"
    cp -r Cargo.toml Cargo.lock crates scripts "$scratch/elsewhere/"
    (
        cd "$scratch/elsewhere"
        cross_folder=$PWD/made
        # With all packages, as their features are those of the programs that are compiled together.
        compile "$system" "${programs[@]/#/--package=}" --bin "$program"
    )
    cmp "$first" "$scratch/elsewhere/made/${first#"$cross_folder/"}" || fail "$program for $system: built twice it is not the same"
    rm -rf "$scratch/elsewhere"
    echo "$program built from another folder is the same to the byte"
}

# Waits until a file has a line with this text.
wait_for() {
    local file=$1 text=$2 tries=0
    until grep -qF -- "$text" "$file" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -le 400 ] || fail "no \"$text\" in $file: $(cat "$file" "${file%.out}.err" 2>/dev/null)"
        sleep 0.05
    done
}

# The four experiments with the programs in a root folder, in a network namespace, whose ports are free.
experiments() {
    local root=$1 answers=$scratch/answers server
    launch() {
        chroot "$root" "/$@" >"$answers/$1.out" 2>"$answers/$1.err" </dev/null &
        server=$!
        started+=("$server")
        wait_for "$answers/$1.err" "listening on "
    }
    stop() {
        kill -INT "$server"
        wait "$server" || fail "$1 ended with code $?: $(cat "$answers/$1.err")"
    }
    shows() {
        local text=$1
        shift
        chroot "$root" "/$@" >"$answers/answer" 2>&1 || fail "$* ended with code $?: $(cat "$answers/answer")"
        grep -qF -- "$text" "$answers/answer" || fail "$*: no \"$text\" in: $(cat "$answers/answer")"
        echo "  $*: $(grep -F -- "$text" "$answers/answer" | head -n 1)"
    }
    mkdir -p "$answers"
    ip link set lo up
    launch thread-server
    shows "Received from server: Hello from server" thread-client
    shows "20 clients: 20 answered, none failed" thread-client --clients 20
    stop thread-server
    launch mcast-server
    shows "1 message" mcast-client --message "hello all"
    wait_for "$answers/mcast-server.out" "Received data: hello all [multicast]"
    stop mcast-server
    shows "IP address of region1 server1: 192.168.1.2" naming
    launch naming serve
    shows "IP address of region1 server1: 192.168.1.2" naming resolve region1/server1 --server 127.0.0.1:5300
    stop naming
    shows "Clock2 Time after receiving: 2" lamport
    shows "every request granted" lamport simulate mutex --show 0
    shows "distinct states" lamport check mutex --processes 2 --max-clock 4
    # Programs that start others find themselves in /proc.
    mkdir "$root/proc"
    mount --rbind /proc "$root/proc"
    shows "every request granted" lamport run mutex --processes 3 --for 1s
}

# Called by check_linux, in the namespace.
if [ "${PACKAGE_ROOT-}" ]; then
    experiments "$PACKAGE_ROOT"
    exit
fi

check_linux() {
    local root=$scratch/root
    mkdir "$root" "$scratch/linux"
    tar -xzf "$archive" -C "$scratch/linux"
    cp "$scratch/linux"/*/bin/* "$root/"
    if ! command -v ip >/dev/null || ! unshare -rn true 2>/dev/null; then
        skip "unshare -rn or ip not found"
        return
    fi
    echo "in a root folder with nothing in it but the programs:"
    PACKAGE_ROOT=$root unshare -rnm scripts/package.sh || fail "the programs for Linux"
}

check_windows() {
    python3 -m zipfile -e "$archive" "$scratch/windows"
    scripts/windows.sh "$scratch"/windows/*/bin
}

mkdir -p "$cross_folder"
linux_is_there=
for system in "${systems[@]}"; do
    step "$system"
    wine=
    [ "$system" != windows ] || wine=wine
    missing=$(cross_missing "$system" $wine)
    if [ -n "$missing" ]; then
        skip "$missing not found"
        continue
    fi
    if [ "$system" = macos ] && [ -z "$linux_is_there" ]; then
        compile linux "${programs[@]/#/--package=}"
    fi
    package "$system"
    [ "$system" != linux ] || linux_is_there=yes
    if [ -n "$check" ]; then
        case $system in
            linux) check_linux ;;
            windows) check_windows ;;
        esac
        [ -n "$quick" ] || [ "$system" = macos ] || check_same "$system"
    fi
done
step "done"
