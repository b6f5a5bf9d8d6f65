//! Every model when threads, memory or descriptors are short: it waits or refuses with one line, loses no client, and
//! never aborts.

mod peer;

use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use common::testing::{self, Finished, Running};

use peer::{answer, connect};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

const MODELS: [&str; 6] = [
    "iterative",
    "thread-per-connection",
    "process-per-connection",
    "pool",
    "prethreaded",
    "event-driven",
];

/// A server on a free port, under limits that these shell commands set.
fn limited(limits: &str, flags: &[&str]) -> Running {
    let script = format!("{limits} && exec \"$0\" \"$@\"");
    let mut command = testing::command("sh", &["-c", &script, SERVER]);
    command.args(["--listen", "127.0.0.1:0"]).args(flags);
    Running::start(command)
}

/// Clients that connect and send nothing, and later all send: each is answered.
fn all_are_answered(address: SocketAddr, clients: usize, meanwhile: impl FnOnce()) {
    let streams: Vec<_> = (0..clients).map(|_| connect(address)).collect();
    meanwhile();
    for mut stream in &streams {
        stream.write_all(b"Hello server").unwrap();
    }
    for stream in streams {
        assert_eq!(answer(&stream), "Hello from server");
    }
}

fn refused(finished: &Finished, line: &str) {
    assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""));
    assert_eq!(finished.err.lines().count(), 1, "{finished:?}");
    assert!(finished.err.contains(line), "{finished:?}");
}

fn sums_up(finished: &Finished, clients: usize) {
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let all = format!("stopped: {clients} clients, {clients} answered, 0 unanswered");
    assert!(finished.err.contains(&all), "{finished:?}");
}

#[test]
fn a_stop_needs_no_descriptor_that_the_server_does_not_have() {
    for model in MODELS {
        // From the fewest with which a server starts.
        let mut served = 0;
        for files in 9..=18 {
            let flags = ["--model", model, "--grace", "60s"];
            let mut server = limited(&format!("ulimit -n {files}"), &flags);
            let first = server.err_line("");
            let Some(address) = first.strip_prefix("listening on ") else {
                let why = format!("open files: ulimit -n is {files}, and a client needs ");
                let others = ["too many open files", "open files: too many are open, "];
                let said = others.iter().any(|why| first.contains(why)) || first.contains(&why);
                assert!(said, "{model}: {first}");
                assert_eq!(server.finish().code, Some(2));
                continue;
            };
            served += 1;
            all_are_answered(address.parse().unwrap(), 12, || {
                server.out_line("Connection from");
                server.signal("TERM");
                server.err_line("stopping: ");
            });
            sums_up(&server.finish(), 12);
        }
        assert!((5..=9).contains(&served), "{model}: {served}");
    }
}

#[test]
fn a_stop_leaves_the_descriptors_with_which_each_client_gets_its_process() {
    let model = ["--model", "process-per-connection", "--grace", "60s"];
    let mut server = limited("ulimit -n 18", &model);
    let address = server.ready();
    // All clients are in the backlog when the stop comes, so none ends whose descriptors another could have.
    server.signal("STOP");
    all_are_answered(address, 12, || {
        server.signal("TERM");
        server.signal("CONT");
    });
    let finished = server.finish();
    sums_up(&finished, 12);
    let all = finished.err.contains("; 12 processes created; ");
    assert!(all, "{finished:?}");
}

#[test]
fn after_a_stop_a_shortage_takes_no_new_client() {
    // Too few descriptors for all, so that the backlog cannot be emptied at once.
    let mut server = limited("ulimit -n 13", &["--grace", "60s", "--timeout", "60s"]);
    let address = server.ready();
    let mut streams: Vec<_> = (0..8).map(|_| connect(address)).collect();
    server.err_line("thread-server: accept: too many open files");
    server.signal("TERM");
    server.err_line("stopping: ");
    // Until the server has seen the signal, others come in, and are served.
    let wait = Duration::from_millis(100);
    while let Ok(late) = TcpStream::connect_timeout(&address, wait) {
        late.set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        streams.push(late);
    }
    for stream in &mut streams {
        stream.write_all(b"Hello server").unwrap();
        assert_eq!(answer(stream), "Hello from server");
    }
    sums_up(&server.finish(), streams.len());
}

#[test]
fn without_address_space_for_a_thread_clients_wait() {
    let mut server = limited("ulimit -v 24000", &[]);
    let address = server.ready();
    all_are_answered(address, 300, || {
        let line = server.err_line("thread-server: thread: no room for another: ");
        assert!(
            line.ends_with("ulimit -v is 24000; new clients wait in the backlog"),
            "{line}"
        );
    });
    sums_up(&server.interrupt(), 300);
}

