//! A file that is read and stays as it is: what is written to it goes to memory.

use std::{
    collections::HashMap,
    fs::File,
    io,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use common::sys::files::read_at;
use redb::{BackendError, StorageBackend};

/// The size of what is kept in memory of a write, in bytes.
const BLOCK: u64 = 4096;

type Locked<T> = std::result::Result<T, BackendError>;

/// The file, and what was written over it.
#[derive(Debug)]
pub(super) struct Overlay {
    file: File,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    length: u64,
    blocks: HashMap<u64, Box<[u8; BLOCK as usize]>>,
}

impl Overlay {
    /// Over a file that no other process writes.
    pub(super) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let blocks = HashMap::new();
        Ok(Self {
            file,
            written: Mutex::new(Written { length, blocks }),
        })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of the file; behind its end there are zeros.
    fn block_of_file(&self, number: u64) -> io::Result<Box<[u8; BLOCK as usize]>> {
        let mut block = Box::new([0; BLOCK as usize]);
        let mut filled = 0;
        while filled < block.len() {
            let at = number * BLOCK + filled as u64;
            match read_at(&self.file, &mut block[filled..], at) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(block)
    }
}

/// The blocks of a range: the number of each, and which of its bytes are in the range.
fn blocks(offset: u64, length: usize) -> impl Iterator<Item = (u64, std::ops::Range<usize>)> {
    let end = offset + length as u64;
    let numbers = offset / BLOCK..end.div_ceil(BLOCK);
    numbers.map(move |number| {
        let begin = number * BLOCK;
        let from = offset.saturating_sub(begin);
        (number, from as usize..(end - begin).min(BLOCK) as usize)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > written.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = out;
        for (number, range) in blocks(offset, rest.len()) {
            let (part, behind) = rest.split_at_mut(range.len());
            match written.blocks.get(&number) {
                Some(block) => part.copy_from_slice(&block[range]),
                None => part.copy_from_slice(&self.block_of_file(number)?[range]),
            }
            rest = behind;
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.written().length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let mut rest = data;
        for (number, range) in blocks(offset, data.len()) {
            let (part, behind) = rest.split_at(range.len());
            let block = match written.blocks.entry(number) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(self.block_of_file(number)?)
                }
            };
            block[range].copy_from_slice(part);
            rest = behind;
        }
        Ok(())
    }

    // The file is locked as a whole by its owner.

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<bool> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<bool> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<()> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<()> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<()> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Locked<bool> {
        Ok(false)
    }
}
