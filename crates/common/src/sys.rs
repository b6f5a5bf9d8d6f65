//! What differs between operating systems, behind one interface for each topic; nothing else in the workspace asks which
//! system it runs on.
//!
//! | topic | job |
//! | --- | --- |
//! | [`files`] | what a file is whatever its name, reads and writes at a position, names that are none of a file |
//! | `replacing` | locks, owners and modes of files that are changed (feature `replacing`) |

pub mod files;
#[cfg(feature = "replacing")]
pub mod replacing;
