//! The name spaces in DNS: domain names, queries and answers, updates, transfers. Nothing here uses a socket.

pub mod answer;
pub mod difference;
pub mod history;
pub mod key;
pub mod mark;
mod own_case;
pub mod owner;
pub mod presentation;
pub mod publish;
pub mod replay;
pub mod reply;
pub mod request;
pub mod shown;
pub mod transfer;
pub mod tsig;
pub mod update;
pub mod zone;
