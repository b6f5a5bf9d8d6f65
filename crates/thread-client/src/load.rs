//! The client as a load generator: a thread for each client, a closed or an open loop.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary},
    sys::loopback,
    text::plural,
};
use crossbeam::channel::{Receiver, Sender, bounded};

use crate::{
    client::{Client, Connection, Recorder},
    clients::{self, STACK},
    handout,
    progress::Progress,
    report::{Report, who_connected},
    schedule::{Amount, Load},
};

/// How often the progress is shown.
const TICK: Duration = Duration::from_millis(100);

/// How long after its scheduled time an exchange begins late: less may be the scheduler's.
const LATE: Duration = Duration::from_millis(10);

/// How many loopback addresses to connect from.
const SOURCES: u64 = 250;

/// How many ports a system has for connections from one address, where it does not say: those that RFC 6335 section 6
/// leaves for it.
const FEWEST_PORTS: u64 = 16_384;

/// How many connections are made from one source address before the next one is used: half as many as the kernel has
/// ports for it. A client that closes first keeps its port for a minute (TIME-WAIT, RFC 9293 section 3.6.1).
fn ports() -> u64 {
    (loopback::ports().unwrap_or(FEWEST_PORTS) / 2).max(1)
}

/// A load that runs.
struct Running<'a> {
    client: Client<'a>,
    load: &'a Load,
    report: &'a Report,
    recorder: &'a dyn Recorder,
    gates: Gates,
    /// The number of the next exchange.
    next: AtomicU64,
    /// How many connections come from one loopback address before the next one is used; None from the usual address.
    spread: Option<u64>,
}

/// Where the clients wait for each other. A gate is a channel that carries nothing and disconnects when it opens.
struct Gates {
    /// Opens when every client's thread has started.
    start: Receiver<Infallible>,
    /// When it opened; set before.
    started: OnceLock<Instant>,
    /// With `--hold`, each client reports here that it is connected, or has failed to connect.
    connected: Sender<()>,
    /// With `--hold`, opens when they are to send.
    send: Receiver<Infallible>,
    /// When it opened; set before.
    released: OnceLock<Instant>,
}

/// Puts a load on the server and sums up.
///
/// # Errors
/// When there is no room for the clients (exit code 2).
pub fn run(
    client: Client<'_>,
    load: &Load,
    report: &Report,
    recorder: &dyn Recorder,
    show_progress: bool,
) -> Result<Summary, Failure> {
    let is_loopback = |address: &SocketAddr| address.ip().is_loopback() && address.is_ipv4();
    let ports = ports();
    let many = load.exchanges().is_none_or(|exchanges| exchanges > ports);
    let most = load.exchanges().map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    });
    let clients = load.clients.min(most);
    clients::check_room(clients)?;
    let (open, start) = bounded(0);
    let (connected, connecting) = bounded(clients);
    let (release, send) = bounded(0);
    let (ending, ended) = bounded::<Infallible>(0);
    let running = Running {
        client,
        load,
        report,
        recorder,
        gates: Gates {
            start,
            started: OnceLock::new(),
            connected,
            send,
            released: OnceLock::new(),
        },
        next: AtomicU64::new(0),
        spread: (many && loopback::is_whole_net() && client.addresses.iter().all(is_loopback))
            .then_some(ports),
    };
    let elapsed = thread::scope(|scope| {
        // Dropped when the load cannot be started, which ends the threads that wait.
        let (open, release) = (open, release);
        for number in 1..=clients {
            let (running, ending) = (&running, ending.clone());
            let builder = thread::Builder::new()
                .name(format!("client-{number}"))
                .stack_size(STACK);
            let thread = builder.spawn_scoped(scope, move || {
                let _ending = ending;
                running.run();
            });
            thread.map_err(|error| clients::no_thread(number, clients, &error))?;
        }
        drop(ending);
        let started = Instant::now();
        let _ = running.gates.started.set(started);
        drop(open);
        if let Some(hold) = load.hold {
            let mut missing = clients;
            while missing > 0 && !client.shutdown.requested() {
                missing -= usize::from(connecting.recv_timeout(TICK).is_ok());
            }
            let (connected, within) = report.connected();
            let text = who_connected(connected, clients as u64, within);
            recorder.record(Event::new(Kind::Report).text(text));
            if connected > 0 {
                client.shutdown.sleep(hold);
            }
            let _ = running.gates.released.set(Instant::now());
        }
        drop(release);
        let mut progress = Progress::new(show_progress, load);
        while ended
            .recv_timeout(TICK)
            .is_err_and(|error| error.is_timeout())
        {
            progress.show(report.ended(), started.elapsed());
        }
        let mut elapsed = running.gates.since_start(Instant::now());
        // The interval of the last exchange is a part of the load, too.
        while let Amount::Rate(_, time) = load.amount
            && started.elapsed() < time
            && !client
                .shutdown
                .sleep(TICK.min(time.saturating_sub(started.elapsed())))
        {
            progress.show(report.ended(), started.elapsed());
        }
        if let Amount::Rate(_, time) = load.amount {
            elapsed = elapsed.max(time.min(started.elapsed()));
        }
        progress.end();
        Ok(elapsed)
    })?;
    let stopped = client.shutdown.requested();
    let summary = report.summary(elapsed, stopped);
    Ok(match (load.hold, load.amount) {
        (Some(_), _) => report.with_connected(summary, clients as u64),
        (None, Amount::Rate(..)) => {
            report.with_late(report.with_served_at_once(summary), clients as u64)
        }
        _ => report.with_served_at_once(summary),
    })
}

