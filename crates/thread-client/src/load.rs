//! The client as a load generator: a thread for each client, a closed or an open loop.

use std::{
    convert::Infallible,
    fs,
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
    exit::{Failure, Summary, why},
    journal::Journal,
    text::{micros, plural, whole_micros},
};
use crossbeam::channel::{Receiver, Sender, bounded};

use crate::{
    client::Client,
    crowd::STACK,
    progress::Progress,
    report::Report,
    schedule::{Amount, Load},
};

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
    journal: &'a Journal,
    gates: Gates,
    /// The number of the next exchange.
    next: AtomicU64,
    /// How many connections come from one loopback address before the next one is used, where they are spread.
    spread: Option<u64>,
}

/// Where the clients wait for one another. A gate is a channel that never carries anything and disconnects when it
/// opens.
struct Gates {
    /// Opens when every client is there.
    start: Receiver<Infallible>,
    /// When it did; set before.
    started: OnceLock<Instant>,
    /// With `--hold`, each says here when it is connected, or has failed to.
    connected: Sender<()>,
    /// With `--hold`, opens when they are to speak.
    speak: Receiver<Infallible>,
    /// When it did; set before.
    spoken: OnceLock<Instant>,
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
    let loopback = |address: &SocketAddr| address.ip().is_loopback() && address.is_ipv4();
    let ports = ports();
    let many = load.exchanges().is_none_or(|exchanges| exchanges > ports);
    let most = load.exchanges().map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    });
    let clients = load.clients.min(most);
    let (start, begin) = bounded(0);
    let (connected, connecting) = bounded(clients);
    let (release, speak) = bounded(0);
    let (ending, ended) = bounded::<Infallible>(0);
    let running = Running {
        client,
        load,
        report,
        journal,
        gates: Gates {
            start: begin,
            started: OnceLock::new(),
            connected,
            speak,
            spoken: OnceLock::new(),
        },
        next: AtomicU64::new(0),
        spread: (many && client.addresses.iter().all(loopback)).then_some(ports),
    };
    let mut connected_us = None;
    thread::scope(|scope| {
        // Dropped when the load cannot be started, so that those who wait need not.
        let (start, release) = (start, release);
        let mut there = 0;
        for number in 1..=clients {
            let (running, ending) = (&running, ending.clone());
            let builder = thread::Builder::new()
                .name(format!("client-{number}"))
                .stack_size(STACK);
            let thread = builder.spawn_scoped(scope, move || {
                let _ending = ending;
                running.run();
            });
            match thread {
                Ok(_) => there += 1,
                // The others do what there is to do.
                Err(error) if there > 0 => {
                    let clients = plural(there, "client");
                    let text = format!("thread {number}: {}; {clients} at once", why(&error));
                    journal.record(Event::error(Level::Error, text));
                    break;
                }
                Err(error) => return Err(Failure::could_not_run("thread", why(&error))),
            }
        }
        drop(ending);
        let started = Instant::now();
        let _ = running.gates.started.set(started);
        drop(start);
        if let Some(hold) = load.hold {
            let mut missing = there;
            while missing > 0 && !client.shutdown.requested() {
                missing -= u64::from(connecting.recv_timeout(TICK).is_ok());
            }
            let time = started.elapsed();
            let time_us = whole_micros(time);
            connected_us = Some(time_us);
            let text = format!(
                "{} connected within {}",
                plural(report.under_way(), "client"),
                micros(time_us)
            );
            journal.record(Event::new(Kind::Local).text(text));
            client.shutdown.sleep(hold);
            let _ = running.gates.spoken.set(Instant::now());
        }
        drop(release);
        let mut progress = Progress::new(show_progress, load);
        while ended
            .recv_timeout(TICK)
            .is_err_and(|error| error.is_timeout())
        {
            progress.show(report.ended(), started.elapsed());
        }
        progress.end();
        Ok(())
    })?;
    let elapsed = running.gates.since_spoken(Instant::now());
    let mut summary = report.summary(elapsed, client.shutdown.requested());
    if let Some(connected) = connected_us {
        summary = summary.count("connected_us", connected);
    }
    Ok(summary)
}

impl Gates {
    /// The time since the clients began to speak: since the start, or since they were held no longer.
    fn since_spoken(&self, moment: Instant) -> Duration {
        let begun = self.spoken.get().or_else(|| self.started.get());
        begun.map_or(Duration::ZERO, |begun| {
            moment.saturating_duration_since(*begun)
        })
    }
}

impl Running<'_> {
    /// One client: exchange after exchange, until there are enough.
    fn run(&self) {
        let _ = self.gates.start.recv();
        // When it is not set, the load could not be started.
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
            let wait = (started + begin).saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                self.client.shutdown.sleep(wait);
            }
            if self.client.shutdown.requested()
                || end.is_some_and(|end| !open && started.elapsed() >= end)
            {
                return;
            }
            self.report.begins();
            // In an open loop the time counts from when the exchange should have begun, so that one that had to wait
            // because the server held up the others shows the wait.
            let begun = if open {
                started + begin
            } else {
                Instant::now()
            };
            let (exchanged, begun) = self.exchange(number, begun);
            if let Err(failure) = &exchanged
                && self.client.journal.is_some()
            {
                self.journal.record(Event::error(Level::Warn, failure));
            }
            let now = Instant::now();
            self.report.ends(
                exchanged.as_ref().copied(),
                self.gates.since_spoken(now),
                now.saturating_duration_since(begun),
            );
        }
    }

    /// The exchange, and when it began as far as its latency is concerned.
    fn exchange(&self, number: u64, begun: Instant) -> (Result<(), Failure>, Instant) {
        let patience = self.client.patience();
        let connection = self.client.connect(self.source(number), patience);
        if self.load.hold.is_none() {
            let greet = |connection| self.client.greet(connection, patience);
            return (connection.and_then(greet), begun);
        }
        let _ = self.gates.connected.send(());
        let connection = match connection {
            Ok(connection) => connection,
            Err(failure) => return (Err(failure), begun),
        };
        let _ = self.gates.speak.recv();
        let speaks = Instant::now();
        let greeted = self.client.greet(connection, self.client.patience());
        (greeted, speaks)
    }

    fn source(&self, number: u64) -> Option<IpAddr> {
        self.spread.map(|ports| {
            let last = 1 + number / ports % SOURCES;
            Ipv4Addr::new(127, 0, 0, last as u8).into()
        })
    }
}
