//! Processes by hand, as in three terminals.

use std::{
    io::Write,
    net::{TcpStream, UdpSocket},
    sync::atomic::{AtomicU8, Ordering},
};

use common::testing::{self, Finished, Folder, Running, read_log, run, start};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

/// Addresses of this test alone: every process that tests has a loopback network, and every test an address of it.
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

    /// Starts the process of this number, of so many.
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

fn well(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn the_handouts_experiment_in_three_terminals() {
    for more in [UDP, TCP] {
        let lab = Lab::new("events", more);
        let [mut p1, mut p2, mut p3] = [1, 2, 3].map(|number| lab.start(number, 3));
        p1.type_in("local\nlocal\nsend p2 hello there\nclock\n");
        p1.out_line("   3  sends message 'hello there' to p2");
        p1.out_line("the clock is at 3");
        p2.out_line("   4  receives message 'hello there' from p1");
        p2.type_in("send p3\n");
        p2.out_line("   5  sends message to p3");
        p3.out_line("   6  receives message from p2");
        well(&p1.interrupt());
        p2.type_in("quit\n");
        well(&p2.finish());
        well(&p3.interrupt());
    }
}

#[test]
fn whoever_asks_first_is_first_and_the_second_waits() {
    for algorithm in ["mutex", "ricart-agrawala"] {
        let lab = Lab::new(algorithm, UDP);
        let [mut p1, mut p2, p3] = [1, 2, 3].map(|number| lab.start(number, 3));
        p1.type_in("lock\n");
        p1.out_line_with("enters the critical section, by its request of 1");
        p2.type_in("lock\nqueue\n");
        p2.out_line_with("p2 asked at");
        p2.type_in("unlock\n");
        p2.err_line("lamport: it has asked for the critical section, and waits for it");
        p1.type_in("lock\nunlock\n");
        p1.err_line("lamport: it is in the critical section; unlock leaves");
        p1.out_line_with("leaves the critical section");
        p2.out_line_with("enters the critical section");
        for process in [p1, p2, p3] {
            well(&process.interrupt());
        }
    }
}

#[test]
fn copies_of_the_account_by_hand() {
    let lab = Lab::new("total", UDP);
    let [mut p1, mut p2] = [1, 2].map(|number| lab.start(number, 2));
    p1.type_in("multicast +100\nmulticast hello\n");
    p1.err_line("lamport: an account takes +100, -30, +1% and the like");
    p1.out_line_with("delivers p1's of 1 '+100: 1100.00'");
    p2.out_line_with("delivers p1's of 1 '+100: 1100.00'");
    p2.type_in("multicast +1%\nqueue\n");
    p2.out_line_with("'+1%: 1111.00'");
    p1.out_line_with("'+1%: 1111.00'");
    well(&p1.interrupt());
    well(&p2.interrupt());
}

#[test]
fn a_process_that_is_late_gets_all_the_same_what_it_was_sent() {
    for more in [UDP, TCP] {
        let lab = Lab::new("events", more);
        let mut p1 = lab.start(1, 2);
        p1.type_in("send p2 one\nsend p2 two\n");
        p1.err_line("lamport: p2: not heard yet; it is not started, or elsewhere");
        let mut p2 = lab.start(2, 2);
        p2.out_line_with("receives message 'one' from p1");
        p2.out_line_with("receives message 'two' from p1");
        p1.err_line("lamport: p2: it is heard again");
        well(&p1.interrupt());
        well(&p2.interrupt());
    }
}

#[test]
fn a_process_killed_in_its_critical_section_is_missed_and_not_let_in_again() {
    let lab = Lab::new("mutex", UDP);
    let [mut p1, mut p2] = [1, 2].map(|number| lab.start(number, 2));
    p2.type_in("lock\n");
    p2.out_line_with("enters the critical section");
    p2.signal("KILL");
    assert_eq!(p2.finish().code, None);
    p1.type_in("lock\n");
    p1.err_line("lamport: p2: nothing heard for 2 s; it is gone, or cut off");
    let mut p2 = lab.start(2, 2);
    p1.err_line("lamport: p2: it has begun anew, or two processes are called so; what it promised");
    p2.type_in("lock\n");
    p2.err_line("lamport: p1: it goes on with an earlier process of this name");
    let p1 = p1.interrupt();
    assert!(!p1.out.contains("enters"), "{}", p1.out);
    well(&p1);
    let frames = read_log(lab.log(1)).pop().unwrap().event.counts["frames_sent"];
    assert!(
        frames < 100,
        "{frames} frames, with somebody who is not answered"
    );
    let p2 = p2.interrupt();
    assert!(!p2.out.contains("enters"), "{}", p2.out);
}

#[test]
fn events_go_on_with_a_process_that_began_anew() {
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
        well(&p1.interrupt());
        well(&p2.interrupt());
    }
}

