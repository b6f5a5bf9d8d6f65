//! The client as a load generator, against the tests' servers.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use common::{
    event::{Event, Kind, Record},
    testing::{self, Finished, Folder, read_log, run, start},
};

const CLIENT: &str = env!("CARGO_BIN_EXE_thread-client");

/// A server that runs `serve` in a thread for each client; it ends with the test's process.
fn server(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(1024).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// The handout's exchange, with this time before the reply.
fn handout(work: Duration) -> impl Fn(TcpStream) + Clone + Send {
    move |mut stream| {
        let mut message = [0; 1024];
        if stream.read(&mut message).is_ok_and(|length| length > 0) {
            thread::sleep(work);
            let _ = stream.write_all(b"Hello from server");
        }
    }
}

fn load(address: &str, flags: &[&str]) -> Finished {
    run(CLIENT, &[&["--connect", address], flags].concat())
}

/// The one object that `--json` prints.
fn object(finished: &Finished) -> Event {
    assert_eq!(finished.out.lines().count(), 1, "{finished:?}");
    let event = Record::parse(finished.out.trim_end()).unwrap().event;
    assert_eq!(event.kind, Kind::Stop);
    event
}

#[test]
fn a_closed_loop_runs_all_exchanges_and_sums_up() {
    let address = server(handout(Duration::ZERO));
    let finished = load(&address, &["--clients", "8", "--requests", "200"]);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    let lines: Vec<_> = finished.out.lines().collect();
    assert!(lines[0].starts_with("200 exchanges in "), "{finished:?}");
    assert!(lines[0].ends_with(" a second, none failed"), "{finished:?}");
    for (line, beginning) in lines[1..].iter().zip(["latency    p50 ", "at once    "]) {
        assert!(line.starts_with(beginning), "{finished:?}");
    }
    assert_eq!(lines.len(), 3);
}

#[test]
fn json_is_one_object_with_the_same_counts() {
    let address = server(handout(Duration::ZERO));
    let stop = object(&load(
        &address,
        &["--clients", "8", "--requests", "200", "--json"],
    ));
    let count = |name: &str| stop.counts[name];
    assert_eq!((count("exchanges"), count("failed")), (200, 0));
    assert!((1..=8).contains(&count("under_way_most")));
    let latencies = ["min", "p50", "p90", "p99", "p99.9", "max"]
        .map(|name| count(&format!("latency_{name}_us")));
    assert!(latencies.is_sorted() && latencies[0] > 0, "{latencies:?}");
}

#[test]
fn the_servers_concurrency_is_estimated() {
    // One after another, though eight clients send at once.
    let turn = Arc::new(std::sync::Mutex::new(()));
    let alone = handout(Duration::from_millis(20));
    let address = server(move |stream| {
        let _turn = turn.lock().unwrap();
        alone(stream);
    });
    let flags = ["--clients", "8", "--requests", "40", "--json"];
    let stop = object(&load(&address, &flags));
    assert_eq!(
        (stop.counts["under_way_most"], stop.counts["served_at_once"]),
        (8, 1)
    );
    let together = server(handout(Duration::from_millis(100)));
    let stop = object(&load(&together, &flags));
    let at_once = stop.counts["served_at_once"];
    assert!((5..=8).contains(&at_once), "{at_once}");
}

#[test]
fn an_open_loop_shows_what_a_stalled_server_hides() {
    // The fifth exchange delays all others for 600 ms, as there is only one client.
    let number = Arc::new(AtomicUsize::new(0));
    let stalling = move |stream: TcpStream| {
        let stalls = number.fetch_add(1, Ordering::Relaxed) == 4;
        handout(Duration::from_millis(if stalls { 600 } else { 0 }))(stream);
    };
    let address = server(stalling);
    let flags = [
        "--rate",
        "100",
        "--for",
        "500ms",
        "--clients",
        "1",
        "--json",
    ];
    let stop = object(&load(&address, &flags));
    assert_eq!((stop.counts["exchanges"], stop.counts["failed"]), (50, 0));
    // A closed loop would have one slow exchange in fifty. Here all that were scheduled meanwhile show their wait.
    assert!(stop.counts["latency_p50_us"] > 100_000, "{:?}", stop.counts);
}

#[test]
fn a_load_ends_when_its_time_is_over() {
    let address = server(handout(Duration::from_millis(10)));
    let stop = object(&load(
        &address,
        &["--clients", "2", "--for", "200ms", "--json"],
    ));
    assert!(
        (2..=42).contains(&stop.counts["exchanges"]),
        "{:?}",
        stop.counts
    );
}

#[test]
fn held_clients_are_all_connected_before_they_send() {
    let (connected, at_first_message) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&at_first_message);
    let address = server(move |mut stream| {
        connected.fetch_add(1, Ordering::SeqCst);
        let mut message = [0; 1024];
        let received = stream.read(&mut message);
        assert!(received.is_ok_and(|length| length > 0));
        let now = connected.load(Ordering::SeqCst);
        let _ = seen.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst);
        stream.write_all(b"Hello from server").unwrap();
    });
    // The kernel reports a connection as established a moment before the server accepts it.
    let finished = load(&address, &["--clients", "100", "--hold", "300ms"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.err.starts_with("100 clients connected within "),
        "{finished:?}"
    );
    assert!(
        finished.out.contains("100 under way at most"),
        "{finished:?}"
    );
    assert_eq!(at_first_message.load(Ordering::SeqCst), 100);
}

