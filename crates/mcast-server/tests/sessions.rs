//! The bound on the table of senders, with real datagrams: a source that forges sessions evicts its own alone.

use std::net::{SocketAddr, UdpSocket};

use common::{
    event::{Event, Kind},
    testing::{Finished, Running, start},
};

const SERVER: &str = env!("CARGO_BIN_EXE_mcast-server");

/// More sessions than the server keeps.
const FORGED: u64 = 2000;

fn server(count: u64) -> (Running, SocketAddr) {
    let count = count.to_string();
    let flags = ["--port", "0", "--count", &count, "--for", "60s", "--json"];
    let mut server = start(SERVER, &flags);
    let port = server.ready().port();
    (server, ([127, 0, 0, 1], port).into())
}

/// A sender at this address of the loopback interface.
fn sender(address: &str, to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.connect(to).unwrap();
    socket
}

fn send(from: &UdpSocket, name: &str, session: u64, number: u64) {
    let stamp = format!("[lab1 {name} {session:08x} {number} 1795410685000000 {number}] m");
    from.send(stamp.as_bytes()).unwrap();
}

fn reports(finished: &Finished) -> Vec<Event> {
    let events = finished.events().into_iter();
    events.filter(|event| event.kind == Kind::Report).collect()
}

/// An honest sender at `honest` sends before and after what is forged at `forger`, and 5 is lost. What the server says.
fn attack(honest: &str, forger: &str) -> (Finished, SocketAddr) {
    let (server, to) = server(FORGED + 8);
    let [honest, forger] = [honest, forger].map(|address| sender(address, to));
    for number in 1..=4 {
        send(&honest, "p1", 1, number);
    }
    for session in 0..FORGED {
        send(&forger, "forged", session, 1);
    }
    for number in 6..=9 {
        send(&honest, "p1", 1, number);
    }
    let finished = server.finish();
    assert_eq!(finished.code, Some(0), "{:?}", finished.err);
    (finished, honest.local_addr().unwrap())
}

#[test]
fn a_source_that_forges_sessions_evicts_its_own_alone() {
    // At another address of the interface, and at the same one.
    for (honest, forger) in [("127.0.0.2", "127.0.0.9"), ("127.0.0.2", "127.0.0.2")] {
        let (finished, honest) = attack(honest, forger);
        let reports = reports(&finished);
        assert_eq!(
            reports
                .iter()
                .filter(|report| report.peer.is_some())
                .count(),
            20
        );
        let own = reports
            .iter()
            .find(|report| report.peer == Some(honest.into()));
        let own = own.unwrap_or_else(|| panic!("no report of {honest}: {reports:?}"));
        assert_eq!((own.counts["received"], own.counts["lost"]), (8, 1));
        let more = "and 1004 more senders, counted in the sums: ";
        let says_more = |report: &Event| {
            report
                .text
                .as_ref()
                .is_some_and(|text| text.starts_with(more))
        };
        assert!(reports.iter().any(says_more), "{reports:?}");

        // What was evicted is counted, and said.
        let stop = finished.last_event();
        for (name, count) in [
            ("received", FORGED + 8),
            ("stamped", FORGED + 8),
            ("senders", FORGED + 1),
            ("senders_evicted", FORGED + 1 - 1024),
            ("lost", 1),
            ("duplicates", 0),
        ] {
            assert_eq!(stop.counts[name], count, "{name}: {stop:?}");
        }
        let evicted = "; 977 senders evicted from a table of 1024, with ";
        assert!(stop.text.as_ref().unwrap().contains(evicted), "{stop:?}");
        let warning = format!(
            "the table of 1024 senders is full: each new one evicts one of the address that has the most, now {forger} with 102"
        );
        assert!(finished.err.contains(&warning), "{:?}", finished.err);
    }
}

#[test]
fn addresses_that_are_forged_one_datagram_each_evict_no_session_that_went_on() {
    let (server, to) = server(FORGED + 8);
    let honest = sender("127.0.0.2", to);
    for number in 1..=4 {
        send(&honest, "p1", 1, number);
    }
    for session in 0..FORGED {
        let address = format!("127.{}.{}.3", session / 200 + 1, session % 200);
        send(&sender(&address, to), "forged", session, 1);
    }
    for number in 6..=9 {
        send(&honest, "p1", 1, number);
    }
    let finished = server.finish();
    let stop = finished.last_event();
    assert_eq!(
        (stop.counts["lost"], stop.counts["senders"]),
        (1, FORGED + 1)
    );
    let honest = Some(honest.local_addr().unwrap().into());
    let own = reports(&finished)
        .into_iter()
        .find(|report| report.peer == honest);
    assert_eq!(own.unwrap().counts["received"], 8);
}
