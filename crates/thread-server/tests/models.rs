//! Every model under the same load and the same misbehaving clients.

mod peer;

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use common::{
    event::{Event, Kind},
    testing::{self, Finished, Folder, Running, read_log, start, wait_for},
};

use peer::{answer, connect, reset};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

/// A server of this model on a free port.
fn server(model: &str, flags: &[&str]) -> (Running, SocketAddr) {
    let usual = ["--listen", "127.0.0.1:0", "--model", model];
    let mut server = start(SERVER, &[&usual, flags].concat());
    let address = server.ready();
    (server, address)
}

/// A client that follows the handout.
fn greet(address: SocketAddr) {
    let mut stream = connect(address);
    stream.write_all(b"Hello server").unwrap();
    assert_eq!(answer(&stream), "Hello from server");
}

/// Clients that follow the handout: `each` of them one after another on each of several threads.
fn greet_often(address: SocketAddr, threads: usize, each: usize) {
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..each).for_each(|_| greet(address)));
        }
    });
}

/// Interrupts the server and returns its summary.
fn stop_and_sum_up(server: Running, log: &str) -> (Finished, Event) {
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let stop = read_log(log).pop().unwrap().event;
    assert_eq!(stop.kind, Kind::Stop);
    (finished, stop)
}

fn logs_four_events_for_each_client(model: &str) {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, address) = server(model, &["--log", &log]);
    greet_often(address, 8, 5);
    let (finished, stop) = stop_and_sum_up(server, &log);
    assert_eq!(
        finished.out.matches("Connection from 127.0.0.1:").count(),
        40
    );
    assert_eq!(finished.out.matches("Received: Hello server\n").count(), 40);
    let records = read_log(&log);
    // The last client may still be in progress at the stop, which is reported.
    let others = records
        .iter()
        .filter(|record| record.event.kind != Kind::Report);
    assert_eq!(others.count(), 4 * 40 + 3);
    for kind in [Kind::Accept, Kind::Receive, Kind::Send, Kind::Close] {
        let of_kind = records.iter().filter(|record| record.event.kind == kind);
        assert_eq!(of_kind.count(), 40, "{kind:?}");
    }
    assert_eq!(
        (stop.counts["answered"], stop.counts["in_progress"]),
        (40, 0)
    );
    assert!(stop.counts["first_byte_p50_us"] <= stop.counts["first_byte_max_us"]);
}

fn reports_on_usr1(model: &str) {
    let (mut server, address) = server(model, &[]);
    greet(address);
    server.out_line("Received: Hello server");
    // A child process reports its end a moment after its client has seen it.
    let report = loop {
        server.signal("USR1");
        let report = server.err_line("so far: 1 client, ");
        if !report.contains("in progress") {
            break report;
        }
    };
    assert!(
        report.contains("1 answered, 0 unanswered; at most 1 at once; "),
        "{report}"
    );
    assert_eq!(server.interrupt().code, Some(0));
}

fn clients_that_send_byte_by_byte_are_answered_and_delay_no_other(model: &str) {
    let (server, address) = server(model, &[]);
    let slow: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = connect(address);
            stream.write_all(b"H").unwrap();
            stream
        })
        .collect();
    greet_often(address, 32, 1);
    // The server reads once: the first byte was the message, and further ones change nothing.
    for mut stream in slow {
        let _ = stream.write_all(b"e");
        let mut answer = [0; 17];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"Hello from server");
    }
    greet(address);
    assert_eq!(server.interrupt().code, Some(0));
}

fn a_reset_affects_no_other_client(model: &str) {
    let (server, address) = server(model, &[]);
    for _ in 0..20 {
        reset(connect(address));
        let mut stream = connect(address);
        stream.write_all(b"Hello server").unwrap();
        reset(stream);
    }
    greet_often(address, 4, 2);
    assert_eq!(server.interrupt().code, Some(0));
}

