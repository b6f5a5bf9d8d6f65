//! Name compression (RFC 1035 section 4.1.4) that never points into the question: a client may ask in any case, and the
//! records of a transfer have their names in the zone's own.

use domain::{
    base::{message_builder::HashCompressor, name::ToName, wire::Composer},
    dep::octseq::{OctetsBuilder, Truncate},
};

/// Where the question begins: behind the header.
const QUESTION: usize = 12;

/// A message in which the names of the records are compressed, and that of the question is not known to the compressor.
pub(super) struct OwnCase(HashCompressor<Vec<u8>>);

impl OwnCase {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(HashCompressor::new(Vec::with_capacity(capacity)))
    }

    pub(super) fn into_target(self) -> Vec<u8> {
        self.0.into_target()
    }
}

impl AsRef<[u8]> for OwnCase {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl AsMut<[u8]> for OwnCase {
    fn as_mut(&mut self) -> &mut [u8] {
        self.0.as_mut()
    }
}

impl OctetsBuilder for OwnCase {
    type AppendError = <HashCompressor<Vec<u8>> as OctetsBuilder>::AppendError;

    fn append_slice(&mut self, slice: &[u8]) -> Result<(), Self::AppendError> {
        self.0.append_slice(slice)
    }
}

impl Truncate for OwnCase {
    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl Composer for OwnCase {
    fn append_compressed_name<N: ToName + ?Sized>(
        &mut self,
        name: &N,
    ) -> Result<(), Self::AppendError> {
        if self.0.as_ref().len() == QUESTION {
            return name.compose(self);
        }
        self.0.append_compressed_name(name)
    }

    fn can_compress(&self) -> bool {
        true
    }
}
