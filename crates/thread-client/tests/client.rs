//! The client's binary, against the tests' servers.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
};

use common::{
    event::{Kind, Record},
    testing::{self, Finished, Folder, Recorder, Running, read_log, run, start},
};
use socket2::{Domain, Socket, Type};
use thread_client::config::{Cli, Options, Settings};

const CLIENT: &str = env!("CARGO_BIN_EXE_thread-client");

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// An address without a listener, which no other process gets while the socket lives.
fn no_listener() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// One read, as the handout's server does.
fn receive(mut stream: &TcpStream) -> Vec<u8> {
    let mut message = [0; 1024];
    let length = stream.read(&mut message).unwrap();
    message[..length].to_vec()
}

/// Runs the client against a server that answers its one connection with `answer`.
fn against(answer: &'static [u8], flags: &[&str]) -> (Vec<u8>, Finished) {
    let (listener, address) = listener();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let message = receive(&stream);
        stream.write_all(answer).unwrap();
        message
    });
    let finished = run(CLIENT, &[&["--connect", &address], flags].concat());
    (serving.join().unwrap(), finished)
}

#[test]
fn the_command_line_is_valid_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        CLIENT,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn variables_and_sections_that_cannot_be_are_named() {
    let with = |name: &str| {
        let mut command = testing::command(CLIENT, &["--connect", "127.0.0.1:1"]);
        command.env(name, "x");
        let finished = Running::start(command).finish();
        (finished.code, finished.err)
    };
    for (variable, why) in [
        (
            "THREAD_CLIENT_CONECT",
            "no flag of thread-client has this variable; did you mean THREAD_CLIENT_CONNECT?",
        ),
        (
            "thread_client_rate",
            "no flag of thread-client has this variable; did you mean THREAD_CLIENT_RATE?",
        ),
        (
            "THREAD_CLIENT_",
            "no flag of thread-client has this variable",
        ),
        ("LAB_CONFG", "no such variable; did you mean LAB_CONFIG?"),
        ("LAB_RUNS", "no such variable; did you mean LAB_RUN?"),
    ] {
        let line = format!("thread-client: {variable}: {why}\n");
        assert_eq!(with(variable), (Some(2), line));
    }
    for other in [
        "LAB_NO_SKIP",
        "LAB_HANDOUT",
        "LAB_SHIVIZ",
        "LAB_CLIENT",
        "THREAD_SERVER_X",
        "LAB_RUN",
    ] {
        assert_eq!(with(other).0, Some(1), "{other} is none of its variables");
    }
    let folder = Folder::new();
    for (name, lab) in [
        ("a", r#"{"thread-client": []}"#),
        ("b", r#"{"thread-client": "x"}"#),
        ("c", r#"{"thread-client": {}, "naming": [1]}"#),
    ] {
        let file = folder.write(name, lab);
        let section = if name == "c" {
            "naming"
        } else {
            "thread-client"
        };
        let finished = run(CLIENT, &["--config", &file]);
        assert_eq!(finished.code, Some(2));
        let why = "expected an object with the program's options";
        assert!(
            finished.err.contains(&format!(": {section}: invalid type"))
                && finished.err.contains(why),
            "{finished:?}"
        );
    }
}

#[test]
fn it_prints_completions_and_manual_pages() {
    testing::check_documents::<Cli>(CLIENT);
}

#[test]
fn each_subcommand_takes_its_own_flags_and_no_others() {
    assert!(testing::check_every_flag::<Cli>() >= 16);
}

#[test]
fn the_handouts_exchange() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (message, finished) = against(b"Hello from server", &["--log", &log]);
    assert_eq!(message, b"Hello server");
    let out = "Received from server: Hello from server\n".to_owned();
    assert_eq!(
        finished,
        Finished {
            code: Some(0),
            out,
            err: String::new()
        }
    );

    let records = read_log(log);
    let kinds: Vec<_> = records.iter().map(|record| record.event.kind).collect();
    use Kind::{Close, Connect, Receive, Send, Start, Stop};
    assert_eq!(kinds, [Start, Connect, Send, Receive, Close, Stop]);
    let (sent, received) = (
        records[2].event.message.clone().unwrap(),
        records[3].event.message.clone().unwrap(),
    );
    assert_eq!(
        (&sent.from, &sent.to, sent.number),
        (&received.to, &received.from, 1)
    );
}

#[test]
fn another_message_and_a_hostile_answer() {
    let (message, finished) = against(b"\x1b]0;mine\x07\xff", &["--message", "Grüße"]);
    assert_eq!(message, "Grüße".as_bytes());
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(0), "Received from server: \\x1b]0;mine\\x07\\xff\n")
    );
}

