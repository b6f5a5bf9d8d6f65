//! The command `explore`: the same models in stateright's explorer, for a browser on this machine.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary, why},
    journal::Journal,
    net,
    process::check::report::{Checkable as _, limit},
    shutdown::Shutdown,
};
use stateright::Model;

use super::{Settings, any::AnyModel, bounds::Bounds, with_model};
use crate::{algorithms::Algorithm, config::Cli};

/// The default address: stateright's own.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// How long the explorer may take to listen.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The interval of the checks whether the explorer listens, and still runs.
const POLL: Duration = Duration::from_millis(20);

/// Serves the explorer until a signal stops it.
///
/// # Errors
/// When it cannot listen, or the explorer fails (exit code 2).
pub fn run(
    cli: &Cli,
    algorithm: Algorithm,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let settings = Settings::new(cli, algorithm)?;
    let listen = cli.listen(DEFAULT)?;
    let address = free(listen)?;
    let what = format!("explore on {address}");
    let workers = settings.limits.workers;
    let bounded = Arc::new(Bounds::new(settings.limits));
    let bounds = Arc::clone(&bounded);
    // stateright's server cannot be stopped: its threads end with the process, so this one is not joined.
    let explorer = thread::Builder::new()
        .name("explorer".into())
        .spawn(move || {
            let model = with_model!(&settings, model => AnyModel::new(model, bounds));
            drop(model.checker().threads(workers).serve(address));
        });
    let explorer = explorer.map_err(|error| Failure::could_not_run(&what, why(&error)))?;
    let ended = || Err(Failure::could_not_run(&what, "stateright's explorer ended"));
    let begun = Instant::now();
    while TcpStream::connect_timeout(&address, TIMEOUT).is_err() {
        if explorer.is_finished() || begun.elapsed() > TIMEOUT {
            return ended();
        }
        if shutdown.sleep(POLL) {
            return Ok(Summary::done("stopped"));
        }
    }
    if explorer.is_finished() {
        return ended();
    }
    let text = format!(
        "{address}, for a browser at http://{address}/: {}",
        settings.words()
    );
    let ready = Event::new(Kind::Ready).text(text);
    journal.ready(ready, &[address], listen.port() == 0)?;
    let mut warned = false;
    while !shutdown.sleep(POLL) {
        if explorer.is_finished() {
            return ended();
        }
        if !warned && let Some((what, why)) = limit(settings.limits, bounded.reached()) {
            warned = true;
            let text = format!("{what}: {why}, and the explorer does not follow them");
            journal.record(Event::error(Level::Warn, text));
        }
    }
    Ok(Summary::done("stopped"))
}

/// The real address, if it is free: stateright reports neither its port nor why it cannot bind.
fn free(address: SocketAddr) -> Result<SocketAddr, Failure> {
    let listener = net::listen(address, 1)?;
    let real = listener.local_addr();
    real.map_err(|error| Failure::could_not_run(format!("listen on {address}"), why(&error)))
}