#[test]
fn what_is_no_message_for_it_is_told_once_and_passed_over() {
    let lab = Lab::new("mutex", UDP);
    let mut p1 = lab.start(1, 2);
    let socket = UdpSocket::bind((lab.address.as_str(), 0)).unwrap();
    let good = r#"{"v":1,"algorithm":"mutex","from":"p2","to":"p1","session":9,"knows":0,"frame":{"number":1,"acknowledged":0,"packet":{"message":1,"to_all":true,"said":{"time":7,"content":"request"}}}}"#;
    for (datagram, told) in [
        ("hello".to_owned(), "no message of this program"),
        (good[..90].to_owned(), "half a message: it is cut off"),
        (
            good.replace("\"v\":1", "\"v\":2"),
            "a message of version 2, not 1",
        ),
        (
            good.replace("p2", "eve\\u001b[2J"),
            r"a message from 'eve\x1b[2J', who is no --peer",
        ),
        (
            good.replace("p1", "p3"),
            "a message for 'p3', who is not here",
        ),
        (
            good.replace("mutex", "total"),
            "a message of 'total', which is not run here",
        ),
        ("x".repeat(9000), "a message of more than 8192 bytes"),
        (
            good.replace(":7,", ":18446744073709551000,"),
            "p2: its clock says 18446744073709551000, far beyond any",
        ),
    ] {
        for _ in 0..3 {
            socket.send_to(datagram.as_bytes(), lab.port(1)).unwrap();
        }
        p1.err_line_with(told);
    }
    // It is as it was: the second packet of the channel is the next.
    let next = good.replace("\"number\":1", "\"number\":2");
    socket.send_to(next.as_bytes(), lab.port(1)).unwrap();
    p1.out_line("   8  receives request from p2");
    let p1 = p1.interrupt();
    assert_eq!(p1.err.matches("half a message").count(), 1, "{}", p1.err);
    well(&p1);
}

#[test]
fn half_a_line_and_an_endless_one_are_told() {
    let lab = Lab::new("events", TCP);
    let mut p1 = lab.start(1, 2);
    let mut stream = TcpStream::connect(lab.port(1)).unwrap();
    stream.write_all(b"{\"v\":1,\"algorithm\":").unwrap();
    drop(stream);
    p1.err_line_with("half a message: it is cut off");
    let mut stream = TcpStream::connect(lab.port(1)).unwrap();
    // It closes when it has had enough.
    let _ = stream.write_all(&[b'x'; 100_000]);
    p1.err_line_with("a message of more than 8192 bytes");
    well(&p1.interrupt());
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
    p2.err_line("lamport: p1: its clock says 18446744073709551614, far beyond any that can be; its message is refused");
    p1.type_in("local\nlocal\n");
    p1.err_line("lamport: clock: the time would exceed the end of its range");
    assert_eq!(p1.finish().code, Some(1));
    p2.type_in("local\n");
    p2.out_line("   1  local event");
    well(&p2.interrupt());
}

#[test]
fn a_process_that_cannot_be_is_refused() {
    const ONE: [&str; 6] = ["node", "mutex", "--name", "p1", "--peer", "p2=127.0.0.1:1"];
    let and = |more: &[&'static str]| [&ONE, more].concat();
    testing::check_refusals(
        LAMPORT,
        &[
            (
                &["node", "mutex", "--peer", "p2=127.0.0.1:1"],
                "--name: a process needs a name",
            ),
            (
                &["node", "mutex", "--name", "p1"],
                "--peer: there must be 1 to 49",
            ),
            (
                &["node", "mutex", "--name", "p2", "--peer", "p2=127.0.0.1:1"],
                "--peer p2=127.0.0.1:1: this process itself is called so",
            ),
            (
                &and(&["--peer", "p2=127.0.0.1:2"]),
                "--peer p2: two are called so",
            ),
            (
                &and(&["--crash", "p3@1s"]),
                "--crash p3@1s: no process is called 'p3'; did you mean p1?",
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
    well(&first.interrupt());
}