fn a_half_closed_client_is_answered(model: &str) {
    let (server, address) = server(model, &[]);
    let mut stream = connect(address);
    stream.write_all(b"Hello server").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(answer(&stream), "Hello from server");
    // A client that sent nothing before gets no answer.
    let stream = connect(address);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(answer(&stream), "");
    let finished = server.interrupt();
    assert!(
        finished
            .err
            .contains("1 answered, 1 unanswered (1 closed without sending anything)"),
        "{finished:?}"
    );
}

fn a_client_that_sends_a_gigabyte_and_does_not_read_is_disconnected(model: &str) {
    const GIGABYTE: usize = 1 << 30;
    let (server, address) = server(model, &[]);
    let mut stream = connect(address);
    let chunk = vec![b'x'; 1 << 16];
    let mut sent = 0;
    while sent < GIGABYTE
        && let Ok(length @ 1..) = stream.write(&chunk)
    {
        sent += length;
    }
    // It reads away a megabyte; the rest is what the two sockets hold.
    assert!(sent < GIGABYTE / 16, "{sent} bytes were taken");
    greet(address);
    let finished = server.interrupt();
    assert!(
        finished.err.contains("2 answered, 0 unanswered"),
        "{finished:?}"
    );
}

fn idle_clients_time_out_and_others_are_served(model: &str) {
    let (server, address) = server(model, &["--timeout", "200ms"]);
    let idle: Vec<_> = (0..4).map(|_| connect(address)).collect();
    greet_often(address, 8, 1);
    for stream in idle {
        assert_eq!(answer(&stream), "");
    }
    let finished = server.interrupt();
    assert!(
        finished.err.contains("8 answered, 4 unanswered (4 idle)"),
        "{finished:?}"
    );
}

fn out_of_descriptors_it_recovers(model: &str) {
    let limited = ["-c", "ulimit -n 64 && exec \"$0\" \"$@\"", SERVER];
    let mut limited = testing::command("sh", &limited);
    limited.args(["--listen", "127.0.0.1:0", "--model", model]);
    let mut server = Running::start(limited);
    let address = server.ready();
    let streams: Vec<_> = (0..100).map(|_| connect(address)).collect();
    let holds_many = [
        "thread-per-connection",
        "process-per-connection",
        "event-driven",
    ];
    if holds_many.contains(&model) {
        let what = if model.starts_with("process") {
            ""
        } else {
            "accept: "
        };
        let line = server.err_line(&format!("thread-server: {what}"));
        assert!(
            line.ends_with("too many open files; new clients wait in the backlog"),
            "{line}"
        );
    }
    for mut stream in &streams {
        stream.write_all(b"Hello server").unwrap();
    }
    for stream in streams {
        assert_eq!(answer(&stream), "Hello from server");
    }
    greet(address);
    let finished = server.interrupt();
    assert!(
        finished.err.contains("101 answered, 0 unanswered"),
        "{finished:?}"
    );
}

fn stopped_under_load_it_answers_all_it_accepted(model: &str) {
    let folder = Folder::new();
    let log = folder.path("log");
    let (mut server, address) = server(model, &["--work", "2ms", "--log", &log]);
    let answered: u64 = thread::scope(|scope| {
        let clients: Vec<_> = (0..32)
            .map(|_| {
                scope.spawn(move || {
                    let mut answered = 0;
                    // Until the connection is refused, or closed unaccepted.
                    while let Ok(mut stream) = TcpStream::connect(address) {
                        let mut answer = String::new();
                        let sent = stream.write_all(b"Hello server");
                        let received = sent.and_then(|()| stream.read_to_string(&mut answer));
                        match (received, answer.as_str()) {
                            (Ok(_), "Hello from server") => answered += 1,
                            _ => break,
                        }
                    }
                    answered
                })
            })
            .collect();
        (0..100).for_each(|_| drop(server.out_line("Received")));
        server.signal("TERM");
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum()
    });
    let finished = server.finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let stop = read_log(&log).pop().unwrap().event;
    assert_eq!(
        (stop.counts["clients"], stop.counts["unanswered"]),
        (answered, 0),
        "{}",
        finished.err
    );
}

