//! A disk that is full for a while: updates are refused then, nothing acknowledged is lost, and the server goes on.

use common::testing;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// Registers names until the disk is full, makes room, and kills the server. `$LIMIT` runs before the server: a limit of its
/// files, or nothing. `$FULL` fills the disk; `$ROOM` makes room again.
const SCRIPT: &str = r#"
    mkdir disk
    mount -t tmpfs -o size=16m tmpfs disk
    serve() {
        : >server.err
        ( eval "$LIMIT"; exec "$NAMING" serve --listen 127.0.0.1:5300 --store disk/lab.redb ) 2>server.err >/dev/null &
        server=$!
        until grep -q listening server.err; do kill -0 $server || { cat server.err; exit 3; }; sleep 0.01; done
    }
    trap 'kill $server 2>/dev/null || true' EXIT
    big=$(head -c 20000 /dev/zero | tr '\0' x)
    register() { "$NAMING" register "$1" "text:$1$big" --server 127.0.0.1:5300 --quiet >/dev/null 2>>register.err; }
    : >acknowledged; : >refused
    serve
    register first; echo first >>acknowledged
    eval "$FULL"
    number=0
    while register "a$number"; do
        echo "a$number" >>acknowledged
        number=$((number + 1)); [ $number -lt 2000 ] || exit 4
    done
    echo "a$number" >>refused
    grep -q SERVFAIL register.err || { cat register.err; exit 5; }
    kill -0 $server || exit 6
    eval "$ROOM"
    number=0
    until register "b$number"; do
        echo "b$number" >>refused
        number=$((number + 1)); [ $number -lt 100 ] || { cat server.err; exit 7; }
        sleep 0.1
    done
    echo "b$number" >>acknowledged
    register last; echo last >>acknowledged
    kill -9 $server
    wait $server 2>/dev/null || true
    check=$("$NAMING" store check disk/lab.redb)
    LIMIT=:
    serve
    has() { "$NAMING" resolve "$1" --type TXT --server 127.0.0.1:5300 --short --quiet 2>/dev/null | grep -q "$1xxx"; }
    for name in $(cat acknowledged); do has $name || { echo "$name is lost"; exit 8; }; done
    for name in $(cat refused); do ! has $name || { echo "$name is there"; exit 9; }; done
    kill $server; wait $server
    echo "$(wc -l <acknowledged) $check"
"#;

fn fill(limit: &str, full: &str, room: &str) {
    let script = format!("cat >script <<'END'\n{SCRIPT}\nEND\nexec unshare -m sh -eu script\n");
    let variables = [
        ("NAMING", NAMING),
        ("LIMIT", limit),
        ("FULL", full),
        ("ROOM", room),
    ];
    let Some(finished) = testing::in_namespace(&script, &variables) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let names = finished.out.split_whitespace().next().unwrap();
    assert!(names.parse::<u32>().unwrap() >= 3, "{finished:?}");
    assert!(finished.out.contains("sound, "), "{finished:?}");
}

#[test]
fn what_was_acknowledged_outlives_a_full_disk() {
    fill(
        ":",
        "dd if=/dev/zero of=disk/filler bs=4096 2>/dev/null || true",
        "rm disk/filler",
    );
}

#[test]
fn what_was_acknowledged_outlives_a_limit_of_file_sizes() {
    if testing::have_program("prlimit") {
        fill(
            "ulimit -S -f 4096",
            ":",
            "prlimit --pid $server --fsize=unlimited",
        );
    }
}
