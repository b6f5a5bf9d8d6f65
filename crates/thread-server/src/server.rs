//! The frame around the models: builds what they work with, picks one, and sums up.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use common::{
    event::Event,
    exit::{Failure, Summary, why},
    journal::Journal,
    shutdown::Shutdown,
};

use crate::{
    acceptor::Acceptor,
    config::{Model, Settings},
    context::{Context, Recorder},
    handout,
    models::{event_driven, iterative, pool, prethreaded, process_per_connection},
    outcome::Outcome,
    tally::Tally,
    threaded::ThreadedServer,
};

/// Serves clients until a shutdown is requested; connections that are in the listen backlog then are still served.
///
/// # Errors
/// When the listener fails, the system has no room for the model, or it cannot be set up.
pub fn run(
    listener: TcpListener,
    settings: &Settings,
    tally: &Tally,
    recorder: &dyn Recorder,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure::could_not_run("listen", why(&error)))?;
    let context = Context {
        address,
        settings,
        recorder,
        shutdown,
    };
    settings.check_room()?;
    serve(&Acceptor::new(listener, &context, tally))?;
    Ok(tally.summary("stopped"))
}

/// Serves every client by the model in the settings: by the handout's unless another one is chosen.
fn serve(acceptor: &Acceptor<'_>) -> Result<(), Failure> {
    match acceptor.context.settings.model {
        Model::ThreadPerConnection => handout::serve(&mut ThreadedServer::new(acceptor)?),
        Model::Iterative => iterative::serve(acceptor),
        Model::ProcessPerConnection => process_per_connection::serve(acceptor),
        Model::Pool => pool::serve(acceptor),
        Model::Prethreaded => prethreaded::serve(acceptor),
        Model::EventDriven => event_driven::serve(acceptor),
    }
}

/// Records events in the journal and counts outcomes in the tally.
#[derive(Debug)]
pub struct ServerRecorder<'a> {
    /// The journal of this process.
    pub journal: &'a Journal,
    /// The counts of the run.
    pub tally: &'a Tally,
}

impl Recorder for ServerRecorder<'_> {
    fn record(&self, event: Event) {
        self.journal.record(event);
    }

    fn ready(&self, event: Event, address: SocketAddr, port_was_free: bool) -> Result<(), Failure> {
        self.journal.ready(event, &[address], port_was_free)
    }

    fn record_of(&self, name: &Arc<str>, event: Event) {
        self.journal.record_of(name, event);
    }

    fn count(&self, outcome: &Outcome, first_byte: Option<Duration>) {
        self.tally.count(outcome, first_byte);
    }
}
