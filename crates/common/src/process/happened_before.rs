//! Happened-before (Lamport 1978), the relation behind every check: vector timestamps (Fidge 1988, Mattern 1989), computed for
//! events in causal order.

/// No slot.
const NONE: u32 = u32::MAX;

/// The vector timestamps of a computation, event by event: for each process, how many events of every process happened before
/// its present event, which counts itself.
#[derive(Debug)]
pub struct VectorTimes {
    /// By process. Zeros at the end are left out.
    present: Vec<Vec<u32>>,
    /// The slot of the timestamp of each event that still has effects to come in other processes.
    slot_of: Vec<u32>,
    slots: Vec<Slot>,
    /// The slots whose events have no effects to come; their memory is reused.
    free: Vec<u32>,
}

/// The timestamp of an event, and the number of its effects to come in other processes.
#[derive(Debug, Default)]
struct Slot {
    effects: usize,
    known: Vec<u32>,
}

impl VectorTimes {
    /// For this number of processes and of events, before the first event.
    pub fn new(processes: usize, events: usize) -> Self {
        Self {
            present: vec![Vec::new(); processes],
            slot_of: vec![NONE; events],
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// The next event of a process: its own entry, its direct causes in other processes, and the number of its direct effects
    /// there. Returns its timestamp.
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
            slot.effects -= 1;
            if slot.effects == 0 {
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
            slot.effects = effects;
            slot.known.clone_from(mine);
            self.slot_of[event] = number;
        }
        &self.present[process]
    }

    /// How many events of another process happened before the present event of this process.
    pub fn known(&self, process: usize, other: usize) -> u32 {
        self.present[process].get(other).copied().unwrap_or(0)
    }
}
