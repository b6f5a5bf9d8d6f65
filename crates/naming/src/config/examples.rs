//! The examples in the help of each subcommand. A test runs every one.

pub(super) const PROGRAM: &str = "\
Examples:
  naming                                        the handout's two queries
  naming flat server1 server2                   two flat names
  naming structured region1/server1             one structured name; also: region1 server1
  naming flat server1 --short                   the bare address, for a script
  naming explain server1 --at region1           every step of a resolution
  naming register region1/server5 10.0.0.5 --names lab.json
                                                a new name in a file
  naming serve --names lab.json                 a name server until Ctrl-C: dig @127.0.0.1 -p 5300 server1.flat.lab
  naming resolve region1/server1 --server 127.0.0.1:5300
                                                ask it";

pub(super) const FLAT: &str = "\
Examples:
  naming flat server1
  naming flat server1 server2 --short           the bare addresses, for a script
  naming flat printer --names lab.json          exit code 1: there is no such name";

pub(super) const STRUCTURED: &str = "\
Examples:
  naming structured region1/server1 region2/server3
  naming structured server1 --at region1        a relative path
  naming structured remote/region1/server1 --mount remote=lab.json";

pub(super) const LIST: &str = "\
Examples:
  naming list
  naming list --names lab.json --json
  naming list --mount remote=lab.json           with the names of a file under /remote";

pub(super) const TREE: &str = "\
Examples:
  naming tree
  naming tree --names lab.json
  naming tree --mount remote=lab.json           with the names of a file under /remote";

pub(super) const EXPLAIN: &str = "\
Examples:
  naming explain region1/server1
  naming explain server1 --at region1
  naming explain server1                        without a / it is a flat name";

pub(super) const REGISTER: &str = "\
Examples:
  naming register printer 10.0.0.9 'text:in the hall' --names lab.json
  naming register server1 10.0.0.7 --add --names lab.json
  naming register region1/server5 10.0.0.5 2001:db8::5 --server 127.0.0.1:5300";

pub(super) const UNREGISTER: &str = "\
Examples:
  naming unregister server1 --names lab.json
  naming unregister region1/server1 region1/server2 --names lab.json
  naming unregister server2 --at region1 --server 127.0.0.1:5300";

pub(super) const RENAME: &str = "\
Examples:
  naming rename server1 mail --names lab.json
  naming rename /region1 /north --names lab.json
  naming rename region1/server2 region2/server2 --server 127.0.0.1:5300";

pub(super) const LINK: &str = "\
Examples:
  naming link /www region1/server1 --names lab.json
  naming link /east /region1 --symbolic --names lab.json
  naming link region1/www region1/server1 --symbolic --server 127.0.0.1:5300";

pub(super) const DELEGATE: &str = "\
Examples:
  naming delegate region1 127.0.0.2             that server runs: naming serve --zone region1.lab. --listen 127.0.0.2:5300
  naming delegate europe/berlin 127.0.0.3 --server 127.0.0.1:5300 --timeout 2s
                                                a new directory, without names yet
  naming delegate region1 127.0.0.9             exit code 2: no server listens there, and nothing is moved";

pub(super) const EXPORT: &str = "\
Examples:
  naming export
  naming export --names lab.json --zone lab. >lab.zone
  naming export --zone example.org. --ttl 1h";

pub(super) const IMPORT: &str = "\
Examples:
  naming import lab.zone                        the names file on standard output
  naming import lab.zone --zone lab. --names new.json
  naming import mail.zone --zone example. --skip-unsupported >mail.json";

pub(super) const SERVE: &str = "\
Examples, each until Ctrl-C:
  naming serve                                  the handout's names
  naming serve --names lab.json --listen 127.0.0.1:0
                                                kill -HUP PID makes it read the file again
  naming serve --names lab.json --store lab.redb --secondary 127.0.0.1:5301
  naming serve --delegate region1=127.0.0.2     region1 has a server of its own; all use the same port
  naming serve --zone region1.lab. --names lab.json --listen 127.0.0.2:5300
                                                that server
  naming serve --recursive --root 127.0.0.1:5300 --listen 127.0.0.1:5301
                                                resolves names for others: dig @127.0.0.1 -p 5301 server1.flat.lab";

