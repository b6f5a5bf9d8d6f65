//! Both name spaces: what resolves, what is refused, and how changes are rolled back.

use naming::{
    name::Place,
    names::built_in,
    space::{Space, resolve::Question},
    value::{Value, Values},
};

/// The handout's names and one more, deeper.
fn names() -> Space {
    let mut space = built_in();
    register(&mut space, "region3/rack1/server5", "192.168.3.1");
    space
}

fn register(space: &mut Space, place: &str, value: &str) {
    let value: Value = value.parse().unwrap();
    space
        .register(&place.parse().unwrap(), value.into())
        .unwrap();
}

fn place(text: &str) -> Place {
    text.parse().unwrap()
}

fn ask(space: &Space, name: &str, at: &str) -> String {
    let question = match name.contains('/') {
        true => Question::Structured(name.parse().unwrap()),
        false => Question::Flat(name.into()),
    };
    space
        .look_up(&question, &at.parse().unwrap())
        .map_or_else(|error| error.to_string(), ToString::to_string)
}

#[test]
fn paths_resolve_at_any_depth_from_anywhere() {
    for (name, at) in [
        ("region3/rack1/server5", "/"),
        ("rack1/server5", "region3"),
        ("./server5", "region3/rack1"),
        ("../rack1/server5", "region3/rack1"),
        ("../../region3/rack1/server5", "region2"),
        ("/region3/rack1/server5", "region2"),
        ("REGION3/Rack1/server5", "/"),
    ] {
        assert_eq!(ask(&names(), name, at), "192.168.3.1", "{name} at {at}");
    }
    assert_eq!(ask(&names(), "SERVER1", "/"), "192.168.1.2");
}

#[test]
fn a_failure_says_how_far_resolution_got() {
    for (path, why) in [
        (
            "region9/server1",
            "the root has no region9; it has region1, region2, region3; did you mean region1?",
        ),
        (
            "region3/rack1/server6",
            "region3/rack1 has no server6; it has server5; did you mean server5?",
        ),
        (
            "region1/server1/disk",
            "region1/server1 is a leaf and holds no names",
        ),
        (
            "/region1",
            "a directory, not a leaf; it has server1, server2",
        ),
        (
            "/server1",
            "server1 is a flat name; did you mean naming flat server1?",
        ),
        (
            "region1/..",
            "a directory, not a leaf; it has region1, region2, region3",
        ),
        ("serve1", "no such name; did you mean server1?"),
        (
            "region2",
            "a directory of the structured names, not a flat name; it has server3, server4",
        ),
        ("printer", "no such name"),
        ("", "no such name"),
    ] {
        assert_eq!(ask(&names(), path, "/"), format!("{path}: {why}"));
    }
    assert_eq!(
        ask(&names(), "./server1", "region1/server1"),
        "server1: region1/server1, where resolution should start, is a leaf and holds no names"
    );
}

#[test]
fn a_hard_link_is_a_second_name_for_one_node() {
    let mut space = names();
    space
        .link(&place("/www"), &place("region1/server1"))
        .unwrap();
    space.link(&place("region2/web"), &place("/www")).unwrap();
    let values: Values = "10.0.0.1".parse::<Value>().unwrap().into();
    space.set(&place("/www"), Some(values)).unwrap();
    for name in ["/www", "region1/server1", "region2/web"] {
        assert_eq!(ask(&space, name, "/"), "10.0.0.1");
    }
    space.unregister(&place("region1/server1")).unwrap();
    assert_eq!(ask(&space, "/www", "/"), "10.0.0.1");
    space.unregister(&place("/www")).unwrap();
    assert_eq!(ask(&space, "region2/web", "/"), "10.0.0.1");
    assert!(
        space
            .hard_links(space.get(&place("region2/web")).unwrap())
            .is_empty()
    );
    let refused = space
        .link(&place("/r"), &place("/region1"))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("/region1: a directory; a hard link names a leaf"),
        "{refused}"
    );
}

#[test]
fn a_symbolic_link_is_a_name_for_a_name() {
    let mut space = names();
    space
        .link_symbolically(&place("/east"), place("/region1"))
        .unwrap();
    space
        .link_symbolically(&place("region2/gate"), place("/east/server1"))
        .unwrap();
    space
        .link_symbolically(&place("gateway"), place("region2/gate"))
        .unwrap();
    assert_eq!(ask(&space, "east/server2", "/"), "192.168.1.3");
    assert_eq!(ask(&space, "../east/server2", "region2"), "192.168.1.3");
    assert_eq!(ask(&space, "gateway", "/"), "192.168.1.2");
    assert_eq!(
        ask(&space, "region2/gate/x", "/"),
        "region2/gate/x: east/server1 is a leaf and holds no names"
    );
    // The target can be unregistered.
    space.unregister(&place("region1/server1")).unwrap();
    assert_eq!(
        ask(&space, "gateway", "/"),
        "gateway: region1 has no server1; it has server2; did you mean server2?"
    );
    assert_eq!(space.symlinks().count(), 3);
}

