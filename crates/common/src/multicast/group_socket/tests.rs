//! Real sockets on loopback.

use super::{
    super::{
        membership::{GROUP, MembershipArgs},
        sender::{LONGEST, Reach, Sender},
    },
    *,
};

fn membership(group: &str, port: u16) -> Membership {
    Membership::new(MembershipArgs {
        group: Some(vec![group.parse().unwrap()]),
        port: Some(port),
        ..MembershipArgs::default()
    })
    .unwrap()
}

fn member() -> GroupSocket {
    GroupSocket::join(&membership("224.1.1.1", 0)).unwrap()
}

fn sender(mode: AddressingMode, to: IpAddr, port: u16) -> Sender {
    let lo = &Interface::find(None, GROUP).unwrap()[0];
    Sender::new(mode, SocketAddr::new(to, port), lo, Reach::default()).unwrap()
}

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(50))
}

fn in_time() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(30))
}

#[test]
fn the_three_addressing_modes_reach_a_member_and_are_distinguished() {
    let shutdown = Shutdown::new().unwrap();
    let mut receiver = member();
    let port = receiver.group.port();
    for (mode, address) in [
        (AddressingMode::Multicast, GROUP),
        (AddressingMode::Unicast, Ipv4Addr::LOCALHOST.into()),
        (AddressingMode::Unicast, Ipv4Addr::new(127, 5, 6, 7).into()),
        (
            AddressingMode::Broadcast,
            Ipv4Addr::new(127, 255, 255, 255).into(),
        ),
    ] {
        let mut sender = sender(mode, address, port);
        let longest = vec![b'x'; LONGEST];
        for message in [b"hello".as_slice(), b"", &longest] {
            sender.send(message).unwrap();
            let batch = receiver
                .receive(in_time(), &shutdown)
                .unwrap()
                .expect("a datagram");
            assert!(batch.datagrams().eq([message]), "{mode:?}");
            assert_eq!(
                (batch.sender, batch.to, batch.mode, batch.truncated),
                (sender.from, Some(sender.to), Some(mode), false)
            );
        }
    }
    assert!(receiver.receive(soon(), &shutdown).unwrap().is_none());
}

#[test]
fn members_share_a_port_and_other_groups_receive_nothing() {
    let shutdown = Shutdown::new().unwrap();
    let mut first = member();
    let port = first.group.port();
    let mut second = GroupSocket::join(&membership("224.1.1.1", port)).unwrap();
    let mut other = GroupSocket::join(&membership("224.1.1.2", port)).unwrap();
    sender(AddressingMode::Multicast, GROUP, port)
        .send(b"hello")
        .unwrap();
    for member in [&mut first, &mut second] {
        let batch = member.receive(in_time(), &shutdown).unwrap().unwrap();
        assert!(batch.datagrams().eq([b"hello"]));
    }
    assert!(other.receive(soon(), &shutdown).unwrap().is_none());
}

#[test]
fn datagrams_that_arrived_before_a_shutdown_are_received() {
    let shutdown = Shutdown::new().unwrap();
    let mut receiver = member();
    sender(AddressingMode::Multicast, GROUP, receiver.group.port())
        .send(b"hello")
        .unwrap();
    shutdown.request();
    assert!(receiver.receive(None, &shutdown).unwrap().is_some());
    assert!(receiver.receive(None, &shutdown).unwrap().is_none());
}

#[test]
fn datagrams_of_one_piece_are_received_as_they_were_sent() {
    let shutdown = Shutdown::new().unwrap();
    let mut receiver = member();
    let mut sender = sender(AddressingMode::Multicast, GROUP, receiver.group.port());
    // 100 of 7 bytes: more than one piece takes.
    let numbered: Vec<_> = (0..100).map(|number| format!("msg-{number:03}")).collect();
    assert_eq!(
        sender.send_many(numbered.concat().as_bytes(), 7),
        (100, None)
    );
    assert_eq!(sender.calls, 2);
    let mut received = Vec::new();
    while received.len() < 100 {
        let batch = receiver.receive(in_time(), &shutdown).unwrap().unwrap();
        received.extend(
            batch
                .datagrams()
                .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()),
        );
    }
    assert_eq!(received, numbered);
}

#[test]
fn a_datagram_longer_than_the_buffer_is_marked_as_truncated() {
    let shutdown = Shutdown::new().unwrap();
    let mut receiver = member();
    receiver.buffer.truncate(3);
    let mut sender = sender(AddressingMode::Multicast, GROUP, receiver.group.port());
    for (message, truncated) in [("abcd", true), ("abc", false)] {
        sender.send(message.as_bytes()).unwrap();
        let batch = receiver.receive(in_time(), &shutdown).unwrap().unwrap();
        assert!(batch.datagrams().eq([b"abc"]));
        assert_eq!(batch.truncated, truncated);
    }
}

#[test]
fn only_the_requested_sources_are_received() {
    let shutdown = Shutdown::new().unwrap();
    let group = "232.1.1.1";
    let sources = [2, 3].map(|last| Ipv4Addr::new(127, 0, 0, last));
    let mut receiver = GroupSocket::join(&Membership {
        sources: sources.into(),
        ..membership(group, 0)
    })
    .unwrap();
    let port = receiver.group.port();
    let lo = &Interface::find(None, GROUP).unwrap()[0];
    let from = |last| {
        let lo = Interface {
            address: Ipv4Addr::new(127, 0, 0, last).into(),
            ..lo.clone()
        };
        let to = SocketAddr::new(group.parse().unwrap(), port);
        Sender::new(AddressingMode::Multicast, to, &lo, Reach::default()).unwrap()
    };
    for last in [1, 2, 4, 3] {
        from(last).send(&[last]).unwrap();
    }
    for expected in [2, 3] {
        let batch = receiver.receive(in_time(), &shutdown).unwrap().unwrap();
        assert!(batch.datagrams().eq([[expected]]), "{batch:?}");
        assert_eq!(batch.sender.ip(), Ipv4Addr::new(127, 0, 0, expected));
    }
    assert!(receiver.receive(soon(), &shutdown).unwrap().is_none());
}

#[test]
fn the_datagrams_that_the_kernel_drops_are_counted() {
    let shutdown = Shutdown::new().unwrap();
    let mut small = membership("224.1.1.1", 0);
    small.receive_buffer = 1;
    let mut receiver = GroupSocket::join(&small).unwrap();
    let mut sender = sender(AddressingMode::Multicast, GROUP, receiver.group.port());
    for _ in 0..100 {
        sender.send(&[b'x'; 1000]).unwrap();
    }
    let mut received = 0;
    // On a busy machine the kernel delivers some of them later.
    crate::testing::wait_for(|| {
        while let Some(batch) = receiver.receive(soon(), &shutdown).unwrap() {
            received += batch.datagrams().count() as u64;
        }
        receiver.count_dropped();
        (received + receiver.dropped.unwrap() >= 100).then_some(())
    });
    let dropped = receiver.dropped.unwrap();
    assert!(received > 0 && dropped > 0);
    assert_eq!(received + dropped, 100);
}
