//! A subtree moves to a server of its own while names in it are resolved: by a recursive server, whose cache has the old state.

#[allow(dead_code)]
#[path = "../support/walk.rs"]
mod walk;

use std::{
    net::UdpSocket,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use common::testing::{Folder, run};
use domain::base::iana::Rtype;
use naming::resolver::{Reply, query};

use super::{NAMING, recursive};
use walk::{port, serve_at};

/// How many names the subtree has.
const NAMES: usize = 500;

#[test]
fn no_look_up_is_lost() {
    let port = port(&["127.0.0.1", "127.0.0.2"]);
    let folder = Folder::new();
    let names: Vec<_> = (0..NAMES)
        .map(|n| format!("\"n{n}\": \"10.1.{}.{}\"", n / 256, n % 256))
        .collect();
    let names = folder.write(
        "lab.json",
        format!("{{\"region1\": {{{}}}}}", names.join(", ")),
    );
    let empty = folder.write("empty.json", "{}");
    // Nothing stays in the cache for longer than a second.
    let _root = serve_at("127.0.0.1", port, &["--names", &names, "--ttl", "1s"]);
    let _child = serve_at(
        "127.0.0.2",
        port,
        &["--names", &empty, "--zone", "region1.lab.", "--ttl", "1s"],
    );
    let root = format!("127.0.0.1:{port}");
    let (server, address) = recursive(root.parse().unwrap(), &[]);
    let moved = AtomicBool::new(false);
    let (moved, done) = (&moved, &AtomicBool::new(false));
    let resolved = thread::scope(|scope| {
        let looks_up = scope.spawn(move || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.connect(address).unwrap();
            socket
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            let mut buffer = [0; 4096];
            let (mut before, mut after) = (0, 0);
            for n in 0.. {
                let was_moved = moved.load(Ordering::SeqCst);
                let name = format!("n{}.region1.lab.", n % NAMES);
                socket
                    .send(&query(
                        n as u16,
                        &name.parse().unwrap(),
                        Rtype::A,
                        true,
                        true,
                    ))
                    .unwrap();
                let length = socket.recv(&mut buffer).unwrap();
                let reply = Reply::read(&buffer[..length]).unwrap();
                let addresses: Vec<_> = reply
                    .answer
                    .iter()
                    .flat_map(naming::resolver::RrSet::addresses)
                    .collect();
                let expected = format!("10.1.{}.{}", n % NAMES / 256, n % NAMES % 256);
                assert_eq!(
                    (reply.code, addresses),
                    (0, vec![expected.parse().unwrap()]),
                    "{name}"
                );
                let count = if was_moved { &mut after } else { &mut before };
                *count += 1;
                done.store(before >= NAMES && !was_moved, Ordering::SeqCst);
                if after >= NAMES {
                    break;
                }
            }
            before + after
        });
        common::testing::wait_for(|| done.load(Ordering::SeqCst).then_some(()));
        let finished = run(
            NAMING,
            &["delegate", "region1", "127.0.0.2", "--server", &root],
        );
        assert_eq!(finished.code, Some(0), "{finished:?}");
        moved.store(true, Ordering::SeqCst);
        looks_up.join().unwrap()
    });
    assert!(resolved > 2 * NAMES);
    let finished = server.interrupt();
    assert!(finished.err.contains(" 0 failed"), "{finished:?}");
    // The last look-ups went to the child.
    let finished = run(
        NAMING,
        &[
            "resolve",
            "region1/n7",
            "--type",
            "A",
            "--iterative",
            "--server",
            &root,
            "--trace",
        ],
    );
    assert!(
        finished.out.contains(&format!("query to 127.0.0.2:{port}")),
        "{finished:?}"
    );
}
