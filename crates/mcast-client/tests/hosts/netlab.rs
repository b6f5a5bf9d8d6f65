//! `scripts/netlab.sh` itself: two at once, interruptions, what is stale, invalid commands.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    thread,
};

use common::testing::{Finished, Running, wait_for};

use crate::lab::{Lab, NETLAB};

/// The processes of the lab and those on its hosts: all have its folder in their environment.
fn processes(lab: &Lab) -> Vec<u32> {
    let folder = [b"NETLAB=".as_slice(), lab.path().as_os_str().as_bytes()].concat();
    let marked = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == folder)
    };
    let names = fs::read_dir("/proc").unwrap().flatten();
    let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(marked).collect()
}

fn assert_nothing_left(lab: &Lab, of: &str) {
    assert_eq!(processes(lab), [0; 0], "{of}");
    let left = fs::read_dir(lab.path()).map(|files| files.flatten().collect::<Vec<_>>());
    assert!(left.is_err(), "{of}: {left:?}");
}

/// The process of the switch, and those of the hosts.
fn pids(lab: &Lab) -> Vec<String> {
    let lines = fs::read_to_string(lab.path().join("pids")).unwrap();
    lines.lines().map(String::from).collect()
}

fn kill(signal: &str, pid: &str) {
    let mut command = std::process::Command::new("kill");
    let status = command.args([&format!("-{signal}"), pid]).status();
    assert!(status.unwrap().success());
}

const UP: [&str; 4] = ["up", "2", "--snooping", "off"];
const NO_LAB: &str = "netlab: no lab is up; scripts/netlab.sh up N makes one\n";

/// Starts `up`, which is to send itself this signal before its step number `step`. The second result is whether it has so many.
fn interrupted_up(lab: &Lab, signal: &str, step: usize) -> (Finished, bool) {
    let hook = lab.path().with_file_name("hook");
    let sent = lab.path().with_file_name("sent");
    let _ = fs::remove_file(&sent);
    let script = "[ \"${1-up}\" != up ] || {
        unset BASH_ENV
        steps=0
        set -T
        trap 'steps=$((steps + 1)); [ \"$steps\" != \"$STEP\" ] ||
            { : >\"$SENT\"; kill \"-$SIGNAL\" $$; }' DEBUG
    }";
    fs::write(&hook, script).unwrap();
    let mut command = lab.command(&UP);
    command.env("BASH_ENV", hook).env("SIGNAL", signal);
    command.env("STEP", step.to_string()).env("SENT", &sent);
    (Running::start(command).finish(), sent.exists())
}

/// Interrupts `up` with these signals in turn, one at every step of it that is `first` or a multiple of `every` after.
fn interrupt_steps(signals: &[&str], first: usize, every: usize) -> usize {
    let Some(lab) = Lab::new() else {
        return usize::MAX;
    };
    let mut interrupted = 0;
    for (step, signal) in (first..).step_by(every).zip(signals.iter().cycle()) {
        let (finished, was_sent) = interrupted_up(&lab, signal, step);
        let of = format!("{signal} at step {step}: {finished:?}");
        if finished.code == Some(0) {
            lab.must(&["exec", "2", "true"]);
            lab.must(&["down"]);
            assert_nothing_left(&lab, &of);
            // A step of a process in the background can come after the end; without a signal it is beyond the last step.
            if was_sent {
                continue;
            }
            break;
        }
        assert_eq!(finished.code, None, "{of}");
        interrupted += 1;
        if *signal == "KILL" {
            // Nothing can clean up behind it but the next command.
            let next: &[&str] = if interrupted % 2 == 0 { &UP } else { &["down"] };
            let next = lab.run(next);
            if next.code == Some(2) {
                assert!(next.err.contains("a lab is up already"), "{of}: {next:?}");
            }
            if interrupted % 2 == 0 {
                lab.must(&["exec", "2", "true"]);
                lab.must(&["down"]);
            }
        }
        assert_nothing_left(&lab, &of);
    }
    interrupted
}

#[test]
fn an_up_that_is_interrupted_at_any_of_its_steps_leaves_nothing() {
    let steps = [(&["INT", "TERM", "HUP"][..], 1, 17), (&["KILL"], 9, 17)];
    let steps = steps.map(|(signals, first, every)| {
        thread::spawn(move || interrupt_steps(signals, first, every))
    });
    // All of them first: each removes its lab.
    let interrupted = steps.map(thread::JoinHandle::join);
    assert!(interrupted.into_iter().all(|steps| steps.unwrap() >= 5));
}

