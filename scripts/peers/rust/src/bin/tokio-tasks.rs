//! The handout's server on tokio: a task for each connection, which prints.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

async fn handle_client(mut client: TcpStream) {
    let mut message = [0; 1024];
    let Ok(length @ 1..) = client.read(&mut message).await else {
        return;
    };
    println!("Received: {}", String::from_utf8_lossy(&message[..length]));
    let _ = client.write_all(b"Hello from server").await;
}

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    eprintln!("listening on {}", listener.local_addr().unwrap());
    loop {
        let Ok((client, peer)) = listener.accept().await else {
            continue;
        };
        println!("Connection from {peer}");
        tokio::spawn(handle_client(client));
    }
}
