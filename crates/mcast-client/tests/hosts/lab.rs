//! Hosts on a switch, made by `scripts/netlab.sh` for one test.

use std::{path::PathBuf, process::Command};

use common::testing::{self, Finished, Folder, Running};

pub(crate) const CLIENT: &str = env!("CARGO_BIN_EXE_mcast-client");
pub(crate) const NETLAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/netlab.sh");

/// A place for a lab; what is there at the end of the test is removed.
pub(crate) struct Lab {
    folder: Folder,
}

impl Lab {
    /// A place with no lab; None where this machine cannot have one.
    pub(crate) fn new() -> Option<Self> {
        let programs = ["flock", "ip", "nft", "nsenter", "unshare"];
        let can = || {
            let made = Command::new("unshare").args(["-rn", "true"]).status();
            testing::have("unshare -rn", made.is_ok_and(|status| status.success()))
        };
        let there = programs.into_iter().all(testing::have_program) && can();
        there.then(|| Self {
            folder: Folder::new(),
        })
    }

    /// Makes hosts 1 to `hosts`; None where this machine cannot.
    pub(crate) fn up(hosts: &str, snooping: &str) -> Option<Self> {
        let lab = Self::new()?;
        lab.must(&["up", hosts, "--snooping", snooping]);
        Some(lab)
    }

    /// The folder that the script makes.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path("lab").into()
    }

    /// A command of the script.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = testing::command(NETLAB, arguments);
        command.env("NETLAB", self.path());
        command
    }

    /// Starts a command of the script.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut running = Running::start(self.command(arguments));
        running.close_stdin();
        running
    }

    /// Runs a command of the script to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish()
    }

    /// Runs a command that must succeed.
    pub(crate) fn must(&self, arguments: &[&str]) -> Finished {
        let finished = self.run(arguments);
        assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}");
        finished
    }

    /// A client that has joined on a host's interface.
    pub(crate) fn listen(&self, host: &str, flags: &[&str]) -> Running {
        let begin = ["exec", host, CLIENT, "--interface", "eth0", "--for", "60s"];
        let mut client = Running::start(self.command(&[begin.as_slice(), flags].concat()));
        client.ready();
        client
    }

    /// Sends from host 1.
    pub(crate) fn send(&self, flags: &[&str]) -> Finished {
        self.must(
            &[
                ["exec", "1", CLIENT, "--interface", "eth0"].as_slice(),
                flags,
            ]
            .concat(),
        )
    }

    /// The counts of a receiver on host 2, once it has received `received` of the stamped messages from host 1.
    pub(crate) fn count(&self, received: &str, messages: &str) -> [u64; 3] {
        let listener = self.listen("2", &["--count", received, "--json"]);
        self.send(&[
            "--stamp", "--size", "100", "--rate", "5000", "--count", messages,
        ]);
        let finished = listener.finish();
        assert_eq!(finished.code, Some(0), "{:?}", finished.err);
        let stop = finished.last_event();
        ["lost", "duplicates", "reordered"].map(|name| stop.counts[name])
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}
