//! A branch of a bank, the application of which snapshots are taken: each process has an [`Account`], and transfers money to the
//! others. No money is made and none is lost, so a correct snapshot has all of it: in the processes, and in transit between them.

use common::process::{
    Command, Meaning, Outbox, Refusal, To,
    clock::{Overflow, Timestamp},
    ids::ProcessId,
};

use super::bank::{Account, Operation};

/// One of this many operations of a process is a snapshot, and not a transfer.
const SNAPSHOT_EVERY: u32 = 5;

/// The money that a process begins with.
pub fn initial() -> i64 {
    Account::new().balance()
}

/// The account of one process.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Branch {
    pub(super) me: ProcessId,
    pub(super) processes: usize,
    account: Account,
    /// How many transfers it has sent.
    transfers: u32,
    /// How many operations its application has begun.
    operations: u32,
}

/// What the application does next.
pub(super) enum Next {
    /// It initiates a snapshot.
    Snapshot,
    /// It transfers this amount to this process.
    Transfer(ProcessId, u32),
}

/// A transfer of an amount, by its number among those of its sender, and as an event.
pub(super) struct Transfer {
    pub(super) number: u32,
    pub(super) meaning: Meaning,
}

impl Branch {
    pub(super) fn new(me: ProcessId, processes: usize) -> Self {
        Self {
            me,
            processes,
            account: Account::new(),
            transfers: 0,
            operations: 0,
        }
    }

    pub(super) fn balance(&self) -> i64 {
        self.account.balance()
    }

    /// The next operation of the application: transfers to the other processes in turn, and now and then a snapshot, of each process
    /// at another time.
    pub(super) fn next(&mut self) -> Next {
        let operation = self.operations;
        self.operations = operation.wrapping_add(1);
        if (operation + self.me.index() as u32).is_multiple_of(SNAPSHOT_EVERY) {
            return Next::Snapshot;
        }
        let others = self.processes - 1;
        let turn = 1 + self.transfers as usize % others;
        let to = ProcessId::at((self.me.index() + turn) % self.processes);
        Next::Transfer(to, 10 + self.transfers % 9 * 10)
    }

    /// Takes the amount of the next transfer from the account.
    ///
    /// # Errors
    /// When the account has too little.
    pub(super) fn debit(&mut self, amount: u32) -> Result<Transfer, Refusal> {
        let balance = self.balance();
        if i64::from(amount) > balance {
            let why = format!("the balance is {balance}: an account is not overdrawn");
            return Err(Refusal::Invalid(why));
        }
        self.transfers += 1;
        self.pay(-i64::from(amount));
        let number = self.transfers;
        let stamp = transfer_of(self.me, number);
        let meaning = Meaning::Transfer(stamp, amount);
        Ok(Transfer { number, meaning })
    }

    /// Adds the amount of a transfer that is received.
    pub(super) fn credit(&mut self, amount: u32) {
        self.pay(amount.into());
    }

    fn pay(&mut self, amount: i64) {
        if let Ok(amount) = amount.try_into() {
            self.account.apply(Operation::Pay(amount));
        }
    }
}

/// The identity of a transfer.
pub(super) fn transfer_of(process: ProcessId, number: u32) -> Timestamp {
    Timestamp {
        time: number.into(),
        process,
    }
}

/// A process of which snapshots can be taken.
pub(super) trait Banking {
    /// Its messages.
    type Message;

    fn branch(&mut self) -> &mut Branch;

    /// A transfer as a message.
    fn transfer(&self, number: u32, amount: u32) -> Self::Message;

    /// Whether a snapshot of its own is not complete.
    fn has_snapshot(&self) -> bool;

    /// Initiates a snapshot.
    fn initiate(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow>;

    /// A transfer was sent.
    fn sent(&mut self) {}

    /// Transfers money.
    fn pay(
        &mut self,
        to: ProcessId,
        amount: u32,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Refusal> {
        let Transfer { number, meaning } = self.branch().debit(amount)?;
        let message = self.transfer(number, amount);
        self.sent();
        out.send_as(meaning, To::One(to), message)?;
        Ok(())
    }

    /// The application begins its next operation. A snapshot has to wait for the one before it, and a transfer for money.
    fn operate(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow> {
        let done = match self.branch().next() {
            Next::Snapshot if !self.has_snapshot() => return self.initiate(out),
            Next::Snapshot => Ok(()),
            Next::Transfer(to, amount) => self.pay(to, amount, out),
        };
        match done {
            Err(Refusal::Overflow(overflow)) => Err(overflow),
            Ok(()) | Err(Refusal::Invalid(_) | Refusal::Unknown) => Ok(()),
        }
    }

    /// Obeys a command.
    fn obey(
        &mut self,
        command: Command,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Refusal> {
        match command {
            Command::Transfer(to, amount) => self.pay(to, amount, out),
            Command::Snapshot if self.has_snapshot() => {
                let why = "the last snapshot of this process is not complete";
                Err(Refusal::Invalid(why.to_owned()))
            }
            Command::Snapshot => Ok(self.initiate(out)?),
            _ => Err(Refusal::Unknown),
        }
    }
}
