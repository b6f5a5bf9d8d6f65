//! What a server of experiment 3 has to do.

use crate::{probes::tidy, requirement::Requirement};

const fn requirement(
    id: &'static str,
    points: u32,
    sentence: &'static str,
    source: &'static str,
    needs: &'static str,
) -> Requirement {
    Requirement {
        id,
        points,
        sentence,
        source,
        needs: if needs.is_empty() { None } else { Some(needs) },
        when: None,
    }
}

/// All of it; each after those that it needs.
pub(super) const ALL: &[Requirement] = &[
    requirement(
        "start",
        1,
        "listens on its address",
        "experiment 3, thread_server.py: server.bind(('localhost', 12345))",
        "",
    ),
    requirement(
        "exchange",
        3,
        "answers a client that sends \"Hello server\"",
        "experiment 3, thread_server.py: handle_client",
        "start",
    ),
    requirement(
        "text",
        2,
        "answers \"Hello from server\", once, and nothing else",
        "experiment 3, thread_server.py: client_socket.send(b'Hello from server')",
        "exchange",
    ),
    requirement(
        "closes",
        2,
        "closes the connection after its reply",
        "experiment 3, thread_server.py: client_socket.close()",
        "exchange",
    ),
    requirement(
        "prints",
        2,
        "prints \"Connection from …\" and \"Received: …\"",
        "experiment 3, thread_server.py: print",
        "exchange",
    ),
    requirement(
        "idle",
        3,
        "serves a client while another one is connected and sends nothing",
        "experiment 3, thread_server.py: a thread for each client",
        "exchange",
    ),
    requirement(
        "concurrent",
        3,
        "serves a client at once beside 20 that are stalled, and then these",
        "experiment 3, objective: threads for parallel processing",
        "idle",
    ),
    requirement(
        "many",
        3,
        "serves 50 clients that are connected at once",
        "experiment 3, step 2: how the server handles multiple clients using threads",
        "idle",
    ),
    requirement(
        "reset",
        2,
        "goes on after a client has reset its connection",
        "experiment 3, step 2: each client has its own thread, and its failure is its own",
        "exchange",
    ),
    requirement(
        "empty",
        2,
        "goes on after a client has closed without a message",
        "experiment 3, step 2: each client has its own thread, and its failure is its own",
        "exchange",
    ),
    requirement(
        "waits",
        1,
        "sends nothing before it has received something",
        "experiment 3, thread_server.py: client_socket.recv(1024), and then send",
        "exchange",
    ),
    requirement(
        "fragments",
        1,
        "answers a message that comes in two fragments, and goes on",
        "experiment 3: TCP has no messages; the server answers after its first read",
        "exchange",
    ),
    requirement(
        "not-utf8",
        1,
        "goes on after bytes that are no UTF-8",
        "experiment 3, thread_server.py: request.decode(), of which the known faults speak",
        "exchange",
    ),
    requirement(
        "restart",
        2,
        "can be started again on the same port at once",
        "experiment 3, known faults: the server has no SO_REUSEADDR",
        "exchange",
    ),
    tidy::requirement(Some("exchange")),
];
