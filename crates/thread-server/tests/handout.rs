//! `handout.rs`: short, what really runs, and what the experiment's page shows.

use std::{
    backtrace::Backtrace,
    io::{Read, Write},
    net::TcpStream,
    sync::Mutex,
    thread,
    time::Duration,
};

use common::{
    event::{Event, Kind},
    net,
    shutdown::Shutdown,
    testing,
};
use thread_server::{
    config::{Model, Options, Settings},
    context::Recorder,
    outcome::Outcome,
    tally::Tally,
};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn it_is_short_and_the_page_shows_its_heart() {
    let page = include_str!("../../../docs/student/processes.md");
    testing::check_handout(
        include_str!("../src/handout.rs"),
        "crates/thread-server/src/handout.rs",
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

    fn count(&self, _: &Outcome, _: Option<Duration>) {}
}

/// The events of one exchange by this model, each with the calls that led to it.
fn one_exchange(model: Option<Model>) -> Vec<(Kind, String)> {
    let mut settings = Settings::new(Options::default()).unwrap();
    settings.model = model.unwrap_or(settings.model);
    let listener = net::listen("127.0.0.1:0".parse().unwrap(), 16).unwrap();
    let address = listener.local_addr().unwrap();
    let (recorder, tally) = (BacktraceRecorder::default(), Tally::new(settings.model));
    let shutdown = Shutdown::new().unwrap();
    thread::scope(|scope| {
        let run = || thread_server::run(listener, &settings, &tally, &recorder, &shutdown);
        let server = scope.spawn(run);
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"Hello server").unwrap();
        let mut reply = String::new();
        client.read_to_string(&mut reply).unwrap();
        assert_eq!(reply, "Hello from server");
        shutdown.request();
        server.join().unwrap().unwrap();
    });
    recorder.0.into_inner().unwrap()
}

/// One exchange by this model has four events, each through a line of this file that has this in it.
fn check(model: Option<Model>, file: &str, expected: [(Kind, &str); 4]) {
    let events = one_exchange(model);
    let kinds: Vec<_> = events.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds[0], Kind::Ready);
    assert_eq!(kinds[1..], expected.map(|(kind, _)| kind));
    for ((kind, backtrace), (_, call)) in events[1..].iter().zip(expected) {
        let lines = testing::lines_of_backtrace(FOLDER, file, backtrace);
        assert!(
            call.is_empty() || lines.iter().any(|line| line.contains(call)),
            "{kind:?} came through {lines:?} of {file}, not {call}:\n{backtrace}"
        );
    }
}

#[test]
fn the_default_run_goes_through_it() {
    check(
        None,
        "handout.rs",
        [
            (Kind::Accept, "server.accept()"),
            (Kind::Receive, "client.log_received("),
            (Kind::Send, "client.send("),
            (Kind::Close, "client.record_close("),
        ],
    );
}

#[test]
fn the_other_models_with_threads_serve_a_client_through_it() {
    for model in [Model::Iterative, Model::Pool, Model::Prethreaded] {
        check(
            Some(model),
            "handout.rs",
            [
                (Kind::Accept, ""),
                (Kind::Receive, "client.log_received("),
                (Kind::Send, "client.send("),
                (Kind::Close, "client.record_close("),
            ],
        );
    }
}

#[test]
fn the_event_driven_model_serves_a_client_by_the_same_exchange() {
    check(
        Some(Model::EventDriven),
        "exchange.rs",
        [
            (Kind::Accept, ""),
            (Kind::Receive, "recorder.record(received)"),
            (Kind::Send, "self.send(reply)"),
            (Kind::Close, "record_end("),
        ],
    );
}

#[test]
fn no_module_uses_another_in_a_circle() {
    testing::check_modules(env!("CARGO_MANIFEST_DIR"));
}
