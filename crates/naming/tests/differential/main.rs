//! The name server and BIND with the same zones: generated queries and updates must have the same result, but for the
//! differences of [`rows::ROWS`].
//!
//! `NAMING_DIFFERENTIAL=UPDATES:QUERIES:SEED` sets the numbers; without it the run is short. A failure prints the seed, the
//! message, and both replies.
//!
//! | module | job |
//! | --- | --- |
//! | `random` | random numbers from a seed |
//! | `message`, `reply` | what is sent, byte by byte; what comes back, normalised |
//! | `queries`, `updates` | the generators |
//! | `peers` | both servers |
//! | `compare` | how two replies differ |
//! | `rows` | the deliberate differences, and their reasons |

mod compare;
mod message;
mod peers;
mod queries;
mod random;
mod reply;
mod rows;
mod updates;

use std::{collections::BTreeMap, io::Write};

use common::testing::{self, Folder};

use self::{
    compare::{Aspect, Difference, Exchange},
    message::SOA,
    peers::{Peer, ZONES},
    random::Random,
    reply::Record,
    rows::ROWS,
};

/// Names of every kind; the aliases lead to names, to directories, to each other, below zone cuts and nowhere.
const NAMES: &str = r#"{"server1": "192.168.1.2", "server2": ["192.168.1.3", "2001:db8::3"], "alias": "symlink:server1",
    "chain": "symlink:alias", "dangling": "symlink:missing", "into": "symlink:region1/rack/a",
    "mixed": ["10.0.0.1", "2001:db8::1", "text:say \"hi\"", "text:two"], "text": "text:LONG", "a.b": "10.0.0.7",
    "many": [MANY],
    "region1": {"server1": "192.168.1.2", "rack": {"a": ["10.0.0.1", "2001:db8::1", "text:a"], "b": "link:region1/rack/a"},
        "ways": "symlink:/region1", "up": "symlink:/east/rack/a"},
    "region2": {"deep": {"er": {"and": {"deeper": "10.0.0.8"}}}, "server3": "192.168.2.1"},
    "/region3": "delegate:127.0.0.2", "region4": {"x": "10.0.0.4", "cell": ["delegate:127.0.0.3", "delegate:2001:db8::3", "ttl:300"]},
    "/crowd": [CROWD], "/west": "symlink:/region3", "across": "symlink:region3/rack/a", "/cell": "symlink:region4/cell",
    "region5": {"*": "symlink:region3/rack/a"},
    "/east": "symlink:/region1", "/old": "symlink:/east", "/dead": "symlink:/nowhere", "/www": "link:region1/rack/a"}"#;

/// How much is sent: in the tests of every day, and where `NAMING_DIFFERENTIAL` is not set.
const SHORT: [u64; 3] = [60, 200, 1];

#[test]
fn bind_has_the_same_result() {
    if !testing::have_program("named") {
        return;
    }
    let wanted = std::env::var("NAMING_DIFFERENTIAL").ok();
    let [updates, queries, seed] = wanted.as_deref().map_or(SHORT, |numbers| {
        let numbers: Vec<u64> = numbers
            .split(':')
            .map(|number| number.parse().expect("a number"))
            .collect();
        numbers
            .try_into()
            .expect("NAMING_DIFFERENTIAL=UPDATES:QUERIES:SEED")
    });
    let folder = Folder::new();
    let many: Vec<_> = (1..=45)
        .map(|number| format!("\"10.1.0.{number}\""))
        .collect();
    // Too many servers for a datagram of 512 bytes.
    let crowd: Vec<_> = (1..=20)
        .map(|number| format!("\"delegate:2001:db8::{number}\""))
        .collect();
    let names = NAMES
        .replace("MANY", &many.join(", "))
        .replace("CROWD", &crowd.join(", "))
        .replace("LONG", &"long ".repeat(120));
    let mut ours = Peer::naming(&folder.write("names.json", names));
    let mut bind = Peer::bind(&folder, &mut ours);
    let mut used = BTreeMap::new();
    let mut random = Random(seed);
    let zones: Vec<Record> = ZONES.iter().flat_map(|zone| ours.transfer(zone)).collect();
    for number in 0..queries {
        let case = queries::query(&mut random, &zones);
        let exchange = Exchange::of(&mut ours, &mut bind, case, true);
        check(
            &exchange,
            &mut used,
            &format!("query {number} of seed {seed}"),
        );
    }
    let mut random = Random(!seed);
    for number in 0..updates {
        let (before, serial) = ours.transferred("lab", false);
        let zone: Vec<Record> = before
            .iter()
            .filter(|record| record.rtype != SOA)
            .cloned()
            .collect();
        let case = updates::update(&mut random, &zone);
        let mut exchange = Exchange::of(&mut ours, &mut bind, case, false);
        let (after, next) = ours.transferred("lab", false);
        if (after != before) != (next != serial) {
            exchange.differences.push(Difference::Reply(Aspect::Serial));
        }
        let (theirs, _) = bind.transferred("lab", false);
        exchange.zones(&after, &theirs);
        check(
            &exchange,
            &mut used,
            &format!("update {number} of seed {seed}"),
        );
        if after != theirs {
            bind.follow(&theirs, &after);
        }
    }
    report(&used);
}

/// Every difference is one of the table.
fn check(exchange: &Exchange, used: &mut BTreeMap<&'static str, u64>, title: &str) {
    let mut left = exchange.differences.clone();
    for row in ROWS.iter().filter(|row| (row.when)(exchange)) {
        let before = left.len();
        left.retain(|difference| !row.of.contains(&difference.aspect()));
        if left.len() < before {
            *used.entry(row.what).or_default() += 1;
        }
    }
    assert!(
        left.is_empty(),
        "{title}: a difference that is not in the table\n{exchange}"
    );
}

#[test]
fn the_page_has_the_same_table() {
    let page = include_str!("../../../../docs/reference/name-server.md");
    let rows: String = ROWS
        .iter()
        .map(|row| {
            format!(
                "| {} | {} | {} | {} |\n",
                row.what, row.here, row.bind, row.why
            )
        })
        .collect();
    let table = format!("| message | here | BIND | why |\n| --- | --- | --- | --- |\n{rows}\n");
    assert!(page.contains(&table), "the page lacks\n{table}");
}

/// How often each difference occurred.
fn report(used: &BTreeMap<&'static str, u64>) {
    for row in ROWS {
        let count = used.get(row.what).unwrap_or(&0);
        let _ = writeln!(std::io::stdout(), "{count:6} {}", row.what);
    }
}
