//! The server's outputs: its log on a disk that fills, under another name, with a torn end; a standard error that is not
//! read; and what it says to machines.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Stdio},
};

use common::{
    event::{Kind, Level, Record},
    testing::{self, Folder, Running, command, have, read_log, start},
};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

/// The handout's exchange.
fn exchange(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"Hello server").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

/// The events of a log; each line is whole.
fn records(log: &Path) -> Vec<Record<'static>> {
    let text = fs::read_to_string(log).unwrap();
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| Record::parse(line).unwrap())
        .collect()
}

#[test]
fn it_is_ready_by_machine_and_answers_signals() {
    testing::check_contract(SERVER, &["--listen", "127.0.0.1:0"], true);
}

#[test]
fn a_log_on_a_full_disk_keeps_whole_lines_and_goes_on_with_room() {
    let can_mount = || Command::new("unshare").args(["-rm", "true"]).status();
    if !have(
        "unshare -rm",
        can_mount().is_ok_and(|status| status.success()),
    ) {
        return;
    }
    let folder = Folder::new();
    let script = r#"mkdir "$0/disk"; mount -t tmpfs -o size=64k tmpfs "$0/disk"
        exec "$1" --listen 127.0.0.1:0 --log "$0/disk/log""#;
    let arguments = ["-rm", "sh", "-euc", script, &folder.path(""), SERVER];
    let mut server = Running::start(command("unshare", &arguments));
    let address = server.ready();
    // The disk is in the server's name space of mounts.
    let disk = format!("/proc/{}/root{}", server.id(), folder.path("disk"));
    let (log, filler) = (format!("{disk}/log"), format!("{disk}/filler"));
    assert_eq!(exchange(address), "Hello from server");
    assert!(
        fs::write(&filler, vec![0; 1 << 20]).is_err(),
        "the disk is full"
    );

    // The page of the log's end has room for some events more, and the writer keeps some; the others are lost.
    for _ in 0..40 {
        assert_eq!(exchange(address), "Hello from server");
    }
    let line = server.err_line("thread-server: --log");
    assert!(
        line.ends_with("/disk/log: no space left on device"),
        "{line}"
    );
    testing::wait_for(|| {
        assert_eq!(exchange(address), "Hello from server");
        let whole = fs::read_to_string(&log).unwrap().ends_with('\n');
        whole.then_some(())
    });
    records(log.as_ref());

    fs::remove_file(&filler).unwrap();
    assert_eq!(exchange(address), "Hello from server");
    let line = server.err_line_with("it is written again");
    let copy = folder.path("copy");
    server.signal("USR1");
    server.err_line("so far");
    testing::wait_for(|| {
        fs::copy(&log, &copy).unwrap();
        let text = fs::read_to_string(&copy).unwrap();
        text.contains("so far").then_some(())
    });
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(2), "{finished:?}");

    let records = records(copy.as_ref());
    let gaps: Vec<_> = records
        .windows(2)
        .filter(|pair| pair[1].seq != pair[0].seq + 1)
        .collect();
    let [gap] = gaps.as_slice() else {
        panic!("one gap: {gaps:?}")
    };
    let missing = gap[1].seq - gap[0].seq - 1;
    assert!(missing > 0);
    let notice = &gap[1].event;
    assert_eq!((notice.kind, notice.level), (Kind::Error, Level::Warn));
    assert_eq!(notice.counts["unwritten"], missing);
    assert!(
        line.ends_with(&format!(
            "it is written again; {missing} events are missing"
        )),
        "{line}"
    );
    let last = finished.err.trim_end().lines().last().unwrap();
    assert!(
        last.ends_with(&format!(
            "{missing} events are not written: no space left on device"
        )),
        "{last}"
    );
}

#[test]
fn a_torn_end_of_the_log_is_said_and_spoils_no_event() {
    let folder = Folder::new();
    let log = folder.path("log");
    let mut server = start(SERVER, &["--listen", "127.0.0.1:0", "--log", &log]);
    exchange(server.ready());
    server.interrupt();
    let whole = fs::read_to_string(&log).unwrap();
    fs::write(&log, &whole[..whole.len() - 100]).unwrap();

    let mut server = start(SERVER, &["--listen", "127.0.0.1:0", "--log", &log]);
    let said = server.err_line("thread-server: --log");
    assert!(
        said.contains("ended within a line") && said.ends_with("log.torn"),
        "{said}"
    );
    exchange(server.ready());
    assert_eq!(server.interrupt().code, Some(0));
    let records = records(log.as_ref());
    let runs: Vec<_> = records.chunk_by(|one, next| one.run == next.run).collect();
    // The first run lacks its stop alone.
    assert_eq!(runs[0].len(), whole.lines().count() - 1);
    assert!((0..).zip(runs[1]).all(|(seq, record)| record.seq == seq));
    assert_eq!(
        runs[1].len(),
        1 + runs[0].len() + 1,
        "with the warning, and a stop"
    );
    let torn = fs::read_to_string(folder.path("log.torn")).unwrap();
    assert!(whole.contains(torn.trim_end()));
}

