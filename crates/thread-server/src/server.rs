//! What every model works with, and the frame around it.

use std::{net::TcpListener, time::Duration};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    shutdown::Shutdown,
};

use crate::{
    config::Settings,
    entrance::Entrance,
    exchange::{Client, Service},
    models,
    tally::{Outcome, Tally},
};

/// What every model works with.
#[derive(Debug)]
pub struct Server<'a> {
    /// Where clients come in.
    pub entrance: Entrance<'a>,
    /// How a client is served.
    pub service: Service<'a>,
    /// What became of the clients.
    pub tally: &'a Tally,
    /// What the server was told.
    pub settings: &'a Settings,
    /// Where to tell what happens.
    pub journal: &'a Journal,
    /// The request to stop.
    pub shutdown: &'a Shutdown,
}

/// A way to serve many clients.
pub trait Model {
    /// Serves every client that the entrance lets in, and returns when nobody will come any more and all are done
    /// with.
    ///
    /// # Errors
    /// When the listener fails, or the model cannot be set up.
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure>;
}

/// Serves clients until a shutdown is requested; those whom the kernel had connected by then are still served.
///
/// # Errors
/// When the listener fails, or the model cannot be set up.
pub fn run(
    listener: TcpListener,
    settings: &Settings,
    tally: &Tally,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let us = listener
        .local_addr()
        .map_err(|error| Failure::could_not_run("listen", why(&error)))?;
    let server = Server {
        entrance: Entrance::new(listener, settings, tally, journal, shutdown),
        service: Service {
            us,
            settings,
            journal,
            shutdown,
        },
        tally,
        settings,
        journal,
        shutdown,
    };
    let model = models::named(settings.model);
    journal.record(Event::new(Kind::Ready).text(us.to_string()));
    model.serve(&server)?;
    Ok(tally.summary("stopped"))
}

impl Server<'_> {
    /// Serves one client on this thread, from its first word to the end.
    pub fn handle_client(&self, client: &Client) {
        let (outcome, first_byte) = self.service.serve(client);
        self.end(client, &outcome, first_byte);
    }

    /// Tells and counts how it ended with a client; whoever sees the connection closed finds both done.
    pub fn end(&self, client: &Client, outcome: &Outcome, first_byte: Option<Duration>) {
        self.service.tell_end(client.peer, outcome);
        self.tally.ended(outcome, first_byte);
    }
}
