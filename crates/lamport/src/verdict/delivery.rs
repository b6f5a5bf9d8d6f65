//! Ordered multicast (van Steen & Tanenbaum, "Ordered multicasting"): safety and liveness of a whole run.

use std::collections::HashMap;

use common::{
    event::Verdict,
    process::{
        Meaning,
        clock::Timestamp,
        ids::ProcessId,
        property::Property,
        run_event::RunEvent,
        verdict::{
            check::Check,
            checker::{Checker, Known},
            exercise::Exercise,
            run::{Expected, RunUnderTest},
        },
    },
    text::plural,
};

use super::order::{CausalOrder, Misdelivery, TotalOrder};

/// The order that an algorithm keeps.
#[derive(Debug)]
enum Order {
    Total(TotalOrder),
    Causal(CausalOrder),
}

/// Every multicast is delivered at every process, once, in the order that the algorithm keeps.
#[derive(Debug)]
pub(super) struct Delivery {
    order: Order,
    /// The index of each multicast's send, or if that is not logged, of its first delivery.
    multicasts: HashMap<Timestamp, usize>,
    /// The indices of each process's multicasts.
    of_process: Vec<Vec<usize>>,
    /// For each position in the common sequence, the index of the first delivery.
    first: Vec<usize>,
    /// The result of each process's last delivery.
    last: Vec<String>,
    /// The number of deliveries.
    deliveries: u64,
    /// Whether one was of a multicast that another had happened before.
    cause_delivered: bool,
    misordered: Option<((usize, usize), &'static str)>,
    duplicate: Option<(usize, usize)>,
}

impl Delivery {
    pub(super) fn total(processes: usize) -> Self {
        Self::new(processes, Order::Total(TotalOrder::new(processes)))
    }

    pub(super) fn causal(processes: usize) -> Self {
        Self::new(processes, Order::Causal(CausalOrder::new(processes)))
    }

    fn new(processes: usize, order: Order) -> Self {
        Self {
            order,
            multicasts: HashMap::new(),
            of_process: vec![Vec::new(); processes],
            first: Vec::new(),
            last: vec![String::new(); processes],
            deliveries: 0,
            cause_delivered: false,
            misordered: None,
            duplicate: None,
        }
    }

    fn deliver(
        &mut self,
        index: usize,
        me: ProcessId,
        multicast: Timestamp,
        run: &RunUnderTest<'_>,
    ) {
        self.deliveries += 1;
        // The sender may have been killed before it had logged the send.
        if !self.multicasts.contains_key(&multicast) && run.is_incomplete(multicast.process) {
            self.multicasts.insert(multicast, index);
            self.of_process[multicast.process.index()].push(index);
            if let Order::Causal(order) = &mut self.order {
                order.assume(multicast, me);
            }
        }
        let delivered = match &mut self.order {
            Order::Total(order) => {
                if order.delivered(me) == self.first.len() {
                    self.first.push(index);
                }
                if self.multicasts.contains_key(&multicast) {
                    order.deliver(me, multicast)
                } else {
                    Err(Misdelivery::Unknown)
                }
            }
            Order::Causal(order) => {
                self.cause_delivered |= order.has_cause(multicast);
                order.deliver(me, multicast)
            }
        };
        let (before, reason) = match delivered {
            Ok(()) => return,
            Err(Misdelivery::Duplicate) => {
                let before = self.multicasts[&multicast];
                self.duplicate.get_or_insert((before, index));
                return;
            }
            Err(Misdelivery::Differs(number)) => (
                self.first[number],
                "both are the next delivery of their process, and they differ",
            ),
            Err(Misdelivery::Early(process, number)) => {
                let cause = self.of_process[process.index()].get(number);
                let reason = "the sender of the second had delivered or sent the first before, and this process has not delivered it yet";
                (cause.copied().unwrap_or(index), reason)
            }
            Err(Misdelivery::Unknown) => (index, "no process multicast this"),
        };
        self.misordered.get_or_insert(((before, index), reason));
    }

