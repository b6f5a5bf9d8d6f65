//! `snapshot`: clients have nodes transfer money and take snapshots; every node reports its debits and credits, and what it records.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use common::{
    process::{
        Meaning, clock::Timestamp, ids::ProcessId, property::Property, verdict::check::Check,
    },
    text::plural,
};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use crate::{
    algorithms::branch::initial,
    harness::{
        history::{History, Sent},
        message::{Body, body, expect_report, found, integer, kind, number},
        task::{Answer, End, Exchange, REPLY, Task},
    },
};

/// The share of requests that are for a snapshot.
const SNAPSHOTS: f64 = 0.2;

/// The most money of a transfer.
const MOST: i64 = 100;

/// A transfer that was asked for.
#[derive(Clone, Debug)]
struct Transfer {
    from: usize,
    to: usize,
    amount: u32,
    /// The message that it is, once it is debited: from one application to another, whatever frames carry it.
    sent: Option<Sent>,
    /// How often it was credited.
    credits: u32,
}

/// The workload.
#[derive(Debug)]
pub(super) struct Snapshot {
    nodes: usize,
    /// How many transfers and snapshots each node was asked for.
    asked: Vec<[u64; 2]>,
    /// The transfers, by their numbers.
    transfers: BTreeMap<u64, Transfer>,
    /// What each node has by what it has reported.
    balances: Vec<i64>,
    /// The initiator of each snapshot.
    initiators: HashMap<u64, usize>,
    /// The snapshots that each node has recorded.
    recorded: HashSet<(usize, u64)>,
    /// Those that clients wait for.
    waiting: BTreeSet<u64>,
}

impl Snapshot {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            nodes,
            asked: vec![[0; 2]; nodes],
            transfers: BTreeMap::new(),
            balances: vec![initial(); nodes],
            initiators: HashMap::new(),
            recorded: HashSet::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// The next number of a transfer (0) or a snapshot (1) of this node: every node has its own, each N-th.
    fn number(&mut self, node: usize, what: usize) -> u64 {
        let before = &mut self.asked[node][what];
        *before += 1;
        (*before - 1) * self.nodes as u64 + node as u64 + 1
    }

    /// A node reports that a transfer is debited, or credited.
    fn transfer(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        report: &Body,
    ) -> Result<(), String> {
        let is_debit = kind(report) == "debit";
        let number = number(report, "transfer");
        let transfer = number.and_then(|number| self.transfers.get_mut(&number));
        let fits = transfer.filter(|transfer| match is_debit {
            true => transfer.from == node && transfer.sent.is_none(),
            false => transfer.to == node && transfer.sent.is_some(),
        });
        let (Some(number), Some(transfer)) = (number, fits) else {
            let expected = match is_debit {
                true => "a transfer that this node was asked for, once",
                false => "a transfer to this node whose debit its sender has reported",
            };
            let found = found(report, &["transfer"]);
            return Err(format!(
                "expected {expected} in {}, found {found}",
                kind(report)
            ));
        };
        let id = Timestamp {
            time: number,
            process: ProcessId::at(transfer.from),
        };
        let amount = transfer.amount;
        if is_debit {
            self.balances[node] -= i64::from(amount);
            let ends = (id.process, ProcessId::at(transfer.to));
            let message = body("transfer", [("amount", amount.into())]);
            let meaning = |_| Some(Meaning::Transfer(id, amount));
            transfer.sent = Some(history.send(at, ends, &message, meaning));
        } else if let Some(sent) = &transfer.sent {
            transfer.credits += 1;
            self.balances[node] += i64::from(amount);
            history.receive(at, sent, |_| Some(Meaning::Credit(id, amount)));
        }
        Ok(())
    }

    /// What a report says of a snapshot.
    fn recording(
        &mut self,
        history: &History,
        node: usize,
        report: &Body,
    ) -> Result<Meaning, String> {
        let snapshot = number(report, "snapshot");
        let known = snapshot.and_then(|number| Some((number, *self.initiators.get(&number)?)));
        let expected = |what: &str, fields: &[&str]| {
            let (kind, found) = (kind(report), found(report, fields));
            format!("expected {what} in {kind}, found {found}")
        };
        let Some((time, initiator)) = known else {
            let what = "a snapshot that a client has asked for";
            return Err(expected(what, &["snapshot"]));
        };
        let id = Timestamp {
            time,
            process: ProcessId::at(initiator),
        };
        if kind(report) == "record" {
            let balance = integer(report, "balance");
            let balance = balance.ok_or_else(|| expected("an integer as balance", &["balance"]))?;
            if !self.recorded.insert((node, time)) {
                return Err(expected(
                    "a snapshot that this node has not recorded",
                    &["snapshot"],
                ));
            }
            return Ok(Meaning::Record(id, balance));
        }
        let money = number(report, "money");
        let money = money.and_then(|money| u32::try_from(money).ok());
        let from = history.node(report, "from");
        let from = from.filter(|from| from.index() != node);
        match (from, money) {
            (Some(from), Some(money)) => Ok(Meaning::RecordChannel(id, from, money)),
            _ => Err(expected(
                "another node as from, and an integer as money, 0 to 4294967295,",
                &["from", "money"],
            )),
        }
    }

