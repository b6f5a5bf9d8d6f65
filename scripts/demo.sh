#!/usr/bin/env bash
# The four experiments of the lab, run for real on this machine's loopback interface, with free ports.
#
# Needs Rust and nothing else: no root, no Python and, once built, no network. The event logs are left in target/demo/. Exit code: 0
# every step showed what it must, 1 one did not.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=${CARGO_TARGET_DIR:-$root/target}/debug
# A folder of its own until it is done, so that several can run at once.
demo=target/demo.$$
cd "$root"

# Nothing from outside decides what is shown.
unset "${!THREAD_@}" "${!MCAST_@}" "${!NAMING_@}" "${!LAMPORT_@}" LAB_CONFIG LAB_CLIENT
export LAB_RUN=demo

step="starting"

fail() {
    echo >&2
    echo "demo: FAILED in \"$step\": $1" >&2
    echo "demo: what the programs printed is in $demo" >&2
    trap - ERR
    exit 1
}

# However it ends, no program of its own stays behind.
tidy() {
    local process
    for process in $(jobs -p); do
        kill "$process" 2>/dev/null || true
    done
}
trap tidy EXIT
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
trap 'exit 130' INT TERM

title() {
    step=$1
    printf '\n=== %s\n\n' "$1"
}

say() {
    printf '  %s\n' "$1"
}

show() {
    sed 's/^/  | /' "$1"
}

# Waits until a file has a line with this text; what is waited for takes milliseconds.
wait_for() {
    local file=$1 text=$2 tries=0
    until grep -qF -- "$text" "$file" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -le 400 ] || fail "no \"$text\" in $file: $(cat "$file" 2>/dev/null)"
        sleep 0.05
    done
}

# A file must have exactly so many lines with this text.
expect() {
    local count=$1 text=$2 file=$3 found
    found=$(grep -cF -- "$text" "$file" || true)
    [ "$found" -eq "$count" ] || fail "$found lines with \"$text\" in $file, not $count"
}

# Starts a program in the background: its name in the demo, then the program and its flags.
launch() {
    local name=$1 program=$2
    shift 2
    # Without the first redirection the shell would give it an empty input.
    "$bin/$program" --name "$name" --log "$demo/$name.jsonl" "$@" <&0 >"$demo/$name.out" 2>"$demo/$name.err" &
}

# Interrupts a program that was launched, and requires that it ends well.
stop() {
    local process=$1
    kill -INT "$process"
    wait "$process" || fail "a program ended with code $?"
}

title "Building"
# scripts/test.sh has built them already.
[ -n "${LAB_BUILT-}" ] || cargo build --quiet --workspace
mkdir -p "$demo"
say "six programs in ${bin#"$root"/}"

title "Experiment 3, Processes: a server with a thread for each client"
launch thread-server thread-server --listen 127.0.0.1:0
server=$!
wait_for "$demo/thread-server.err" "listening on "
address=$(sed -n 's/^listening on //p' "$demo/thread-server.err")
say "thread-server listens on $address. One client prints:"
"$bin/thread-client" --connect "$address" --name thread-client --log "$demo/thread-client.jsonl" >"$demo/thread-client.out"
show "$demo/thread-client.out"
expect 1 "Received from server: Hello from server" "$demo/thread-client.out"
say "50 client processes at once:"
LAB_CLIENT=$bin/thread-client scripts/many-clients.sh 50 --connect "$address" --name client-{} --log "$demo/client-{}.jsonl" >"$demo/many-clients.out"
show "$demo/many-clients.out"
expect 1 "50 clients: 50 answered, 0 failed" "$demo/many-clients.out"
stop "$server"
say "What the server printed (its last four of $(wc -l <"$demo/thread-server.out" | tr -d ' ') lines), and its summary:"
tail -n 4 "$demo/thread-server.out" >"$demo/tail"
tail -n 1 "$demo/thread-server.err" >>"$demo/tail"
show "$demo/tail"
expect 51 "Connection from 127.0.0.1:" "$demo/thread-server.out"
expect 51 "Received: Hello server" "$demo/thread-server.out"
for event in accept receive send close; do
    expect 51 "\"event\":\"$event\"" "$demo/thread-server.jsonl"
done
say "Its log has all four events of each client: accept, receive, send, close."

title "Experiment 4, Communication: one message, many receivers"
launch mcast-server mcast-server --port 0
server=$!
wait_for "$demo/mcast-server.err" "listening on "
port=$(sed -n 's/^listening on 224\.1\.1\.1:\([0-9]*\),.*/\1/p' "$demo/mcast-server.err")
say "mcast-server and three mcast-clients join 224.1.1.1 port $port on the loopback interface."
members=("$server")
mkfifo "$demo/keyboard"
# Open for both, so that opening it waits for nobody.
exec 3<>"$demo/keyboard"
launch mcast-client-1 mcast-client --port "$port" <&3
members+=($!)
for number in 2 3; do
    launch "mcast-client-$number" mcast-client --port "$port" </dev/null
    members+=($!)
