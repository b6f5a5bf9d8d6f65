//! The server's binary, over real sockets.

mod peer;

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use common::{
    event::{Kind, Level},
    message::{Carrier, MessageId},
    testing::{self, Folder, Running, read_log, run, start},
};

use peer::{answer, connect, reset};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

/// A server on a free port, with these flags besides.
fn server(flags: &[&str]) -> (Running, SocketAddr) {
    let mut server = start(SERVER, &[&["--listen", "127.0.0.1:0"], flags].concat());
    let address = server.ready();
    (server, address)
}

/// Sends a message and returns all that the server sends until it closes.
fn greet(mut stream: TcpStream, message: &[u8]) -> String {
    stream.write_all(message).unwrap();
    answer(&stream)
}

#[test]
fn the_handouts_exchange() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, address) = server(&["--log", &log]);
    let stream = connect(address);
    let client = stream.local_addr().unwrap();
    assert_eq!(greet(stream, b"Hello server"), "Hello from server");
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    assert_eq!(
        finished.out,
        format!("Connection from {client}\nReceived: Hello server\n")
    );
    let status = "stopped: 1 client, 1 answered, 0 unanswered; at most 1 at once; 1 thread created; first byte after ";
    let status = format!("listening on {address}\n{status}");
    assert!(finished.err.starts_with(&status), "{}", finished.err);
    assert_eq!(finished.err.lines().count(), 2);

    let records = read_log(log);
    let kinds: Vec<_> = records.iter().map(|record| record.event.kind).collect();
    use Kind::{Accept, Close, Ready, Receive, Send, Start, Stop};
    assert_eq!(kinds, [Start, Ready, Accept, Receive, Send, Close, Stop]);
    let message = |record: usize| records[record].event.message.clone();
    assert_eq!(
        message(3),
        Some(MessageId::new(Carrier::Tcp, client, address, 1))
    );
    assert_eq!(
        message(4),
        Some(MessageId::new(Carrier::Tcp, address, client, 1))
    );
    assert_eq!(
        (records[2].thread.as_ref(), records[3].thread.as_ref()),
        ("main", "client-1")
    );
    assert_eq!(records[6].event.counts["answered"], 1);
}

#[test]
fn json_is_the_answer_as_events() {
    let (server, address) = server(&["--json", "--reply", "Servus"]);
    assert_eq!(greet(connect(address), b"Hello server"), "Servus");
    let out = server.interrupt().out;
    let events: Vec<_> = out
        .lines()
        .map(|line| common::event::Record::parse(line).unwrap().event)
        .collect();
    assert_eq!(
        events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [Kind::Ready, Kind::Accept, Kind::Receive, Kind::Stop]
    );
    assert_eq!(events[2].text.as_deref(), Some("Hello server"));
    let counts = ["clients", "answered", "unanswered"].map(|name| events[3].counts[name]);
    assert_eq!(counts, [1, 1, 0]);
}

#[test]
fn a_thousand_clients_at_once_are_all_answered_and_logged() {
    const CLIENTS: usize = 1000;
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, address) = server(&["--log", &log]);
    let streams: Vec<_> = (0..CLIENTS).map(|_| connect(address)).collect();
    for mut stream in &streams {
        stream.write_all(b"Hello server").unwrap();
    }
    for stream in streams {
        assert_eq!(answer(&stream), "Hello from server");
    }
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    let lines = |beginning| {
        finished
            .out
            .lines()
            .filter(|line| line.starts_with(beginning))
            .count()
    };
    assert_eq!(finished.out.lines().count(), 2 * CLIENTS);
    assert_eq!(
        (
            lines("Connection from 127.0.0.1:"),
            lines("Received: Hello server")
        ),
        (CLIENTS, CLIENTS)
    );

    let records = read_log(log);
    // The last client may still be in progress at the stop, which is reported.
    let others = records
        .iter()
        .filter(|record| record.event.kind != Kind::Report);
    assert_eq!(
        others.count(),
        4 * CLIENTS + 3,
        "start, ready, four for each client, stop"
    );
    for kind in [Kind::Accept, Kind::Receive, Kind::Send, Kind::Close] {
        let mut peers: Vec<_> = records
            .iter()
            .filter(|record| record.event.kind == kind)
            .collect();
        peers.sort_by_key(|record| record.event.peer.as_ref().map(ToString::to_string));
        peers.dedup_by_key(|record| record.event.peer.clone());
        assert_eq!(peers.len(), CLIENTS, "one {kind:?} for each client");
    }
}