#[test]
fn a_standard_error_that_is_not_read_keeps_no_client_from_being_served() {
    let folder = Folder::new();
    let ready = folder.path("ready");
    let log = folder.path("log");
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // As much as a pipe holds: the server's first line waits already.
    writer.write_all(&[b'x'; 65_536]).unwrap();
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--ready-file",
        &ready,
        "--log",
        &log,
    ];
    let mut server = command(SERVER, &arguments)
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    let address = testing::wait_for(|| fs::read_to_string(&ready).ok())
        .trim_end()
        .parse()
        .unwrap();
    for _ in 0..3_000 {
        drop(TcpStream::connect(address).unwrap());
    }
    assert_eq!(exchange(address), "Hello from server");
    let kill = Command::new("kill")
        .args(["-INT", &server.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    // It ends although nobody reads.
    assert_eq!(server.wait().unwrap().code(), Some(0));
    let warnings = read_log(&log)
        .into_iter()
        .filter(|record| record.event.level == Level::Warn);
    assert_eq!(warnings.count(), 3_000, "the log has all");
    let mut err = String::new();
    reader.read_to_string(&mut err).unwrap();
    assert_eq!(err.trim_start_matches('x'), "");
}

#[test]
fn warnings_about_clients_are_summed_up() {
    let mut server = start(SERVER, &["--listen", "127.0.0.1:0"]);
    let address = server.ready();
    for _ in 0..1_000 {
        drop(TcpStream::connect(address).unwrap());
    }
    assert_eq!(exchange(address), "Hello from server");
    let finished = server.interrupt();
    let (sums, shown): (Vec<_>, Vec<_>) = finished
        .err
        .lines()
        .filter(|line| line.ends_with("closed without sending anything"))
        .partition(|line| line.contains("… and "));
    let of_sum = |line: &&str| {
        let count = line
            .strip_prefix("thread-server: … and ")?
            .split(' ')
            .next()?;
        count.replace(',', "").parse::<usize>().ok()
    };
    let summed: usize = sums.iter().map(|line| of_sum(line).unwrap()).sum();
    assert_eq!(summed + shown.len(), 1_000, "{}", finished.err);
    assert!(shown.len() < 100, "{}", finished.err);
}

#[test]
fn the_ready_file_may_be_a_pipe_a_link_or_standard_output() {
    let folder = Folder::new();
    let with = |file: &str| ["--listen", "127.0.0.1:0", "--ready-file", file].map(str::to_owned);
    let start = |file: &str| start(SERVER, &with(file).each_ref().map(String::as_str));

    // A pipe that has its reader only later.
    let pipe = folder.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut server = start(&pipe);
    let read = fs::read_to_string(&pipe).unwrap();
    assert_eq!(read, format!("{}\n", server.ready()));
    assert_eq!(server.interrupt().code, Some(0));
    assert!(fs::exists(&pipe).unwrap(), "a pipe stays");

    // What a link stands for is written and removed, and what it held before is replaced.
    let (link, target) = (
        folder.path("link"),
        folder.write("target", "an earlier address\n"),
    );
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let mut server = start(&link);
    let address = format!("{}\n", server.ready());
    assert_eq!(fs::read_to_string(&target).unwrap(), address);
    assert_eq!(server.interrupt().code, Some(0));
    assert!(!fs::exists(&target).unwrap());

    // A file that another program has put there since is not ours.
    let file = folder.path("file");
    let mut server = start(&file);
    server.ready();
    fs::rename(folder.write("theirs", "another's\n"), &file).unwrap();
    assert_eq!(server.interrupt().code, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), "another's\n");

    let mut server = start("-");
    let address = server.ready();
    assert_eq!(server.interrupt().out, format!("{address}\n"));
}

#[test]
fn a_ready_file_that_cannot_be_written_is_one_line() {
    let folder = Folder::new();
    let nowhere = folder.path("nowhere/ready");
    let finished = testing::run(
        SERVER,
        &["--listen", "127.0.0.1:0", "--ready-file", &nowhere],
    );
    let why = format!("thread-server: --ready-file {nowhere}: no such file\n");
    assert_eq!((finished.code, finished.err), (Some(2), why));
    let twice = ["--ready-file", "-", "--json"];
    let finished = testing::run(SERVER, &twice);
    let why = "thread-server: --json: standard output is used by --ready-file - already\n";
    assert_eq!((finished.code, finished.err.as_str()), (Some(2), why));
}