#[test]
fn a_long_answer_is_shown_with_its_length_and_whole_in_json() {
    const LONG: [u8; 1000] = [b'x'; 1000];
    let in_short = format!("{}… (1000 bytes)", "x".repeat(64));
    let (_, finished) = against(&LONG, &[]);
    assert_eq!(finished.out, format!("Received from server: {in_short}\n"));
    let (_, finished) = against(&LONG, &["--expect", "Hello from server"]);
    let why = format!("answered '{in_short}', not 'Hello from server'\n");
    assert!(finished.err.ends_with(&why), "{finished:?}");
    let (_, finished) = against(&LONG, &["--json"]);
    let event = Record::parse(finished.out.trim_end()).unwrap().event;
    assert_eq!(event.text.map(|text| text.len()), Some(1000));
}

#[test]
fn json_is_the_answer_as_an_event() {
    let (_, finished) = against(b"Hello from server", &["--json"]);
    let event = Record::parse(finished.out.trim_end()).unwrap().event;
    assert_eq!(
        (event.kind, event.text.as_deref(), event.bytes),
        (Kind::Receive, Some("Hello from server"), Some(17))
    );
}

#[test]
fn many_clients_connect_at_once_and_have_one_summary() {
    const CLIENTS: usize = 100;
    let (listener, address) = listener();
    let serving = thread::spawn(move || {
        // No client is answered before all have sent.
        let streams: Vec<_> = (0..CLIENTS).map(|_| listener.accept().unwrap().0).collect();
        for mut stream in &streams {
            assert_eq!(receive(stream), b"Hello server");
            stream.write_all(b"Hello from server").unwrap();
        }
    });
    let finished = run(
        CLIENT,
        &["--connect", &address, "--clients", "100", "--json"],
    );
    serving.join().unwrap();
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
    let events: Vec<_> = finished
        .out
        .lines()
        .map(|line| Record::parse(line).unwrap().event)
        .collect();
    assert_eq!(events.len(), CLIENTS + 1);
    let stop = events.last().unwrap();
    assert_eq!(
        (stop.kind, stop.counts["answered"], stop.counts["failed"]),
        (Kind::Stop, 100, 0)
    );
}

#[test]
fn failures_of_many_clients_are_counted_by_kind() {
    let (listener, address) = listener();
    let serving = thread::spawn(move || {
        for number in 0..10 {
            let (mut stream, _) = listener.accept().unwrap();
            receive(&stream);
            if number % 5 != 0 {
                stream.write_all(b"Hello from server").unwrap();
            }
        }
    });
    let finished = run(CLIENT, &["--connect", &address, "--clients", "10"]);
    serving.join().unwrap();
    assert_eq!(finished.code, Some(1));
    let summary = finished.out.lines().last().unwrap();
    assert!(
        summary.starts_with("10 clients: 8 answered, 2 failed: closed without an answer (2); in "),
        "{summary}"
    );
}

#[test]
fn a_failure_is_one_line() {
    let (_bound, refused) = no_listener();
    let refused = refused.to_string();
    let (idle, idle_address) = listener();
    let (closing, closing_address) = listener();
    let closing = thread::spawn(move || drop(receive(&closing.accept().unwrap().0)));
    for (arguments, code, line) in [
        (
            &["--connect", &refused][..],
            1,
            format!("connect to {refused}: connection refused; is thread-server running there?"),
        ),
        (
            &["--connect", &idle_address, "--timeout", "50ms"],
            1,
            format!("{idle_address}: no answer in time"),
        ),
        (
            &["--connect", &closing_address],
            1,
            format!("{closing_address}: closed without an answer"),
        ),
        (
            &["--connect", "localhost"],
            2,
            "--connect localhost: not HOST:PORT, such as localhost:12345".into(),
        ),
        (
            &["--connect", "no-such-host.invalid:1"],
            2,
            "--connect no-such-host.invalid:1: ".into(),
        ),
        (
            &["--clients", "0"],
            2,
            "--clients: 0 is not in 1 to 20000".into(),
        ),
        (
            &["--message", ""],
            2,
            "length of --message in bytes: 0 is not in 1 to 1024".into(),
        ),
    ] {
        let finished = run(CLIENT, arguments);
        assert_eq!(
            (finished.code, finished.out.as_str()),
            (Some(code), ""),
            "{arguments:?}"
        );
        assert!(
            finished.err.starts_with(&format!("thread-client: {line}")),
            "{}",
            finished.err
        );
        assert_eq!(finished.err.lines().count(), 1);
    }
    closing.join().unwrap();
    drop(idle);
}

