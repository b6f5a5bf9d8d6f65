//! `handout.rs`: short, what really runs, and what the experiment's page shows.

use std::{
    backtrace::Backtrace,
    io::{Read, Write},
    net::TcpListener,
    sync::Mutex,
    thread,
};

use common::{
    event::{Event, Kind},
    shutdown::Shutdown,
    testing,
};
use thread_client::{
    client::Recorder,
    config::{Options, Settings},
};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn it_is_short_and_the_page_shows_its_heart() {
    let page = include_str!("../../../docs/student/processes.md");
    testing::check_handout(
        include_str!("../src/handout.rs"),
        "crates/thread-client/src/handout.rs",
        page,
    );
}

/// Keeps each event with the calls that led to it.
#[derive(Debug, Default)]
struct BacktraceRecorder(Mutex<Vec<(Kind, String)>>);

impl Recorder for BacktraceRecorder {
    fn record(&self, event: Event) {
        let backtrace = Backtrace::force_capture().to_string();
        self.0.lock().unwrap().push((event.kind, backtrace));
    }
}

/// Runs the client with these options against a server that answers every connection. Each event of an exchange has to
/// come through the line of `handout.rs` that causes it.
fn check(options: Options, exchanges: usize, connect: &str) {
    let settings = Settings::new(options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (recorder, shutdown) = (BacktraceRecorder::default(), Shutdown::new().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..exchanges {
                let (mut stream, _) = listener.accept().unwrap();
                let length = stream.read(&mut [0; 1024]).unwrap();
                assert!(length > 0);
                stream.write_all(b"Hello from server").unwrap();
            }
        });
        thread_client::run(&[address], &settings, &recorder, &shutdown, false).unwrap();
    });
    let expected = [
        (Kind::Connect, connect),
        (Kind::Send, "connection.send("),
        (Kind::Receive, "connection.log_received("),
        (Kind::Close, "drop(connection)"),
    ];
    let events = recorder.0.into_inner().unwrap();
    assert_eq!(events.len(), expected.len() * exchanges);
    for (kind, call) in expected {
        for (_, backtrace) in events.iter().filter(|(other, _)| *other == kind) {
            let lines = testing::lines_of_backtrace(FOLDER, "handout.rs", backtrace);
            assert!(
                call.is_empty() || lines.iter().any(|line| line.contains(call)),
                "{kind:?} came through {lines:?}, not {call}:\n{backtrace}"
            );
        }
    }
}

#[test]
fn the_default_run_goes_through_it() {
    check(Options::default(), 1, "client.connect()");
}

#[test]
fn many_clients_go_through_it() {
    let options = Options {
        clients: Some(3),
        ..Options::default()
    };
    check(options, 3, "client.connect()");
}

#[test]
fn a_load_goes_through_its_exchange() {
    let options = Options {
        requests: Some(3),
        log: Some("a log has every event of a load".into()),
        ..Options::default()
    };
    check(options, 3, "");
}

#[test]
fn no_module_uses_another_in_a_circle() {
    testing::check_modules(env!("CARGO_MANIFEST_DIR"));
}
