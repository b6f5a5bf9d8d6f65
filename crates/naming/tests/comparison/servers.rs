//! The servers of the name spaces, and the resolvers that are compared.

use std::{fmt::Write, net::SocketAddr};

use super::{
    asking::Peer,
    generate::{NameSpace, SERVERS, Zone},
};
use common::testing::{self, Folder, Running};

/// All of them, while they run.
#[derive(Debug)]
pub(crate) struct Servers {
    /// unbound.
    pub(crate) unbound: Peer,
    /// `naming serve --recursive`.
    pub(crate) recursive: Peer,
    processes: Vec<Running>,
    _folder: Folder,
}

impl Servers {
    /// Starts them for these name spaces.
    pub(crate) fn start(spaces: &[NameSpace]) -> Self {
        let folder = Folder::new();
        let zones: Vec<&Zone> = spaces.iter().flat_map(|space| &space.zones).collect();
        for zone in &zones {
            folder.write(&zone_file(zone), zone.file());
        }
        let mut processes = Vec::new();
        for server in SERVERS {
            let has = |zone: &&&Zone| zone.servers.contains(&server);
            let zones: Vec<&Zone> = zones.iter().filter(has).copied().collect();
            if !zones.is_empty() {
                processes.push(match server % 2 {
                    1 => knot(&folder, server, &zones),
                    _ => nsd(&folder, server, &zones),
                });
                let address = SocketAddr::from(([127, 0, 0, server], 53));
                zones
                    .iter()
                    .for_each(|zone| until_it_serves(&Peer::new(address), &zone.name));
            }
        }
        let unbound = Peer::new("127.0.0.53:53".parse().unwrap());
        let first = SocketAddr::from(([127, 0, 0, 1], 53));
        let stubs = spaces
            .iter()
            .map(|space| (space.zones[0].name.as_str(), first));
        processes.push(start_unbound(&folder, stubs));
        let arguments = [
            "serve",
            "--recursive",
            "--root",
            "127.0.0.1:53",
            "--listen",
            "127.0.0.54:53",
            "--quiet",
        ];
        let mut ours = testing::start(env!("CARGO_BIN_EXE_naming"), &[&arguments[..6]].concat());
        let recursive = Peer::new(ours.ready());
        processes.push(ours);
        until_it_serves(&unbound, &spaces[0].zones[0].name);
        Self {
            unbound,
            recursive,
            processes,
            _folder: folder,
        }
    }

    /// Stops them, so that others can have their addresses.
    pub(crate) fn stop(self) {
        self.processes
            .iter()
            .for_each(|process| process.signal("TERM"));
        for process in self.processes {
            process.finish();
        }
    }
}

/// Waits until a server has a zone.
pub(crate) fn until_it_serves(server: &Peer, zone: &str) {
    testing::wait_for(|| server.serves(zone).then_some(()));
}

fn zone_file(zone: &Zone) -> String {
    format!("{}zone", zone.name)
}

fn knot(folder: &Folder, server: u8, zones: &[&Zone]) -> Running {
    let here = folder.path(&format!("knot{server}"));
    std::fs::create_dir_all(&here).unwrap();
    let mut config = format!(
        "server:\n    rundir: \"{here}\"\n    listen: 127.0.0.{server}@53\n    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n\
         database:\n    storage: \"{here}\"\ntemplate:\n  - id: default\n    storage: \"{}\"\n    journal-content: none\n    zonefile-load: whole\n    zonefile-sync: -1\nzone:\n",
        folder.path("")
    );
    for zone in zones {
        writeln!(
            config,
            "  - domain: {}\n    file: \"{}\"",
            zone.name,
            zone_file(zone)
        )
        .unwrap();
    }
    let config = folder.write(&format!("knot{server}.conf"), config);
    testing::start("knotd", &["-c", &config])
}

fn nsd(folder: &Folder, server: u8, zones: &[&Zone]) -> Running {
    let here = folder.path("");
    let mut config = format!(
        "server:\n    ip-address: 127.0.0.{server}@53\n    username: \"\"\n    chroot: \"\"\n    zonesdir: \"{here}\"\n    database: \"\"\n\
         \x20   pidfile: \"{here}/nsd{server}.pid\"\n    xfrdfile: \"{here}/xfrd{server}\"\n    zonelistfile: \"{here}/zones{server}\"\n    server-count: 1\n\
         remote-control:\n    control-enable: no\n",
    );
    for zone in zones {
        writeln!(
            config,
            "zone:\n    name: {}\n    zonefile: \"{}\"",
            zone.name,
            zone_file(zone)
        )
        .unwrap();
    }
    let config = folder.write(&format!("nsd{server}.conf"), config);
    testing::start("nsd", &["-d", "-c", &config])
}

/// unbound at 127.0.0.53, which finds each of these zones at this address.
pub(crate) fn start_unbound<'s>(
    folder: &Folder,
    stubs: impl Iterator<Item = (&'s str, SocketAddr)>,
) -> Running {
    let mut config = format!(
        "server:\n    interface: 127.0.0.53@53\n    username: \"\"\n    chroot: \"\"\n    directory: \"{}\"\n    pidfile: \"\"\n    use-syslog: no\n\
         \x20   num-threads: 1\n    module-config: \"iterator\"\n    do-not-query-localhost: no\n    qname-minimisation: no\n    do-ip6: no\n\
         \x20   minimal-responses: yes\n    edns-buffer-size: 1232\n    outgoing-range: 256\nremote-control:\n    control-enable: no\n",
        folder.path("")
    );
    for (zone, address) in stubs {
        let address = address.ip();
        writeln!(
            config,
            "stub-zone:\n    name: \"{zone}\"\n    stub-addr: {address}@53"
        )
        .unwrap();
    }
    let config = folder.write("unbound.conf", config);
    testing::start("unbound", &["-d", "-c", &config])
}