#[test]
fn an_up_that_fails_says_why_and_leaves_nothing() {
    let Some(lab) = Lab::new() else {
        return;
    };
    let programs = lab.path().with_file_name("programs");
    fs::create_dir(&programs).unwrap();
    let ip = programs.join("ip");
    // A host that fails, one that is killed, and a switch that fails.
    for (when, what, why) in [
        (
            "link add eth0",
            "echo 'RTNETLINK answers: No' >&2; exit 2",
            "RTNETLINK answers: No",
        ),
        (
            "link add eth0",
            "kill -KILL $PPID",
            "1 of 1 hosts are not ready",
        ),
        (
            "-batch",
            "echo 'Error: none.' >&2; echo 'Command failed -:1' >&2; exit 1",
            "Error: none.",
        ),
    ] {
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in \"{when}\"*) {what} ;; esac\nPATH=${{PATH#*:}}; exec ip \"$@\"\n"
        );
        fs::write(&ip, script).unwrap();
        fs::set_permissions(&ip, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = lab.command(&["up", "1", "--snooping", "off"]);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", programs.display()));
        let failed = Running::start(command).finish();
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert_eq!(failed.err, format!("netlab: {why}\n"));
        assert_nothing_left(&lab, why);
    }
}

#[test]
fn of_two_ups_at_once_one_makes_the_lab() {
    let Some(lab) = Lab::new() else {
        return;
    };
    let ups = [(); 4].map(|()| lab.start(&UP));
    let mut ups = ups.map(Running::finish);
    ups.sort_by_key(|finished| finished.code);
    let codes = [0, 1, 2, 3].map(|up: usize| ups[up].code);
    assert_eq!(codes, [Some(0), Some(2), Some(2), Some(2)], "{ups:?}");
    for loser in &ups[1..] {
        let why = "netlab: a lab is up already; scripts/netlab.sh down ends it\n";
        assert!(loser.err.ends_with(why), "{loser:?}");
    }
    assert_eq!(pids(&lab).len(), 3);
    lab.must(&["exec", "2", "true"]);
    lab.must(&["down"]);
    assert_nothing_left(&lab, "down");

    // Any number of both: each is done, or says why not.
    let mut all: Vec<_> = (0..8)
        .map(|number| lab.start(if number % 2 == 0 { &UP } else { &["down"] }))
        .collect();
    for running in all.drain(..) {
        let finished = running.finish();
        let why = finished.err.lines().last().unwrap_or_default();
        let expected = match finished.code {
            Some(0) => why.is_empty() || why.starts_with("netlab: ") && !why.contains("no lab"),
            Some(1) => why == "netlab: no lab is up",
            _ => why.contains("a lab is up already"),
        };
        assert!(expected, "{finished:?}");
    }
    lab.run(&["down"]);
    assert_nothing_left(&lab, "ups and downs");
}

#[test]
fn a_down_during_an_up_waits_for_it_and_removes_the_lab() {
    let Some(lab) = Lab::new() else {
        return;
    };
    let up = lab.start(&["up", "3"]);
    wait_for(|| lab.path().join("alive").exists().then_some(()));
    let down = lab.must(&["down"]);
    let by = format!(
        "netlab: waiting for another netlab.sh: up (process {})\n",
        up.id()
    );
    assert_eq!(down.err, by);
    assert_eq!(up.finish().code, Some(0));
    assert_nothing_left(&lab, "down");

    // For as long as it is told.
    fs::create_dir(lab.path()).unwrap();
    let mut holder = std::process::Command::new("flock");
    holder.arg(lab.path().join("lock"));
    holder.args(["sh", "-c", "echo here; read line"]);
    let mut holder = Running::start(holder);
    holder.out_line("here");
    let mut command = lab.command(&["down"]);
    command.env("NETLAB_WAIT", "0.1");
    let refused = Running::start(command).finish();
    assert_eq!(refused.code, Some(2));
    let why = "another netlab.sh has been at work on it for 0.1 s\n";
    assert!(refused.err.ends_with(why), "{refused:?}");
    holder.close_stdin();
    holder.finish();
}

#[test]
fn a_lab_whose_processes_ended_is_not_up() {
    let Some(lab) = Lab::new() else {
        return;
    };
    // The switch, a host, and the process that waits for them.
    for victim in [0, 2, usize::MAX] {
        lab.must(&UP);
        let command = lab.start(&["exec", "1", "sh", "-c", "echo here; exec sleep 1000"]);
        let mut command = command;
        command.out_line("here");
        let pids = pids(&lab);
        match pids.get(victim) {
            Some(pid) => kill("KILL", pid),
            None => {
                let stat = fs::read_to_string(format!("/proc/{}/stat", pids[0])).unwrap();
                kill("KILL", stat.split(' ').nth(3).unwrap());
            }
        }
        // The last of them, and what runs on a host.
        wait_for(|| (processes(&lab) == [command.id()]).then_some(()));
        let refused = lab.run(&["exec", "1", "true"]);
        assert_eq!((refused.code, refused.err.as_str()), (Some(2), NO_LAB));
        if victim == 0 {
            let down = lab.run(&["down"]);
            assert_eq!(
                (down.code, down.err.as_str()),
                (Some(1), "netlab: no lab is up\n")
            );
        } else {
            lab.must(&UP);
            lab.must(&["exec", "2", "true"]);
            lab.must(&["down"]);
        }
        assert_eq!(command.finish().code, None);
        assert_nothing_left(&lab, &format!("victim {victim}"));
    }
    // Files of a lab that was up before the machine was switched off, with numbers of processes that others have now.
    fs::create_dir(lab.path()).unwrap();
    let own = std::process::id();
    fs::write(lab.path().join("pids"), format!("{own}\n{own}\n{own}\n")).unwrap();
    fs::write(lab.path().join("alive"), "").unwrap();
    let refused = lab.run(&["exec", "1", "true"]);
    assert_eq!((refused.code, refused.err.as_str()), (Some(2), NO_LAB));
    let up = lab.must(&["up", "1", "--snooping", "off"]);
    assert_eq!(
        up.err,
        "netlab: 1 hosts, 10.77.0.1 to 10.77.0.1, snooping off\n"
    );
    assert_eq!(pids(&lab).len(), 2);
    lab.must(&["down"]);
    assert_nothing_left(&lab, "stale files");
}

