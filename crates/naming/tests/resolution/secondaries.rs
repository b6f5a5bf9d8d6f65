//! The configurations of the manual for a zone on several servers: our primary, Knot and NSD, and a recursive server in front.

use common::testing;

use super::NAMING;

/// The block of the manual that begins with this comment.
fn block(beginning: &str) -> String {
    let page = include_str!("../../../../docs/reference/resolution.md");
    let mut blocks = page.split("```\n");
    let block = blocks.find(|block| block.starts_with(beginning));
    block
        .unwrap_or_else(|| panic!("no block {beginning}"))
        .to_owned()
}

#[test]
fn a_zone_outlives_its_servers() {
    for program in ["knotd", "nsd", "dig"] {
        if !testing::have_program(program) {
            return;
        }
    }
    let script = r#"
        here=$PWD
        mkdir knot nsd
        echo "$KNOT" | sed "s|/run/knot|$here/knot|; s|/var/lib/knot|$here/knot|" >knot.conf
        echo "$NSD" | sed "s|/var/lib/nsd|$here/nsd|; s|/run/|$here/|" >nsd.conf
        echo '{"server1": "192.168.1.2", "/www": {"v1": "10.0.0.1"}}' >lab.json
        start() { "$NAMING" serve "$@" 2>$name.err >$name.out & until grep -q listening $name.err; do sleep 0.01; done; }
        name=primary; start --names lab.json --listen 127.0.0.1:53 --secondary 127.0.0.2:53 --secondary 127.0.0.3:53; primary=$!
        knotd -c knot.conf >knot.err 2>&1 & knot=$!
        nsd -d -c nsd.conf >nsd.err 2>&1 & nsd=$!
        trap 'kill $primary $knot $nsd $recursive 2>/dev/null || true' EXIT
        name=recursive; start --recursive --root 127.0.0.2:53 --root 127.0.0.3:53 --listen 127.0.0.4:53; recursive=$!
        ask() { dig @$1 +short +tries=1 +time=5 $2 A 2>/dev/null; }
        until_it_has() {
            tries=0
            until [ "$(ask $1 $2)" = $3 ]; do
                tries=$((tries + 1)); [ $tries -lt 600 ] || { cat *.err; exit 3; }
                sleep 0.02
            done
        }
        for secondary in 127.0.0.2 127.0.0.3; do until_it_has $secondary server1.flat.lab 192.168.1.2; done
        [ "$(ask 127.0.0.4 server1.flat.lab)" = 192.168.1.2 ]
        "$NAMING" register region1/new 10.0.0.9 --server 127.0.0.1:53
        for secondary in 127.0.0.2 127.0.0.3; do until_it_has $secondary new.region1.lab 10.0.0.9; done
        kill $knot; wait $knot || true
        [ "$(ask 127.0.0.4 new.region1.lab)" = 10.0.0.9 ]
        kill $primary; wait $primary
        [ "$(ask 127.0.0.4 v1.www.lab)" = 10.0.0.1 ]
        kill $recursive; wait $recursive
        cat recursive.err
    "#;
    let (knot, nsd) = (block("# knot.conf"), block("# nsd.conf"));
    let variables = [("NAMING", NAMING), ("KNOT", &knot), ("NSD", &nsd)];
    let Some(finished) = testing::in_namespace(script, &variables) else {
        return;
    };
    assert_eq!(finished.code, Some(0), "{finished:?}");
    // The first query after its end finds out that Knot is down.
    let down = finished.out.matches("127.0.0.2:53: unreachable").count();
    assert_eq!(down, 1, "{finished:?}");
}