    fn delivered(&self, process: ProcessId) -> usize {
        match &self.order {
            Order::Total(order) => order.delivered(process),
            Order::Causal(order) => order.delivered(process),
        }
    }
}

impl Checker for Delivery {
    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, _: &Known) {
        let me = event.process;
        match &event.meaning {
            Some(Meaning::Multicast(_)) => {
                let stamp = Timestamp {
                    time: event.time,
                    process: me,
                };
                if let Order::Causal(order) = &mut self.order {
                    order.multicast(stamp);
                }
                self.multicasts.insert(stamp, index);
                self.of_process[me.index()].push(index);
            }
            Some(Meaning::Deliver(multicast, result)) => {
                self.deliver(index, me, *multicast, run);
                self.last[me.index()].clone_from(result);
            }
            _ => {}
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let exercise = match self.cause_delivered {
            true => exercise | Exercise::CAUSE_DELIVERED,
            false => exercise,
        };
        let held = |property, found: String| Check::held(run, exercise, property, found, &[]);
        let processes = self.last.len();
        let (property, ok) = match self.order {
            Order::Total(_) => (
                Property::SameSequence,
                format!("all {processes} replicas delivered in the same order"),
            ),
            Order::Causal(_) => (
                Property::CausalOrder,
                "no multicast was delivered before one that happened before it".to_owned(),
            ),
        };
        let order = match self.misordered {
            Some((events, reason)) => Check::violated(run, property, events, reason),
            None => held(property, ok),
        };
        let once = match self.duplicate {
            Some(events) => Check::violated(
                run,
                Property::DeliveredOnce,
                events,
                "the first was delivered here before",
            ),
            None if self.misordered.is_some() && matches!(self.order, Order::Total(_)) => {
                Check::open(Property::DeliveredOnce, "there is no common sequence")
            }
            None => held(
                Property::DeliveredOnce,
                format!(
                    "none of {}",
                    plural(self.deliveries, "delivery").replace("deliverys", "deliveries")
                ) + " is a duplicate",
            ),
        };
        let expected = |expected: Expected| -> Vec<ProcessId> {
            let all = ProcessId::all(processes);
            all.filter(|process| run.expects(*process) == expected)
                .collect()
        };
        let here = expected(Expected::Yes);
        let everywhere = self.everywhere(run, exercise, &here, &expected(Expected::Unknown));
        let complete = everywhere.verdict == Verdict::Ok;
        let mut checks = vec![order, once, everywhere];
        if matches!(self.order, Order::Total(_)) && complete && here.len() > 1 {
            checks.push(self.accounts(run, exercise, &here));
        }
        checks
    }
}

impl Delivery {
    /// Whether every multicast was delivered `here`, at the processes that ended by themselves, and at those that may `still`
    /// deliver it.
    fn everywhere(
        &self,
        run: &RunUnderTest<'_>,
        exercise: Exercise,
        here: &[ProcessId],
        still: &[ProcessId],
    ) -> Check {
        let property = Property::AllDelivered;
        let multicasts = self.multicasts.len();
        let all = plural(multicasts as u64, "multicast");
        let short = |processes: &[ProcessId]| {
            let delivered = processes
                .iter()
                .map(|process| (process, self.delivered(*process)));
            let short = delivered.filter(|(_, delivered)| *delivered != multicasts);
            let short =
                short.map(|(process, delivered)| format!("{} {delivered}", run.names.of(*process)));
            short.collect::<Vec<_>>().join(", ")
        };
        let (never, not_yet) = (short(here), short(still));
        if !never.is_empty() {
            return Check::unfulfilled(property, format!("of {all} delivered {never}"));
        }
        if !not_yet.is_empty() {
            let found = format!("of {all} delivered {not_yet} so far; {}", run.cut_short());
            return Check::open(property, found);
        }
        match here.len() + still.len() {
            0 => Check::open(property, "no process ended by itself"),
            processes => {
                let found = format!("{all}, each at all {processes} processes");
                Check::held(run, exercise, property, found, &[])
            }
        }
    }

    /// The balances of the replicas after the last delivery.
    fn accounts(&self, run: &RunUnderTest<'_>, exercise: Exercise, here: &[ProcessId]) -> Check {
        let balance = |process: &ProcessId| {
            let last = &self.last[process.index()];
            last.rsplit(": ").next().unwrap_or_default()
        };
        let balances: Vec<_> = here.iter().map(balance).collect();
        let (first, replicas) = (balances[0], balances.len());
        if balances.iter().all(|balance| *balance == first) {
            let found = format!("{first} in the end on all {replicas} replicas");
            return Check::held(run, exercise, Property::EqualAccounts, found, &[]);
        }
        let found = format!("in the end {}", balances.join(", "));
        Check::unfulfilled(Property::EqualAccounts, found)
    }
}
