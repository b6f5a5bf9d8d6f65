//! One client after another on one thread: the server without threads, for comparison.

use common::exit::Failure;

use crate::{acceptor::Acceptor, handout::handle_client};

/// Serves every client, and returns when no client will be accepted any more.
///
/// # Errors
/// When the listener fails.
pub fn serve(acceptor: &Acceptor<'_>) -> Result<(), Failure> {
    acceptor.block_briefly();
    acceptor.ready()?;
    while let Some(mut client) = acceptor.accept()? {
        handle_client(&mut client);
    }
    Ok(())
}
