//! Names and their records on their way to the thread that appends them to the table.

use std::{mem, panic, sync::Arc, thread};

use crossbeam::channel;

use super::{
    builder::{Builder, Shards},
    table::Zone,
};
use crate::dns::owner::Zones;

/// Below so many names, one thread is fastest.
pub const FEW_NAMES: usize = 10_000;

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
    let on_this_thread = || {
        let (mut builder, mut shards) = Builder::new(Arc::clone(zones), ttl, names);
        produce(&mut |name, records| {
            shards[builder.add(name)].append(name, 0, records);
        })?;
        Ok(builder.finish(shards, most))
    };
    if names < FEW_NAMES {
        return on_this_thread();
    }
    let (mut builder, mut shards) = Builder::new(Arc::clone(zones), ttl, names);
    let (sender, batches) = channel::bounded::<Vec<u8>>(WAITING);
    let shards = thread::scope(|scope| {
        let appending = thread::Builder::new().name("zone".to_owned());
        let appending = appending.spawn_scoped(scope, move || {
            for batch in batches {
                append_all(&mut shards, &batch);
            }
            shards
        });
        let Ok(appending) = appending else {
            return Ok(None);
        };
        let new = || Vec::with_capacity(BATCH + BATCH / 4);
        let mut batch = new();
        // A thread that ended early panicked, which joining it brings up.
        produce(&mut |name, records| {
            batch.extend((builder.add(name) as u32).to_le_bytes());
            put(&mut batch, name);
            put(&mut batch, records);
            if batch.len() >= BATCH {
                let _ = sender.send(mem::replace(&mut batch, new()));
            }
        })?;
        let _ = sender.send(batch);
        drop(sender);
        let shards = appending.join();
        Ok(Some(
            shards.unwrap_or_else(|panic| panic::resume_unwind(panic)),
        ))
    })?;
    match shards {
        Some(shards) => Ok(builder.finish(shards, most)),
        // No thread could be started.
        None => on_this_thread(),
    }
}

fn put(batch: &mut Vec<u8>, bytes: &[u8]) {
    batch.extend((bytes.len() as u32).to_le_bytes());
    batch.extend(bytes);
}

fn take_number(batch: &mut &[u8]) -> Option<usize> {
    let (number, rest) = batch.split_first_chunk()?;
    *batch = rest;
    Some(u32::from_le_bytes(*number) as usize)
}

fn take<'a>(batch: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(batch)?;
    let (bytes, rest) = batch.split_at_checked(length)?;
    *batch = rest;
    Some(bytes)
}

/// Appends the names of a batch, each of which is the number of its shard, its name and its records.
fn append_all(shards: &mut Shards, mut batch: &[u8]) {
    while let (Some(shard), Some(name), Some(records)) =
        (take_number(&mut batch), take(&mut batch), take(&mut batch))
    {
        shards[shard].append(name, 0, records);
    }
}
