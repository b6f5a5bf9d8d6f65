//! Properties of every name space, after any changes: it survives each of its files, its zones are the same updated or
//! built anew, and the answers to queries are the records of transfers.

use std::{collections::BTreeMap, net::IpAddr, path::Path, sync::Arc};

use common::testing::Folder;
use domain::base::{
    Message, MessageBuilder,
    iana::{Class, Rcode, Rtype},
};
use naming::{
    delegation::Delegation,
    dns::{
        answer::{Next, Request, Transport, answer},
        difference::between,
        mark::{Content, Marks},
        owner::{Owner, Zones, of_address},
        publish::{self, follow, publish},
        shown,
        transfer::transfer,
        zone::Zone,
    },
    file,
    name::Place,
    space::{Meaning, Space},
    store::Store,
    value::{Text, Value, Values},
    zonefile,
};
use proptest::{collection::vec, prelude::*};

/// A change of a space.
#[derive(Clone, Debug)]
enum Change {
    Register(Place, Values),
    Set(Place, Option<Values>),
    Unregister(Place),
    Rename(Place, Place),
    Link(Place, Place),
    Symlink(Place, Place),
    Delegate(Place, Delegation),
    HandOver(Place, Delegation),
}

fn place() -> impl Strategy<Value = Place> {
    // Few names, so that most changes meet an existing name.
    let name = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "a.b",
        "grüße",
        "two words",
        "x\"y\\",
        "_s",
        "*",
    ]);
    vec(name, 1..4).prop_map(|names| match names.as_slice() {
        [name] if name.len() > 1 => name.parse().unwrap(),
        names => format!("/{}", names.join("/")).parse().unwrap(),
    })
}

fn values() -> impl Strategy<Value = Values> {
    let value = prop_oneof![
        (0_u8..4).prop_map(|last| Value::V4([10, 0, last / 2, last].into())),
        (0_u16..3).prop_map(|last| Value::V6([0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into())),
        (0_u16..3, "[A-Za-z]{1,9}")
            .prop_map(|(port, host)| format!("srv:0 5 {port} {host}.lab.").parse().unwrap()),
        "[ -~äß\n]{0,300}".prop_map(|text| Value::text(&text).unwrap()),
        vec(vec(any::<u8>(), 0..4), 1..4).prop_map(|strings| {
            let data: Vec<u8> = strings
                .iter()
                .flat_map(|string| [&[string.len() as u8], string.as_slice()].concat())
                .collect();
            Value::of_text(Text::from_record(&data).unwrap()).unwrap()
        }),
    ];
    let ttls = prop::array::uniform4(prop::option::of(61_u32..100_000));
    (vec(value, 1..4), ttls)
        .prop_map(|(values, ttls)| Values::new(values).unwrap().unwrap().with_ttls(ttls))
}

fn delegation() -> impl Strategy<Value = Delegation> {
    let address = prop_oneof![
        (2_u8..5).prop_map(|last| IpAddr::from([127, 0, 0, last])),
        (1_u16..3).prop_map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last])),
    ];
    let ttl = prop::option::of(61_u32..100_000);
    (vec(address, 1..4), ttl).prop_map(|(to, ttl)| Delegation::new(to).unwrap().with_ttl(ttl))
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = prop_oneof![
        4 => (place(), values()).prop_map(|(place, values)| Change::Register(place, values)),
        2 => (place(), prop::option::of(values())).prop_map(|(place, values)| Change::Set(place, values)),
        1 => place().prop_map(Change::Unregister),
        1 => (place(), place()).prop_map(|(from, to)| Change::Rename(from, to)),
        2 => (place(), place()).prop_map(|(new, old)| Change::Link(new, old)),
        2 => (place(), place()).prop_map(|(new, target)| Change::Symlink(new, target)),
        1 => (place(), delegation()).prop_map(|(place, to)| Change::Delegate(place, to)),
        1 => (place(), delegation()).prop_map(|(place, to)| Change::HandOver(place, to)),
    ];
    vec(one, 0..40)
}

fn settings() -> publish::Settings {
    publish::Settings {
        zones: Arc::new(Zones::new("lab.").unwrap()),
        ttl: 60,
        address: Some([127, 0, 0, 1].into()),
    }
}