fn stopped_with_a_full_backlog_it_answers_all_that_connected(model: &str) {
    let flags = ["--max-clients", "20", "--grace", "60s"];
    let (mut server, address) = server(model, &flags);
    let streams: Vec<_> = (0..200).map(|_| connect(address)).collect();
    server.signal("TERM");
    for mut stream in &streams {
        stream.write_all(b"Hello server").unwrap();
    }
    for stream in streams {
        assert_eq!(answer(&stream), "Hello from server");
    }
    server.err_line("stopped: 200 clients, 200 answered, 0 unanswered; ");
    assert_eq!(server.finish().code, Some(0));
}

fn a_stop_waits_for_idle_clients_no_longer_than_the_grace_time(model: &str) {
    let (mut server, address) = server(model, &["--grace", "200ms", "--timeout", "60s"]);
    let idle = connect(address);
    server.out_line("Connection from");
    let begun = std::time::Instant::now();
    server.signal("INT");
    server.err_line("stopping: finishing 1 client within 200ms; a second signal exits at once");
    assert_eq!(answer(&idle), "");
    let finished = server.finish();
    assert!(begun.elapsed() < Duration::from_secs(30), "{finished:?}");
    assert_eq!(finished.code, Some(0));
    assert!(
        finished
            .err
            .contains("sent nothing until 200ms after the request to stop"),
        "{finished:?}"
    );
    assert!(
        finished
            .err
            .contains("0 answered, 1 unanswered (1 idle at the stop)"),
        "{finished:?}"
    );
}

fn ten_thousand_clients_leave_nothing_behind(model: &str) {
    let (server, address) = server(model, &[]);
    let id = server.id();
    let count =
        |what: &str| std::fs::read_dir(format!("/proc/{id}/{what}")).map_or(0, Iterator::count);
    let children =
        || std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    greet_often(address, 8, 50);
    let settled = || (count("task"), count("fd"), children());
    let quiet = |before: Option<&(usize, usize, String)>| {
        wait_for(|| {
            let now = settled();
            let still = now.2.is_empty() && before.is_none_or(|before| now == *before);
            still.then_some(now)
        })
    };
    // A thread ends a moment after its client has seen the connection close.
    thread::sleep(Duration::from_millis(100));
    let (before, memory_before) = (quiet(None), memory());
    greet_often(address, 8, 1200);
    quiet(Some(&before));
    let grown = memory().saturating_sub(memory_before);
    assert!(grown < 4096, "{grown} KiB more after 10,000 clients");
    let finished = server.interrupt();
    assert!(
        finished
            .err
            .contains("10000 clients, 10000 answered, 0 unanswered"),
        "{finished:?}"
    );
}

