//! A thread pool as textbooks have it: eight workers take connections from one std channel behind a mutex; prints.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
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
    let (sender, receiver) = mpsc::channel();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..8 {
        let receiver = Arc::clone(&receiver);
        thread::spawn(move || {
            loop {
                let client = receiver.lock().unwrap().recv().unwrap();
                handle_client(client);
            }
        });
    }
    loop {
        let Ok((client, peer)) = listener.accept() else {
            continue;
        };
        println!("Connection from {peer}");
        sender.send(client).unwrap();
    }
}
