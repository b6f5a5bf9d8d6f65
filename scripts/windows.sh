#!/usr/bin/env bash
# Builds every program for Windows and runs the four experiments with them under Wine: with each other, across the
# border with programs for Linux, and with what a person at Windows may type wrong.
#
#   scripts/windows.sh [FOLDER]    FOLDER has the programs already: a package, unpacked
#
# Needs Debian's packages rustc-web, cargo-web, rust-web-src, mingw-w64, wine64 and wine; where one is missing, all is
# skipped by name. Exit code: 0 every check passed, 1 one did not.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib/steps.sh
source scripts/lib/cross.sh

missing=$(cross_missing windows wine)
if [ -n "$missing" ]; then
    step "Windows"
    skip "$missing not found"
    exit 0
fi
# Nothing from outside decides what is shown.
unset "${!THREAD_@}" "${!MCAST_@}" "${!NAMING_@}" "${!LAMPORT_@}" LAB_CONFIG
export LAB_RUN=windows

step "Windows: compiling"
given=${1-}
if [ -n "$given" ]; then
    bin=$(cd "$given" && pwd)
else
    cross_cargo windows build --quiet --profile quick --workspace --bins
    bin=$cross_folder/$(cross_triple windows)/quick
fi
linux=${CARGO_TARGET_DIR:-$PWD/target}/debug
[[ $linux = /* ]] || linux=$PWD/$linux
# .ci/run has built them.
[ -n "${LAB_BUILT-}" ] || cargo build --quiet --workspace --bins
wine_prepare
[ -e "$bin/bcryptprimitives.dll" ] || wine_library "$bin"

# A folder for what the checks write. It stays for who reads what went wrong.
work=$PWD/target/windows
rm -rf "$work"
mkdir -p "$work"
failed=()

# Runs a check, a function, in a folder of its own, and prints a line about it.
check() {
    local what=$1 name=$2 folder=$work/$2 began=$EPOCHREALTIME code=0 took
    mkdir -p "$folder"
    # In the background, as errors end no function whose result is asked for.
    (
        cd "$folder"
        trap tidy EXIT
        "$name"
    ) >"$folder/said" 2>&1 </dev/null &
    wait $! || code=$?
    took=$(((${EPOCHREALTIME/./} - ${began/./}) / 100000))
    if [ $code -eq 0 ]; then
        printf '  ok    %s (%d.%d s)\n' "$what" $((took / 10)) $((took % 10))
        return
    fi
    printf '  FAIL  %s: code %d; %s has:\n' "$what" $code "${folder#"$PWD"/}"
    (cd "$folder" && tail -n 12 -- said ./*.out ./*.err 2>/dev/null) | sed 's/^/        | /'
    failed+=("$what")
}

# Ends what a check has started, however the check ends.
tidy() {
    local process
    for process in $(jobs -p); do
        kill -KILL "$process" 2>/dev/null || true
    done
}

fail() {
    echo "$1"
    exit 1
}

# Runs a program of this system, windows or linux, for a minute at most.
run() {
    local system=$1 program=$2
    shift 2
    case $system in
        windows) timeout --foreground --kill-after 5 60 wine "$bin/$program.exe" "$@" ;;
        linux) timeout --foreground --kill-after 5 60 "$linux/$program" "$@" ;;
    esac
}

# Starts a program in the background, and waits until it listens: its name in the check, the system, the program, its
# flags. `$process` is it, `$address` where it listens.
launch() {
    local name=$1 system=$2 program=$3
    shift 3
    local command=("$linux/$program")
    [ "$system" = linux ] || command=(wine "$bin/$program.exe")
    # Without the first redirection the shell would give it an empty input.
    "${command[@]}" --name "$name" --log "$name.jsonl" "$@" <&0 >"$name.out" 2>"$name.err" &
    process=$!
    wait_for "$name.err" "listening on "
    address=$(sed -n 's/^listening on \([^, ]*\).*/\1/p' "$name.err" | tr -d '\r')
}

# Waits until a file has a line with this text.
wait_for() {
    local file=$1 text=$2 tries=0
    until grep -qF -- "$text" "$file" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -le 600 ] || fail "no \"$text\" in $file"
        sleep 0.05
    done
}

# Stops a program by Ctrl-C, which for a program of Windows is SIGINT to Wine's process, and requires that it ends well.
stop() {
    local code=0 dog
    kill -INT "$1"
    (sleep 30 && kill -KILL "$1") &
    dog=$!
    wait "$1" || code=$?
    kill "$dog" 2>/dev/null || true
    [ $code -eq 0 ] || fail "a program ended with code $code after Ctrl-C"
}

