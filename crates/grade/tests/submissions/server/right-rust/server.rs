//! A thread for each client.

use std::{
    io::{Read, Result, Write},
    net::{TcpListener, TcpStream},
    thread,
};

fn serve(mut client: TcpStream) -> Result<()> {
    let mut message = [0; 1024];
    let length = client.read(&mut message)?;
    println!("Received: {}", String::from_utf8_lossy(&message[..length]));
    client.write_all(b"Hello from server")
}

fn main() -> Result<()> {
    // std's listener has SO_REUSEADDR.
    let listener = TcpListener::bind("127.0.0.1:12345")?;
    for client in listener.incoming() {
        let client = client?;
        println!("Connection from {:?}", client.peer_addr());
        thread::spawn(move || serve(client));
    }
    Ok(())
}
