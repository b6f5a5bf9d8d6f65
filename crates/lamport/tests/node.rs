//! Processes by hand, as in three terminals.

use std::{
    io::Write,
    net::{TcpStream, UdpSocket},
    sync::atomic::{AtomicU8, Ordering},
};

use common::testing::{self, Finished, Folder, Running, read_log, run, start};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

/// A lab with its own addresses: every test process has a loopback network, and every test an address in it.
struct Lab {
    address: String,
    algorithm: &'static str,
    more: &'static [&'static str],
    logs: Folder,
}

const UDP: &[&str] = &[];
const TCP: &[&str] = &["--transport", "tcp"];

impl Lab {
    fn new(algorithm: &'static str, more: &'static [&'static str]) -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        let process = std::process::id();
        let (high, low) = (process >> 8 & 0xff, process & 0xff);
        let last = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            address: format!("127.{high}.{low}.{last}"),
            algorithm,
            more,
            logs: Folder::new(),
        }
    }

    /// The log of the process of this number.
    fn log(&self, number: usize) -> String {
        self.logs.path(&format!("p{number}.jsonl"))
    }

    fn port(&self, number: usize) -> String {
        format!("{}:{}", self.address, 4000 + number)
    }

    /// Starts the process with this number, of N.
    fn start(&self, number: usize, of: usize) -> Running {
        let (name, listen) = (format!("p{number}"), self.port(number));
        let mut arguments = vec!["node", self.algorithm, "--name", &name, "--listen", &listen];
        let others = (1..=of).filter(|other| *other != number);
        let peers: Vec<_> = others
            .map(|other| format!("p{other}={}", self.port(other)))
            .collect();
        for peer in &peers {
            arguments.extend(["--peer", peer]);
        }
        let log = self.log(number);
        arguments.extend(["--log", &log]);
        arguments.extend(self.more);
        let mut running = start(LAMPORT, &arguments);
        running.ready();
        running
    }
}

