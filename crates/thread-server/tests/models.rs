//! Every model under the same load and the same abuse.

mod talk;

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

use talk::{answer, connect, reset};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

/// A server of this model on a free port.
fn server(model: &str, flags: &[&str]) -> (Running, SocketAddr) {
    let usual = ["--listen", "127.0.0.1:0", "--model", model];
    let mut server = start(SERVER, &[&usual, flags].concat());
    let address = server.ready();
    (server, address)
}

/// An honest client.
fn greet(address: SocketAddr) {
    let mut stream = connect(address);
    stream.write_all(b"Hello server").unwrap();
    assert_eq!(answer(&stream), "Hello from server");
}

/// So many honest clients, from several threads, each one after another.
fn greet_often(address: SocketAddr, threads: usize, each: usize) {
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..each).for_each(|_| greet(address)));
        }
    });
}

/// Interrupts it and returns the figures of its summary.
fn figures(server: Running, log: &str) -> (Finished, Event) {
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let stop = read_log(log).pop().unwrap().event;
    assert_eq!(stop.kind, Kind::Stop);
    (finished, stop)
}

fn serves_and_tells_four_events_a_client(model: &str) {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, address) = server(model, &["--log", &log]);
    greet_often(address, 8, 5);
    let (finished, stop) = figures(server, &log);
    assert_eq!(
        finished.out.matches("Connection from 127.0.0.1:").count(),
        40
    );
    assert_eq!(finished.out.matches("Received: Hello server\n").count(), 40);
    let records = read_log(&log);
    // The stop may find the last client in hand still, and says so.
    let others = records
        .iter()
        .filter(|record| record.event.kind != Kind::Local);
    assert_eq!(others.count(), 4 * 40 + 3);
    for kind in [Kind::Accept, Kind::Receive, Kind::Send, Kind::Close] {
        let of_kind = records.iter().filter(|record| record.event.kind == kind);
        assert_eq!(of_kind.count(), 40, "{kind:?}");
    }
    assert_eq!((stop.counts["answered"], stop.counts["in_hand"]), (40, 0));
    assert!(stop.counts["first_byte_p50_us"] <= stop.counts["first_byte_max_us"]);
}

fn tells_so_far_on_usr1(model: &str) {
    let (mut server, address) = server(model, &[]);
    greet(address);
    server.out_line("Received: Hello server");
    // Its end is counted a moment after its client has seen it.
    let told = loop {
        server.signal("USR1");
        let told = server.err_line("so far: 1 client, ");
        if !told.contains("in hand") {
            break told;
        }
    };
    assert!(
        told.contains("1 answered, 0 not; at most 1 at once; "),
        "{told}"
    );
    assert_eq!(server.interrupt().code, Some(0));
}

fn dripping_clients_are_answered_and_in_nobodys_way(model: &str) {
    let (server, address) = server(model, &[]);
    let dripping: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = connect(address);
            stream.write_all(b"H").unwrap();
            stream
        })
        .collect();
    greet_often(address, 32, 1);
    // The server reads once: the first drop was the message, and more of them change nothing.
    for mut stream in dripping {
        let _ = stream.write_all(b"e");
        let mut answer = [0; 17];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"Hello from server");
    }
    greet(address);
    assert_eq!(server.interrupt().code, Some(0));
}

fn a_reset_in_the_middle_costs_nobody_else_anything(model: &str) {
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
    // Without a word before, there is nothing to answer.
    let stream = connect(address);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(answer(&stream), "");
    let finished = server.interrupt();
    assert!(
        finished
            .err
            .contains("1 answered, 1 not (1 left without a word)"),
        "{finished:?}"
    );
}

fn a_gigabyte_from_one_who_does_not_read_is_cut_off(model: &str) {
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
    assert!(finished.err.contains("2 answered, 0 not"), "{finished:?}");
}

