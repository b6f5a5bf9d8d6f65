//! The handout's server on Rust's standard library: a thread for each connection, which prints.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

fn handle_client(mut client: TcpStream) {
    let mut message = [0; 1024];
    let Ok(length @ 1..) = client.read(&mut message) else {
        return;
    };
    println!("Received: {}", String::from_utf8_lossy(&message[..length]));
    let _ = client.write_all(b"Hello from server");
}

fn main() {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    eprintln!("listening on {}", listener.local_addr().unwrap());
    loop {
        let Ok((client, peer)) = listener.accept() else {
            continue;
        };
        println!("Connection from {peer}");
        thread::spawn(move || handle_client(client));
    }
}