done
for number in 1 2 3; do
    wait_for "$demo/mcast-client-$number.err" "listening on "
done
say "Typed into the first client: 'Hello, group' and 'Goodbye'."
printf 'Hello, group\nGoodbye\n' >&3
for number in 1 2 3; do
    wait_for "$demo/mcast-client-$number.out" "Received message: Goodbye"
done
wait_for "$demo/mcast-server.out" "Received data: Goodbye"
say "Then one message by unicast to 127.0.0.1, and one by broadcast to 127.255.255.255."
"$bin/mcast-client" --name mcast-unicast --log "$demo/mcast-unicast.jsonl" --mode unicast --to 127.0.0.1 --port "$port" -m "To one of you" 2>"$demo/cost"
"$bin/mcast-client" --name mcast-broadcast --log "$demo/mcast-broadcast.jsonl" --mode broadcast --port "$port" -m "To everybody" 2>>"$demo/cost"
show "$demo/cost"
wait_for "$demo/mcast-server.out" "Received data: To everybody"
say "A stamped message carries its sender and its number, so that receivers count lost messages:"
"$bin/mcast-client" --name mcast-stamped --log "$demo/mcast-stamped.jsonl" --stamp --port "$port" -m "First of two" -m "Second of two" --quiet
for number in 1 2 3; do
    wait_for "$demo/mcast-client-$number.out" "Received message: Second of two"
done
wait_for "$demo/mcast-server.out" "Received data: Second of two"
for member in "${members[@]}"; do
    stop "$member"
done
exec 3>&-
say "The server printed:"
show "$demo/mcast-server.out"
tail -n 2 "$demo/mcast-server.err" >"$demo/tail"
show "$demo/tail"
expect 1 "2 datagrams, 0 lost, 0 duplicates, 0 reordered" "$demo/mcast-server.err"
for number in 1 2 3; do
    say "Client $number printed:"
    show "$demo/mcast-client-$number.out"
    expect 1 "Received message: Hello, group" "$demo/mcast-client-$number.out"
    expect 1 "Received message: To everybody" "$demo/mcast-client-$number.out"
done
expect 1 "Received data: Hello, group" "$demo/mcast-server.out"
cat "$demo"/mcast-*.out >"$demo/all.out"
expect 1 "To one of you" "$demo/all.out"
say "Multicast and broadcast reached all four. Unicast reached one: here all four share an address and a port, and"
say "the kernel gives a unicast datagram to only one of their sockets."
say "When nothing arrives, the doctor checks why:"
"$bin/mcast-server" doctor --port 0 >"$demo/doctor.out" 2>&1
show "$demo/doctor.out"
expect 1 ", 0 failures: multicast works here" "$demo/doctor.out"

title "Experiment 5, Naming: flat and structured"
"$bin/naming" --log "$demo/naming.jsonl" >"$demo/naming.out"
show "$demo/naming.out"
expect 1 "IP address of server1: 192.168.1.2" "$demo/naming.out"
expect 1 "IP address of region1 server1: 192.168.1.2" "$demo/naming.out"
say "A name that does not exist:"
code=0
"$bin/naming" structured region1/server9 >"$demo/naming-missing.out" 2>&1 || code=$?
show "$demo/naming-missing.out"
[ "$code" -eq 1 ] || fail "a missing name ended with code $code, not 1"
expect 1 "did you mean server1?" "$demo/naming-missing.out"
say "The same names as a name server, which any tool for DNS can ask; a new one is registered while it runs:"
"$bin/naming" serve --name naming-server --listen 127.0.0.1:0 --log "$demo/naming-server.jsonl" >"$demo/naming-server.out" 2>"$demo/naming-server.err" &
name_server=$!
wait_for "$demo/naming-server.err" "listening on "
address=$(sed -n 's/^listening on \([^,]*\),.*/\1/p' "$demo/naming-server.err")
{
    "$bin/naming" resolve region1/server1 --server "$address" --name naming-client --log "$demo/naming-client.jsonl"
    "$bin/naming" register region1/server5 10.0.0.5 --server "$address" --name naming-client --log "$demo/naming-client.jsonl"
    "$bin/naming" resolve region1/server5 10.0.0.5 --server "$address" --name naming-client --log "$demo/naming-client.jsonl"
} >"$demo/naming-client.out" 2>"$demo/naming-client.err"
show "$demo/naming-client.out"
expect 1 "IP address of region1 server5: 10.0.0.5" "$demo/naming-client.out"
expect 1 "name of 10.0.0.5: server5.region1.lab." "$demo/naming-client.out"
kill -TERM "$name_server"
wait "$name_server" || fail "the name server ended with code $?"
expect 1 "1 update made" "$demo/naming-server.err"

