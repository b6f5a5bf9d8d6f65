//! The sockets of macOS and Windows.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::LazyLock,
};

use listeners::{Listener, Protocol, SocketState};

/// Whether the table is one: where the system shows no owners, as Wine does, the crate leaves every socket out.
static IS_SHOWN: LazyLock<bool> = LazyLock::new(|| {
    let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = own.as_ref().map(TcpListener::local_addr);
    let Ok(Ok(address)) = address else {
        return false;
    };
    listeners::get_all().is_ok_and(|all| all.iter().any(|one| one.socket == address))
});

fn all() -> Option<impl Iterator<Item = Listener>> {
    let all = IS_SHOWN.then(listeners::get_all)?;
    all.ok().map(IntoIterator::into_iter)
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
