//! What every program does alike: it announces itself to machines, and answers SIGUSR1 and SIGHUP.

use std::fs;

use super::{files::Folder, files::parse, program::start, waiting::wait_for};
use crate::event::{Event, Kind};

/// Starts a program that runs until it is interrupted, on a free port where it `listens`, and checks that
///
/// - with `--json` the first line of standard output is the event that it is ready, with the address that the ready line
///   on standard error has although the program is quiet, and `--ready-file`, which is gone at the end;
/// - SIGUSR1 has it report figures, on both outputs;
/// - SIGHUP has it open its log again under its name, and no event is lost between the two files;
/// - an interrupt ends it with exit code 0.
pub fn check_contract(path: &str, arguments: &[&str], listens: bool) {
    let folder = Folder::new();
    let (log, ready_file) = (folder.path("log"), folder.path("ready"));
    let wait_until_logged = |words: &str| {
        wait_for(|| fs::read_to_string(&log).ok()?.contains(words).then_some(()));
    };
    let mut all = vec!["--json", "--quiet", "--log", &log];
    if listens {
        all.extend(["--ready-file", &ready_file]);
    }
    let mut running = start(path, &[arguments, &all].concat());
    if listens {
        let ready: Event = parse(&running.out_line("{")).event;
        assert_eq!(ready.kind, Kind::Ready);
        let addresses = ready.address.expect("the address");
        assert!(!addresses.ends_with(":0"), "{addresses}");
        let file = fs::read_to_string(&ready_file).expect("the ready file");
        assert_eq!(file, addresses.replace(' ', "\n") + "\n");
        assert!(ready.text.is_some_and(|text| !text.is_empty()));
        if !addresses.contains(' ') {
            assert_eq!(running.ready().to_string(), *addresses);
        }
    } else {
        // The handlers are there before anything is recorded.
        wait_until_logged(r#""start""#);
    }

    running.signal("USR1");
    let report = parse(&running.out_line_with(r#""event":"report""#)).event;
    assert!(!report.counts.is_empty(), "{report:?}");
    let text = report.text.expect("figures in words");
    assert_eq!(running.err_line(&text), text);

    let before = folder.path("log.1");
    fs::rename(&log, &before).expect("a log");
    running.signal("HUP");
    wait_until_logged("opened again");
    // Under a second name, the file that is removed can still be read.
    let removed = folder.path("removed.jsonl");
    fs::hard_link(&log, &removed).expect("a second name");
    fs::remove_file(&log).expect("a log");
    running.signal("HUP");
    wait_until_logged("opened again");

    let finished = running.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(!fs::exists(&ready_file).expect("a folder"), "it is removed");
    let records = |path: &str| {
        let text = fs::read_to_string(path).expect("a log");
        text.lines().map(parse).collect::<Vec<_>>()
    };
    let new = records(&log);
    let all: Vec<_> = [records(&before), records(&removed), new.clone()].concat();
    assert!(
        (0..).zip(&all).all(|(seq, record)| record.seq == seq),
        "no event is lost: {all:?}"
    );
    assert_eq!(new.last().map(|last| last.event.kind), Some(Kind::Stop));
}