title "Experiment 6, Synchronization: Lamport's logical clocks"
"$bin/lamport" --log "$demo/lamport.jsonl" >"$demo/lamport.out"
show "$demo/lamport.out"
expect 1 "Clock1 Time after sending: 1" "$demo/lamport.out"
expect 1 "Clock2 Time after receiving: 2" "$demo/lamport.out"
say "Three processes share one lock, over UDP that loses, duplicates and reorders 10% of the frames each:"
"$bin/lamport" run mutex --processes 3 --for 1s --loss 10% --duplicate 10% --reorder 10% --logs "$demo/lamport-logs" >"$demo/lamport-run.out" 2>"$demo/lamport-run.err" ||
    fail "the verdict was: $(cat "$demo/lamport-run.out" "$demo/lamport-run.err")"
show "$demo/lamport-run.out"
expect 1 "at most one process in the critical section" "$demo/lamport-run.out"
say "The same run, replayed in the simulator to the last event:"
cat "$demo"/lamport-logs/p?.jsonl >"$demo/all.jsonl"
"$bin/lamport" simulate mutex --replay "$demo/all.jsonl" --show 0 >"$demo/lamport-again.out" 2>&1 ||
    fail "the verdict was: $(cat "$demo/lamport-again.out")"
head -n 1 "$demo/lamport-again.out" >"$demo/tail"
show "$demo/tail"
rm "$demo/all.jsonl"
for number in 1 2 3; do
    mv "$demo/lamport-logs/p$number.jsonl" "$demo/lamport-p$number.jsonl"
done
rmdir "$demo/lamport-logs"
say "The same algorithm with an injected bug, and a minimal counterexample:"
code=0
"$bin/lamport" simulate mutex --bug no-tie-break --show 0 >"$demo/lamport-bug.out" 2>&1 || code=$?
sed -n '/^minimal counterexample/,$p' "$demo/lamport-bug.out" | sed '$d' >"$demo/tail"
show "$demo/tail"
[ "$code" -eq 1 ] || fail "an injected bug ended with code $code, not 1"
expect 2 "FAIL  mutual exclusion" "$demo/lamport-bug.out"
expect 1 "FAIL  mutual exclusion" "$demo/tail"
say "The model checker visits every interleaving of the TLA+ module LamportMutex, with its published counts:"
"$bin/lamport" check mutex --processes 3 --max-clock 6 >"$demo/lamport-check.out" 2>&1 ||
    fail "the verdict was: $(cat "$demo/lamport-check.out")"
show "$demo/lamport-check.out"
expect 1 "724274 distinct states, depth 61, 2496351 generated (2729079 with" "$demo/lamport-check.out"

title "One picture: every program kept a log, and all of them are one distributed computation"
"$bin/lamport" trace "$demo" --check --html "$demo/run.html" >"$demo/trace.out" 2>"$demo/trace.err" ||
    fail "the verdict was: $(cat "$demo/trace.out" "$demo/trace.err")"
show "$demo/trace.out"
expect 1 "ok    received was sent" "$demo/trace.out"
expect 1 "ok    causes come first" "$demo/trace.out"
expect 1 " 0 lost, " "$demo/trace.out"
"$bin/lamport" trace "$demo"/mcast-{server,client-?,stamped}.jsonl --range 8..18 >"$demo/trace-part.out"
say "How four members receive a message of one multicast client:"
show "$demo/trace-part.out"
picture() {
    local name=$1
    shift
    "$bin/lamport" trace --svg "$demo/$name.svg" "$@" 2>"$demo/trace.err" || fail "$(cat "$demo/trace.err")"
}
picture processes "$demo"/thread-server.jsonl --axis wall --lanes thread
picture communication "$demo"/mcast-*.jsonl
picture naming "$demo"/naming-*.jsonl
picture synchronization "$demo"/lamport-p?.jsonl --range 0..70

title "Done"
rm -f "$demo/tail" "$demo/cost" "$demo/all.out" "$demo/keyboard"
rm -rf target/demo
mv "$demo" target/demo
say "Every step passed. Each program left its event log in target/demo/ (lines, name):"
(cd target/demo && wc -l ./*.jsonl) | grep -v " ./client-" | sed 's/^/  |/; s/\.\///'
say "(and client-1 to client-50 have one each). The page for the whole run: target/demo/run.html; a picture of each"
say "experiment: processes.svg, communication.svg, naming.svg, synchronization.svg."