macro_rules! on_every_model {
    ($($model:ident = $name:literal,)*) => {
        $(mod $model { on_every_model! { $name:
            logs_four_events_for_each_client
            reports_on_usr1
            clients_that_send_byte_by_byte_are_answered_and_delay_no_other
            a_reset_affects_no_other_client
            a_half_closed_client_is_answered
            a_client_that_sends_a_gigabyte_and_does_not_read_is_disconnected
            idle_clients_time_out_and_others_are_served
            out_of_descriptors_it_recovers
            stopped_under_load_it_answers_all_it_accepted
            stopped_with_a_full_backlog_it_answers_all_that_connected
            a_stop_waits_for_idle_clients_no_longer_than_the_grace_time
            ten_thousand_clients_leave_nothing_behind
        } })*
    };
    ($name:literal: $($test:ident)*) => { $(#[test] fn $test() { super::$test($name) })* };
}

on_every_model! {
    iterative = "iterative",
    thread_per_connection = "thread-per-connection",
    process_per_connection = "process-per-connection",
    pool = "pool",
    prethreaded = "prethreaded",
    event_driven = "event-driven",
}

/// Serves eight clients that connect at the same time, each for so long that all are served at once where the model
/// can; the most that were, and how many threads or processes were created.
fn at_once(model: &str, flags: &[&str]) -> (u64, u64) {
    let folder = Folder::new();
    let log = folder.path("log");
    let flags = [&["--work", "300ms", "--log", &log], flags].concat();
    let (server, address) = server(model, &flags);
    greet_often(address, 8, 1);
    let (_, stop) = stop_and_sum_up(server, &log);
    assert_eq!(stop.counts["answered"], 8);
    (stop.counts["most_at_once"], stop.counts["created"])
}

#[test]
fn models_differ_in_how_many_they_serve_at_once() {
    assert_eq!(at_once("iterative", &[]), (1, 0));
    assert_eq!(at_once("thread-per-connection", &[]), (8, 8));
    assert_eq!(at_once("process-per-connection", &[]), (8, 8));
    assert_eq!(at_once("prethreaded", &["--workers", "3"]), (3, 3));
    // Not those that wait for a worker.
    assert_eq!(at_once("pool", &["--workers", "3"]), (3, 3));
    assert_eq!(at_once("event-driven", &[]), (8, 0));
}

#[test]
fn every_model_keeps_the_limit_of_clients() {
    for model in [
        "iterative",
        "thread-per-connection",
        "process-per-connection",
        "pool",
        "prethreaded",
        "event-driven",
    ] {
        let (most, _) = at_once(model, &["--max-clients", "2"]);
        assert_eq!(most, if model == "iterative" { 1 } else { 2 }, "{model}");
    }
}

#[test]
fn computing_takes_processor_time_where_waiting_does_not() {
    // Two replies that compute for 200 ms each take 400 ms of processor time together, on however many threads.
    let (server, address) = server("thread-per-connection", &["--spin", "200ms"]);
    greet_often(address, 2, 1);
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    assert!(ticks >= 38, "{ticks} hundredths of a second");
    assert_eq!(server.interrupt().code, Some(0));
}

#[test]
fn a_child_that_is_killed_is_reported_and_affects_its_client_only() {
    let (mut server, address) = server("process-per-connection", &[]);
    let victim = connect(address);
    server.out_line("Connection from");
    let id = server.id();
    let child = wait_for(|| {
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        children.split_whitespace().next().map(str::to_owned)
    });
    let killed = std::process::Command::new("kill")
        .args(["-KILL", &child])
        .status();
    assert!(killed.unwrap().success());
    let line = server.err_line("thread-server: 127.0.0.1:");
    assert!(line.ends_with(": its process ended by signal 9"), "{line}");
    assert_eq!(answer(&victim), "");
    greet(address);
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    assert!(
        finished
            .err
            .contains("2 clients, 1 answered, 1 unanswered (1 its process ended by signal 9)"),
        "{finished:?}"
    );
}

#[test]
fn each_child_reports_in_order_under_its_name() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, address) = server("process-per-connection", &["--log", &log]);
    greet_often(address, 4, 2);
    let (_, stop) = stop_and_sum_up(server, &log);
    assert_eq!(stop.counts["created"], 8);
    let records = read_log(&log);
    let mut names: Vec<_> = records
        .iter()
        .filter(|record| record.thread.starts_with("process-"))
        .map(|record| record.thread.to_string())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8);
    for name in names {
        let kinds: Vec<_> = records
            .iter()
            .filter(|record| record.thread == name)
            .map(|record| record.event.kind)
            .collect();
        assert_eq!(kinds, [Kind::Receive, Kind::Send, Kind::Close]);
    }
}

#[test]
fn children_end_with_their_parent() {
    let (mut server, address) = server("process-per-connection", &["--timeout", "60s"]);
    let idle = connect(address);
    server.out_line("Connection from");
    let id = server.id();
    wait_for(|| {
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        (!children.is_empty()).then_some(())
    });
    // The child asks the kernel to end with its parent at its start; no event shows that it has.
    thread::sleep(Duration::from_millis(100));
    server.signal("KILL");
    assert_eq!(answer(&idle), "");
}
