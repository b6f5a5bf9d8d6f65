//! What the client's figures say when something is short: clients, the server's backlog, threads or descriptors.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    thread,
    time::Duration,
};

use common::{
    event::{Event, Kind, Record},
    net,
    testing::{self, Finished, Running, run},
};

const CLIENT: &str = env!("CARGO_BIN_EXE_thread-client");

/// A listener with this backlog, and its address.
fn listener(backlog: i32) -> (TcpListener, String) {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let listener = net::listen(any, backlog).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A server that answers one client after another, each after this time.
fn server(work: Duration) -> String {
    let (listener, address) = listener(1024);
    listener.set_nonblocking(false).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                if stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {
                    thread::sleep(work);
                    let _ = stream.write_all(b"Hello from server");
                }
            });
        }
    });
    address
}

fn load(address: &str, flags: &[&str]) -> Finished {
    run(CLIENT, &[&["--connect", address], flags].concat())
}

/// The last event that `--json` prints.
fn stop(finished: &Finished) -> Event {
    let last = finished.out.lines().last();
    let last = last.unwrap_or_else(|| panic!("{finished:?}"));
    let event = Record::parse(last).unwrap().event;
    assert_eq!(event.kind, Kind::Stop, "{finished:?}");
    event
}

#[test]
fn a_rated_load_lasts_its_time_and_reports_its_rate() {
    let address = server(Duration::ZERO);
    for (rate, time, exchanges, text) in [
        (
            "10",
            "500ms",
            5,
            "5 exchanges in 500 ms: 10 a second, none failed",
        ),
        (
            "2.5",
            "800ms",
            2,
            "2 exchanges in 800 ms: 2.5 a second, none failed",
        ),
        (
            "200",
            "300ms",
            60,
            "60 exchanges in 300 ms: 200 a second, none failed",
        ),
    ] {
        let flags = ["--rate", rate, "--for", time, "--json"];
        let stop = stop(&load(&address, &flags));
        let counts = ["exchanges", "late"].map(|name| stop.counts[name]);
        assert_eq!(counts, [exchanges, 0], "{stop:?}");
        assert_eq!(stop.text.as_deref(), Some(text));
    }
}

#[test]
fn an_interrupted_rated_load_reports_the_time_that_it_ran() {
    let address = server(Duration::ZERO);
    let flags = [
        "--connect",
        &address,
        "--rate",
        "50",
        "--for",
        "60s",
        "--json",
    ];
    let client = testing::start(CLIENT, &flags);
    thread::sleep(Duration::from_millis(300));
    let stop = stop(&client.interrupt());
    assert!(stop.counts["elapsed_us"] < 30_000_000, "{stop:?}");
}

#[test]
fn too_few_clients_for_the_rate_are_mentioned() {
    let address = server(Duration::from_millis(50));
    let flags = ["--rate", "100", "--for", "200ms", "--clients", "2"];
    let few = load(&address, &flags);
    assert_eq!(few.code, Some(0));
    let warning = "too few clients: all of 2 clients are busy, so exchanges begin later than --rate asks for; see --clients\n";
    assert_eq!(few.err, warning);
    let late = few.out.lines().last().unwrap();
    assert!(
        late.starts_with("late       ") && late.contains(" of 20 exchanges began late, by "),
        "{few:?}"
    );
    let counts = stop(&load(&address, &[&flags[..], &["--json"]].concat())).counts;
    assert!((10..=18).contains(&counts["late"]), "{counts:?}");
    assert!(counts["late_most_us"] > 100_000, "{counts:?}");

    let enough = load(
        &address,
        &["--rate", "100", "--for", "200ms", "--clients", "20"],
    );
    assert_eq!(enough.err, "");
    assert!(!enough.out.contains("\nlate "), "{enough:?}");
}