fn assert_done(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn the_handouts_experiment_in_three_terminals() {
    for more in [UDP, TCP] {
        let lab = Lab::new("events", more);
        let [mut p1, mut p2, mut p3] = [1, 2, 3].map(|number| lab.start(number, 3));
        p1.type_in("local\nlocal\nsend p2 hello there\nclock\n");
        p1.out_line("   3  sends message 'hello there' to p2");
        p1.out_line("clock: 3");
        p2.out_line("   4  receives message 'hello there' from p1");
        p2.type_in("send p3\n");
        p2.out_line("   5  sends message to p3");
        p3.out_line("   6  receives message from p2");
        assert_done(&p1.interrupt());
        p2.type_in("quit\n");
        assert_done(&p2.finish());
        assert_done(&p3.interrupt());
    }
}

#[test]
fn a_leader_is_elected_by_hand_and_another_one_when_it_is_gone() {
    for algorithm in ["bully", "ring"] {
        let lab = Lab::new(algorithm, UDP);
        let [mut p1, mut p2, mut p3] = [1, 2, 3].map(|number| lab.start(number, 3));
        p1.type_in("elect\n");
        for process in [&mut p1, &mut p2, &mut p3] {
            process.out_line_with("takes p3 as the leader of term");
        }
        p1.type_in("queue\nlock\n");
        p1.out_line_with("leader of term");
        let commands = format!("lamport: not a command of {algorithm}; its commands: elect");
        p1.err_line(&commands);
        assert_done(&p3.interrupt());
        for process in [&mut p1, &mut p2] {
            process.out_line_with("takes p2 as the leader of term");
        }
        for process in [p1, p2] {
            assert_done(&process.interrupt());
        }
    }
}

#[test]
fn the_tree_of_an_election_is_seen_by_hand() {
    let lab = Lab::new("wireless", UDP);
    let [mut p1, mut p2, mut p3] = [1, 2, 3].map(|number| lab.start(number, 3));
    p3.type_in("elect\n");
    for process in [&mut p1, &mut p2, &mut p3] {
        process.out_line_with("takes p2 as the leader of term 3");
    }
    p1.type_in("queue\n");
    p1.out_line("capacity 4; neighbours: p2, p3");
    p1.out_line("leader of term 3: p2");
    p1.out_line("in the tree of term 3: parent p3; children p2");
    // p1 is between the others.
    assert_done(&p1.interrupt());
    p2.out_line_with("takes p2 as the leader of term");
    p3.out_line_with("takes p3 as the leader of term");
    for process in [p2, p3] {
        assert_done(&process.interrupt());
    }
}

#[test]
fn a_snapshot_is_taken_by_hand_and_has_all_the_money() {
    for algorithm in ["snapshot", "vector-snapshot"] {
        let lab = Lab::new(algorithm, UDP);
        let [mut p1, mut p2, mut p3] = [1, 2, 3].map(|number| lab.start(number, 3));
        p1.type_in("transfer p2 2000\n");
        p1.err_line("lamport: the balance is 1000: an account is not overdrawn");
        p1.type_in("transfer p2 30\n");
        p2.out_line_with("receives transfer");
        p3.type_in("snapshot\nqueue\n");
        p3.out_line_with("records its state for snapshot 1 of p3: balance 1000");
        p1.out_line_with("records its state for snapshot 1 of p3: balance 970");
        p2.out_line_with("records its state for snapshot 1 of p3: balance 1030");
        p3.out_line_with("completes snapshot 1 of p3: 3000 in all");
        for process in [p1, p2, p3] {
            assert_done(&process.interrupt());
        }
    }
}

#[test]
fn the_first_to_request_enters_and_the_second_waits() {
    for algorithm in ["mutex", "ricart-agrawala"] {
        let lab = Lab::new(algorithm, UDP);
        let [mut p1, mut p2, p3] = [1, 2, 3].map(|number| lab.start(number, 3));
        p1.type_in("lock\n");
        p1.out_line_with("enters the critical section, by its request of 1");
        p2.type_in("lock\nqueue\n");
        p2.out_line_with("p2: request of");
        p2.type_in("unlock\n");
        p2.err_line("lamport: still waiting for the critical section");
        p1.type_in("lock\nunlock\n");
        p1.err_line("lamport: already in the critical section: type unlock to exit it");
        p1.out_line_with("exits the critical section");
        p2.out_line_with("enters the critical section");
        for process in [p1, p2, p3] {
            assert_done(&process.interrupt());
        }
    }
}

#[test]
fn replicas_of_the_account_by_hand() {
    let lab = Lab::new("total", UDP);
    let [mut p1, mut p2] = [1, 2].map(|number| lab.start(number, 2));
    p1.type_in("multicast +100\nmulticast hello\n");
    p1.err_line("lamport: not an operation on the account: +100, -30 or +1%");
    p1.out_line_with("delivers p1's multicast of 1 '+100: 1100.00'");
    p2.out_line_with("delivers p1's multicast of 1 '+100: 1100.00'");
    p2.type_in("multicast +1%\nqueue\n");
    p2.out_line_with("'+1%: 1111.00'");
    p1.out_line_with("'+1%: 1111.00'");
    assert_done(&p1.interrupt());
    assert_done(&p2.interrupt());
}

/// Replays the logs of these processes.
fn replayed(lab: &Lab, processes: usize, change: impl Fn(String) -> String) -> Finished {
    let logs = (1..=processes).map(|number| std::fs::read_to_string(lab.log(number)).unwrap());
    let all = lab.logs.write("all.jsonl", change(logs.collect()));
    run(LAMPORT, &["simulate", lab.algorithm, "--replay", &all])
}

#[test]
fn what_was_typed_is_replayed() {
    let same = |lab: &Lab, processes: usize, events: u64| {
        let finished = replayed(lab, processes, |log| log);
        let first = format!("replayed the same {events} events, over reliable FIFO channels\n");
        assert!(finished.out.starts_with(&first), "{finished:?}");
        assert_done(&finished);
    };
    let events = Lab::new("events", &["--clock", "7"]);
    let [mut p1, mut p2] = [1, 2].map(|number| events.start(number, 2));
    p1.type_in("local\nsend p2 hello there\nsend p2\n");
    p2.out_line("  11  receives message from p1");
    p2.type_in("send p1 a\\tb \u{1b}[1m\n");
    p1.out_line_with("receives message");
    for process in [p1, p2] {
        assert_done(&process.interrupt());
    }
    same(&events, 2, 7);
    // A text that arrives must be the one that was sent.
    let other = replayed(&events, 2, |log| log.replacen("hello there", "hello", 1));
    assert_eq!(other.code, Some(2), "{other:?}");
    assert!(
        other
            .err
            .contains("the log has text 'hello there' and not 'hello'"),
        "{other:?}"
    );

    for algorithm in [
        "mutex",
        "ricart-agrawala",
        "central",
        "token-ring",
        "maekawa",
    ] {
        let lab = Lab::new(algorithm, UDP);
        let [mut p1, mut p2, mut p3] = [1, 2, 3].map(|number| lab.start(number, 3));
        p2.type_in("lock\n");
        p2.out_line_with("enters the critical section");
        p3.type_in("lock\n");
        match algorithm {
            // In a ring nobody is asked.
            "token-ring" => {}
            "maekawa" => drop(p1.out_line_with("' from p3")),
            _ => drop(p1.out_line_with("request from p3")),
        }
        p2.type_in("unlock\n");
        p3.out_line_with("enters the critical section");
        p3.type_in("unlock\n");
        p3.out_line_with("exits the critical section");
        for process in [p1, p2, p3] {
            assert_done(&process.interrupt());
        }
        let finished = replayed(&lab, 3, |log| log);
        assert!(
            finished.out.starts_with("replayed the same "),
            "{finished:?}"
        );
        assert_done(&finished);
    }

    for (algorithm, texts) in [
        ("total", ["+50", "-7%"]),
        ("causal", ["hello", "re: [1,0] hello"]),
    ] {
        let lab = Lab::new(algorithm, UDP);
        let [mut p1, mut p2] = [1, 2].map(|number| lab.start(number, 2));
        p1.type_in(format!("multicast {}\n", texts[0]));
        p2.out_line_with("delivers p1's multicast");
        p2.type_in(format!("multicast {}\n", texts[1]));
        p1.out_line_with("delivers p2's multicast");
        p2.out_line_with("delivers p2's multicast");
        for process in [p1, p2] {
            assert_done(&process.interrupt());
        }
        let finished = replayed(&lab, 2, |log| log);
        assert!(
            finished.out.starts_with("replayed the same "),
            "{finished:?}"
        );
        assert_done(&finished);
    }
}

#[test]
fn a_process_that_starts_late_receives_earlier_messages() {
    for more in [UDP, TCP] {
        let lab = Lab::new("events", more);
        let mut p1 = lab.start(1, 2);
        p1.type_in("send p2 one\nsend p2 two\n");
        p1.err_line("lamport: p2: no message yet; not started, or not reachable at its address");
        let mut p2 = lab.start(2, 2);
        p2.out_line_with("receives message 'one' from p1");
        p2.out_line_with("receives message 'two' from p1");
        p1.err_line("lamport: p2: responds again");
        assert_done(&p1.interrupt());
        assert_done(&p2.interrupt());
    }
}

#[test]
fn a_process_killed_in_its_critical_section_is_suspected_and_not_admitted_again() {
    let lab = Lab::new("mutex", UDP);
    let [mut p1, mut p2] = [1, 2].map(|number| lab.start(number, 2));
    p2.type_in("lock\n");
    p2.out_line_with("enters the critical section");
    p2.signal("KILL");
    assert_eq!(p2.finish().code, None);
    p1.type_in("lock\n");
    p1.err_line("lamport: p2: no message for 2 s; suspected failed or partitioned");
    let mut p2 = lab.start(2, 2);
    p1.err_line(
        "lamport: p2: restarted without its earlier state, or two processes have this name;",
    );
    p2.type_in("lock\n");
    p2.err_line("lamport: p1: continues with an earlier process of this name");
    let p1 = p1.interrupt();
    assert!(!p1.out.contains("enters"), "{}", p1.out);
    assert_done(&p1);
    let frames = read_log(lab.log(1)).pop().unwrap().event.counts["frames_sent"];
    assert!(
        frames < 100,
        "{frames} frames to a process whose frames are discarded"
    );
    let p2 = p2.interrupt();
    assert!(!p2.out.contains("enters"), "{}", p2.out);
}

#[test]
fn events_continue_with_a_restarted_process() {
    for more in [UDP, TCP] {
        let lab = Lab::new("events", more);
        let [mut p1, mut p2] = [1, 2].map(|number| lab.start(number, 2));
        p1.type_in("send p2 one\nsend p2 two\n");
        p2.out_line_with("receives message 'two'");
        p2.signal("KILL");
        p2.finish();
        let mut p2 = lab.start(2, 2);
        p2.type_in("send p1 here again\n");
        p1.out_line_with("receives message 'here again' from p2");
        p1.type_in("send p2 three\n");
        p2.out_line_with("receives message 'three' from p1");
        assert_done(&p1.interrupt());
        assert_done(&p2.interrupt());
    }
}

#[test]
fn an_invalid_frame_is_reported_once_and_discarded() {
    let lab = Lab::new("mutex", UDP);
    let mut p1 = lab.start(1, 2);
    let socket = UdpSocket::bind((lab.address.as_str(), 0)).unwrap();
    let good = r#"{"v":1,"algorithm":"mutex","from":"p2","to":"p1","session":9,"knows":0,"frame":{"sequence":1,"acknowledged":0,"packet":{"number":1,"to_all":true,"message":{"time":7,"content":"request"}}}}"#;
    for (datagram, why) in [
        ("hello".to_owned(), "not a frame of this program; discarded"),
        (good[..90].to_owned(), "truncated frame"),
        (
            good.replace("\"v\":1", "\"v\":2"),
            "frame of version 2, not 1",
        ),
        (
            good.replace("p2", "eve\\u001b[2J"),
            r"frame from 'eve\x1b[2J', which is not a --peer",
        ),
        (
            good.replace("p1", "p3"),
            "frame for 'p3', which is not this process",
        ),
        (
            good.replace("mutex", "total"),
            "frame of another algorithm, 'total'",
        ),
        ("x".repeat(9000), "frame of more than 8192 bytes"),
        (
            good.replace(":7,", ":18446744073709551000,"),
            "p2: message discarded: its time 18446744073709551000 is more than 2^48 ahead",
        ),
    ] {
        for _ in 0..3 {
            socket.send_to(datagram.as_bytes(), lab.port(1)).unwrap();
        }
        p1.err_line_with(why);
    }
    // The channel continues: its second packet is the next one.
    let next = good.replace("\"sequence\":1", "\"sequence\":2");
    socket.send_to(next.as_bytes(), lab.port(1)).unwrap();
    p1.out_line("   8  receives request from p2");
    let p1 = p1.interrupt();
    assert_eq!(p1.err.matches("truncated frame").count(), 1, "{}", p1.err);
    assert_done(&p1);
}

#[test]
fn a_truncated_and_an_endless_line_are_reported() {
    let lab = Lab::new("events", TCP);
    let mut p1 = lab.start(1, 2);
    let mut stream = TcpStream::connect(lab.port(1)).unwrap();
    stream.write_all(b"{\"v\":1,\"algorithm\":").unwrap();
    drop(stream);
    p1.err_line_with("truncated frame");
    let mut stream = TcpStream::connect(lab.port(1)).unwrap();
    // The process closes the connection meanwhile.
    let _ = stream.write_all(&[b'x'; 100_000]);
    p1.err_line_with("frame of more than 8192 bytes");
    assert_done(&p1.interrupt());
}

#[test]
fn a_clock_near_the_end_of_its_range_ends_its_process_and_no_other() {
    let lab = Lab::new("events", UDP);
    let mut p2 = lab.start(2, 2);
    let late = Lab {
        address: lab.address.clone(),
        algorithm: lab.algorithm,
        more: &["--clock", "18446744073709551613"],
        logs: Folder::new(),
    };
    let mut p1 = late.start(1, 2);
    p1.type_in("send p2 from the end of time\n");
    p2.err_line("lamport: p1: message discarded: its time 18446744073709551614 is more than 2^48 ahead of this clock");
    p1.type_in("local\nlocal\n");
    p1.err_line("lamport: clock: the time would exceed the end of its range");
    assert_eq!(p1.finish().code, Some(1));
    p2.type_in("local\n");
    p2.out_line("   1  local event");
    assert_done(&p2.interrupt());
}

#[test]
fn invalid_settings_of_a_process_are_refused() {
    const ONE: [&str; 6] = ["node", "mutex", "--name", "p1", "--peer", "p2=127.0.0.1:1"];
    let and = |more: &[&'static str]| [&ONE, more].concat();
    testing::check_refusals(
        LAMPORT,
        &[
            (
                &["node", "mutex", "--peer", "p2=127.0.0.1:1"],
                "--name: missing: every process has a name",
            ),
            (
                &["node", "mutex", "--name", "p1"],
                "--peer: 1 to 49 peers are required",
            ),
            (
                &["node", "mutex", "--name", "p2", "--peer", "p2=127.0.0.1:1"],
                "--peer p2=127.0.0.1:1: this is the name of this process",
            ),
            (
                &and(&["--peer", "p2=127.0.0.1:2"]),
                "--peer p2: two processes have this name",
            ),
            (
                &and(&["--partition", "p1/p3@1s"]),
                "--partition p1/p3@1s: no process is called 'p3'; did you mean p1?",
            ),
            (
                &and(&["--listen", "192.0.2.1:1"]),
                "listen on 192.0.2.1:1: no such address on this machine",
            ),
        ],
    );
    let lab = Lab::new("mutex", UDP);
    let first = lab.start(1, 2);
    let port = lab.port(1);
    let second = run(LAMPORT, &[&ONE[..], &["--listen", &port]].concat());
    assert_eq!(second.code, Some(2));
    assert_eq!(
        second.err,
        format!("lamport: listen on {port}: address in use\n")
    );
    assert_done(&first.interrupt());
}

#[test]
fn it_is_ready_by_machine_and_answers_signals() {
    for transport in ["udp", "tcp"] {
        let peer = ["--peer", "p2=127.0.0.1:9"];
        let node = ["node", "mutex", "--name", "p1", "--transport", transport];
        testing::check_contract(LAMPORT, &[&node[..], &peer].concat(), true);
    }
    testing::check_contract(
        LAMPORT,
        &["explore", "mutex", "--listen", "127.0.0.1:0"],
        true,
    );
    testing::check_contract(LAMPORT, &["run", "events", "--for", "1m"], true);
}

#[test]
fn a_command_that_reads_a_pipe_answers_signals() {
    let folder = Folder::new();
    let log = folder.path("log");
    let mut trace = start(LAMPORT, &["trace", "-", "--log", &log]);
    testing::wait_for(|| {
        std::fs::read_to_string(&log)
            .ok()?
            .contains("start")
            .then_some(())
    });
    trace.signal("HUP");
    trace.err_line("--log");
    trace.signal("USR1");
    trace.err_line("so far: 2 events after ");
    // It holds nothing that a signal could lose. (SIGTERM: a shell ignores SIGINT for what it runs in the background.)
    trace.signal("TERM");
    assert_eq!(trace.finish().code, None);
}
