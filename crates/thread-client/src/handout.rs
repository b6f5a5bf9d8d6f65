//! The handout's client, `thread_client.py`: connect, send, receive, print, close. The comments are the lines of Python.
//!
//! `main` resolves the server's name. What a real client needs besides is in the modules that this one calls: timeouts,
//! several addresses of one name, a stop, and an event log. Many clients at once and loads run this same exchange.

use common::exit::Failure;

use crate::client::{Client, Connection};

/// Connects, and runs one exchange.
///
/// # Errors
/// `connect to HOST:PORT: why` or `HOST:PORT: why` (exit code 1).
pub fn run(client: &Client<'_>) -> Result<(), Failure> {
    // client_socket = socket.socket(…); client_socket.connect(('localhost', 12345))
    let connection = client.connect()?;
    exchange(connection)
}

/// One exchange over a connection. Each `?` ends it where Python raises an exception.
///
/// # Errors
/// `HOST:PORT: why` (exit code 1).
pub fn exchange(mut connection: Connection<'_>) -> Result<(), Failure> {
    let mut buffer = [0; 1024];
    // client_socket.send(b'Hello server')
    connection.send(connection.message())?;
    // response = client_socket.recv(1024)
    let response = connection.receive(&mut buffer)?;
    // print(f"Received from server: {response.decode()}")
    connection.log_received(response)?;
    // client_socket.close()
    drop(connection);
    Ok(())
}