#[test]
fn every_address_of_a_name_is_tried() {
    let (listener, address) = listener();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        receive(&stream);
        stream.write_all(b"Hello from server").unwrap();
    });
    let recorded = Recorder::new(thread_client::view(&Options::default()));
    let (first, second) = (no_listener(), no_listener());
    let addresses = [first.1, second.1, address.parse().unwrap()];
    let settings = Settings::new(Options::default()).unwrap();
    let summary = thread_client::run(
        &addresses,
        &settings,
        &recorded.journal,
        &recorded.shutdown,
        false,
    )
    .unwrap();
    serving.join().unwrap();
    assert_eq!(summary.counts["answered"], 1);
    assert!(
        recorded
            .events()
            .iter()
            .any(|event| event.kind == Kind::Receive)
    );
}

#[test]
fn a_client_connected_to_itself_is_refused() {
    // With only two ports to choose from, the kernel soon chooses for the client the very port that it connects to, and
    // the client is connected to itself.
    let script = r#"
        echo 40000 40001 >/proc/sys/net/ipv4/ip_local_port_range
        for try in 1 2 3 4 5 6 7 8; do
            "$CLIENT" --connect 127.0.0.1:40000 && exit 3
            "$CLIENT" --connect 127.0.0.1:40001 && exit 3
        done
        true
    "#;
    if let Some(finished) = testing::in_namespace(script, &[("CLIENT", CLIENT)]) {
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(
            finished.err.matches("connection refused").count(),
            16,
            "{finished:?}"
        );
    }
}

#[test]
fn interrupted_it_waits_for_the_answer_for_the_grace_time() {
    let (listener, address) = listener();
    let client = start(CLIENT, &["--connect", &address, "--timeout", "60s"]);
    let (mut stream, _) = listener.accept().unwrap();
    receive(&stream);
    client.signal("INT");
    stream.write_all(b"Hello from server").unwrap();
    drop(stream);
    assert_eq!(client.finish().code, Some(0));
}

#[test]
fn interrupted_it_exits_after_the_grace_time() {
    let (listener, address) = listener();
    let client = start(CLIENT, &["--connect", &address, "--timeout", "600s"]);
    let (stream, _) = listener.accept().unwrap();
    receive(&stream);
    let finished = client.interrupt();
    assert_eq!((finished.code, finished.out.as_str()), (Some(0), ""));
    assert!(
        finished
            .err
            .starts_with("1 client: 0 answered, 1 failed: stopped (1); in "),
        "{}",
        finished.err
    );
}

#[test]
fn the_python_server_answers() {
    let script = r#"
        python3 -u "$PEERS/thread_server.py" >server.out & server=$!
        tries=0; until "$CLIENT" 2>/dev/null; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        "$CLIENT" --clients 3 --message 'from the clients'
        kill $server
        cat server.out
    "#;
    for finished in testing::with_python_peers(script, &[("CLIENT", CLIENT)]) {
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(
            finished
                .out
                .matches("Received from server: Hello from server\n")
                .count(),
            4,
            "{}",
            finished.out
        );
        assert!(finished.out.contains("3 clients: 3 answered, none failed"));
        assert_eq!(
            finished.out.matches("Received: from the clients").count(),
            3,
            "{}",
            finished.out
        );
    }
}

#[test]
fn the_script_launches_many_and_counts_the_answered() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/many-clients.sh");
    let (listener, address) = listener();
    let serving = thread::spawn(move || {
        for number in 0..20 {
            let (mut stream, _) = listener.accept().unwrap();
            receive(&stream);
            if number != 3 {
                stream.write_all(b"Hello from server").unwrap();
            }
        }
    });
    let mut command = testing::command("bash", &[script, "20", "--connect", &address]);
    command.env("LAB_CLIENT", CLIENT);
    let finished = Running::start(command).finish();
    serving.join().unwrap();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished
            .out
            .starts_with("20 clients: 19 answered, 1 failed; in "),
        "{finished:?}"
    );
}
