//! The state machine over a network that is a function.

mod faults;
mod hostile;
mod network;
mod walks;

use std::{net::SocketAddr, time::Duration};

use domain::base::iana::{Rcode, Rtype};

use self::network::*;
use super::{Ask, Note, Outcome, resolution::FIRST_WAIT};
use crate::dns::request::Transport;