fn silence_is_given_up_and_the_others_are_served(model: &str) {
    let (server, address) = server(model, &["--timeout", "200ms"]);
    let silent: Vec<_> = (0..4).map(|_| connect(address)).collect();
    greet_often(address, 8, 1);
    for stream in silent {
        assert_eq!(answer(&stream), "");
    }
    let finished = server.interrupt();
    assert!(
        finished.err.contains("8 answered, 4 not (4 silent)"),
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
            line.ends_with("too many open files; newcomers wait in the backlog"),
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
    assert!(finished.err.contains("101 answered, 0 not"), "{finished:?}");
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
                    // Until it is refused, or was only in the backlog when the socket closed.
                    while let Ok(mut stream) = TcpStream::connect(address) {
                        let mut answer = String::new();
                        let asked = stream.write_all(b"Hello server");
                        let heard = asked.and_then(|()| stream.read_to_string(&mut answer));
                        match (heard, answer.as_str()) {
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
    let flags = ["--max-clients", "20", "--workers", "4", "--grace", "60s"];
    let (mut server, address) = server(model, &flags);
    let streams: Vec<_> = (0..200).map(|_| connect(address)).collect();
    server.signal("TERM");
    for mut stream in &streams {
        stream.write_all(b"Hello server").unwrap();
    }
    for stream in streams {
        assert_eq!(answer(&stream), "Hello from server");
    }
    server.err_line("stopped: 200 clients, 200 answered, 0 not; ");
    assert_eq!(server.finish().code, Some(0));
}

fn a_stop_waits_for_the_silent_for_the_grace_time_only(model: &str) {
    let (mut server, address) = server(model, &["--grace", "200ms", "--timeout", "60s"]);
    let silent = connect(address);
    server.out_line("Connection from");
    let begun = std::time::Instant::now();
    server.signal("INT");
    server.err_line("stopping: 1 client in hand, 200ms at most; a second signal ends at once");
    assert_eq!(answer(&silent), "");
    let finished = server.finish();
    assert!(begun.elapsed() < Duration::from_secs(30), "{finished:?}");
    assert_eq!(finished.code, Some(0));
    assert!(
        finished
            .err
            .contains("said nothing until 200ms after the stop"),
        "{finished:?}"
    );
    assert!(
        finished
            .err
            .contains("0 answered, 1 not (1 cut off by the stop)"),
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
            .contains("10000 clients, 10000 answered, 0 not"),
        "{finished:?}"
    );
}

macro_rules! on_every_model {
    ($($model:ident = $name:literal,)*) => {
        $(mod $model { on_every_model! { $name:
            serves_and_tells_four_events_a_client
            tells_so_far_on_usr1
            dripping_clients_are_answered_and_in_nobodys_way
            a_reset_in_the_middle_costs_nobody_else_anything
            a_half_closed_client_is_answered
            a_gigabyte_from_one_who_does_not_read_is_cut_off
            silence_is_given_up_and_the_others_are_served
            out_of_descriptors_it_recovers
            stopped_under_load_it_answers_all_it_accepted
            stopped_with_a_full_backlog_it_answers_all_that_connected
            a_stop_waits_for_the_silent_for_the_grace_time_only
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

/// Eight clients that are there at the same time, each worked on for so long that they would be served together if
/// they could be; the most that were, and how many threads or processes were made.
fn at_once(model: &str, flags: &[&str]) -> (u64, u64) {
    let folder = Folder::new();
    let log = folder.path("log");
    let flags = [&["--work", "300ms", "--log", &log], flags].concat();
    let (server, address) = server(model, &flags);
    greet_often(address, 8, 1);
    let (_, stop) = figures(server, &log);
    assert_eq!(stop.counts["answered"], 8);
    (stop.counts["most_at_once"], stop.counts["made"])
}

#[test]
fn models_differ_in_how_many_they_serve_at_once() {
    assert_eq!(at_once("iterative", &[]), (1, 0));
    assert_eq!(at_once("thread-per-connection", &[]), (8, 8));
    assert_eq!(at_once("process-per-connection", &[]), (8, 8));
    assert_eq!(at_once("prethreaded", &["--workers", "3"]), (3, 3));
    assert_eq!(at_once("pool", &["--workers", "3"]).1, 3);
    assert_eq!(at_once("event-driven", &[]), (8, 0));
}

#[test]
fn every_model_obeys_the_limit_of_clients() {
    for model in [
        "iterative",
        "thread-per-connection",
        "process-per-connection",
        "pool",
        "prethreaded",
        "event-driven",
    ] {
        let (most, _) = at_once(model, &["--max-clients", "2", "--workers", "4"]);
        assert_eq!(most, if model == "iterative" { 1 } else { 2 }, "{model}");
    }
}

#[test]
fn computing_takes_turns_where_waiting_does_not() {
    // What a thread burns is its own: two clients that compute 200 ms each take 200 ms of processor time each, which
    // the server's processes and threads have together.
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
fn a_child_that_is_killed_is_told_and_its_client_alone_suffers() {
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
            .contains("2 clients, 1 answered, 1 not (1 its process ended by signal 9)"),
        "{finished:?}"
    );
}

#[test]
fn children_report_under_a_name_of_their_own_and_in_order() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, address) = server("process-per-connection", &["--log", &log]);
    greet_often(address, 4, 2);
    let (_, stop) = figures(server, &log);
    assert_eq!(stop.counts["made"], 8);
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
fn the_end_of_the_parent_is_the_end_of_its_children() {
    let (mut server, address) = server("process-per-connection", &["--timeout", "60s"]);
    let silent = connect(address);
    server.out_line("Connection from");
    let id = server.id();
    wait_for(|| {
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        (!children.is_empty()).then_some(())
    });
    // Whether the child could say that it wants to end with its parent, only its connection tells.
    thread::sleep(Duration::from_millis(100));
    server.signal("KILL");
    assert_eq!(answer(&silent), "");
}