pub(super) const RESOLVE: &str = "\
Examples:
  naming resolve server1 region1/server1 --server 127.0.0.1:5300
  naming resolve 192.168.1.2                    the names of an address
  naming resolve server1.region1.lab. --type A --short
  naming resolve region1/server1 --iterative --trace --server 127.0.0.1:5300
                                                from server to server, message by message
  naming resolve region1/server1 --recursive --server 127.0.0.1:5301
                                                a recursive server does it";

pub(super) const STORE: &str = "\
Examples:
  naming store check lab.redb                   exit code 0: sound, 1: damaged, 2: nothing can be read
  naming store export lab.redb >lab.json        its names as a names file; the store is unchanged
  naming store export lab.redb lab.zone --zone-file
                                                its names as a zone file";

pub(super) const KEYGEN: &str = "\
Examples:
  naming keygen lab --key lab.key               then: naming serve --key lab.key; nsupdate -k lab.key
  naming keygen secondary.lab >secondary.key
  naming keygen                                 the key naming, on standard output";

pub(super) const COMPARE: &str = "\
Schemes:
  broadcast             ask all nodes
  forwarding            follow forwarding pointers; forwarding-shortened: and shorten the chain
  home                  ask the entity's home
  chord                 a distributed hash table; chord-iterative: the asker goes from node to node
  hierarchical          a tree of directory nodes
  iterative, recursive  structured names, by name servers; iterative-cached, recursive-cached: and caches

Examples:
  naming compare --nodes 16..256 --names 1000 --lookups 1000
  naming compare --nodes 1024 --scheme chord --scheme home --names 1000 --lookups 1000 --json
  naming compare --nodes 2^4..2^7 --names 1000 --lookups 1000 --seed 7 --plot hops.svg";

pub(super) const RUN: &str = "\
Location schemes (docs/reference/location.md):
  broadcast             ask all processes
  forwarding            follow forwarding pointers
  forwarding-shortened  the same, and every look-up shortens the chain that it followed
  home                  ask the entity's home
  chord                 a ring, whose nodes pass the look-up on
  chord-iterative       the same, but the asker goes from node to node
  hierarchical          a tree of directory nodes

Examples:
  naming run home --processes 4 --for 1s        the verdict on what the look-ups of four processes find
  naming run forwarding --for 1s --loss 10% --duplicate 10% --reorder 10%
                                                over a bad network
  naming run broadcast --for 1s --crash p2@500ms --logs logs
                                                kill -9 for p2, which takes its own entities with it
  naming run hierarchical --for 2s --partition 'p1/*@500ms..1s'";

/// The location schemes, and then examples.
macro_rules! with_schemes {
    ($examples:literal) => {
        concat!(
            "Schemes:\n",
            "  broadcast             ask all processes\n",
            "  forwarding            follow forwarding pointers; forwarding-shortened: and shorten the chain\n",
            "  home                  ask the entity's home\n",
            "  chord                 a distributed hash table; chord-iterative: the asker goes from node to node\n",
            "  hierarchical          a tree of directory nodes\n\n",
            $examples
        )
    };
}

pub(super) const SIMULATE: &str = with_schemes!(
    "Examples:
  naming simulate home                          five processes, three names
  naming simulate forwarding --names 1 --lookups 3 --moves 3 --show all --logs run
                                                then: lamport trace run
  naming simulate chord --processes 16 --lookups 100 --crash p3@2s --loss 10% --seeds 20
                                                twenty runs, in each of which a process crashes"
);

pub(super) const CHECK: &str = with_schemes!(
    "Examples:
  naming check home                             three processes look up a name that moves meanwhile
  naming check broadcast --moves 0 --may-lose 1
                                                one message gets lost, whichever
  naming check chord                            a process joins a ring of three while another crashes
  naming check chord --rules published          exit code 1: the rules of the paper break the ring
  naming check chord --count 1                  look-ups and a move in a ring that does not change"
);

pub(super) const CHORD: &str = "\
Examples:
  naming chord --ring 5 --for 1s                five processes on this machine, and the verdict on their look-ups
  naming chord --ring 6 --for 2s --kill 2 --loss 5%
                                                two of them are killed: no record is lost
  naming chord --name p1 --listen 127.0.0.1:4001
                                                one node, which starts a ring, until Ctrl-C; type help
  naming chord --name p2 --join 127.0.0.1:4009 --timeout 50ms
                                                exit code 1: no member is at this address";
