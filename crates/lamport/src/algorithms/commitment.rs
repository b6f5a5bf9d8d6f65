//! What the protocols of distributed commit have in common (van Steen & Tanenbaum, Distributed Systems, chapter "Fault
//! tolerance", section "Distributed commit"): a coordinator, p1, asks the participants for their votes on one transaction
//! after another; all commit a transaction, or all abort it.

use common::process::{
    Command, Meaning, Message, Outbox, Outcome, Refusal, TimerKind, To,
    clock::Overflow,
    detector::Suspected,
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use crate::bug::Bug;

/// The coordinator.
pub const COORDINATOR: ProcessId = ProcessId(0);

/// The number of a transaction, from 1.
pub type Transaction = u32;

/// The messages of both protocols.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// The coordinator asks for votes on this transaction.
    VoteRequest(Transaction),
    /// The sender's vote.
    Vote(Transaction, Outcome),
    /// Everybody has voted to commit (three-phase commit).
    Prepare(Transaction),
    /// Whoever coordinates now is in this state; all others go there before it decides (three-phase commit).
    Adopt(Transaction, bool),
    /// The sender is where it was asked to go (three-phase commit).
    Ready(Transaction),
    /// The decision.
    Decision(Transaction, Outcome),
    /// The sender has the decision.
    Acknowledgement(Transaction),
    /// Does anybody know the decision?
    DecisionRequest(Transaction),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::VoteRequest(_) => "vote-request",
            Self::Vote(..) => "vote",
            Self::Prepare(_) => "prepare",
            Self::Adopt(..) => "adopt",
            Self::Ready(_) => "ready",
            Self::Decision(..) => "decision",
            Self::Acknowledgement(_) => "acknowledgement",
            Self::DecisionRequest(_) => "decision-request",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Vote(transaction, outcome) | Self::Decision(transaction, outcome) => {
                format!("{} {transaction}", outcome.word())
            }
            Self::Adopt(transaction, true) => format!("prepared {transaction}"),
            Self::Adopt(transaction, false) => format!("uncertain {transaction}"),
            Self::VoteRequest(transaction)
            | Self::Prepare(transaction)
            | Self::Ready(transaction)
            | Self::Acknowledgement(transaction)
            | Self::DecisionRequest(transaction) => transaction.to_string(),
        }
    }
}

/// What a process does in the transaction under way.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum State {
    /// It takes no part in any so far.
    Initial,
    /// The coordinator collects votes.
    Voting,
    /// A participant has been asked for its vote.
    Working,
    /// A participant has voted to commit.
    Uncertain,
    /// It knows that all have voted to commit (three-phase commit).
    Prepared,
    /// The coordinator has decided, and collects acknowledgements.
    Decided,
}

/// What a process of either protocol has.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Member {
    pub(super) me: ProcessId,
    pub(super) processes: usize,
    pub(super) bug: Option<Bug>,
    pub(super) state: State,
    /// Of a coordinator: the processes whose answers it waits for.
    pub(super) awaited: Vec<ProcessId>,
    /// Its log on stable storage: the decision on each transaction, in their order. So the transaction under way is the one
    /// after the last that is decided.
    decisions: Vec<Outcome>,
    pub(super) suspected: Suspected,
}