#[test]
fn held_clients_that_did_not_connect_are_not_counted() {
    // The kernel answers about as many as the backlog holds, and no process accepts them.
    let (listener, address) = listener(4);
    let flags = ["--clients", "20", "--hold", "50ms", "--timeout", "400ms"];
    let text = load(&address, &flags);
    assert_eq!(text.code, Some(1));
    let connected = text.err.split(' ').next().unwrap();
    assert!((4..=8).contains(&connected.parse().unwrap()), "{text:?}");
    let some = format!("{connected} of 20 clients connected within ");
    assert!(text.err.starts_with(&some), "{text:?}");
    let some = format!("\nconnected  {connected} of 20 within ");
    assert!(text.out.contains(&some), "{text:?}");

    while listener.accept().is_ok() {}
    let counts = stop(&load(&address, &[&flags[..], &["--json"]].concat())).counts;
    assert!((4..=8).contains(&counts["connected"]), "{counts:?}");
    assert_eq!(counts["under_way_most"], counts["connected"]);
    let counted = ["clients", "exchanges", "failed"].map(|name| counts[name]);
    assert_eq!(counted, [20, 0, 20]);
    // When the last of those connected, and not when the others gave up.
    assert!(counts["connected_us"] < 400_000, "{counts:?}");
}

#[test]
fn where_no_held_client_connects_none_is_counted() {
    let (listener, address) = listener(4);
    net::drop_requests(&listener).unwrap();
    let flags = ["--clients", "20", "--hold", "60s", "--timeout", "200ms"];
    let none = load(&address, &flags);
    assert_eq!(none.code, Some(1));
    assert_eq!(none.err, "none of 20 clients connected\n");
    assert!(none.out.ends_with("\nconnected  none of 20\n"), "{none:?}");
}

#[test]
fn a_single_client_that_fails_has_its_counts_as_json() {
    let (bound, address) = listener(1);
    drop(bound);
    let finished = load(&address, &["--json"]);
    assert_eq!(finished.code, Some(1));
    let refused = format!("thread-client: connect to {address}: connection refused; ");
    assert!(finished.err.starts_with(&refused), "{finished:?}");
    assert_eq!(finished.out.lines().count(), 1, "{finished:?}");
    let counts = stop(&finished).counts;
    assert_eq!(
        [
            "clients",
            "answered",
            "failed",
            "failed: connection refused"
        ]
        .map(|name| counts[name]),
        [1, 0, 1, 1]
    );
    // Without --json, the error is all.
    let finished = load(&address, &[]);
    assert_eq!((finished.code, finished.out.as_str()), (Some(1), ""));
    assert_eq!(finished.err.lines().count(), 1, "{finished:?}");
}

#[test]
fn several_clients_count_their_failures_by_reason() {
    let (bound, address) = listener(1);
    drop(bound);
    let finished = load(&address, &["--clients", "3", "--json"]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(stop(&finished).counts["failed: connection refused"], 3);
}

#[test]
fn more_clients_than_there_is_room_for_are_refused() {
    let address = server(Duration::ZERO);
    for (limits, clients, limit) in [
        ("ulimit -v 200000", "19000", "ulimit -v is 200000"),
        ("ulimit -n 40", "50", "ulimit -n is 40"),
    ] {
        for flags in [
            &[][..],
            &["--json"],
            &["--hold", "1s"],
            &["--requests", "30000"],
            &["--rate", "30000", "--for", "1s"],
        ] {
            let script = format!("{limits} && exec \"$0\" \"$@\"");
            let mut command = testing::command("sh", &["-c", &script, CLIENT]);
            command
                .args(["--connect", &address, "--clients", clients])
                .args(flags);
            let finished = Running::start(command).finish();
            let beginning = format!("thread-client: --clients {clients}: there is room for ");
            let ending = format!(": {limit}\n");
            assert!(
                finished.err.starts_with(&beginning) && finished.err.ends_with(&ending),
                "{finished:?}"
            );
            assert_eq!(
                (
                    finished.code,
                    finished.out.as_str(),
                    finished.err.lines().count()
                ),
                (Some(2), "", 1)
            );
        }
    }
}
