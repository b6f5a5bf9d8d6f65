//! What must hold for any input. The fuzzer runs these with millions of inputs, `tests/fuzz.rs` with some thousands.

#[path = "../tests/support/copy.rs"]
mod copy;

use std::{cell::RefCell, path::Path, sync::Arc, time::Duration};

use domain::{
    base::{
        Message,
        iana::{Rcode, Rtype},
    },
    rdata::tsig::Time48,
    tsig::{Algorithm, ClientTransaction},
};
use naming::{
    dns::{
        answer::{self, Next, answer, respond},
        key::{self, Secret},
        owner::Zones,
        publish::{self, follow, publish},
        reply,
        request::{Request, Transport},
        shown,
        transfer::{over_udp, transfer},
        tsig::{self, Checked, SigningKey, SigningKeys, check},
        update::Update,
        zone::Zone,
    },
    file,
    resolver::{Cache, Fault, Output, Resolution, Roots, World},
    space::Space,
    zonefile,
};

use copy::copy;

/// Names of every kind.
pub(crate) const NAMES: &str = concat!(
    r#"{"server1": "192.168.1.2", "alias": "symlink:server1","#,
    // Too long for UDP without EDNS(0), once the reply is signed.
    r#""many": ["10.0.0.1", "10.0.0.2", "2001:db8::1", "text:a text of some length, so that an answer can be too long","#,
    r#""text:for UDP, above all one that has a signature of some eighty bytes, which the size limit has to have counted","#,
    r#""text:as an OPT record is counted; and once more: a text of some length, so that an answer can be too long","#,
    r#""text:for UDP, which is 512 bytes long at most"],"#,
    r#""/region2": "delegate:127.0.0.2", "/west": "symlink:/region2", "across": "symlink:region2/x","#,
    r#""region1": {"cell": ["delegate:127.0.0.3", "delegate:2001:db8::3", "ttl:300"], "rack": {"a": "10.0.0.1", "b": "link:region1/rack/a"}, "ways": "symlink:/region1"},"#,
    r#""/east": "symlink:/region1"}"#
);

struct State {
    space: Space,
    zone: Zone,
    settings: publish::Settings,
    keys: SigningKeys,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(state());
}

fn state() -> State {
    let settings = publish::Settings {
        zones: Arc::new(Zones::new("lab.").expect("a zone")),
        ttl: 60,
        address: Some([127, 0, 0, 1].into()),
    };
    let mut space = file::parse(Path::new("names"), NAMES.as_bytes()).expect("valid names");
    let zone = publish(&space, 1, &settings).expect("short names");
    space.begin();
    let secret = Secret {
        name: "lab".parse().expect("a name"),
        algorithm: Algorithm::Sha256,
        bytes: vec![7; 32],
        length: None,
    };
    State {
        space,
        zone,
        settings,
        keys: vec![Arc::new(SigningKey::new(&secret).expect("a key"))],
    }
}

/// A message, received over UDP or TCP.
pub(crate) fn packet(message: &[u8]) {
    STATE.with_borrow_mut(|state| {
        for transport in [Transport::Udp, Transport::Tcp] {
            let mut out = Vec::new();
            let next = answer(&state.zone, message, transport, &mut out);
            match next {
                Next::Ignore => assert!(message.len() < 12 || message[2] & 0x80 != 0),
                Next::Answer => check_reply(message, transport, &out),
                Next::Update => update(state, message),
                Next::Signed => signed(state, message, transport),
                Next::Transfer => {
                    let request = Request::read(message, transport).expect("a request");
                    if let Some(apex) = answer::transferred(&state.zone, &request) {
                        if transport == Transport::Udp {
                            over_udp(&state.zone, apex, &request, None, &mut out);
                            check_reply(message, transport, &out);
                            continue;
                        }
                        // What is asked for with the newest serial is one SOA record.
                        let least = if request.rtype() == Rtype::IXFR { 1 } else { 3 };
                        let done = transfer(&state.zone, apex, &request, None, |part| {
                            assert!(copy(part).is_ok());
                            Ok(())
                        });
                        assert!(done.is_ok_and(|records| records >= least));
                    }
                }
            }
            if next != Next::Signed && message.len() < 1000 {
                sign(state, message, transport);
            }
            shown::question(message);
            shown::outcome(message);
        }
    });
}

/// An answer is a whole message, to this one, and not too long.
fn check_reply(message: &[u8], transport: Transport, out: &[u8]) {
    assert!(out.len() >= 12 && out[..2] == message[..2] && out[2] & 0x80 != 0);
    let limit = Request::read(message, transport).map_or(0, |request| request.limit());
    assert!(out.len() <= limit, "{} bytes of {limit}", out.len());
    assert!(copy(out).is_ok(), "{out:?}");
    shown::outcome(out);
}

