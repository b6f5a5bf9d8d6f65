//! The handout's model: accept, spawn a thread, and let it receive, print, reply and close.

use std::{collections::VecDeque, sync::Arc, thread};

use common::exit::Failure;

use super::STACK;
use crate::{
    exchange::Client,
    places::{Place, Places},
    server::{Model, Server},
};

/// How many more clients are let in for each thread that is made. To make a thread takes longer than to let a client
/// in, and when thousands come at once they must not overflow the kernel's backlog: it forgets those who do, and they
/// try again only a second later (RFC 6298 section 2).
const AHEAD: usize = 4;

pub(super) struct ThreadPerConnection;

impl Model for ThreadPerConnection {
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure> {
        server.entrance.be_patient();
        let places = Places::new(server.settings.max_clients);
        let mut waiting = VecDeque::new();
        thread::scope(|scope| {
            while let Some(client) = accept(server, &places, &mut waiting)? {
                // When the last holder drops it, the connection is closed and its place is free.
                let client = Arc::new(client);
                let spawn = || {
                    let mine = Arc::clone(&client);
                    thread::Builder::new()
                        .name(format!("client-{}", client.0.number))
                        .stack_size(STACK)
                        .spawn_scoped(scope, move || server.handle_client(&mine.0))
                };
                while let Err(error) = spawn() {
                    if server.shutdown.overdue(server.settings.grace) {
                        server.handle_client(&client.0);
                        break;
                    }
                    let pause = server.entrance.pause("thread", &error);
                    server.entrance.rest(pause);
                }
                server.tally.made_one();
                // Lets the new thread begin where it stands: with 256 clients at once that is a quarter more exchanges
                // a second than to accept on, because fewer threads are alive and in one another's way.
                thread::yield_now();
            }
            // The scope waits for the threads.
            Ok(())
        })
    }
}

/// The next client, and a few more into the queue of those who wait for a thread.
fn accept(
    server: &Server<'_>,
    places: &Places,
    waiting: &mut VecDeque<(Client, Place)>,
) -> Result<Option<(Client, Place)>, Failure> {
    if waiting.is_empty() {
        let Some(place) = places.take(server.settings.grace, server.shutdown) else {
            return Ok(None);
        };
        let Some(client) = server.entrance.admit()? else {
            return Ok(None);
        };
        waiting.push_back((client, place));
    }
    for _ in 0..AHEAD {
        let Some(place) = places.try_take() else {
            break;
        };
        let Some(client) = server.entrance.peek()? else {
            break;
        };
        waiting.push_back((client, place));
    }
    Ok(waiting.pop_front())
}