#[test]
fn every_model_serves_in_little_address_space() {
    for model in MODELS {
        for space in [22_000, 60_000] {
            let mut server = limited(&format!("ulimit -v {space}"), &["--model", model]);
            all_are_answered(server.ready(), 40, || ());
            sums_up(&server.interrupt(), 40);
        }
    }
}

#[test]
fn in_less_than_a_server_needs_it_says_so() {
    for limits in [
        "ulimit -v 8000",
        "ulimit -v 12000",
        "ulimit -v 16000",
        "ulimit -d 4000",
    ] {
        let server = limited(limits, &[]);
        let limit = limits.rsplit_once(' ').unwrap();
        let line = format!("thread-server: start: {} is {}; ", limit.0, limit.1);
        refused(&server.finish(), &line);
    }
}

#[test]
fn more_workers_than_there_is_room_for_are_refused() {
    for model in ["pool", "prethreaded"] {
        let flags = [
            "--model",
            model,
            "--workers",
            "20000",
            "--max-clients",
            "20000",
        ];
        let finished = limited("ulimit -v 200000", &flags).finish();
        refused(
            &finished,
            "thread-server: --workers 20000: there is room for ",
        );
        assert!(
            finished.err.ends_with(": ulimit -v is 200000\n"),
            "{finished:?}"
        );
    }
}

#[test]
fn a_server_that_cannot_start_its_workers_was_never_ready() {
    // The limit of a user's tasks does not bind the administrator, and what the user has already is not known.
    let limits = "exec setpriv --reuid 54321 --clear-groups prlimit --nproc=20 \"$0\" \"$@\"";
    let may = || limited(limits, &["--help"]).finish().code == Some(0);
    let may = testing::have_program("setpriv") && testing::have_program("prlimit") && may();
    if !testing::have("another user that may run the server", may) {
        return;
    }
    for model in ["pool", "prethreaded"] {
        let finished = limited(limits, &["--model", model, "--workers", "40"]).finish();
        refused(
            &finished,
            "thread-server: --workers 40: no thread for worker ",
        );
        assert!(
            finished.err.ends_with(": ulimit -u is 20\n"),
            "{finished:?}"
        );
    }
    for (model, what) in [
        ("thread-per-connection", "thread"),
        ("process-per-connection", "process"),
    ] {
        let mut server = limited(limits, &["--model", model]);
        let address = server.ready();
        all_are_answered(address, 60, || {
            let line = server.err_line(&format!("thread-server: {what}: "));
            assert!(
                line.ends_with(": ulimit -u is 20; new clients wait in the backlog"),
                "{line}"
            );
        });
        sums_up(&server.interrupt(), 60);
    }
}

/// A control group of a test's own, which ends with it.
struct ControlGroup(String);

impl ControlGroup {
    /// A group with this file set so; None where a test may not make one.
    fn new(controller: &str, file: &str, limit: &str) -> Option<Self> {
        let name = format!("lab-test-{}-{controller}", std::process::id());
        let group = [
            format!("/sys/fs/cgroup/{controller}/"),
            "/sys/fs/cgroup/".to_owned(),
        ]
        .into_iter()
        .find(|top| Path::new(top).is_dir())
        .map(|top| Self(top + &name))?;
        let made = fs::create_dir(&group.0).and_then(|()| fs::write(group.path(file), limit));
        testing::have("a control group of its own", made.is_ok()).then_some(group)
    }

    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.0)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // Once the kernel has forgotten the last process.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() || !Path::new(&self.0).exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn in_a_control_group_with_few_tasks_clients_wait() {
    let Some(group) = ControlGroup::new("pids", "pids.max", "12") else {
        return;
    };
    let join = format!("echo $$ >{}", group.path("cgroup.procs"));
    for (model, what) in [
        ("thread-per-connection", "thread"),
        ("process-per-connection", "process"),
    ] {
        let mut server = limited(&join, &["--model", model]);
        let address = server.ready();
        all_are_answered(address, 60, || {
            let line = server.err_line(&format!("thread-server: {what}: no room for another: "));
            assert!(
                line.ends_with(
                    "pids.max of its control group is 12; new clients wait in the backlog"
                ),
                "{line}"
            );
        });
        sums_up(&server.interrupt(), 60);
    }
    let workers = limited(&join, &["--model", "pool", "--workers", "40"]).finish();
    refused(&workers, "thread-server: --workers 40: there is room for ");
}

#[test]
fn in_a_control_group_with_little_memory_clients_wait() {
    let Some(group) = ControlGroup::new("memory", "memory.limit_in_bytes", "30000000") else {
        return;
    };
    let join = format!("echo $$ >{}", group.path("cgroup.procs"));
    let mut server = limited(&join, &[]);
    let address = server.ready();
    all_are_answered(address, 1000, || {
        let line = server.err_line("thread-server: thread: no room for another: memory.");
        assert!(line.contains(" of its control group is 28 MiB; "), "{line}");
    });
    sums_up(&server.interrupt(), 1000);
}