/// After any update the zones are those of the space, and it can be rolled back.
fn update(state: &mut State, message: &[u8]) {
    let Ok(update) = Update::parse(message, &state.zone.zones) else {
        return;
    };
    let applied = update.apply(&mut state.space, &state.zone);
    if applied.is_ok() {
        let touched = state.space.touched();
        let mut zone = state.zone.clone();
        follow(&mut zone, &state.space, &touched, &state.settings)
            .expect("every place was checked");
        let anew = publish(&state.space, 1, &state.settings).expect("every place was checked");
        assert_eq!(count(&zone), count(&anew));
    }
    state.space.rollback(0);
}

/// How many names have records.
fn count(zone: &Zone) -> usize {
    let mut names = 0;
    zone.each(|_, _| names += 1);
    names
}

/// A signature that the key has not made is refused, in a reply that keeps the limits.
fn signed(state: &State, message: &[u8], transport: Transport) {
    let request = Request::read(message, transport).expect("it was read before");
    let mut out = Vec::new();
    match check(&request, &state.keys, tsig::now()) {
        Checked::Verified(_) => panic!("nobody signed it"),
        Checked::Malformed => {}
        Checked::Refused(_, mut signer) => {
            reply::code(&request, Rcode::NOTAUTH, Some(&mut signer), &mut out);
            check_reply(message, transport, &out);
        }
    }
}

/// The same message with a signature is verified, and its reply has one that a client verifies.
fn sign(state: &State, message: &[u8], transport: Transport) {
    let (Ok(mut signed), key) = (copy(message), &state.keys[0]) else {
        return;
    };
    let (client, now) = (Arc::clone(&key.client), Time48::now());
    let Ok(transaction) = ClientTransaction::request(client, &mut signed, now) else {
        return;
    };
    let signed = signed.finish();
    let Some(request) = Request::read(&signed, transport).filter(|request| request.well_formed)
    else {
        return;
    };
    let Checked::Verified(mut verified) = check(&request, &state.keys, tsig::now()) else {
        panic!("a valid signature is refused");
    };
    let request = Request::read(&verified.message, transport).expect("it was read before");
    let mut out = Vec::new();
    let next = respond(&state.zone, &request, Some(&mut verified.signer), &mut out);
    if next != Next::Answer {
        let signer = Some(&mut verified.signer);
        reply::code(&request, Rcode::REFUSED, signer, &mut out);
    }
    check_reply(&signed, transport, &out);
    let mut answer = Message::from_octets(out).expect("a header");
    assert!(transaction.answer(&mut answer, now).is_ok(), "{answer:?}");
}

/// Whether a `$GENERATE` can make so many records that a run takes long, as it may.
fn generates_many(text: &[u8]) -> bool {
    let digits = text.split(|byte| !byte.is_ascii_digit());
    let capital = text.to_ascii_uppercase();
    digits.map(<[u8]>::len).max() > Some(3) && capital.windows(9).any(|word| word == b"$GENERATE")
}

/// What a resolver asks for in [`reply`].
pub(crate) const ASKED: &str = "www.region1.lab.";

/// A resolution ends within its bounds, whatever the servers send: here all send this message, with the right identifier.
pub(crate) fn reply(message: &[u8]) {
    let root = "127.0.0.1:5300".parse().expect("an address");
    let roots = Roots::new(vec![root]).expect("one address");
    let mut cache = Cache::new(1 << 16);
    let name = ASKED.parse().expect("a name");
    let deadline = Duration::from_secs(4);
    let mut resolution = Resolution::new(name, Rtype::A, roots, deadline);
    let mut world = World {
        now: Duration::ZERO,
        cache: &mut cache,
        random: &mut || 7,
    };
    let mut output = resolution.start(&mut world);
    while let Output::Ask(ask) = output {
        assert!(ask.until <= deadline && resolution.sent() <= 64);
        let mut message = message.to_vec();
        if let Some(id) = message.first_chunk_mut() {
            *id = [0, 7];
        }
        output = resolution.received(ask.server, &message, &mut world);
        if output == Output::Wait {
            world.now = world.now.max(ask.until);
            output = resolution.failed(Fault::NoReply, &mut world);
        }
        assert!(resolution.take_notes().len() <= 256);
    }
    assert!(matches!(output, Output::Done(_)));
    assert!(cache.size().1 <= 1 << 16);
}

/// A file of keys: each that is read can sign.
pub(crate) fn keys(text: &[u8]) {
    for secret in key::parse(Path::new("keys"), text).unwrap_or_default() {
        assert!(!secret.bytes.is_empty() && SigningKey::new(&secret).is_ok());
    }
}

/// A zone file: what is read can be written, and is the same when read again.
pub(crate) fn zone(text: &[u8]) {
    if generates_many(text) {
        return;
    }
    STATE.with_borrow(|state| {
        let Ok(space) = zonefile::parse(Path::new("zone"), text, &state.settings.zones) else {
            return;
        };
        let mut written = String::new();
        let exported = zonefile::export(&space, 1, &state.settings, |line| {
            written.extend([line.as_str(), "\n"])
        });
        if exported.is_ok() {
            let again =
                zonefile::parse(Path::new("zone"), written.as_bytes(), &state.settings.zones);
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
