//! The sockets of macOS and Windows.

use std::net::{Ipv4Addr, SocketAddr};

use listeners::{Listener, Protocol, SocketState};

fn all() -> Option<impl Iterator<Item = Listener>> {
    listeners::get_all().ok().map(IntoIterator::into_iter)
}

pub(super) fn listeners() -> Option<Vec<SocketAddr>> {
    let listens =
        |one: &Listener| one.protocol == Protocol::TCP && one.state == SocketState::Listen;
    let all = all()?.filter(listens);
    Some(all.map(|listener| listener.socket).collect())
}

pub(super) fn bound() -> Option<Vec<u16>> {
    let all = all()?.filter(|one| one.protocol == Protocol::UDP);
    Some(all.map(|listener| listener.socket.port()).collect())
}

pub(super) fn joined() -> Option<Vec<Ipv4Addr>> {
    None
}

pub(super) fn no_route() -> Option<u64> {
    None
}