# A file must have exactly so many lines with this text.
expect() {
    local count=$1 text=$2 file=$3 found
    found=$(grep -cF -- "$text" "$file" || true)
    [ "$found" -eq "$count" ] || fail "$found lines with \"$text\" in $file, not $count"
}

# Runs a program of Windows, which must refuse what it is given with this code and one line that has this text.
refuses() {
    local code=$1 text=$2 found=0
    shift 2
    run windows "$@" >refused.out 2>refused.err || found=$?
    [ "$found" -eq "$code" ] || fail "$*: code $found, not $code: $(cat refused.err)"
    [ "$(wc -l <refused.err)" -eq 1 ] || fail "$*: not one line: $(cat refused.err)"
    grep -qF -- "$text" refused.err || fail "$*: no \"$text\": $(cat refused.err)"
}

# The field of a summary, as `"answered":7` in the last line of a log.
counted() {
    tail -n 1 "$1" | grep -o "\"$2\":[0-9]*" | cut -d : -f 2
}

models=(iterative thread-per-connection pool prethreaded event-driven)

exchange() {
    local model
    for model in "${models[@]}"; do
        launch "$model" windows thread-server --listen 127.0.0.1:0 --model "$model"
        run windows thread-client --connect "$address" >"$model.client"
        expect 1 "Received from server: Hello from server" "$model.client"
        stop "$process"
        expect 1 "Connection from 127.0.0.1:" "$model.out"
        expect 1 "Received: Hello server" "$model.out"
        expect 1 "1 answered, 0 unanswered" "$model.err"
    done
}

sixth_model() {
    refuses 2 "thread-server: --model process-per-connection: " thread-server --model process-per-connection
    run windows thread-server --help >help.out
    expect 0 "process-per-connection" help.out
    expect 1 "event-driven" help.out
    expect 0 "USR1" help.out
}

at_once() {
    local model
    for model in thread-per-connection event-driven; do
        launch "$model" windows thread-server --listen 127.0.0.1:0 --model "$model"
        run windows thread-client --connect "$address" --clients 200 --quiet >"$model.client"
        expect 1 "200 clients: 200 answered, none failed" "$model.client"
        stop "$process"
        expect 1 "200 answered, 0 unanswered" "$model.err"
    done
}

# Stops a server of one system under a load from the other one, and compares who was accepted with who was answered.
stops() {
    local server=$1 client=$2 model=$3 load accepted answered
    launch "$model" "$server" thread-server --listen 127.0.0.1:0 --model "$model" --work 2ms
    run "$client" thread-client --connect "$address" --clients 32 --for 3s --json >load.jsonl &
    load=$!
    until [ "$(grep -c Received "$model.out")" -ge 50 ]; do sleep 0.05; done
    stop "$process"
    # That those who came later were refused is what it must say.
    wait "$load" || [ $? -eq 1 ] || fail "the load could not run"
    accepted=$(counted "$model.jsonl" clients)
    [ "$(counted "$model.jsonl" unanswered)" -eq 0 ] || fail "accepted and not answered"
    answered=$(($(counted load.jsonl exchanges)))
    [ "$answered" -eq "$accepted" ] || fail "$accepted clients were accepted, and $answered answered"
    rm load.jsonl
}

stopped() {
    stops windows windows thread-per-connection
    stops windows windows event-driven
}

border() {
    launch windows-server windows thread-server --listen 127.0.0.1:0
    run linux thread-client --connect "$address" >linux.client
    run linux thread-client --connect "$address" --clients 50 --quiet >>linux.client
    stop "$process"
    expect 51 "Received from server: Hello from server" linux.client
    expect 1 "50 clients: 50 answered, none failed" linux.client
    expect 1 "51 answered, 0 unanswered" windows-server.err
    launch linux-server linux thread-server --listen 127.0.0.1:0
    run windows thread-client --connect "$address" >windows.client
    run windows thread-client --connect "$address" --clients 50 --quiet >>windows.client
    stop "$process"
    expect 51 "Received from server: Hello from server" windows.client
    expect 1 "50 clients: 50 answered, none failed" windows.client
    expect 1 "51 answered, 0 unanswered" linux-server.err
}

stopped_across() {
    stops windows linux pool
    stops linux windows prethreaded
}