impl Member {
    pub(super) fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        Self {
            me,
            processes,
            bug,
            state: State::Initial,
            awaited: Vec::new(),
            decisions: Vec::new(),
            suspected: Suspected::default(),
        }
    }

    /// Starts the process: the application of the coordinator begins transactions.
    pub(super) fn start(&self, out: &mut Outbox<'_, Payload>) {
        if self.me == COORDINATOR {
            out.set_timer(TimerKind::Think);
        }
    }

    /// The decision on a transaction, if there is one.
    pub(super) fn decision(&self, transaction: Transaction) -> Option<Outcome> {
        let index = usize::try_from(transaction).ok()?.checked_sub(1)?;
        self.decisions.get(index).copied()
    }

    /// The transaction that is under way, or will be the next.
    pub(super) fn next(&self) -> Transaction {
        self.decisions.len() as Transaction + 1
    }

    /// Whether it suspects the coordinator.
    pub(super) fn is_alone(&self) -> bool {
        self.suspected.contains(COORDINATOR)
    }

    /// Waits for all others that are not suspected.
    pub(super) fn await_all(&mut self) {
        let others = self.me.others(self.processes);
        let trusted = others.filter(|other| !self.suspected.contains(*other));
        self.awaited = trusted.collect();
    }

    /// Waits for this process no longer.
    pub(super) fn heard(&mut self, process: ProcessId) {
        self.awaited.retain(|other| *other != process);
    }

    /// Asks for votes; returns whether the coordinator waits for them. Who has crashed votes for nothing.
    pub(super) fn ask_for_votes(
        &mut self,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<bool, Overflow> {
        let transaction = self.next();
        let begin = Meaning::Begin(transaction);
        self.await_all();
        if self.awaited.len() + 1 < self.processes {
            out.local(begin)?;
            return Ok(false);
        }
        out.send_as(begin, To::All, Payload::VoteRequest(transaction))?;
        self.state = State::Voting;
        Ok(true)
    }

    /// A participant is asked for its vote.
    pub(super) fn asked(
        &mut self,
        transaction: Transaction,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if transaction == self.next() && self.state == State::Initial {
            if self.is_alone() {
                return self.vote(Outcome::Abort, out);
            }
            self.state = State::Working;
            out.set_timer(TimerKind::Work);
        } else if let Some(outcome) = self.decision(transaction) {
            // It has aborted before it was asked.
            out.send(To::One(COORDINATOR), Payload::Vote(transaction, outcome))?;
        }
        Ok(())
    }

    /// Somebody asks for the decision on a transaction: a participant that has not voted on it will not any more, so that it is
    /// aborted.
    pub(super) fn asked_for_decision(
        &mut self,
        transaction: Transaction,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match self.state {
            _ if transaction != self.next() || self.me == COORDINATOR => Ok(()),
            State::Initial => self.decide(Outcome::Abort, false, out),
            State::Working => self.vote(Outcome::Abort, out),
            _ => Ok(()),
        }
    }

    /// Votes; a participant that votes to abort decides so.
    pub(super) fn vote(
        &mut self,
        vote: Outcome,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let transaction = self.next();
        let message = Payload::Vote(transaction, vote);
        out.clear_timer(TimerKind::Work);
        out.send_as(
            Meaning::Vote(transaction, vote),
            To::One(COORDINATOR),
            message,
        )?;
        self.state = State::Uncertain;
        match vote {
            Outcome::Abort => self.decide(vote, false, out),
            Outcome::Commit => Ok(()),
        }
    }

    /// Decides on the transaction under way, and tells all others, or none.
    pub(super) fn decide(
        &mut self,
        outcome: Outcome,
        tells: bool,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let transaction = self.next();
        let meaning = Meaning::Decide(transaction, outcome);
        out.clear_timer(TimerKind::Work);
        match tells {
            true => out.send_as(meaning, To::All, Payload::Decision(transaction, outcome))?,
            false => out.local(meaning)?,
        };
        self.decisions.push(outcome);
        self.awaited.clear();
        self.state = State::Initial;
        Ok(())
    }

    /// Tells the decision on a transaction, if it is known.
    pub(super) fn tell(
        &self,
        to: ProcessId,
        transaction: Transaction,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if let Some(outcome) = self.decision(transaction) {
            out.send(To::One(to), Payload::Decision(transaction, outcome))?;
        }
        Ok(())
    }

    /// Acknowledges a decision of the coordinator.
    pub(super) fn acknowledge(
        &self,
        from: ProcessId,
        transaction: Transaction,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if from == COORDINATOR && transaction < self.next() {
            out.send(To::One(from), Payload::Acknowledgement(transaction))?;
        }
        Ok(())
    }

    /// What it does, in words.
    pub(super) fn words(&self, names: &Names) -> String {
        let awaited: Vec<_> = self.awaited.iter().map(|it| names.of(*it)).collect();
        let (next, awaited) = (self.next(), awaited.join(", "));
        let last = next - 1;
        match self.state {
            State::Initial => format!("no transaction under way; {last} decided"),
            State::Voting => format!("transaction {next}: waits for the votes of {awaited}"),
            State::Working => format!("transaction {next}: vote: type commit or abort"),
            State::Decided => {
                format!("transaction {last}: waits for acknowledgements of {awaited}")
            }
            State::Uncertain | State::Prepared if !awaited.is_empty() => {
                format!("transaction {next}: waits for {awaited} to be ready")
            }
            State::Uncertain => format!("transaction {next}: has voted to commit, and waits"),
            State::Prepared => format!("transaction {next}: prepared to commit, and waits"),
        }
    }
}

/// How the application of a participant votes where nobody types: it is against one transaction in 2N; the first participant
/// against the second one.
pub fn own_vote(transaction: Transaction, me: ProcessId, processes: usize) -> Outcome {
    match (transaction as usize - 1) % (2 * processes) == me.index() {
        true => Outcome::Abort,
        false => Outcome::Commit,
    }
}

/// A process of a protocol of distributed commit.
pub(super) trait Committer {
    /// What it has.
    fn member(&self) -> &Member;

    /// The same, to change it.
    fn member_mut(&mut self) -> &mut Member;

    /// The coordinator decides.
    fn conclude(&mut self, outcome: Outcome, out: &mut Outbox<'_, Payload>)
    -> Result<(), Overflow>;

    /// Votes.
    fn vote(&mut self, vote: Outcome, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow>;

    /// Begins a transaction, which is aborted at once when the votes of all cannot be had.
    fn begin(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match self.member_mut().ask_for_votes(out)? {
            true => Ok(()),
            false => self.conclude(Outcome::Abort, out),
        }
    }

    /// Whether it may begin a transaction.
    fn may_begin(&self) -> bool {
        self.member().me == COORDINATOR && self.member().state == State::Initial
    }

    /// The application's next step, when its timer of this kind has expired.
    fn step(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let member = self.member();
        match (kind, member.state) {
            (TimerKind::Think, _) if self.may_begin() => self.begin(out),
            (TimerKind::Work, State::Working) => {
                let vote = own_vote(member.next(), member.me, member.processes);
                self.vote(vote, out)
            }
            _ => Ok(()),
        }
    }

    /// Handles a person's command.
    fn obey(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        let why = match command {
            Command::Begin if self.may_begin() => return Ok(self.begin(out)?),
            Command::Vote(vote) if self.member().state == State::Working => {
                return Ok(self.vote(vote, out)?);
            }
            Command::Begin if self.member().me == COORDINATOR => "a transaction is under way",
            Command::Begin => "only the coordinator begins a transaction",
            Command::Vote(_) => "no vote is asked for",
            _ => return Err(Refusal::Unknown),
        };
        Err(Refusal::Invalid(why.to_owned()))
    }
}
