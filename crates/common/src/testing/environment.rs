//! What a test needs of the machine: network namespaces, Python, other programs.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{
    files::Folder,
    program::{Finished, Running},
};

/// Runs a shell script in a network namespace of its own, which has nothing but loopback, with the handout's
/// multicast route on it; fixed ports collide with no other process there. None when the machine has no namespaces for us.
pub fn in_namespace(script: &str, variables: &[(&str, &str)]) -> Option<Finished> {
    let folder = Folder::new();
    Some(start_in_namespace(script, variables, &folder)?.finish())
}

/// Starts the script of [`in_namespace`], in this folder.
pub(super) fn start_in_namespace(
    script: &str,
    variables: &[(&str, &str)],
    folder: &Folder,
) -> Option<Running> {
    const LOOPBACK: &str =
        "ip link set lo up; ip route add 224.0.0.0/4 dev lo src 127.0.0.1; cd $FOLDER\n";
    let unshare = || {
        Command::new("unshare")
            .args(["-rn", "true"])
            .stderr(Stdio::null())
            .status()
    };
    if !have_program("ip")
        || !have(
            "unshare -rn",
            unshare().is_ok_and(|status| status.success()),
        )
    {
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-eu", "-c", &format!("{LOOPBACK}{script}")]);
    for (name, _) in std::env::vars_os() {
        let ours = ["THREAD_", "MCAST_", "NAMING_", "LAMPORT_", "LAB_", "GRADE_"];
        if ours
            .iter()
            .any(|ours| name.to_string_lossy().starts_with(ours))
        {
            command.env_remove(name);
        }
    }
    command
        .env("FOLDER", folder.path(""))
        .envs(variables.iter().copied());
    Some(Running::start(command))
}

/// Runs a shell script as [`in_namespace`] does. In it `$PEERS` is the folder of Python programs to talk to: once
/// the project's, and once `$LAB_HANDOUT` where that is set.
pub fn with_python_peers(script: &str, variables: &[(&str, &str)]) -> Vec<Finished> {
    if !have_program("python3") {
        return Vec::new();
    }
    let ours = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/peers"));
    let peers = [
        Some(ours),
        std::env::var_os("LAB_HANDOUT").map(PathBuf::from),
    ];
    let run = |peers: PathBuf| {
        let peers = peers.canonicalize().expect("the folder of peers");
        let peers = ("PEERS", peers.to_str().expect("a plain name"));
        in_namespace(script, &[&[peers], variables].concat())
    };
    peers.into_iter().flatten().filter_map(run).collect()
}

/// Whether this machine has what a test needs. If not, the test says `skipped: WHY` and passes, unless
/// `LAB_NO_SKIP` is set, as it is where everything is installed.
pub fn have(what: &str, there: bool) -> bool {
    if !there {
        assert!(
            std::env::var_os("LAB_NO_SKIP").is_none(),
            "skipped: {what} not found, and LAB_NO_SKIP is set"
        );
        // Not by a macro: the test runner would hide what a passing test says. On a line of its own, whatever the
        // runner has begun.
        let _ = std::io::stderr().write_all(format!("\nskipped: {what} not found\n").as_bytes());
    }
    there
}

/// Whether a program can be started, for [`have`].
pub fn have_program(name: &str) -> bool {
    let search = std::env::var_os("PATH").unwrap_or_default();
    have(
        name,
        std::env::split_paths(&search).any(|folder| folder.join(name).is_file()),
    )
}