ipv6() {
    local system
    launch server windows thread-server --listen '[::1]:0'
    for system in windows linux; do
        run $system thread-client --connect "$address" >"$system.client"
        expect 1 "Received from server: Hello from server" "$system.client"
    done
    stop "$process"
    expect 2 "Connection from [::1]:" server.out
    launch names windows naming serve --listen '[::1]:0'
    for system in windows linux; do
        run $system naming resolve server1 --server "$address" >"$system.names"
        expect 1 "IP address of server1: 192.168.1.2" "$system.names"
    done
    stop "$process"
}

load() {
    launch server windows thread-server --listen 127.0.0.1:0
    run windows thread-client --connect "$address" --rate 50 --for 1s --plot rate.svg >load.out
    run windows thread-client --connect "$address" --clients 20 --hold 100ms >>load.out
    stop "$process"
    expect 1 "50 exchanges in" load.out
    expect 1 "20 exchanges in" load.out
    expect 2 "none failed" load.out
    expect 1 "</svg>" rate.svg
}

logs() {
    launch server windows thread-server --listen 127.0.0.1:0 --json
    run windows thread-client --connect "$address" --name client --log client.jsonl --json >client.out
    stop "$process"
    expect 1 '"event":"receive"' client.out
    expect 1 '"event":"receive"' server.out
    run windows lamport trace server.jsonl client.jsonl --check >trace.out
    expect 1 "ok    received was sent" trace.out
    # A log of Windows is read on Linux, and the other way round.
    run linux lamport trace server.jsonl client.jsonl --check --html page.html >trace-linux.out
    expect 1 "ok    received was sent" trace-linux.out
    run windows lamport trace server.jsonl client.jsonl --svg picture.svg >/dev/null
    expect 1 "</svg>" picture.svg
}

