//! The command `explore`: the same models in stateright's own explorer, for a browser on this machine.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    net,
    shutdown::Shutdown,
};
use stateright::Model;

use super::{Settings, any::AnyModel, report, with_model};
use crate::{algorithms::Algorithm, config::Cli};

/// Where it listens when nothing is said: stateright's own choice.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause before it is looked again whether it listens, or still runs.
const AGAIN: Duration = Duration::from_millis(20);

/// Serves the explorer until it is asked to stop.
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
    let address = free(cli.options.listen.unwrap_or(USUAL))?;
    let what = format!("explore on {address}");
    let workers = settings.limits.workers;
    // stateright's server has no end of its own: its threads end with the process, which is why nobody joins this one.
    let explorer = thread::Builder::new()
        .name("explorer".into())
        .spawn(move || {
            let model = with_model!(&settings, model => AnyModel::new(model));
            drop(model.checker().threads(workers).serve(address));
        });
    let explorer = explorer.map_err(|error| Failure::could_not_run(&what, why(&error)))?;
    let ended = || Err(Failure::could_not_run(&what, "stateright's explorer ended"));
    let begun = Instant::now();
    while TcpStream::connect_timeout(&address, PATIENCE).is_err() {
        if explorer.is_finished() || begun.elapsed() > PATIENCE {
            return ended();
        }
        if shutdown.sleep(AGAIN) {
            return Ok(Summary::done("stopped"));
        }
    }
    if explorer.is_finished() {
        return ended();
    }
    let text = format!(
        "{address}, for a browser at http://{address}/: {}",
        report::beginning(&settings)
    );
    journal.record(Event::new(Kind::Ready).text(text));
    while !shutdown.sleep(AGAIN) {
        if explorer.is_finished() {
            return ended();
        }
    }
    Ok(Summary::done("stopped"))
}

/// The real address, where this is free: stateright neither tells which port it got nor why it got none.
fn free(address: SocketAddr) -> Result<SocketAddr, Failure> {
    let listener = net::listen(address, 1)?;
    let real = listener.local_addr();
    real.map_err(|error| Failure::could_not_run(format!("listen on {address}"), why(&error)))
}