#[test]
fn symbolic_links_in_a_circle_are_refused_and_named() {
    let mut space = names();
    space.link_symbolically(&place("/a"), place("/b")).unwrap();
    let why = space
        .link_symbolically(&place("/b"), place("/a"))
        .unwrap_err()
        .to_string();
    assert_eq!(why, "/b: symbolic links in a circle: /a -> /b -> /a");
    assert!(space.get(&place("/b")).is_none() && space.symlinks().count() == 1);
    // Below itself, and through a rename.
    assert!(
        space
            .link_symbolically(&place("/c"), place("/c/d"))
            .is_err()
    );
    space
        .link_symbolically(&place("/z/l"), place("/a"))
        .unwrap();
    assert!(space.rename(&place("/z/l"), &place("/b")).is_err());
    assert!(space.get(&place("/z/l")).is_some() && space.get(&place("/b")).is_none());
}

#[test]
fn a_directory_is_renamed_with_everything_in_it() {
    let mut space = names();
    space
        .link(&place("/www"), &place("region3/rack1/server5"))
        .unwrap();
    space
        .rename(&place("/region3"), &place("region1/deep/er"))
        .unwrap();
    assert_eq!(
        ask(&space, "region1/deep/er/rack1/server5", "/"),
        "192.168.3.1"
    );
    assert!(space.get(&place("/region3")).is_none());
    let www = space.get(&place("/www")).unwrap();
    let links: Vec<_> = space
        .hard_links(www)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(links, ["region1/deep/er/rack1/server5", "/www"]);
    let within = space
        .rename(&place("/region1"), &place("region1/x"))
        .unwrap_err()
        .to_string();
    assert_eq!(within, "region1/x: within region1 itself");
    let flat = space
        .rename(&place("/region1"), &place("flat1"))
        .unwrap_err()
        .to_string();
    assert!(flat.contains("no directory has one"), "{flat}");
}

#[test]
fn a_mounted_tree_is_read_only() {
    let mut other = Space::default();
    register(&mut other, "de/www", "10.0.0.1");
    other.link(&place("de/web"), &place("de/www")).unwrap();
    other
        .link_symbolically(&place("/germany"), place("/de"))
        .unwrap();
    let mut space = names();
    space.mount(&place("/eu"), &other, "eu.json").unwrap();
    assert_eq!(ask(&space, "eu/germany/web", "/"), "10.0.0.1");
    let why = space
        .unregister(&place("eu/de/www"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        why,
        "eu/de/www: eu is mounted from eu.json and cannot be changed here"
    );
    assert!(space.rename(&place("/eu"), &place("/europe")).is_err());
    assert!(space.mount(&place("/eu"), &other, "eu.json").is_err());
    assert!(
        space
            .mount(&place("/empty"), &Space::default(), "empty.json")
            .is_err()
    );
}

#[test]
fn changes_are_rolled_back_together() {
    let mut space = names();
    space
        .link(&place("/www"), &place("region1/server1"))
        .unwrap();
    let before = space
        .meanings()
        .iter()
        .map(|(place, meaning)| format!("{place} {meaning:?}"))
        .collect::<Vec<_>>();
    space.begin();
    let savepoint = space.savepoint();
    space.unregister(&place("region1/server1")).unwrap();
    space
        .rename(&place("/region2"), &place("/region5"))
        .unwrap();
    space
        .link_symbolically(&place("/x"), place("/region5"))
        .unwrap();
    register(&mut space, "new", "::1");
    space.rollback(savepoint);
    let after = space
        .meanings()
        .iter()
        .map(|(place, meaning)| format!("{place} {meaning:?}"))
        .collect::<Vec<_>>();
    assert_eq!(before, after);
    assert_eq!(space.symlinks().count(), 0);
    assert!(space.touched().is_empty());
    space.set(&place("/www"), None).unwrap();
    let touched: Vec<_> = space.touched().iter().map(ToString::to_string).collect();
    assert_eq!(touched, ["region1/server1", "/www"]);
}

#[test]
fn an_existing_name_or_an_impossible_one_is_refused() {
    let mut space = names();
    let mut refused = |name: &str| {
        let value: Value = "::1".parse().unwrap();
        space
            .register(&place(name), value.into())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(refused("server1"), "server1: exists already: 192.168.1.2");
    assert_eq!(
        refused("/region1"),
        "/region1: a directory; it has server1, server2"
    );
    assert_eq!(
        refused("region1/server1/x"),
        "region1/server1/x: region1/server1 is a leaf and holds no names"
    );
    assert!(refused("flat/x").contains("reserved"));
    // A directory is removed with the last name in it.
    space.unregister(&place("region3/rack1/server5")).unwrap();
    assert!(space.get(&place("/region3")).is_none());
    let why = space
        .unregister(&place("/region3"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        why,
        "/region3: the root has no region3; it has region1, region2; did you mean region1?"
    );
}