/// Makes a change; whether it was possible.
fn make(space: &mut Space, change: &Change) -> bool {
    let made = match change {
        Change::Register(place, values) => space.register(place, values.clone()),
        Change::Set(place, values) => space.set(place, values.clone()),
        Change::Unregister(place) => space.unregister(place),
        Change::Rename(from, to) => space.rename(from, to),
        Change::Link(new, old) => space.link(new, old),
        Change::Symlink(new, target) => space.link_symbolically(new, target.clone()),
        Change::Delegate(place, to) => space.delegate(place, to.clone()),
        Change::HandOver(place, to) => space.hand_over(place, to.clone()).map(drop),
    };
    made.is_ok()
}

fn everything(zone: &Zone) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut all = BTreeMap::new();
    zone.each(|name, records| {
        // The serial may differ, and so may the order of the names of one address.
        let mut records: Vec<_> = records
            .filter(|(rtype, _)| *rtype != Rtype::SOA)
            .map(|(rtype, data)| [&rtype.to_int().to_be_bytes(), data].concat())
            .collect();
        records.sort();
        all.insert(name.to_vec(), records);
    });
    all
}

fn query(owner: &Owner, rtype: Rtype) -> Vec<u8> {
    let mut question = MessageBuilder::new_vec().question();
    question.push((owner.name(), rtype, Class::IN)).unwrap();
    question.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_registered_resolves_here_and_in_dns(all in changes()) {
        let (mut space, settings) = (Space::default(), settings());
        for one in &all {
            make(&mut space, one);
        }
        let zone = publish(&space, 1, &settings).unwrap();
        // No address has a name from a wildcard.
        let wild = space.meanings().iter().any(|(place, _)| place.name().as_str() == "*");
        for (place, meaning) in space.meanings() {
            let found = match &place {
                Place::Flat(name) => space.flat(name),
                structured => space.structured(&structured.to_string().parse().unwrap(), &naming::name::Path::ROOT),
            };
            if let Meaning::Values(values) = meaning {
                prop_assert_eq!(found.as_ref().ok(), Some(&values));
            }
            let owner = settings.zones.owner(&place).unwrap();
            let mut answered = Vec::new();
            for rtype in [Rtype::A, Rtype::AAAA, Rtype::TXT, Rtype::SRV] {
                let mut out = Vec::new();
                prop_assert_eq!(answer(&zone, &query(&owner, rtype), Transport::Tcp, &mut out), Next::Answer);
                let records = shown::answers(&out);
                answered.extend(records.iter().filter(|record| record.rtype() == rtype).map(shown::data));
                for address in records.iter().filter_map(|record| shown::data(record).parse().ok()) {
                    prop_assert!(wild || zone.get(of_address(address).as_slice()).is_some());
                }
            }
            answered.sort();
            // A symbolic link may lead nowhere, or to a directory; then there is no value here and no record in DNS.
            let mut expected: Vec<_> = found.map(|values| values.as_slice().iter().map(Value::plain).collect()).unwrap_or_default();
            expected.sort();
            prop_assert_eq!(answered, expected, "{}", place);
        }
    }

    #[test]
    fn a_space_survives_every_file(all in changes()) {
        let (mut space, settings) = (Space::default(), settings());
        for one in &all {
            make(&mut space, one);
        }
        let json = file::write(&space);
        prop_assert_eq!(&file::parse(Path::new("names"), json.as_bytes()).unwrap(), &space, "{}", json);
        let mut text = String::new();
        zonefile::export(&space, 1, &settings, |line| text.extend([line.as_str(), "\n"])).unwrap();
        prop_assert_eq!(&zonefile::parse(Path::new("zone"), text.as_bytes(), &settings.zones).unwrap(), &space, "{}", text);
    }

    #[test]
    fn updated_zones_are_zones_built_anew(all in vec(changes(), 1..4)) {
        let (mut space, settings) = (Space::default(), settings());
        let mut zone = publish(&space, 1, &settings).unwrap();
        space.begin();
        for group in &all {
            let before = zone.clone();
            for one in group {
                make(&mut space, one);
            }
            let touched = space.touched();
            let changed = follow(&mut zone, &space, &touched, &settings).unwrap();
            space.commit();
            // What changed is what differs, and it follows the digests.
            let differences = changed.differences(&zone);
            prop_assert_eq!(&differences, &between(&before, &zone));
            let followed = Content::of(&before).into_iter().zip(&differences);
            let followed: Vec<_> = followed.map(|(content, difference)| content.followed(zone.ttl, difference)).collect();
            prop_assert_eq!(&Content::of(&zone)[..], &followed[..]);
            let mut restored = zone.clone();
            changed.restore(&mut restored);
            prop_assert_eq!(everything(&restored), everything(&before));
            prop_assert_eq!(everything(&zone), everything(&publish(&space, 1, &settings).unwrap()));
        }
        // A rollback of everything leads back to the start.
        let before = everything(&zone);
        let names = file::write(&space);
        for one in all.iter().flatten() {
            make(&mut space, one);
        }
        space.rollback(0);
        prop_assert_eq!(file::write(&space), names);
        prop_assert_eq!(everything(&publish(&space, 1, &settings).unwrap()), before);
    }

    #[test]
    fn what_is_answered_is_what_is_transferred(all in changes()) {
        let (mut space, settings) = (Space::default(), settings());
        for one in &all {
            make(&mut space, one);
        }
        let zone = publish(&space, 1, &settings).unwrap();
        let mut count = 0;
        for apex in settings.zones.all() {
            let question = query(apex, Rtype::AXFR);
            let question = Request::read(&question, Transport::Tcp).unwrap();
            let mut parts = Vec::new();
            count += transfer(&zone, apex, &question, None, |part| {
                parts.push(part.to_vec());
                Ok(())
            }).unwrap() - 1;
            for part in &parts {
                for record in shown::answers(part) {
                    let owner: Owner = format!("{}.", record.owner()).parse().unwrap();
                    let mut out = Vec::new();
                    answer(&zone, &query(&owner, record.rtype()), Transport::Tcp, &mut out);
                    let mut answered = shown::answers(&out);
                    // What is at a zone cut is in a referral.
                    let message = Message::from_octets(out.as_slice()).unwrap();
                    let others = [message.authority().unwrap(), message.additional().unwrap()];
                    let others = others.into_iter().flatten().map(|record| record.unwrap());
                    answered.extend(others.filter_map(|record| record.into_any_record().ok()));
                    prop_assert!(answered.iter().any(|found| found.data() == record.data() && found.rtype() == record.rtype()));
                }
            }
        }
        let mut all = 0;
        zone.each(|_, records| all += records.count() as u64);
        prop_assert_eq!(count, all);
    }

    #[test]
    fn any_message_is_answered_or_ignored_without_a_panic(message in vec(any::<u8>(), 0..600), cut in 0_usize..40) {
        let zone = publish(&naming::names::built_in(), 1, &settings()).unwrap();
        let mut out = Vec::new();
        answer(&zone, &message, Transport::Udp, &mut out);
        // The same, beginning like a query.
        let owner: Owner = "server1.flat.lab.".parse().unwrap();
        let mut query = query(&owner, Rtype::A);
        query.truncate(query.len() - cut.min(query.len()));
        query.extend(&message);
        if answer(&zone, &query, Transport::Udp, &mut out) == Next::Answer {
            prop_assert!(out.len() >= 12 && out[2] & 0x80 != 0);
            prop_assert!(Message::from_octets(&out).is_ok_and(|message| message.header().rcode() != Rcode::SERVFAIL));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_has_what_the_space_has(all in vec(changes(), 1..4)) {
        let folder = Folder::new();
        let path = folder.path("names.redb");
        let mut space = Space::default();
        space.begin();
        {
            let store = Store::open(path.as_ref()).unwrap();
            for group in &all {
                for one in group {
                    make(&mut space, one);
                }
                store.keep(&space, &space.touched(), &settings().zones, &Marks::default(), &[]).unwrap();
                space.commit();
            }
        }
        prop_assert_eq!(Store::open(path.as_ref()).unwrap().load().unwrap(), space);
    }
}
