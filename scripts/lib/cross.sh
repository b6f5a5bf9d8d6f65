# Compiles for other systems with Debian's Rust, whose package has the sources of the standard library, and with the C
# compilers of MinGW and zig. Sourced after steps.sh, with the current folder at the root of the repository; not run.
#
# A system is linux (static, with musl), macos, freebsd or windows.
cross_folder=${CARGO_TARGET_DIR:-$PWD/target}/cross
[[ $cross_folder = /* ]] || cross_folder=$PWD/$cross_folder
# Every crate of a program.
programs=(thread-server thread-client mcast-server mcast-client naming lamport grade)

# The name that Rust has for a system.
cross_triple() {
    case $1 in
        linux) echo x86_64-unknown-linux-musl ;;
        macos) echo aarch64-apple-darwin ;;
        freebsd) echo x86_64-unknown-freebsd ;;
        windows) echo x86_64-pc-windows-gnu ;;
    esac
}

# Prints what is missing here to compile for a system, or with `windows wine` to run its programs too; nothing where all
# is there.
cross_missing() {
    local missing=() minor
    # "rustc 1.96.0 (…)": Debian's own package of Rust is older, and has no sources for other systems.
    minor=$(/usr/bin/rustc --version 2>/dev/null | cut -d . -f 2)
    [ "${minor:-0}" -ge 90 ] && [ -x /usr/bin/cargo ] || missing+=(rustc-web cargo-web)
    [ -d "$(/usr/bin/rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library" ] || missing+=(rust-web-src)
    case $1 in
        windows) command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=(mingw-w64) ;;
        *) python3 -c 'import ziglang' 2>/dev/null || missing+=("ziglang of PyPI") ;;
    esac
    [ "${2-}" != wine ] || command -v wine >/dev/null || missing+=(wine)
    [ ${#missing[@]} -eq 0 ] || (IFS=, && echo "${missing[*]}")
}

# Runs cargo for a system: `cross_cargo windows build -p naming`. What it makes is in $cross_folder/TRIPLE.
cross_cargo() {
    local system=$1 command=$2 triple name zig=$PWD/scripts/lib/zig-cc
    shift 2
    triple=$(cross_triple "$system")
    name=${triple//-/_}
    local variables=(RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 "CARGO_TARGET_DIR=$cross_folder")
    variables+=("ZIG_GLOBAL_CACHE_DIR=$cross_folder/zig" "ZIG_LOCAL_CACHE_DIR=$cross_folder/zig")
    case $system in
        linux) variables+=(ZIG_TARGET=x86_64-linux-musl) ;;
        # Apple's SDK is not here; zig brings what is linked.
        macos) variables+=(ZIG_TARGET=aarch64-macos "SDKROOT=$cross_folder") ;;
        freebsd) variables+=(ZIG_TARGET=x86_64-freebsd) ;;
    esac
    if [ "$system" != windows ]; then
        variables+=("CC_$name=$zig" "CARGO_TARGET_${name^^}_LINKER=$zig")
    fi
    # No path of this machine stays in the programs.
    local flags="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    case $system in
        # zig brings musl's start files and library.
        linux) flags+=" -Clink-self-contained=no -Ctarget-feature=+crt-static" ;;
        # Nor the time at which they were linked.
        windows) flags+=" -Clink-arg=-Wl,--no-insert-timestamp" ;;
        # Apple's linker, which strips and signs, is not here; zig's does both.
        macos) flags+=" -Clink-arg=-s" ;;
    esac
    env "${variables[@]}" "CARGO_TARGET_${name^^}_RUSTFLAGS=$flags" \
        /usr/bin/cargo -Zbuild-std=std,panic_abort "$command" --target "$triple" "$@"
}

# Prepares Wine: a prefix of this repository's own, whose first start takes some seconds.
wine_prepare() {
    export WINEPREFIX=$cross_folder/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
    mkdir -p "$cross_folder"
    [ -d "$WINEPREFIX" ] || wine wineboot --init >/dev/null 2>&1
}

# Lays the library beside the programs in a folder that Wine 8 lacks, and from which every Rust program takes its random
# numbers.
wine_library() {
    cat >"$cross_folder/random.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) { return SystemFunction036(buffer, length); }
C
    x86_64-w64-mingw32-gcc -shared -o "$1/bcryptprimitives.dll" "$cross_folder/random.c" -ladvapi32
}
