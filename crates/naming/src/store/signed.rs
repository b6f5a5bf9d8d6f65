//! The signed updates of the last minutes in a store: by them a restarted server detects a replay.

use std::net::SocketAddr;

use redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, WriteTransaction};

use crate::dns::replay::{Answered, Identity, oldest};

/// The time and the MAC of an update, with its answer's code, its answer's time, and its client.
const SIGNED: TableDefinition<&[u8], &[u8]> = TableDefinition::new("signed");

/// A signed update, and how it was answered.
pub type Signed = (Identity, SocketAddr, Answered);

fn key((signed_at, mac): &Identity) -> Vec<u8> {
    [&signed_at.to_be_bytes()[..], mac].concat()
}

/// Adds updates, and removes those that are no longer valid at this time, in seconds since 1970.
pub(super) fn keep(
    writing: &WriteTransaction,
    updates: &[Signed],
    now: u64,
) -> Result<(), redb::Error> {
    let mut table = writing.open_table(SIGNED)?;
    table.retain_in::<&[u8], _>(..&oldest(now).to_be_bytes()[..], |_, _| false)?;
    for (identity, peer, (code, answered_at)) in updates {
        let peer = peer.to_string();
        let value = [&[*code], &answered_at.to_be_bytes()[..], peer.as_bytes()].concat();
        table.insert(&*key(identity), &*value)?;
    }
    Ok(())
}

/// All updates; one that cannot be read is left out.
pub(super) fn load(reading: &ReadTransaction) -> Result<Vec<Signed>, redb::Error> {
    let table = match reading.open_table(SIGNED) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut updates = Vec::new();
    for row in table.iter()? {
        let (key, value) = row?;
        updates.extend(read(key.value(), value.value()));
    }
    Ok(updates)
}

fn read(key: &[u8], value: &[u8]) -> Option<Signed> {
    let (signed_at, mac) = key.split_first_chunk()?;
    let (code, value) = value.split_first()?;
    let (answered_at, peer) = value.split_first_chunk()?;
    let peer = std::str::from_utf8(peer).ok()?.parse().ok()?;
    let identity = (u64::from_be_bytes(*signed_at), mac.to_vec());
    Some((identity, peer, (*code, u64::from_be_bytes(*answered_at))))
}
