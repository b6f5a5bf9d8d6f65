//! The recursive name server: it resolves names for its clients, and keeps what it learns (recursive name resolution).
//!
//! One thread does everything: it waits for clients and servers at once, and no step of it blocks.
//!
//! ```text
//!  clients ──► query ──► the cache knows ─────────────────────────────► reply
//!                │                                                        ▲
//!                └──► a resolution (joined by equal questions) ──► done ──┘
//!                          │ queries          ▲ replies, time-outs
//!                          └────► servers ────┘
//! ```
//!
//! | module | job |
//! | --- | --- |
//! | `settings` | what it is to do, and who may ask |
//! | `counts` | what it has done so far |
//! | `request` | what a client wants |
//! | `reply` | answers in DNS |
//! | `tasks` | the resolutions in progress, and who waits for them |
//! | `connections` | clients over TCP |
//! | `log` | events, within a rate |
//! | `event_loop` | waits, and hands on what is ready |

mod connections;
mod counts;
mod event_loop;
mod log;
mod reply;
mod request;
mod settings;
mod tasks;

pub use self::{
    counts::Counts,
    event_loop::run,
    settings::{Network, Settings},
};
