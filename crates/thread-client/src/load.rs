//! The client as a load generator: a thread for each client, a closed or an open loop.

use std::{
    convert::Infallible,
    fs,
    net::{IpAddr, Ipv4Addr},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary, why},
    journal::Journal,
    text::{micros, plural},
};
use crossbeam::channel::{Receiver, Sender, bounded};

use crate::{client::Client, crowd::STACK, progress::Progress, report::Report, schedule::Load};

/// How often the progress is shown.
const TICK: Duration = Duration::from_millis(100);

/// Loopback addresses to connect from.
const SOURCES: u64 = 250;

/// How many connections are made from one source address before the next one is used: half as many as the kernel has
/// ports for it. A client that closes first keeps its port for a minute (TIME-WAIT, RFC 9293 section 3.6.1).
fn ports() -> u64 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().map_while(|end| end.parse().ok());
    let (first, last) = (
        ends.next().unwrap_or(32_768),
        ends.next().unwrap_or(60_999_u64),
    );
    (last.saturating_sub(first) / 2).max(1)
}

/// A load that runs.
struct Running<'a> {
    client: Client<'a>,
    load: &'a Load,
    report: &'a Report,
    begun: Instant,
    /// The number of the next exchange.
    next: AtomicU64,
    /// How many connections come from one loopback address before the next one is used, where they are spread.
    spread: Option<u64>,
}

/// Where clients that are to be connected at the same time meet.
struct Hold {
    connected: Sender<()>,
    /// Disconnects when they are to speak.
    speak: Receiver<Infallible>,
}

/// Puts a load on the server and says what came of it.
///
/// # Errors
/// When the first thread cannot be started (exit code 2).
pub fn run(
    client: Client<'_>,
    load: &Load,
    report: &Report,
    journal: &Journal,
    show_progress: bool,
) -> Result<Summary, Failure> {
    let loopback = |address: &std::net::SocketAddr| address.ip().is_loopback() && address.is_ipv4();
    let ports = ports();
    let many = load.exchanges().is_none_or(|exchanges| exchanges > ports);
    let running = Running {
        client,
        load,
        report,
        begun: Instant::now(),
        next: AtomicU64::new(0),
        spread: (many && client.addresses.iter().all(loopback)).then_some(ports),
    };
    let clients = load.exchanges().map_or(load.clients, |most| {
        load.clients
            .min(usize::try_from(most).unwrap_or(usize::MAX))
    });
    let (connected, connecting) = bounded(clients);
    let (gate, speak) = bounded(0);
    let (ending, ended) = bounded::<Infallible>(0);
    let mut connected_us = None;
    thread::scope(|scope| {
        let mut started = 0;
        for number in 1..=clients {
            let (running, ending) = (&running, ending.clone());
            let hold = load.hold.map(|_| Hold {
                connected: connected.clone(),
                speak: speak.clone(),
            });
            let builder = thread::Builder::new()
                .name(format!("client-{number}"))
                .stack_size(STACK);
            let thread = builder.spawn_scoped(scope, move || {
                let _ending = ending;
                running.run(hold.as_ref(), journal);
            });
            match thread {
                Ok(_) => started += 1,
                // The others do what there is to do.
                Err(error) if started > 0 => {
                    let text = format!(
                        "thread {number}: {}; only {} at once",
                        why(&error),
                        plural(started, "client")
                    );
                    journal.record(Event::error(Level::Error, text));
                    break;
                }
                Err(error) => return Err(Failure::could_not_run("thread", why(&error))),
            }
        }
        drop((ending, connected));
        if let Some(hold) = load.hold {
            // Each says so when it is connected, or has failed to.
            connecting.iter().take(clients).for_each(drop);
            let time = running.begun.elapsed();
            let time_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            connected_us = Some(time_us);
            let under_way = clients as u64 - report.ended();
            let text = format!("{under_way} connected within {}", micros(time_us));
            journal.record(Event::new(Kind::Local).text(text));
            client.shutdown.sleep(hold);
            drop(gate);
        }
        let mut progress = Progress::new(show_progress, load);
        while ended
            .recv_timeout(TICK)
            .is_err_and(|error| error.is_timeout())
        {
            progress.show(report.ended(), running.begun.elapsed());
        }
        progress.end();
        Ok(())
    })?;
    let elapsed = running.begun.elapsed();
    let mut summary = report.summary(elapsed, client.shutdown.requested());
    if let Some(connected) = connected_us {
        summary = summary.count("connected_us", connected);
    }
    Ok(summary)
}

impl Running<'_> {
    /// One client: exchange after exchange, until there are enough.
    fn run(&self, hold: Option<&Hold>, journal: &Journal) {
        let end = self.load.end();
        let open = matches!(self.load.amount, crate::schedule::Amount::Rate(..));
        loop {
            let number = self.next.fetch_add(1, Relaxed);
            let Some(begin) = self.load.begin(number) else {
                return;
            };
            let wait = (self.begun + begin).saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                self.client.shutdown.sleep(wait);
            }
            if self.client.shutdown.requested()
                || end.is_some_and(|end| !open && self.begun.elapsed() >= end)
            {
                return;
            }
            self.report.begins();
            // In an open loop the time counts from when the exchange should have begun, so that one that had to wait
            // because the server held up the others shows the wait.
            let begun = if open {
                self.begun + begin
            } else {
                Instant::now()
            };
            let (exchanged, begun) = self.exchange(number, begun, hold);
            if let Err(failure) = &exchanged
                && self.client.journal.is_some()
            {
                journal.record(Event::error(Level::Warn, failure));
            }
            let now = Instant::now();
            self.report
                .ends(exchanged.as_ref().copied(), now - self.begun, now - begun);
        }
    }

    /// The exchange, and when it began as far as its latency is concerned.
    fn exchange(
        &self,
        number: u64,
        begun: Instant,
        hold: Option<&Hold>,
    ) -> (Result<(), Failure>, Instant) {
        let patience = self.client.patience();
        let connection = self.client.connect(self.source(number), patience);
        let Some(hold) = hold else {
            let greet = |connection| self.client.greet(connection, patience);
            return (connection.and_then(greet), begun);
        };
        let _ = hold.connected.send(());
        let connection = match connection {
            Ok(connection) => connection,
            Err(failure) => return (Err(failure), begun),
        };
        let _ = hold.speak.recv();
        let speaks = Instant::now();
        (
            self.client.greet(connection, self.client.patience()),
            speaks,
        )
    }

    fn source(&self, number: u64) -> Option<IpAddr> {
        self.spread.map(|ports| {
            let last = 1 + number / ports % SOURCES;
            Ipv4Addr::new(127, 0, 0, last as u8).into()
        })
    }
}
