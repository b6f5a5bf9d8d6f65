//! The name server: threads, sockets and what they share.
//!
//! ```text
//!  udp-1 … udp-N    each its own socket (SO_REUSEPORT) and the newest zones ──► answer
//!  tcp              lets connections in; tcp-1 … each one connection       ──► answer, transfer
//!        │ updates, by a bounded channel                  ▲ publishes
//!        └──────────────► registrar: space, store, zones ─┘──► notify: tells the secondaries
//! ```

mod handle;
mod notify;
pub mod published;
mod registrar;
mod tcp;
mod udp;

use std::{
    collections::BTreeSet,
    convert::Infallible,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, Scope},
    time::Duration,
};

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary, why},
    journal::Journal,
    net,
    shutdown::Shutdown,
    telling::Telling,
    text::plural,
};
use crossbeam::channel::{Receiver, Sender, bounded};
use socket2::{Domain, Protocol, Socket, Type};

pub use self::registrar::Job;
use self::{published::Published, registrar::Registrar};
use crate::{
    dns::{
        key::Keys,
        publish::{self, publish},
    },
    space::Space,
    store::Store,
};

/// How many updates may wait to be made; more are not taken, and whoever sent them tries again.
const QUEUE: usize = 4096;

/// How large the kernel's queue of each UDP socket is to be, in bytes; it gives what it allows.
const RECEIVE_BUFFER: usize = 4 << 20;

/// What the server is to do.
#[derive(Debug)]
pub struct Settings {
    /// What is shown in DNS.
    pub dns: publish::Settings,
    /// How many threads answer over UDP.
    pub workers: usize,
    /// Who may sign updates and transfers.
    pub keys: Keys,
    /// Who is told of changes, and may transfer the zones.
    pub secondaries: Vec<SocketAddr>,
    /// How many TCP connections there may be at once.
    pub max_clients: usize,
    /// How long a TCP connection may say nothing.
    pub timeout: Duration,
}

/// The sockets, bound.
#[derive(Debug)]
pub struct Sockets {
    udp: Vec<Arc<UdpSocket>>,
    tcp: TcpListener,
    /// Where they listen.
    pub address: SocketAddr,
}

impl Sockets {
    /// Binds one TCP socket and as many UDP sockets as there are workers, all to one port.
    ///
    /// # Errors
    /// `listen on ADDRESS: why` (exit code 2).
    pub fn bind(address: SocketAddr, workers: usize) -> Result<Self, Failure> {
        let cannot = |address, error: &std::io::Error| {
            Failure::could_not_run(format!("listen on {address}"), why(error))
        };
        // A free TCP port may be taken for UDP; then another one is tried.
        let mut tries = if address.port() == 0 { 20 } else { 1 };
        loop {
            tries -= 1;
            // TCP first: it says when another server has the port, which UDP sockets that share one do not.
            let tcp = net::listen(address, 1024)?;
            let bound = tcp.local_addr().map_err(|error| cannot(address, &error))?;
            let udp: std::io::Result<Vec<_>> =
                (0..workers).map(|index| udp_socket(bound, index)).collect();
            match udp {
                Ok(udp) => {
                    return Ok(Self {
                        udp,
                        tcp,
                        address: bound,
                    });
                }
                Err(error) if tries == 0 => return Err(cannot(bound, &error)),
                Err(_) => {}
            }
        }
    }
}

fn udp_socket(address: SocketAddr, index: usize) -> std::io::Result<Arc<UdpSocket>> {
    let domain = Domain::for_address(address);
    if index == 0 {
        // Whoever shares the port already is no worker of ours.
        Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?.bind(&address.into())?;
    }
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_send_buffer_size(RECEIVE_BUFFER)?;
    socket.set_read_timeout(Some(net::BRIEFLY))?;
    socket.bind(&address.into())?;
    Ok(Arc::new(socket.into()))
}

/// What was done so far.
#[derive(Debug, Default)]
pub struct Counts {
    udp: AtomicU64,
    tcp: AtomicU64,
    updates: AtomicU64,
    refused: AtomicU64,
    transfers: AtomicU64,
    unanswered: AtomicU64,
}

impl Counts {
    /// The sum of it.
    pub fn summary(&self, what: &str) -> Summary {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (udp, tcp) = (get(&self.udp), get(&self.tcp));
        let queries = match udp + tcp {
            1 => "1 query".to_owned(),
            count => format!("{count} queries"),
        };
        let text = format!(
            "{what}{queries} ({udp} over UDP, {tcp} over TCP), {} made, {} refused, {}",
            plural(get(&self.updates), "update"),
            get(&self.refused),
            plural(get(&self.transfers), "transfer"),
        );
        Summary::done(text)
            .count("udp_queries", udp)
            .count("tcp_queries", tcp)
            .count("updates", get(&self.updates))
            .count("updates_refused", get(&self.refused))
            .count("transfers", get(&self.transfers))
            .count("unanswered", get(&self.unanswered))
    }

