//! The processes of a run: told who the others are, watched while they run, and told to end.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use common::{
    config::Period,
    event::{Event, Kind, Level},
    exit::Failure,
    journal::Journal,
    shutdown::Shutdown,
};
use crossbeam::{channel::Receiver, select};
use nix::sys::signal::Signal;

use super::{
    Settings,
    member::{Member, Said},
};
use crate::process::ProcessId;

/// How long the processes may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often they are asked whether they are done.
const ASK: Duration = Duration::from_millis(50);

/// How long nothing may happen, beside what frames take, when they are to finish, before they are given up.
const STILL: Duration = Duration::from_secs(3);

/// The processes while they run.
pub(super) struct Crew<'a> {
    settings: &'a Settings,
    members: Vec<Member>,
    hear: &'a Receiver<Said>,
    journal: &'a Journal,
    /// What each answered to the last question whether it is done.
    states: Vec<Option<(bool, u64)>>,
    /// When an answer was another one than before.
    moved: Instant,
}

impl<'a> Crew<'a> {
    /// These members of a run, and what they say.
    pub(super) fn new(
        settings: &'a Settings,
        members: Vec<Member>,
        hear: &'a Receiver<Said>,
        journal: &'a Journal,
    ) -> Self {
        Self {
            settings,
            members,
            hear,
            journal,
            states: Vec::new(),
            moved: Instant::now(),
        }
    }

    /// The whole run; returns who did not come to its end.
    pub(super) fn run(&mut self, shutdown: &Shutdown) -> Result<Vec<ProcessId>, Failure> {
        let addresses = self.addresses(shutdown)?;
        let Some(addresses) = addresses else {
            return Err(Failure::no("run", "interrupted before it began"));
        };
        let count = self.members.len();
        for me in 0..count {
            for (other, address) in addresses.iter().enumerate() {
                if other != me {
                    let line = format!("peer {}={address}", self.members[other].name);
                    self.members[me].tell(&line);
                }
            }
        }
        self.all("start");
        let text = format!(
            "{count} processes for {} over {}, {}",
            self.settings.algorithm.word(),
            self.settings.transport.carrier().word(),
            Period(self.settings.lasting)
        );
        self.journal.record(Event::new(Kind::Ready).text(text));
        self.watch(shutdown)?;
        self.all("stop");
        let until = Instant::now() + PATIENCE;
        while self.members.iter().any(|member| member.ended.is_none()) && Instant::now() < until {
            if let Ok(said) = self.hear.recv_deadline(until) {
                self.take(said);
            }
        }
        let gone = |(number, member): (usize, &Member)| {
            let well = member.ended.is_some() && member.unexpected().is_none();
            (!well).then(|| ProcessId::at(number))
        };
        Ok(self.members.iter().enumerate().filter_map(gone).collect())
    }

    fn all(&mut self, line: &str) {
        self.members.iter_mut().for_each(|member| member.tell(line));
    }

    /// Where each of them listens.
    fn addresses(&mut self, shutdown: &Shutdown) -> Result<Option<Vec<SocketAddr>>, Failure> {
        let until = Instant::now() + PATIENCE;
        let mut addresses = vec![None; self.members.len()];
        while addresses.iter().any(Option::is_none) {
            select! {
                recv(self.hear) -> said => match said {
                    Ok(Said::Listening(number, address)) => addresses[number] = Some(address),
                    Ok(said) => self.take(said),
                    Err(_) => {}
                },
                recv(shutdown.channel()) -> _ => return Ok(None),
                default(ASK) => {}
            }
            let not_there = (0..addresses.len()).find(|number| addresses[*number].is_none());
            if let Some(number) = not_there
                && (Instant::now() >= until || self.members[number].ended.is_some())
            {
                let member = &self.members[number];
                let why = member
                    .unexpected()
                    .unwrap_or_else(|| "it does not listen".into());
                return Err(Failure::could_not_run(
                    format!("start {}", member.name),
                    why,
                ));
            }
        }
        Ok(Some(addresses.into_iter().flatten().collect()))
    }

    /// Until the time is over and all are done, or nothing happens any more.
    fn watch(&mut self, shutdown: &Shutdown) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut plans = self.plans();
        let still = STILL + 16 * self.settings.faults.delay.long();
        let mut finishing = false;
        let mut before = Vec::new();
        let mut asked = begun;
        self.states = vec![None; self.members.len()];
        loop {
            let now = begun.elapsed();
            while let Some((_, process, signal)) = plans.pop_if(|(at, ..)| *at <= now) {
                self.members[process.index()].signal(signal);
            }
            if !finishing && (now >= self.settings.lasting || shutdown.requested()) {
                self.all("finish");
                finishing = true;
                self.moved = Instant::now();
            }
            let there =
                || (0..self.members.len()).filter(|number| self.members[*number].ended.is_none());
            if there().next().is_none() {
                return Ok(());
            }
            // All idle, and again with nothing having happened in between: then nothing is under way.
            if there().all(|number| self.states[number].is_some()) {
                let states: Vec<_> = there().map(|number| self.states[number]).collect();
                let idle = states.iter().flatten().all(|state| state.0);
                if states == before && idle && plans.is_empty() {
                    return Ok(());
                }
                if states != before {
                    self.moved = Instant::now();
                }
                before = states;
                self.states.fill(None);
            }
            let faults_last = now < self.settings.faults.end();
            if finishing && !faults_last && self.moved.elapsed() >= still {
                return Ok(());
            }
            if asked.elapsed() >= ASK {
                asked = Instant::now();
                self.all("state");
            }
            let next = plans
                .last()
                .map_or(ASK, |(at, ..)| at.saturating_sub(now).min(ASK));
            if let Ok(said) = self.hear.recv_timeout(next) {
                self.take(said);
            }
        }
    }

    /// Which signals are to be sent, and when; the first at the end.
    fn plans(&self) -> Vec<(Duration, ProcessId, Signal)> {
        let crashes = self.settings.faults.crashes.iter();
        let mut plans: Vec<_> = crashes
            .flat_map(|crash| match crash.until {
                Duration::MAX => vec![(crash.from, crash.process, Signal::SIGKILL)],
                until => vec![
                    (crash.from, crash.process, Signal::SIGSTOP),
                    (until, crash.process, Signal::SIGCONT),
                ],
            })
            .collect();
        plans.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        plans
    }

    fn take(&mut self, said: Said) {
        match said {
            Said::Listening(..) => {}
            Said::State(number, idle, events) => self.states[number] = Some((idle, events)),
            Said::Trouble(number, text) => {
                let text = format!("{} finds: {text}", self.members[number].name);
                self.journal.record(Event::error(Level::Warn, text));
            }
            Said::Ended(number) => {
                let member = &mut self.members[number];
                member.reap();
                if let Some(how) = member.unexpected() {
                    let killed = if member.killed { ", as was wanted" } else { "" };
                    let text = format!("{}: {how}{killed}", member.name);
                    self.journal.record(Event::error(Level::Warn, text));
                }
            }
        }
    }
}