#[test]
fn clients_start_over_the_ramp() {
    let address = server(handout(Duration::ZERO));
    let flags = ["--clients", "10", "--ramp", "500ms", "--json"];
    let stop = object(&load(&address, &flags));
    assert_eq!(stop.counts["exchanges"], 10);
    assert!(stop.counts["elapsed_us"] >= 450_000, "{:?}", stop.counts);
}

#[test]
fn an_unexpected_answer_is_a_failure() {
    let address = server(handout(Duration::ZERO));
    let right = load(&address, &["--expect", "Hello from server"]);
    assert_eq!((right.code, right.err.as_str()), (Some(0), ""));
    let wrong = load(&address, &["--expect", "Servus"]);
    assert_eq!(wrong.code, Some(1));
    let line = format!("thread-client: {address}: answered 'Hello from server', not 'Servus'\n");
    assert_eq!(wrong.err, line);
    let many = load(
        &address,
        &["--expect", "Servus", "--clients", "4", "--requests", "20"],
    );
    assert_eq!(many.code, Some(1));
    assert!(
        many.out
            .contains("20 failed: answered 'Hello from server', not 'Servus' (20)"),
        "{many:?}"
    );
}

#[test]
fn failures_are_counted_by_kind_and_exit_with_1() {
    let number = Arc::new(AtomicUsize::new(0));
    let address = server(move |stream| {
        if number.fetch_add(1, Ordering::Relaxed).is_multiple_of(4) {
            let mut stream = stream;
            drop(stream.read(&mut [0; 1024]));
        } else {
            handout(Duration::ZERO)(stream);
        }
    });
    let finished = load(&address, &["--clients", "2", "--requests", "40", "--json"]);
    assert_eq!(finished.code, Some(1));
    let stop = object(&finished);
    assert_eq!(
        (
            stop.counts["exchanges"],
            stop.counts["failed"],
            stop.counts["failed: closed without an answer"]
        ),
        (30, 10, 10)
    );
}

