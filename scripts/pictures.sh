#!/usr/bin/env bash
# Makes the pictures of the documentation again, each from a run of the programs on this machine's loopback interface.
#
# Needs Rust and nothing else. Writes docs/pictures/ (not trace-scaling.svg, which the benchmark draws) and docs/trace/index.html.
# Exit code: 0 all are made, 1 one is not.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
bin=$target/debug
pictures=$root/docs/pictures

# Nothing from outside decides what is drawn.
unset "${!THREAD_@}" "${!MCAST_@}" "${!NAMING_@}" "${!LAMPORT_@}" LAB_CONFIG LAB_CLIENT
export LAB_RUN=pictures

(cd "$root" && "${CARGO:-cargo}" build --quiet -p thread-server -p thread-client -p mcast-server -p mcast-client -p naming -p lamport)
logs=$(mktemp -d "$target/pictures.XXXXXX")
tidy() {
    local process
    for process in $(jobs -p); do
        kill "$process" 2>/dev/null || true
    done
    rm -rf "$logs"
}
trap tidy EXIT
trap 'exit 130' INT TERM
# Its logs are named in the pictures without their folder.
cd "$logs"

# Waits until a file has a line with this text; what is waited for takes milliseconds.
wait_for() {
    local file=$1 text=$2 tries=0
    until grep -qF -- "$text" "$file" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -le 400 ] || { echo "pictures: no \"$text\" in $file" >&2; exit 1; }
        sleep 0.05
    done
}

# Starts a program in the background: its name in the run, then the program and its flags.
launch() {
    local name=$1 program=$2
    shift 2
    "$bin/$program" --name "$name" --log "$name.jsonl" "$@" <&0 >"$name.out" 2>"$name.err" &
}

# A picture of these logs: its name, then the arguments of `trace`.
draw() {
    local name=$1
    shift
    "$bin/lamport" trace "$@" --svg "$pictures/$name.svg" 2>/dev/null
    echo "docs/pictures/$name.svg"
}

# Twelve clients at once, of a server that needs 20 ms for each: the name of the picture, then the flags of the server.
threads() {
    local name=$1 server address
    shift
    mkdir "$name"
    cd "$name"
    launch server thread-server --listen 127.0.0.1:0 --work 20ms "$@" </dev/null
    server=$!
    wait_for server.err "listening on "
    address=$(sed -n 's/^listening on //p' server.err)
    launch clients thread-client --connect "$address" --clients 12 </dev/null
    wait $!
    kill -INT "$server"
    wait "$server"
    draw "$name" server.jsonl clients.jsonl --axis wall --lanes thread
    cd ..
}

threads threads
threads pool --model pool --workers 4

# One message typed by a member, then another, to three members and a server.
mkfifo keyboard
exec 3<>keyboard
launch mcast-server mcast-server --port 0 </dev/null
members=($!)
wait_for mcast-server.err "listening on "
port=$(sed -n 's/^listening on 224\.1\.1\.1:\([0-9]*\),.*/\1/p' mcast-server.err)
launch mcast-client-1 mcast-client --port "$port" <&3
members+=($!)
launch mcast-client-2 mcast-client --port "$port" </dev/null
members+=($!)
launch mcast-client-3 mcast-client --port "$port" </dev/null
members+=($!)
for number in 1 2 3; do
    wait_for "mcast-client-$number.err" "listening on "
done
for text in Hello Goodbye; do
    echo "$text" >&3
    for number in 1 2 3; do
        wait_for "mcast-client-$number.out" "Received message: $text"
    done
    wait_for mcast-server.out "Received data: $text"
done
for process in "${members[@]}"; do
    kill -INT "$process"
    wait "$process"
done
exec 3>&-
draw multicast mcast-*.jsonl

# A name is resolved, another registered and resolved.
launch naming-server naming serve --listen 127.0.0.1:0 </dev/null
server=$!
wait_for naming-server.err "listening on "
address=$(sed -n 's/^listening on \([^ ,]*\).*/\1/p' naming-server.err)
client() {
    local name=$1
    shift
    "$bin/naming" --name "$name" --log "$name.jsonl" "$@" --server "$address" >/dev/null
}
client resolver-1 resolve region1/server1
client registrar register region1/server9 127.0.0.9
client resolver-2 resolve region1/server9
kill -INT "$server"
wait "$server"
draw naming naming-server.jsonl resolver-1.jsonl registrar.jsonl resolver-2.jsonl

# The same seed gives the same figures.
"$bin/naming" compare --nodes 16..4096 --names 10000 --lookups 20000 --seed 7 --plot "$pictures/location.svg" >/dev/null 2>&1
echo docs/pictures/location.svg

# The same seed gives the same run, so these change only when the program does: the name of the picture, the scheme, then its flags.
location() {
    local name=$1 scheme=$2
    shift 2
    "$bin/naming" simulate "$scheme" --names 1 --show 0 --logs "$name" "$@" >/dev/null
    draw "$name" "$name" --axis wall
}
location location-broadcast broadcast --processes 4 --lookups 2 --moves 1 --seed 3
location location-forwarding forwarding-shortened --processes 5 --lookups 2 --moves 2 --seed 6
location location-home home --processes 4 --lookups 2 --moves 1 --seed 3
location location-chord chord --processes 6 --lookups 2 --moves 1 --seed 3
location location-hierarchical hierarchical --processes 4 --lookups 2 --moves 1 --seed 3

"$bin/lamport" simulate mutex --processes 3 --count 1 --seed 4 --show 0 --logs mutex >/dev/null
draw clocks mutex
"$bin/lamport" simulate bully --processes 3 --count 1 --crash p3@100ms --seed 7 --show 0 --logs terms >/dev/null
draw terms terms --axis wall
# One cut of two is inconsistent, which is a violation.
"$bin/lamport" simulate snapshot --channels unordered --count 4 --seed 41 --show 0 --logs cut >/dev/null || [ $? -eq 1 ]
draw cut cut
"$bin/lamport" simulate ntp --delay 1ms..3ms --slow 'p1>*:20ms@1s' --rate 20 --for 2s --show 0 --plot "$pictures/offsets.svg" >/dev/null
echo docs/pictures/offsets.svg
"$bin/lamport" simulate mutex --processes 4 --count 2 --loss 10% --duplicate 10% --seed 4 --show 0 --logs run >/dev/null
mkdir -p "$root/docs/trace"
"$bin/lamport" trace run --html "$root/docs/trace/index.html" 2>/dev/null
echo docs/trace/index.html