#[test]
fn interrupted_in_the_middle_it_still_answers_all_that_connected() {
    // 100 are being served, 900 are in the backlog.
    let (mut server, address) = server(&["--max-clients", "100", "--grace", "60s"]);
    let streams: Vec<_> = (0..1000).map(|_| connect(address)).collect();
    server.signal("TERM");
    for mut stream in &streams {
        stream.write_all(b"Hello server").unwrap();
    }
    for stream in streams {
        assert_eq!(answer(&stream), "Hello from server");
    }
    server.err_line("stopped: 1000 clients, 1000 answered, 0 unanswered; at most 100 at once");
    assert_eq!(server.finish().code, Some(0));
}

#[test]
fn a_stop_waits_for_an_idle_client_no_longer_than_the_grace_time() {
    let (mut server, address) = server(&["--grace", "100ms"]);
    let idle = connect(address);
    server.out_line("Connection from");
    server.signal("INT");
    server.err_line("stopping: finishing 1 client within 100ms; a second signal exits at once");
    let finished = server.finish();
    assert_eq!(finished.code, Some(0));
    assert!(
        finished
            .err
            .contains("sent nothing until 100ms after the request to stop"),
        "{}",
        finished.err
    );
    assert_eq!(answer(&idle), "");
}

#[test]
fn with_an_idle_client_and_the_default_flags_a_stop_exits_with_0() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (mut server, address) = server(&["--log", &log]);
    let _idle = connect(address);
    server.out_line("Connection from");
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished
            .err
            .ends_with("1 client, 0 answered, 1 unanswered (1 idle at the stop); at most 1 at once; 1 thread created\n"),
        "{finished:?}"
    );
    assert_eq!(read_log(log).last().unwrap().event.kind, Kind::Stop);
}

#[test]
fn a_stop_under_a_shortage_of_descriptors_still_answers_all_that_connected() {
    let mut limited = testing::command("sh", &["-c", "ulimit -n 24 && exec \"$0\" \"$@\"", SERVER]);
    limited.args(["--listen", "127.0.0.1:0", "--grace", "60s"]);
    let mut server = Running::start(limited);
    let address = server.ready();
    let streams: Vec<_> = (0..40).map(|_| connect(address)).collect();
    server.err_line("thread-server: accept: too many open files");
    server.signal("INT");
    for stream in streams {
        assert_eq!(greet(stream, b"Hello server"), "Hello from server");
    }
    let finished = server.finish();
    assert_eq!(finished.code, Some(0));
    assert!(
        finished.err.contains("stopped: 40 clients, 40 answered"),
        "{finished:?}"
    );
}

#[test]
fn a_second_signal_exits_at_once() {
    let (mut server, address) = server(&["--grace", "60s"]);
    let _idle = connect(address);
    server.out_line("Connection from");
    server.signal("INT");
    server.err_line("stopping:");
    server.signal("INT");
    assert_eq!(server.finish().code, Some(130));
}

#[test]
fn bad_clients_affect_no_other() {
    let (mut server, address) = server(&["--timeout", "1s"]);
    drop(connect(address));
    server.err_line("thread-server: 127.0.0.1:");
    reset(connect(address));
    server.err_line("thread-server: 127.0.0.1:");
    assert_eq!(
        answer(&connect(address)),
        "",
        "the idle client is disconnected"
    );
    assert_eq!(
        greet(connect(address), b"\xff\x1b[2J\r\n"),
        "Hello from server"
    );
    server.out_line(r"Received: \xff\x1b[2J\r\n");
    assert_eq!(
        greet(connect(address), b"Hello server"),
        "Hello from server"
    );
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    for text in [
        "closed without sending anything",
        "connection reset by peer",
        "sent nothing for 1s",
        "2 answered, 3 unanswered",
    ] {
        assert!(finished.err.contains(text), "{text}: {}", finished.err);
    }
}

#[test]
fn a_long_message_is_read_once_and_its_sender_still_gets_the_answer() {
    let (server, address) = server(&[]);
    for length in [1023, 1024, 1025, 100_000] {
        assert_eq!(
            greet(connect(address), &vec![b'x'; length]),
            "Hello from server",
            "{length}"
        );
    }
    let out = server.interrupt().out;
    let received: Vec<_> = out
        .lines()
        .filter_map(|line| line.strip_prefix("Received: ")?.split_once("… "))
        .collect();
    let length = |length| ("x".repeat(64), format!("({length} bytes)"));
    let expected = [1023, 1024, 1024, 1024].map(length);
    let expected = expected.each_ref().map(|(x, length)| (&**x, &**length));
    assert_eq!(received, expected);
}

