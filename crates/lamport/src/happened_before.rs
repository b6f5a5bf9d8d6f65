//! Happened-before (Lamport 1978), the one relation that everything here is checked by: vector timestamps (Fidge 1988,
//! Mattern 1989) of events that come in causal order.

/// No slot.
const NONE: u32 = u32::MAX;

/// The vector timestamps of a computation while it is walked through: for each process, how many events of every process
/// happened before its present event, or are it.
#[derive(Debug)]
pub struct VectorTimes {
    /// By process. Entries beyond the last that a process knows of are left out.
    present: Vec<Vec<u32>>,
    /// Where the timestamp of each event is kept that others still follow from.
    slot_of: Vec<u32>,
    slots: Vec<Slot>,
    /// The slots whose events no other follows from any more; their memory is used again.
    free: Vec<u32>,
}

/// A timestamp, and how many events still follow from its event.
#[derive(Debug, Default)]
struct Slot {
    left: usize,
    known: Vec<u32>,
}

impl VectorTimes {
    /// Of N processes, before the first of N events.
    pub fn new(processes: usize, events: usize) -> Self {
        Self {
            present: vec![Vec::new(); processes],
            slot_of: vec![NONE; events],
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// The next event of a process: its own entry, the events of others that it directly follows from, and how many
    /// events directly follow from it. Returns its timestamp.
    pub fn step(
        &mut self,
        event: usize,
        process: usize,
        own: u32,
        causes: impl IntoIterator<Item = usize>,
        effects: usize,
    ) -> &[u32] {
        let mine = &mut self.present[process];
        for cause in causes {
            let number = self.slot_of[cause];
            if number == NONE {
                continue;
            }
            let slot = &mut self.slots[number as usize];
            if mine.len() < slot.known.len() {
                mine.resize(slot.known.len(), 0);
            }
            for (mine, theirs) in mine.iter_mut().zip(&slot.known) {
                *mine = (*mine).max(*theirs);
            }
            slot.left -= 1;
            if slot.left == 0 {
                self.slot_of[cause] = NONE;
                self.free.push(number);
            }
        }
        if mine.len() <= process {
            mine.resize(process + 1, 0);
        }
        mine[process] = own;
        if effects > 0 {
            let number = self.free.pop().unwrap_or_else(|| {
                self.slots.push(Slot::default());
                self.slots.len() as u32 - 1
            });
            let slot = &mut self.slots[number as usize];
            slot.left = effects;
            slot.known.clone_from(mine);
            self.slot_of[event] = number;
        }
        &self.present[process]
    }

    /// How many events of another process happened before the present one of this process.
    pub fn known(&self, process: usize, other: usize) -> u32 {
        self.present[process].get(other).copied().unwrap_or(0)
    }
}