#[test]
fn down_ends_what_runs_on_the_hosts_and_nothing_else() {
    let [Some(lab), Some(other)] = [(); 2].map(|()| Lab::new()) else {
        return;
    };
    lab.must(&UP);
    other.must(&UP);
    let asked = "trap 'echo asked; exit 7' TERM; echo here; sleep 1000 & wait";
    let deaf = "trap '' TERM; echo here; exec sleep 1000";
    let mut polite = lab.start(&["exec", "1", "sh", "-c", asked]);
    let mut deaf = lab.start(&["exec", "2", "sh", "-c", deaf]);
    // One that forgets its environment, and a child.
    let mut hidden = lab.start(&[
        "exec",
        "0",
        "env",
        "-i",
        "/bin/sh",
        "-c",
        "sleep 1000 & echo here",
    ]);
    let mut others = other.start(&["exec", "1", "sh", "-c", "echo here; exec sleep 1000"]);
    for running in [&mut polite, &mut deaf, &mut hidden, &mut others] {
        running.out_line("here");
    }
    lab.must(&["down"]);
    let polite = polite.finish();
    assert_eq!(
        (polite.code, polite.out.as_str()),
        (Some(7), "here\nasked\n")
    );
    assert_eq!(deaf.finish().code, None);
    // Its end of the output is closed.
    assert_eq!(hidden.finish().code, Some(0));
    assert_nothing_left(&lab, "down");

    let inside = other.run(&["exec", "1", NETLAB, "down"]);
    assert_eq!(inside.code, Some(2));
    assert_eq!(
        inside.err,
        "netlab: down: this command runs on a host of the lab; run it outside\n"
    );
    other.must(&["exec", "1", "true"]);
    other.must(&["down"]);
    assert_eq!(others.finish().code, None);
    assert_nothing_left(&other, "the other lab");
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let Some(lab) = Lab::new() else {
        return;
    };
    let refused = |why: &str| {
        for command in [&UP[..], &["exec", "1", "true"], &["down"]] {
            let finished = lab.run(command);
            assert_eq!(finished.code, Some(2), "{finished:?}");
            assert_eq!(
                finished.err,
                format!("netlab: {}: {why}\n", lab.path().display())
            );
        }
    };
    let elsewhere = lab.path().with_file_name("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, lab.path()).unwrap();
    refused("not a folder of yours; set NETLAB to another");
    fs::remove_file(lab.path()).unwrap();
    fs::write(lab.path(), "").unwrap();
    refused("not a folder of yours; set NETLAB to another");
    fs::remove_file(lab.path()).unwrap();
    fs::create_dir(lab.path()).unwrap();
    fs::set_permissions(lab.path(), fs::Permissions::from_mode(0o777)).unwrap();
    refused("others may write there; set NETLAB to another folder");

    // What is not the lab's stays.
    fs::set_permissions(lab.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(lab.path().join("notes"), "").unwrap();
    lab.must(&UP);
    lab.must(&["down"]);
    let left: Vec<_> = fs::read_dir(lab.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn an_invalid_command_of_the_lab_is_one_line() {
    let Some(lab) = Lab::new() else {
        return;
    };
    for (arguments, why) in [
        (
            &["exec", "1", "true"][..],
            "netlab: no lab is up; scripts/netlab.sh up N makes one\n",
        ),
        (&["up", "0"], "netlab: up N: N is 1 to 100\n"),
        (&["up", "many"], "netlab: up N: N is 1 to 100\n"),
        (
            &["up", "2", "--snooping", "perhaps"],
            "scripts/netlab.sh up N [--snooping on|off] [--offload on|off] ",
        ),
        (
            &["fly"],
            "scripts/netlab.sh up N [--snooping on|off] [--offload on|off] ",
        ),
    ] {
        let finished = lab.run(arguments);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.starts_with(why), "{finished:?}");
    }
    assert_eq!(lab.run(&["down"]).code, Some(1));
    lab.must(&["up", "1", "--snooping", "off"]);
    for (arguments, why) in [
        (
            &["up", "1"][..],
            "netlab: a lab is up already; scripts/netlab.sh down ends it\n",
        ),
        (&["cut", "2"], "netlab: 2: there are hosts 1 to 1\n"),
        (
            &["lose", "1", "101"],
            "netlab: '101': not a percentage, 0 to 100\n",
        ),
    ] {
        let finished = lab.run(arguments);
        assert_eq!((finished.code, finished.err.as_str()), (Some(2), why));
    }
}
