//! Long messages are shown in short; the log has them whole.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use common::{
    event::Kind,
    testing::{Folder, read_log, start},
};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

fn send(address: SocketAddr, message: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(message.as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_message_of_more_than_256_characters_is_shown_with_its_length() {
    let folder = Folder::new();
    let log = folder.path("log");
    let mut server = start(SERVER, &["--listen", "127.0.0.1:0", "--log", &log]);
    let address = server.ready();
    let messages = ["x".repeat(256), "y".repeat(257), "ü".repeat(400)];
    for message in &messages {
        send(address, message);
    }
    let finished = server.interrupt();
    let printed: Vec<&str> = finished.out.lines().collect();
    for line in [
        format!("Received: {}", messages[0]),
        format!("Received: {}… (257 bytes)", "y".repeat(64)),
        format!("Received: {}… (800 bytes)", "ü".repeat(64)),
    ] {
        assert!(printed.contains(&line.as_str()), "{line}\n{printed:?}");
    }
    let received = read_log(&log).into_iter().map(|record| record.event);
    let received = received.filter(|event| event.kind == Kind::Receive);
    let mut texts: Vec<_> = received.filter_map(|event| event.text).collect();
    texts.sort();
    assert_eq!(texts, messages);
}
