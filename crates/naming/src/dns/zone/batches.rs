//! Names and their records on their way to the thread that builds the table.

use std::{mem, panic, sync::Arc, thread};

use crossbeam::channel;

use super::{builder::Builder, table::Zone};
use crate::dns::owner::Zones;

/// Below so many names, one thread is fastest.
const MANY_NAMES: usize = 10_000;

/// About how many bytes are handed over at once.
const BATCH: usize = 64 * 1024;

/// How many batches may wait.
const WAITING: usize = 8;

/// Takes a name and its records.
pub type Push<'a> = &'a mut dyn FnMut(&[u8], &[u8]);

/// The zones with all names that `produce` pushes, of which there are about so many, and at most `most` records for each.
/// Many names are added on a thread of their own, while `produce` makes the next ones.
///
/// # Errors
/// Those of `produce`.
pub fn build<E>(
    zones: &Arc<Zones>,
    ttl: u32,
    names: usize,
    most: usize,
    produce: impl Fn(Push<'_>) -> Result<(), E>,
) -> Result<Zone, E> {
    let builder = || Builder::new(Arc::clone(zones), ttl, names);
    let on_this_thread = || {
        let mut builder = builder();
        produce(&mut |name, records| builder.push(name, records))?;
        Ok(builder.finish(most))
    };
    if names < MANY_NAMES {
        return on_this_thread();
    }
    thread::scope(|scope| {
        let (sender, batches) = channel::bounded::<Vec<u8>>(WAITING);
        let building = thread::Builder::new().name("zone".to_owned());
        let building = building.spawn_scoped(scope, move || {
            let mut builder = builder();
            for batch in batches {
                push_all(&mut builder, &batch);
            }
            builder.finish(most)
        });
        let Ok(building) = building else {
            return on_this_thread();
        };
        let new = || Vec::with_capacity(BATCH + BATCH / 4);
        let mut batch = new();
        // A thread that ended early panicked, which joining it brings up.
        produce(&mut |name, records| {
            put(&mut batch, name);
            put(&mut batch, records);
            if batch.len() >= BATCH {
                let _ = sender.send(mem::replace(&mut batch, new()));
            }
        })?;
        let _ = sender.send(batch);
        drop(sender);
        Ok(building
            .join()
            .unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

fn put(batch: &mut Vec<u8>, bytes: &[u8]) {
    batch.extend((bytes.len() as u32).to_le_bytes());
    batch.extend(bytes);
}

fn take<'a>(batch: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = batch.split_first_chunk()?;
    let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *batch = rest;
    Some(bytes)
}

fn push_all(builder: &mut Builder, mut batch: &[u8]) {
    while let (Some(name), Some(records)) = (take(&mut batch), take(&mut batch)) {
        builder.push(name, records);
    }
}
