//! What an error of a UDP socket means, whatever its number.

/// What an error of a UDP socket means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The destination answered an earlier datagram: no program listens there.
    NoListener,
    /// No route leads to the network.
    NoRoute,
    /// The host does not answer on its network.
    HostUnreachable,
    /// There is no such interface.
    NoInterface,
    /// The interface is switched off.
    InterfaceDown,
    /// No interface has the address.
    NoSuchAddress,
    /// A program holds the port without sharing it, or the group was joined before.
    InUse,
    /// The socket is not connected any more.
    NoDestination,
    /// The value is not allowed.
    Invalid,
    /// The system's rules forbid it.
    NotPermitted,
    /// It takes other rights, or another option: a low port, a broadcast address.
    Denied,
    /// There is no room for one more: of groups that a socket joins, of datagrams that wait to be sent.
    NoRoom,
    /// There is no memory for it.
    NoMemory,
    /// The datagram is too long.
    TooLong,
    /// The system does not support it.
    NotSupported,
    /// The device failed.
    Device,
    /// Something else.
    Other,
}