    /// The transfers that nodes that are there have not credited.
    fn lost<'a>(&'a self, end: &'a End<'_>) -> impl Iterator<Item = (&'a u64, &'a Transfer)> {
        let debited = self.transfers.iter().filter(|(_, it)| it.sent.is_some());
        debited.filter(|(_, it)| it.credits == 0 && end.is_up[it.to] && end.is_up[it.from])
    }
}

impl Task for Snapshot {
    fn request(&mut self, node: usize, random: &mut Pcg64Mcg) -> Body {
        let most = self.balances[node].min(MOST);
        if random.random_bool(SNAPSHOTS) || most <= 0 {
            let number = self.number(node, 1);
            self.initiators.insert(number, node);
            self.waiting.insert(number);
            return body("snapshot", [("snapshot", number.into())]);
        }
        let to = (node + random.random_range(1..self.nodes)) % self.nodes;
        let amount = random.random_range(1..=most) as u32;
        let number = self.number(node, 0);
        let transfer = Transfer {
            from: node,
            to,
            amount,
            sent: None,
            credits: 0,
        };
        self.transfers.insert(number, transfer);
        let fields = [
            ("transfer", number.into()),
            ("to", format!("n{}", to + 1).into()),
            ("amount", amount.into()),
        ];
        body("transfer", fields)
    }

    fn patience(&self, request: &Body) -> Option<Duration> {
        (kind(request) == "transfer").then_some(REPLY)
    }

    fn answered(
        &mut self,
        history: &mut History,
        at: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let snapshot = number(exchange.request, "snapshot");
        if let (Answer::Ok(..) | Answer::Error(_), Some(snapshot)) = (exchange.answer, snapshot) {
            self.waiting.remove(&snapshot);
        }
        let Answer::Ok(reply, _) = exchange.answer else {
            return Ok(());
        };
        let process = ProcessId::at(exchange.node);
        if kind(exchange.request) == "transfer" {
            let asked = number(exchange.request, "transfer").unwrap_or_default();
            let transfer = self.transfers.get(&asked);
            return match transfer.is_some_and(|it| it.sent.is_some()) {
                true => Ok(()),
                false => Err(format!(
                    "expected a report of its debit before transfer_ok of {asked}, found none"
                )),
            };
        }
        let money = integer(reply, "money");
        let Some(money) = money else {
            let found = found(reply, &["money"]);
            return Err(format!(
                "expected an integer as money in snapshot_ok, found {found}"
            ));
        };
        let time = snapshot.unwrap_or_default();
        history.local(
            at,
            process,
            Meaning::Complete(Timestamp { time, process }, money),
        );
        Ok(())
    }

    fn report(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        report: &Body,
    ) -> Result<bool, String> {
        expect_report(report, &["debit", "credit", "record", "channel"])?;
        if ["debit", "credit"].contains(&kind(report)) {
            self.transfer(history, at, node, report)?;
        } else {
            let meaning = self.recording(history, node, report)?;
            history.local(at, ProcessId::at(node), meaning);
        }
        Ok(true)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        self.lost(end).next().is_none()
    }

    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let words = |(number, transfer): (&u64, &Transfer)| {
            let (from, to) = (end.name(transfer.from), end.name(transfer.to));
            format!("transfer {number}, {} from {from} to {to}", transfer.amount)
        };
        let debited = self.transfers.values().filter(|it| it.sent.is_some());
        let debited = debited.count() as u64;
        let lost = self.lost(end).count();
        let lost = match self.lost(end).next() {
            Some(first) => {
                let others = match lost {
                    1 => String::new(),
                    lost => format!(", nor were {} others", lost - 1),
                };
                let found = format!("{} was never credited{others}", words(first));
                Check::unfulfilled(Property::NothingLost, found)
            }
            None if debited == 0 => Check::open(Property::NothingLost, "no money was transferred"),
            None => {
                let found = format!("{} credited", plural(debited, "transfer"));
                Check::ok(Property::NothingLost, found)
            }
        };
        let mut twice = self.transfers.iter().filter(|it| it.1.credits > 1);
        let twice = match twice.next() {
            Some((number, transfer)) => Check::unfulfilled(
                Property::NothingInvented,
                format!(
                    "{} was credited {} times",
                    words((number, transfer)),
                    transfer.credits
                ),
            ),
            None if debited == 0 => {
                Check::open(Property::NothingInvented, "no money was transferred")
            }
            None => Check::ok(Property::NothingInvented, "no transfer was credited twice"),
        };
        // Of a snapshot that its initiator has not recorded no event tells.
        let waiting = self.waiting.iter().map(|it| (self.initiators[it], *it));
        let ignored = waiting.filter(|it| end.is_up[it.0] && !self.recorded.contains(it));
        let ignored: Vec<_> = ignored
            .map(|(node, number)| format!("{number} of {}", end.name(node)))
            .collect();
        let mut checks = vec![lost, twice];
        if !ignored.is_empty() {
            let found = format!("not begun: {}", ignored.join(", "));
            checks.insert(0, Check::unfulfilled(Property::Completed, found));
        }
        checks
    }
}
