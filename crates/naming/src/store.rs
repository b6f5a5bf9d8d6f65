//! Durable names: a file of transactions (redb). A change is in it whole or not at all, also after a crash of the process or
//! the machine; [`Store::keep`] returns when it is on the disk.

mod durable;
mod examined;
mod file;
mod guard;
mod overlay;
mod rows;
mod signed;

pub use self::{
    durable::DurableNames,
    examined::{Examined, examine, newest_is_lost},
    file::Store,
    signed::Signed,
};
