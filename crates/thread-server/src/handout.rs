//! The handout's server, `thread_server.py`: accept a client and start a thread for it; in that thread receive, print,
//! reply and close. The comments are the lines of Python.
//!
//! `main` makes the listening socket (`server = socket.socket(…)`, `server.bind(…)`, `server.listen(5)`). What a real
//! server needs besides is in the modules that this one calls: a limit of clients, timeouts, shortages of threads and
//! descriptors, and a stop that still serves the clients who are connected.

use std::thread;

use common::exit::Failure;

use crate::{client::Client, outcome::Outcome, threaded::ThreadedServer};

/// Serves each client in a thread of its own, until a stop is requested; then waits for the threads.
///
/// # Errors
/// When the listening socket fails.
pub fn serve(server: &mut ThreadedServer<'_>) -> Result<(), Failure> {
    thread::scope(|threads| {
        // while True: client_sock, addr = server.accept(); print(f"Connection from {addr}")
        while let Some(client) = server.accept()? {
            // threading.Thread(target=handle_client, args=(client_sock,)).start()
            server.spawn(threads, client, handle_client);
        }
        Ok(())
    })
}

/// Serves one client. The other models do it so too; the event-driven one takes the steps of the same exchange.
pub fn handle_client(client: &mut Client<'_>) {
    let outcome = exchange(client);
    // client_socket.close(), which happens when the owner drops the client, next
    client.record_close(&outcome);
}

/// Receives the request, prints it, and replies; `?` ends the exchange where Python raises an exception.
fn exchange(client: &mut Client<'_>) -> Outcome {
    let mut buffer = [0; 1024];
    // request = client_socket.recv(1024)
    let request = client.receive(&mut buffer)?;
    // print(f"Received: {request.decode()}")
    client.log_received(request);
    // client_socket.send(b'Hello from server')
    client.send(client.reply())
}