    fn add(&self, count: impl Fn(&Self) -> &AtomicU64, more: u64) {
        if more > 0 {
            count(self).fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// What all threads share.
#[derive(Debug)]
struct Shared<'s> {
    settings: &'s Settings,
    address: SocketAddr,
    published: &'s Published,
    jobs: Sender<Job>,
    counts: &'s Counts,
    journal: &'s Journal,
    shutdown: &'s Shutdown,
    /// Who may transfer the zones, beside this machine.
    transfers_to: BTreeSet<IpAddr>,
    /// Which queries over TCP, and which refusals, are told one by one: whoever attacks shall not fill the log.
    telling_tcp: Mutex<Telling>,
    telling_refusals: Mutex<Telling>,
    /// Gone when nobody is left who could send an update.
    _alive: Sender<Infallible>,
}

impl Shared<'_> {
    /// Whether one more of these is told.
    fn one_more(&self, telling: &Mutex<Telling>) -> bool {
        let mut telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
        telling.go_on(self.journal);
        telling.one_more()
    }

    /// Tells that somebody was refused something.
    fn refused(&self, peer: SocketAddr, text: impl std::fmt::Display) {
        if self.one_more(&self.telling_refusals) {
            self.journal.record(warning(text).peer(peer));
        }
    }
}

impl Drop for Shared<'_> {
    fn drop(&mut self) {
        for telling in [&self.telling_tcp, &self.telling_refusals] {
            let mut telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
            telling.finish(self.journal);
        }
    }
}

/// Where the names come from.
#[derive(Debug)]
pub struct Source {
    /// The names.
    pub space: Space,
    /// What keeps changes.
    pub store: Option<Store>,
    /// The serial of the zones at their last change.
    pub serial: u32,
    /// How to read the names again, and the file's name.
    pub again: Option<Again>,
}

/// How to read the names again, and where from.
pub struct Again {
    /// The file.
    pub path: PathBuf,
    /// Reads it, and what is mounted.
    pub read: Box<dyn Fn() -> Result<Space, Failure> + Send>,
}

impl std::fmt::Debug for Again {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Again")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The channel by which work comes to the registrar.
pub fn jobs() -> (Sender<Job>, Receiver<Job>) {
    bounded(QUEUE)
}

/// Serves until a stop is requested.
///
/// # Errors
/// When a name has no room in the zone, or a thread cannot be started (exit code 2).
pub fn run(
    sockets: Sockets,
    settings: &Settings,
    source: Source,
    (jobs, work): (Sender<Job>, Receiver<Job>),
    counts: &Counts,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let names = source.space.len();
    let zone = publish(&source.space, source.serial, &settings.dns)
        .map_err(|refusal| Failure::could_not_run(&refusal.place, refusal.why))?;
    let published = Published::new(zone.clone());
    let (changed, changes) = bounded(1);
    let registrar = Registrar::new(source, zone, settings, &published, changed, counts, journal);
    let transfers_to = settings
        .secondaries
        .iter()
        .map(|secondary| secondary.ip().to_canonical())
        .collect();
    let (alive, ended) = bounded(0);
    let shared = Shared {
        _alive: alive,
        settings,
        address: sockets.address,
        published: &published,
        jobs,
        counts,
        journal,
        shutdown,
        transfers_to,
        telling_tcp: Mutex::new(Telling::new("queries were answered over TCP")),
        telling_refusals: Mutex::new(Telling::new("messages were refused")),
    };
    let text = format!(
        "{}, zone {}, {}",
        sockets.address,
        settings.dns.zones.names,
        plural(names as u64, "name")
    );
    thread::scope(|scope| {
        start(scope, "registrar".into(), shutdown, move || {
            registrar.run(&work, &ended)
        })?;
        let (published, secondaries) = (&published, &settings.secondaries);
        start(scope, "notify".into(), shutdown, move || {
            notify::run(&changes, published, secondaries, journal, shutdown);
        })?;
        let shared = Arc::new(shared);
        for (index, socket) in sockets.udp.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            start(scope, format!("udp-{}", index + 1), shutdown, move || {
                udp::run(&socket, &shared)
            })?;
        }
        journal.record(Event::new(Kind::Ready).text(text));
        tcp::run(scope, &sockets.tcp, &shared);
        Ok::<_, Failure>(())
    })?;
    Ok(counts.summary(""))
}

/// Starts a thread; when that fails the others are asked to stop.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    shutdown: &Shutdown,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), Failure> {
    let started = thread::Builder::new()
        .name(name.clone())
        .spawn_scoped(scope, work);
    started.map(drop).map_err(|error| {
        shutdown.request();
        Failure::could_not_run(format!("thread {name}"), why(&error))
    })
}

/// A trouble that the server copes with.
fn warning(text: impl std::fmt::Display) -> Event {
    Event::error(Level::Warn, text)
}