#[test]
fn over_the_limit_clients_wait_in_the_backlog() {
    let (mut server, address) = server(&["--max-clients", "1"]);
    let first = connect(address);
    server.out_line("Connection from");
    let mut second = connect(address);
    second.write_all(b"second").unwrap();
    second
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert_eq!(
        second.read(&mut [0; 1]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(greet(first, b"first"), "Hello from server");
    assert_eq!(answer(&second), "Hello from server");
    let finished = server.interrupt();
    assert!(
        finished
            .err
            .contains("2 answered, 0 unanswered; at most 1 at once"),
        "{}",
        finished.err
    );
}

#[test]
fn out_of_descriptors_it_backs_off_and_recovers() {
    let mut limited = testing::command("sh", &["-c", "ulimit -n 24 && exec \"$0\" \"$@\"", SERVER]);
    limited.args(["--listen", "127.0.0.1:0"]);
    let mut server = Running::start(limited);
    let address = server.ready();
    let streams: Vec<_> = (0..40).map(|_| connect(address)).collect();
    server.err_line("thread-server: accept: too many open files; new clients wait in the backlog");
    for stream in streams {
        assert_eq!(greet(stream, b"Hello server"), "Hello from server");
    }
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    assert_eq!(
        finished.err.matches("too many open files").count(),
        1,
        "logged once, not once for each client: {}",
        finished.err
    );
    assert!(finished.err.contains("40 answered"), "{}", finished.err);
}

#[test]
fn an_address_in_use_is_one_line_and_a_restart_takes_it_at_once() {
    let (first, address) = server(&[]);
    let listen = address.to_string();
    let refused = run(SERVER, &["--listen", &listen]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    assert!(refused.err.starts_with(&format!(
        "thread-server: listen on {address}: address in use; "
    )));
    assert_eq!(refused.err.lines().count(), 1);
    // The server closes first, so its side of this connection lingers in TIME-WAIT.
    assert_eq!(
        greet(connect(address), b"Hello server"),
        "Hello from server"
    );
    assert_eq!(first.interrupt().code, Some(0));
    let mut second = start(SERVER, &["--listen", &listen]);
    assert_eq!(second.ready(), address);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut server =
        Running::start_with_closed_out(testing::command(SERVER, &["--listen", "127.0.0.1:0"]));
    let address = server.ready();
    // No process reads the line about this client.
    assert_eq!(
        greet(connect(address), b"Hello server"),
        "Hello from server"
    );
    let finished = server.finish();
    assert_eq!(
        (finished.code, finished.err.contains("pipe")),
        (Some(0), false),
        "{}",
        finished.err
    );
}

#[test]
fn a_log_on_a_full_disk_is_reported_and_the_server_serves_on() {
    let (server, address) = server(&["--log", "/dev/full"]);
    for _ in 0..2 {
        assert_eq!(
            greet(connect(address), b"Hello server"),
            "Hello from server"
        );
    }
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(2));
    let line = "thread-server: --log /dev/full: no space left on device\n";
    assert_eq!(finished.err.matches(line).count(), 1, "{}", finished.err);
}

#[test]
fn hundreds_come_and_go_and_leave_nothing_behind() {
    let (server, address) = server(&[]);
    let count = |what: &str| {
        let entries = std::fs::read_dir(format!("/proc/{}/{what}", server.id()));
        entries.map_or(0, Iterator::count)
    };
    let before = (count("task"), count("fd"));
    for _ in 0..20 {
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    assert_eq!(
                        greet(connect(address), b"Hello server"),
                        "Hello from server"
                    )
                });
            }
        });
    }
    // A thread ends a moment after its client has seen the connection close.
    testing::wait_for(|| ((count("task"), count("fd")) == before).then_some(()));
}

#[test]
fn warnings_are_hidden_when_quiet_and_still_logged() {
    let folder = Folder::new();
    let log = folder.path("log");
    let mut server = start(
        SERVER,
        &["--listen", "127.0.0.1:0", "--quiet", "--log", &log],
    );
    // The port was left to the system: nothing else says it.
    let address = server.ready();
    drop(connect(address));
    testing::wait_for(|| {
        std::fs::read_to_string(&log)
            .ok()?
            .contains("closed without sending anything")
            .then_some(())
    });
    let finished = server.interrupt();
    assert_eq!(
        (finished.code, finished.err),
        (Some(0), format!("listening on {address}\n"))
    );
    assert!(
        read_log(&log)
            .iter()
            .any(|record| record.event.level == Level::Warn)
    );
}

#[test]
fn the_python_client_is_answered() {
    let script = r#"
        "$SERVER" >server.out 2>server.err & server=$!
        tries=0; until grep -q '^listening' server.err; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        python3 "$PEERS/thread_client.py"
        kill -INT $server; wait $server
        cat server.out
    "#;
    for finished in testing::with_python_peers(script, &[("SERVER", SERVER)]) {
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let (answer, server) = finished.out.split_once('\n').unwrap();
        assert_eq!(answer, "Received from server: Hello from server");
        assert!(
            server.starts_with("Connection from 127.0.0.1:")
                && server.ends_with("Received: Hello server\n")
        );
    }
}
