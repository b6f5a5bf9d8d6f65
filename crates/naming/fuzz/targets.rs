//! What must hold whatever comes. The fuzzer drives these with millions of inputs, `tests/fuzz.rs` with some thousands.

use std::{cell::RefCell, collections::HashMap, path::Path, sync::Arc};

use domain::{
    base::{Message, MessageBuilder},
    rdata::tsig::Time48,
    tsig::{Key, ServerTransaction},
};
use naming::{
    dns::{
        answer::{self, Next, Transport, answer},
        owner::Zones,
        publish::{self, follow, publish},
        shown,
        transfer::{copy, transfer},
        update::Update,
        zone::Zone,
    },
    file,
    space::Space,
    zonefile,
};

/// Names of every kind.
pub(crate) const NAMES: &str = r#"{"server1": "192.168.1.2", "alias": "symlink:server1",
    "many": ["10.0.0.1", "10.0.0.2", "2001:db8::1", "text:a text of some length, so that an answer can be too long for UDP"],
    "region1": {"rack": {"a": "10.0.0.1", "b": "link:region1/rack/a"}, "ways": "symlink:/region1"}, "/east": "symlink:/region1"}"#;

struct World {
    space: Space,
    zone: Zone,
    settings: publish::Settings,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(world());
}

fn world() -> World {
    let settings = publish::Settings {
        zones: Arc::new(Zones::new("lab.").expect("a zone")),
        ttl: 60,
        address: Some([127, 0, 0, 1].into()),
    };
    let mut space = file::parse(Path::new("names"), NAMES.as_bytes()).expect("right names");
    let zone = publish(&space, 1, &settings).expect("short names");
    space.begin();
    World {
        space,
        zone,
        settings,
    }
}

/// A message comes, over UDP or TCP.
pub(crate) fn packet(message: &[u8]) {
    WORLD.with_borrow_mut(|world| {
        for transport in [Transport::Udp, Transport::Tcp] {
            let mut out = Vec::new();
            let next = answer(&world.zone, message, transport, &mut out);
            match next {
                Next::Silence => assert!(message.len() < 12 || message[2] & 0x80 != 0),
                Next::Answer => check(message, transport, &out),
                Next::Update => update(world, message),
                Next::Signed => signed(message),
                Next::Transfer => {
                    if let (Some((apex, _)), Ok(question)) = (
                        answer::transferred(&world.zone, message),
                        Message::from_slice(message),
                    ) {
                        let done = transfer(&world.zone, apex, question, None, |part| {
                            assert!(copy(part).is_ok());
                            Ok(())
                        });
                        assert!(done.is_ok_and(|records| records > 2));
                    }
                }
            }
            shown::question(message);
            shown::outcome(message);
            answer::last_record(message);
        }
    });
}

/// An answer is one, to this message, whole, and not too long.
fn check(message: &[u8], transport: Transport, out: &[u8]) {
    assert!(out.len() >= 12 && out[..2] == message[..2] && out[2] & 0x80 != 0);
    assert!(transport == Transport::Tcp || out.len() <= 1232);
    assert!(copy(out).is_ok(), "{out:?}");
    shown::outcome(out);
}

/// Whatever an update does, the zones are those of the space, and it can be taken back.
fn update(world: &mut World, message: &[u8]) {
    let Ok(update) = Update::parse(message, &world.zone.zones) else {
        return;
    };
    let applied = update.apply(&mut world.space, &world.zone);
    if applied.is_ok() {
        let touched = world.space.touched();
        let mut zone = world.zone.clone();
        follow(&mut zone, &world.space, &touched, &world.settings)
            .expect("every place was checked");
        let anew =
            publish(&world.space, zone.serial, &world.settings).expect("every place was checked");
        assert_eq!(zone.len(), anew.len());
    }
    world.space.take_back(0);
}

fn signed(message: &[u8]) {
    let Ok(mut whole) = Message::from_octets(message.to_vec()) else {
        return;
    };
    let keys: HashMap<_, Arc<Key>> = HashMap::new();
    if let Err(error) = ServerTransaction::request(&keys, &mut whole, Time48::now()) {
        let _ = error.build_message(&whole, MessageBuilder::new_vec());
    }
}

/// A zone file: what is read can be written, and is the same when it is read again.
pub(crate) fn zone(text: &[u8]) {
    WORLD.with_borrow(|world| {
        let Ok(space) = zonefile::parse(Path::new("zone"), text, &world.settings.zones) else {
            return;
        };
        let mut written = String::new();
        let exported = zonefile::export(&space, 1, &world.settings, |line| {
            written.extend([line.as_str(), "\n"])
        });
        if exported.is_ok() {
            let again =
                zonefile::parse(Path::new("zone"), written.as_bytes(), &world.settings.zones);
            assert_eq!(again.as_ref(), Ok(&space), "{written}");
        }
    });
}

/// A names file, likewise.
pub(crate) fn names(text: &[u8]) {
    if let Ok(space) = file::parse(Path::new("names"), text) {
        let written = file::write(&space);
        assert_eq!(
            file::parse(Path::new("names"), written.as_bytes()).as_ref(),
            Ok(&space),
            "{written}"
        );
    }
}