multicast() {
    local members=() port name
    launch server windows mcast-server --port 0
    port=${address##*:}
    members+=("$process")
    mkfifo keyboard
    # Open for both, so that opening it waits for nobody.
    exec 3<>keyboard
    launch client windows mcast-client --port "$port" <&3
    members+=("$process")
    launch other windows mcast-client --port "$port" </dev/null
    members+=("$process")
    printf 'Hello, group\r\nGoodbye\r\n' >&3
    wait_for server.out "Received data: Goodbye"
    for name in client other; do
        wait_for "$name.out" "Received message: Goodbye"
        expect 1 "Received message: Hello, group" "$name.out"
    done
    run windows mcast-client --stamp --port "$port" -m "First of two" -m "Second of two" --quiet
    wait_for server.out "Received data: Second of two"
    for process in "${members[@]}"; do stop "$process"; done
    # What was typed ends before the carriage return, for whoever receives it.
    expect 0 '\r' client.out
    expect 1 "2 datagrams, 0 lost, 0 duplicates, 0 reordered" server.err
}

multicast_across() {
    local system other port
    for system in windows linux; do
        [ $system = windows ] && other=linux || other=windows
        launch "$system" "$system" mcast-server --port 0
        port=${address##*:}
        run $other mcast-client --port "$port" -m "Across the border" --quiet
        wait_for "$system.out" "Received data: Across the border"
        run $other mcast-client --mode unicast --to 127.0.0.1 --port "$port" -m "To one" --quiet
        wait_for "$system.out" "Received data: To one"
        stop "$process"
    done
}

interfaces() {
    launch by-index windows mcast-server --port 0 --interface 1
    stop "$process"
    refuses 2 "mcast-server: --interface " mcast-server --port 0 --interface no-such-interface
    refuses 2 "mcast-server: --interface " mcast-server --port 0 --interface 4242
    refuses 2 "mcast-server: --interface " mcast-server --port 0 --interface '{00000000-0000-0000-0000-000000000000}'
}

doctor() {
    run windows mcast-server doctor --port 0 >doctor.out 2>&1
    expect 1 ", 0 failures" doctor.out
}

names() {
    local code=0
    run windows naming >naming.out
    expect 1 "IP address of server1: 192.168.1.2" naming.out
    run windows naming structured region1/server9 >missing.out 2>&1 || code=$?
    [ $code -eq 1 ] || fail "a missing name ended with code $code, not 1"
    expect 1 "did you mean server1?" missing.out
}

# A name server of one system, and clients of both.
serves() {
    local system=$1 client
    launch "$system" "$system" naming serve --listen 127.0.0.1:0
    for client in windows linux; do
        run $client naming resolve region1/server1 --server "$address"
        run $client naming register "region1/of-$client" 10.0.0.5 --server "$address"
        run $client naming resolve "region1/of-$client" 10.0.0.5 --server "$address"
    done >"$system.client"
    stop "$process"
    expect 2 "IP address of region1 server1: 192.168.1.2" "$system.client"
    expect 1 "IP address of region1 of-windows: 10.0.0.5" "$system.client"
    expect 1 "IP address of region1 of-linux: 10.0.0.5" "$system.client"
    expect 1 "2 updates made" "$system.err"
}

name_server() {
    serves windows
}

name_server_across() {
    serves linux
}

transfers() {
    local secondary
    # A secondary that answers the notice of a change (RFC 1996): its header, as a reply.
    python3 -c '
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
server.settimeout(60)
print(server.getsockname()[1], flush=True)
notice, source = server.recvfrom(512)
server.sendto(notice[:2] + bytes([notice[2] | 0x80]) + notice[3:], source)
print("opcode", notice[2] >> 3 & 15, flush=True)
' >secondary.out &
    secondary=$!
    until [ -s secondary.out ]; do sleep 0.05; done
    launch server windows naming serve --listen 127.0.0.1:0 --secondary "127.0.0.1:$(head -n 1 secondary.out)"
    run windows naming register region1/server9 10.0.0.9 --server "$address" >client.out
    wait "$secondary" || fail "no notice"
    expect 1 "opcode 4" secondary.out
    dig @127.0.0.1 -p "${address##*:}" lab. AXFR +noall +answer >transfer.out
    stop "$process"
    expect 1 "server9.region1.lab." transfer.out
    expect 2 "SOA" transfer.out
}

stored_names() {
    # Served from a store, changed, stopped, and served again: the file is replaced while it is open elsewhere.
    launch first windows naming serve --listen 127.0.0.1:0 --store names.store
    run windows naming register region1/server5 10.0.0.5 --server "$address" >client.out
    stop "$process"
    launch second windows naming serve --listen 127.0.0.1:0 --store names.store
    run windows naming resolve region1/server5 --server "$address" >>client.out
    stop "$process"
    expect 1 "IP address of region1 server5: 10.0.0.5" client.out
}

clocks() {
    local code=0
    run windows lamport >lamport.out
    expect 1 "Clock1 Time after sending: 1" lamport.out
    expect 1 "Clock2 Time after receiving: 2" lamport.out
    run windows lamport simulate mutex --bug no-tie-break --show 0 >bug.out 2>&1 || code=$?
    [ $code -eq 1 ] || fail "an injected bug ended with code $code, not 1"
    expect 2 "FAIL  mutual exclusion" bug.out
    run windows lamport check mutex --processes 2 --max-clock 5 >check.out
    expect 1 "distinct states" check.out
}

processes() {
    run windows lamport run mutex --processes 3 --for 1s --loss 10% --duplicate 10% --reorder 10% --logs logs \
        >run.out 2>run.err || fail "the verdict was: $(cat run.out run.err)"
    expect 1 "at most one process in the critical section" run.out
    run windows lamport trace logs --check >trace.out
    expect 1 "ok    received was sent" trace.out
    # The same run, replayed on the other system to the last event.
    cat logs/p?.jsonl >all.jsonl
    run linux lamport simulate mutex --replay all.jsonl --show 0 >replay.out
}

devices() {
    refuses 2 "thread-server: --log CON: " thread-server --listen 127.0.0.1:0 --log CON
    refuses 2 "thread-server: --ready-file NUL: " thread-server --listen 127.0.0.1:0 --ready-file NUL
    refuses 2 "naming: --names CON: " naming flat server1 --names CON
    refuses 2 "thread-client: --plot " thread-client --plot 'aux.svg' --clients 1
    refuses 2 "lamport: NUL: " lamport trace NUL
}

graded() {
    # Which processes a program leaves behind is what Windows does not say.
    local folder="Z:${bin//\//\\}" address
    grades "14 of 15" naming --cmd "$folder\\naming.exe {scheme} {name} --names {names}"
    # A port that was free a moment ago, as the one of the handout may be taken.
    launch server windows thread-server --listen 127.0.0.1:0
    stop "$process"
    grades "28 of 29" threads --address "$address" --cmd "$folder\\thread-server.exe --listen $address"
}

# Grades a program, which gets all points but that for what it leaves behind.
grades() {
    local points=$1 code=0
    shift
    run windows grade "$@" --timeout 3s >"$1.points" 2>"$1.errors" || code=$?
    [ $code -eq 2 ] || fail "grade ended with code $code: $(cat "$1.points" "$1.errors")"
    expect 1 "$points points, 1 requirement not met" "$1.points"
    expect 1 "could not be graded: what it leaves behind is not known" "$1.points"
}

paths() {
    # A back slash divides folders, and a drive letter begins a path.
    mkdir -p one/two
    launch server windows thread-server --listen 127.0.0.1:0 --ready-file 'one\two\ready'
    [ "$(tr -d '\r\n' <one/two/ready)" = "$address" ] || fail "the ready file has $(cat one/two/ready)"
    run windows thread-client --connect "$address" --log "Z:${PWD//\//\\}\\one\\client.jsonl" >client.out
    stop "$process"
    [ ! -e one/two/ready ] || fail "the ready file stays"
    expect 1 '"event":"receive"' one/client.jsonl
    refuses 2 'thread-client: --log no\such\folder: ' thread-client --connect 127.0.0.1:9 --log 'no\such\folder'
}

carriage_returns() {
    # Windows' editors end lines with two characters, and put a byte order mark first.
    printf '\xef\xbb\xbf{\r\n  "thread-client": { "message": "From a file" }\r\n}\r\n' >lab.json
    launch server windows thread-server --listen 127.0.0.1:0
    run windows thread-client --connect "$address" --config lab.json >client.out
    stop "$process"
    expect 1 "Received: From a file" server.out
    sed 's/$/\r/' server.jsonl >returns.jsonl
    run windows lamport trace returns.jsonl --check >trace.out 2>&1
    expect 1 "ok    well formed" trace.out
    printf '{\r\n  "server1": "10.0.0.1"\r\n}\r\n' >names.json
    run windows naming register server2 10.0.0.2 --names names.json >naming.out
    run windows naming flat server1 server2 --names names.json --short >>naming.out
    expect 1 "10.0.0.2" <(tail -n 1 naming.out)
}

closed_pipe() {
    launch server windows thread-server --listen 127.0.0.1:0
    run windows thread-client --connect "$address" --clients 20 2>pipe.err | head -n 1 >pipe.out
    expect 1 "Received from server: Hello from server" pipe.out
    expect 0 "panic" pipe.err
    stop "$process"
}

refusals() {
    refuses 1 "connection refused; is thread-server running there?" thread-client --connect 127.0.0.1:9
    refuses 2 "the port 99999 is not in 0 to 65535" thread-server --listen 127.0.0.1:99999
    launch server windows thread-server --listen 127.0.0.1:0
    refuses 2 "thread-server: listen on $address: address in use" thread-server --listen "$address"
    stop "$process"
}

step "Windows: experiment 3, processes"
check "the exchange of two terminals, with five models" exchange
check "the sixth model is refused, and absent from the help" sixth_model
check "200 clients at once" at_once
check "a server stopped under load answers all that it accepted" stopped
check "a Windows client with a Linux server, and the other way round" border
check "the same, stopped under load" stopped_across
check "IPv6, between Windows and Linux" ipv6
check "loads, a picture, connections that are held" load
check "logs and --json, read by trace on both systems" logs

step "Windows: experiment 4, communication"
check "multicast between programs, typed lines" multicast
check "multicast and unicast between Windows and Linux" multicast_across
check "interfaces by index; those that are none" interfaces
check "the doctor" doctor

step "Windows: experiment 5, naming"
check "flat and structured names" names
check "names served and resolved" name_server
check "a Linux server, asked by Windows" name_server_across
if command -v dig >/dev/null; then
    check "zones transferred, and a secondary notified" transfers
else
    skip "dig not found"
fi
check "names that outlive the server" stored_names

step "Windows: experiment 6, synchronization"
check "clocks, an injected bug, the model checker" clocks
check "three processes with a verdict, traced and replayed" processes

step "Windows: grading"
check "a program for Windows, graded by one" graded

step "Windows: what a person may type wrong"
check "names of devices for files" devices
check "back slashes and drive letters" paths
check "carriage returns and byte order marks" carriage_returns
check "a closed pipe" closed_pipe
check "refused connections and addresses in use" refusals

if [ ${#failed[@]} -gt 0 ]; then
    printf '\nwindows: FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
step "Windows: done"
