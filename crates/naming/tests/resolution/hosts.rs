//! Name servers and a ring on several hosts: `scripts/naming-hosts.sh`, which is a demonstration too.

use std::{path::Path, process::Command};

use common::testing::{self, Folder, Running};

use super::NAMING;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/naming-hosts.sh");

#[test]
fn name_servers_and_a_ring_on_three_hosts() {
    let programs = ["flock", "ip", "nsenter", "unshare", "dig"];
    let can = || {
        let made = Command::new("unshare").args(["-rn", "true"]).status();
        testing::have("unshare -rn", made.is_ok_and(|status| status.success()))
    };
    if !(programs.into_iter().all(testing::have_program) && can()) {
        return;
    }
    let folder = Folder::new();
    let (into, lab) = (folder.path("into"), folder.path("lab"));
    let built = Path::new(NAMING).parent().unwrap().to_str().unwrap();
    let mut command = testing::command(SCRIPT, &["--programs", built, "--into", &into]);
    command.env("NETLAB", lab);
    let finished = Running::start(command).finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for part in [
        "reply from 10.77.0.1:53: region2.lab. is delegated to 10.77.0.3",
        " look-ups, all right",
        "reply from 10.77.0.1:53: region1.lab. is delegated to 10.77.0.2",
        "finds server1: p3",
    ] {
        assert!(finished.out.contains(part), "{part}: {}", finished.out);
    }
}