#[test]
fn the_picture_is_drawn_and_a_bad_path_is_refused_first() {
    let folder = Folder::new();
    let plot = folder.path("load.svg");
    let address = server(handout(Duration::ZERO));
    let finished = load(
        &address,
        &["--clients", "4", "--requests", "100", "--plot", &plot],
    );
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    for text in [
        "100 exchanges in",
        "Latency of the exchanges",
        "Throughput",
        "p99.9 ",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    let bad = folder.path("missing/load.svg");
    let on_output = load(&address, &["--requests", "1", "--plot", "-", "--quiet"]);
    let whole = on_output.out.starts_with("<svg") && on_output.out.ends_with("</svg>\n");
    assert!(whole && on_output.code == Some(0), "{on_output:?}");
    let refused = load(&address, &["--requests", "1", "--plot", &bad]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    assert_eq!(
        refused.err,
        format!("thread-client: --plot {bad}: no such file\n")
    );
}

#[test]
fn every_exchange_of_a_load_can_be_logged() {
    let folder = Folder::new();
    let log = folder.path("log");
    let address = server(handout(Duration::ZERO));
    let finished = load(
        &address,
        &["--clients", "4", "--requests", "50", "--log", &log],
    );
    assert_eq!(finished.out.lines().count(), 3);
    let records = read_log(&log);
    for kind in [Kind::Connect, Kind::Send, Kind::Receive, Kind::Close] {
        assert_eq!(
            records
                .iter()
                .filter(|record| record.event.kind == kind)
                .count(),
            50
        );
    }
}

#[test]
fn interrupted_it_sums_up_and_exits_with_0() {
    let address = server(handout(Duration::from_millis(5)));
    let client = start(
        CLIENT,
        &[
            "--connect",
            &address,
            "--clients",
            "4",
            "--for",
            "60s",
            "--json",
        ],
    );
    thread::sleep(Duration::from_millis(200));
    let finished = client.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(object(&finished).counts["exchanges"] > 0);
}

#[test]
fn interrupted_before_all_clients_have_started_it_ends() {
    let address = server(handout(Duration::ZERO));
    let flags = ["--clients", "4", "--ramp", "60s", "--hold", "60s"];
    let client = start(CLIENT, &[&["--connect", &address], &flags[..]].concat());
    thread::sleep(Duration::from_millis(100));
    assert_eq!(client.interrupt().code, Some(0));
}

#[test]
fn a_conflict_of_flags_is_one_line() {
    testing::check_refusals(
        CLIENT,
        &[
            (&["--rate", "5"], "usage: --rate needs --for; see --help"),
            (
                &["--rate", "5", "--requests", "5"],
                "usage: --requests is a closed loop and --rate an open loop: ",
            ),
            (
                &["--requests", "5", "--for", "1s"],
                "usage: --requests and --for both end the load: ",
            ),
            (
                &["--hold", "1s", "--requests", "5"],
                "usage: --hold runs one exchange per client: ",
            ),
            (
                &["--rate", "0", "--for", "1s"],
                "--rate: 0 is not in 0.001 to 1000000",
            ),
            (&["--rate", "nan", "--for", "1s"], "--rate: NaN is not in "),
            (
                &["--requests", "0"],
                "--requests: 0 is not in 1 to 1000000000",
            ),
            (
                &["--expect", ""],
                "length of --expect in bytes: 0 is not in 1 to 1024",
            ),
        ],
    );
}

#[test]
fn ports_are_not_exhausted() {
    // A hundred ports for each address, and a server that never closes first: each connection leaves its port in
    // TIME-WAIT on the client's side.
    let script = r#"
        echo 40000 40099 >/proc/sys/net/ipv4/ip_local_port_range
        echo 0 >/proc/sys/net/ipv4/tcp_tw_reuse
        python3 -c '
import socket
listener = socket.create_server(("127.0.0.1", 4000), backlog=100)
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    client.recv(1024)
    client.sendall(b"Hello from server")
    client.recv(1024)
    client.close()
' >server.out & server=$!
        tries=0; until grep -q ready server.out; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        "$CLIENT" --connect 127.0.0.1:4000 --clients 4 --requests 1000 --timeout 5s && code=0 || code=$?
        kill $server
        exit $code
    "#;
    if testing::have_program("python3")
        && let Some(finished) = testing::in_namespace(script, &[("CLIENT", CLIENT)])
    {
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(
            finished.out.starts_with("1000 exchanges in "),
            "{finished:?}"
        );
    }
}