impl Gates {
    /// The time since the clients could send: since the start, or with `--hold` since its end.
    fn since_start(&self, moment: Instant) -> Duration {
        let start = self.released.get().or_else(|| self.started.get());
        start.map_or(Duration::ZERO, |start| {
            moment.saturating_duration_since(*start)
        })
    }
}

impl Running<'_> {
    /// One client: exchange after exchange, until the load is done.
    fn run(&self) {
        let _ = self.gates.start.recv();
        // Not set when the load could not be started.
        let Some(started) = self.gates.started.get().copied() else {
            return;
        };
        let end = self.load.end();
        let open = matches!(self.load.amount, Amount::Rate(..));
        loop {
            let number = self.next.fetch_add(1, Relaxed);
            let Some(begin) = self.load.begin(number) else {
                return;
            };
            let now = started.elapsed();
            if now < begin {
                self.client.shutdown.sleep(begin - now);
            }
            if self.client.shutdown.requested()
                || end.is_some_and(|end| !open && started.elapsed() >= end)
            {
                return;
            }
            // The first exchange of each client waits for none before it.
            if open && number >= self.load.clients as u64 {
                self.begins_after(now.saturating_sub(begin));
            }
            self.report.begins();
            // In an open loop the latency counts from the scheduled beginning, so that an exchange that had to wait
            // because the server delayed others shows the wait.
            let begun = if open {
                started + begin
            } else {
                Instant::now()
            };
            let (exchanged, begun) = self.exchange(number, begun);
            if let Err(failure) = &exchanged
                && self.client.recorder.is_some()
            {
                self.recorder.record(Event::error(Level::Warn, failure));
            }
            let now = Instant::now();
            self.report.ends(
                exchanged.as_ref().copied(),
                self.gates.since_start(now),
                now.saturating_duration_since(begun),
            );
        }
    }

    /// Counts an exchange of an open loop that no client was free to begin for this time.
    fn begins_after(&self, late: Duration) {
        if late >= LATE && self.report.begins_late(late) {
            let clients = plural(self.load.clients as u64, "client");
            let text = format!(
                "too few clients: all of {clients} are busy, so exchanges begin later than --rate asks for; see --clients"
            );
            let warning = Event {
                level: Level::Warn,
                ..Event::new(Kind::Report).text(text)
            };
            self.recorder.record(warning);
        }
    }

    /// Runs an exchange; with the beginning of its latency, which is `begun` unless the connection is held.
    fn exchange(&self, number: u64, begun: Instant) -> (Result<(), Failure>, Instant) {
        let connection = self.client.connect_from(self.source(number));
        if self.load.hold.is_none() {
            return (connection.and_then(handout::exchange), begun);
        }
        if connection.is_ok() {
            let started = self.gates.started.get().map(Instant::elapsed);
            self.report.connects(started.unwrap_or_default());
        }
        let _ = self.gates.connected.send(());
        match connection {
            Ok(connection) => self.hold(connection),
            Err(failure) => (Err(failure), begun),
        }
    }

    /// Holds a connection until all are released, and then runs the exchange.
    fn hold(&self, mut connection: Connection<'_>) -> (Result<(), Failure>, Instant) {
        let _ = self.gates.send.recv();
        let released = Instant::now();
        connection.restart_deadline();
        (handout::exchange(connection), released)
    }

    fn source(&self, number: u64) -> Option<IpAddr> {
        self.spread.map(|ports| {
            let last = 1 + number / ports % SOURCES;
            Ipv4Addr::new(127, 0, 0, last as u8).into()
        })
    }
}
