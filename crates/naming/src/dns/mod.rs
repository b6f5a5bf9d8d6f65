//! The name spaces in DNS: which domain names they have, how a query is answered, how names are changed and handed on.
//! Nothing here knows a socket.

pub mod answer;
pub mod key;
pub mod owner;
pub mod publish;
pub mod shown;
pub mod transfer;
pub mod update;
pub mod zone;
