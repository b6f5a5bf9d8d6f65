//! One client after another on one thread: what threads are for, shown by their absence.

use common::exit::Failure;

use crate::server::{Model, Server};

pub(super) struct Iterative;

impl Model for Iterative {
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure> {
        server.entrance.be_patient();
        while let Some(client) = server.entrance.admit()? {
            server.handle_client(&client);
        }
        Ok(())
    }
}
