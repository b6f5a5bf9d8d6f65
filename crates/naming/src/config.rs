//! The program's options and subcommands.

mod checking;
mod examples;
mod resolution;
mod ring;
mod simulation;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Subcommand;
use common::{
    config::{Period, in_range},
    endpoint::{Defaults, Endpoint},
    exit::Failure,
    net, parallel,
    process::{
        faults::{Chance, Delay},
        report::Show,
    },
    size::Size,
    text::visible_path,
    zone,
};
use domain::{base::iana::Rtype, tsig::Key};

use crate::{
    compare::{
        self,
        range::{Doubling, MOST_NODES},
        schemes::SchemeName,
    },
    dns::{
        key,
        owner::Zones,
        publish,
        tsig::{SigningKey, SigningKeys},
    },
    location::{chord::settings::Rules, schemes::LocationScheme},
    name::{Name, Path, Place},
    recursive::Network,
    server,
    space::resolve::Question,
    value::{DEFAULT_TTL, parse_ttl},
};

/// Where the server listens unless it is told otherwise: DNS has port 53, which is the administrator's.
pub const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5300);

/// The numbers of nodes that are compared unless others are given.
const NODES: Doubling = Doubling::new(16, 1024);

/// The number of names that are looked up in a comparison.
const NAMES: usize = 100_000;

/// The port of a secondary that is named without one: that of DNS.
const DOMAIN: u16 = 53;

/// A naming system: it resolves flat and structured names, stores them in name spaces, and serves them by DNS
#[derive(Debug, clap::Parser)]
#[command(name = "naming", after_help = examples::PROGRAM)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Resolve flat names: one look-up each
    #[command(after_help = examples::FLAT)]
    Flat {
        /// Names without structure, such as server1
        #[arg(required = true, value_name = "NAME")]
        queries: Vec<String>,
    },
    /// Resolve structured names: each component in its directory, from the root
    #[command(after_help = examples::STRUCTURED)]
    Structured {
        /// Paths such as region1/server1, or the components of one path: region1 server1
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<String>,
    },
    /// List each name with its value
    #[command(after_help = examples::LIST)]
    List,
    /// Draw the name spaces: that of flat names, and the tree of directories and leaves
    #[command(after_help = examples::TREE)]
    Tree,
    /// Show every step of a resolution; a name with a / is structured, and with --at every name is
    #[command(after_help = examples::EXPLAIN)]
    Explain {
        /// Names, flat or structured
        #[arg(required = true, value_name = "NAME")]
        queries: Vec<String>,
    },
    /// Register a new name in --names FILE or at --server; with a / it is structured
    #[command(after_help = examples::REGISTER)]
    Register {
        /// The name
        #[arg(value_name = "NAME")]
        place: String,
        /// Addresses, texts written text:…, services written srv:…, a TTL written ttl:…
        #[arg(required = true, value_name = "VALUE")]
        values: Vec<String>,
        /// Replace the name's values
        #[arg(long, conflicts_with = "add")]
        replace: bool,
        /// Add to the name's values
        #[arg(long)]
        add: bool,
    },
    /// Remove names from --names FILE or --server
    #[command(after_help = examples::UNREGISTER)]
    Unregister {
        /// The names
        #[arg(required = true, value_name = "NAME")]
        places: Vec<String>,
    },
    /// Rename a name, or a directory with everything in it
    #[command(after_help = examples::RENAME)]
    Rename {
        /// The old name
        from: String,
        /// The new name
        to: String,
    },
    /// Make a second name for a leaf (hard link), or for a name (symbolic link)
    #[command(after_help = examples::LINK)]
    Link {
        /// The new name
        #[arg(value_name = "NEW")]
        place: String,
        /// The existing name
        #[arg(value_name = "NAME")]
        target: String,
        /// A symbolic link: it refers to the name and not to its values
        #[arg(long, short)]
        symbolic: bool,
    },
    /// Move a directory with all its names from --server to a server of its own, while look-ups go on
    #[command(after_help = examples::DELEGATE)]
    Delegate {
        /// The directory; a new name is delegated without any names below it
        #[arg(value_name = "PATH")]
        place: String,
        /// The addresses of the server that gets the names, which listens at the port of --server
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
        /// Replace names that the new server has with other values
        #[arg(long)]
        replace: bool,
    },
    /// Print all names as a zone file, for any DNS server
    #[command(after_help = examples::EXPORT)]
    Export,
    /// Read a zone file, into --names FILE or onto standard output
    #[command(after_help = examples::IMPORT)]
    Import {
        /// The zone file; - is standard input
        #[arg(value_name = "ZONEFILE")]
        file: PathBuf,
    },
    /// Serve the names by DNS, over UDP and TCP
    #[command(after_help = examples::SERVE)]
    Serve,
    /// Resolve names at a name server: the client side of DNS
    #[command(after_help = examples::RESOLVE)]
    Resolve {
        /// Names as above, domain names that end with a dot, or addresses
        #[arg(required = true, value_name = "NAME")]
        queries: Vec<String>,
        /// The type of records, such as A, TXT, PTR, ANY [default: A, AAAA and TXT; for an address PTR]
        #[arg(long = "type", value_name = "TYPE")]
        rtype: Option<String>,
    },
    /// Check a server's store, or print the names that can be read of it, also when it is damaged
    #[command(after_help = examples::STORE)]
    Store {
        /// check reports whether it is sound; export prints its names
        #[arg(value_name = "ACTION", value_enum, hide_possible_values = true)]
        action: StoreAction,
        /// The store, which no server has open
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where the names are exported to [default: -, standard output]
        #[arg(value_name = "OUTPUT")]
        output: Option<PathBuf>,
    },
    /// Compare location schemes: the same names and look-ups through each
    #[command(after_help = examples::COMPARE)]
    Compare,
    /// Simulate the processes of a location scheme; the same seed gives the same run
    #[command(after_help = examples::SIMULATE)]
    Simulate {
        /// The location scheme
        #[arg(id = "of", value_name = "SCHEME", hide_possible_values = true)]
        scheme: LocationScheme,
    },
    /// Model checker: explore every interleaving of a location scheme and print a shortest counterexample
    #[command(after_help = examples::CHECK)]
    Check {
        /// The location scheme
        #[arg(id = "of", value_name = "SCHEME", hide_possible_values = true)]
        scheme: LocationScheme,
    },
    /// Run real processes of a location scheme over UDP, with faults, and check what their look-ups find
    #[command(after_help = examples::RUN)]
    Run {
        /// The location scheme
        #[arg(id = "of", value_name = "SCHEME", hide_possible_values = true)]
        scheme: LocationScheme,
        /// One of the processes, which is sent its peers and commands
        #[arg(long, hide = true)]
        managed: bool,
    },
    /// Run a node of a Chord ring; with --ring N start N nodes, kill some, and check all look-ups
    #[command(after_help = examples::CHORD)]
    Chord,
    /// Make a key that signs updates and transfers (TSIG): into --key FILE, or onto standard output
    #[command(after_help = examples::KEYGEN)]
    Keygen {
        /// The key's name
        #[arg(default_value = "naming", value_name = "KEYNAME")]
        key_name: String,
    },
}

/// What to do with a store.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum StoreAction {
    /// Report whether it is sound
    Check,
    /// Print its names
    Export,
}

common::options! {
    /// The program's options.
    pub struct Options of Cli = "naming" {
        /// Read names from a JSON file: texts are flat names, objects directories [default: the handout's]
        #[arg(value_name = "FILE")]
        names: PathBuf => [
            root,
            flat,
            structured,
            list,
            tree,
            explain,
            register: "Change this JSON file of names [default: none; --server]",
            unregister: "Change this JSON file of names [default: none; --server]",
            rename: "Change this JSON file of names [default: none; --server]",
            link: "Change this JSON file of names [default: none; --server]",
            export,
            import: "Write the names into this JSON file [default: onto standard output]",
            serve,
            compare = "100000" as "N": "How many names",
            run = "32" as "N": "How many names are inserted",
            simulate = "3" as "N": "How many names",
            chord = "32" as "N": "With --ring: how many names are put",
        ],
        /// Mount the structured names of a file under a new directory; may be repeated
        #[arg(value_name = "PATH=FILE")]
        mount: Vec<String> => [structured, list, tree, explain, export, serve],
        /// Delegate a subtree to a server, or to several (ADDR,ADDR); may be repeated
        #[arg(value_name = "PATH=ADDR")]
        delegate: Vec<String> => [structured, list, tree, explain, export, serve],
        /// The directory where relative paths start [default: /]
        #[arg(value_name = "PATH")]
        at: String => [structured, explain, register, unregister, rename, link, delegate, resolve],
        /// Print only the values
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
        short: bool => [root, flat, structured, list, resolve],
        /// The name server, :PORT on 127.0.0.1
        #[arg(value_name = "HOST:PORT")]
        server: String => [
            register: "Change the names of this name server [default: none; --names]",
            unregister: "Change the names of this name server [default: none; --names]",
            rename: "Change the names of this name server [default: none; --names]",
            link: "Change the names of this name server [default: none; --names]",
            delegate = "127.0.0.1:5300": "The name server that has the names",
            resolve = "127.0.0.1:5300",
        ],
        /// Leave out what no name space can hold, such as MX records, and list it
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
        skip_unsupported: bool => [import],
        /// The numbers of nodes: one, or from one to another, each double the one before
        #[arg(value_name = "N..M", help_heading = "Comparison")]
        nodes: Doubling => [compare = "16..1024"],
        /// Only this scheme; may be repeated [default: all]
        #[arg(value_name = "SCHEME", hide_possible_values = true, help_heading = "Comparison")]
        scheme: Vec<SchemeName> => [compare],
        /// How many look-ups; popular names are looked up more often (Zipf's law)
        #[arg(value_name = "N", help_heading = "Comparison")]
        lookups: u64 => [compare = "100000", simulate = "10": "How many look-ups"],
        /// How many times a name moves to another node, among the look-ups [default: a tenth of them]
        #[arg(value_name = "N")]
        moves: u64 => [
            compare,
            simulate = "2": "How many times a name moves to another process, among the look-ups",
            check = "1; without look-ups 0": "How many times the name moves, from process to process",
            run = "10": "Moves of names to random other processes, per second",
            chord = "0": "With --ring: moves of names to random other nodes, per second",
        ],
        /// The delay of the longest links; it halves with each smaller domain
        #[arg(value_name = "DELAY")]
        delay: Delay => [
            compare = "50ms",
            simulate = "1ms..10ms": "How long frames take: 5ms, 1ms..10ms, exp:5ms, normal:5ms,1ms",
            run = "no delay": "How long frames take: 5ms, 1ms..10ms, exp:5ms, normal:5ms,1ms",
            chord = "no delay": "How long frames take: 5ms, 1ms..10ms, exp:5ms, normal:5ms,1ms",
        ],
        /// Number of processes
        #[arg(value_name = "N")]
        processes: usize => [simulate = "5", check = "3; where one joins 4", run = "5"],
        /// Look-ups of each process
        #[arg(value_name = "N")]
        count: u16 => [check = "1; of a ring 0"],
        /// Number of runs: with this random seed and those after it
        #[arg(value_name = "N")]
        seeds: u64 => [simulate = "1"],
        /// How many events to print: a number, or all
        #[arg(value_name = "N|all")]
        show: Show => [simulate = "30; of several seeds 0"],
        /// The random seed: the same seed gives the same figures
        #[arg(value_name = "N")]
        seed: u64 => [
            compare = "1",
            simulate = "1": "The random seed",
            run = "random": "The random seed of faults, look-ups, moves and the processes to kill",
            chord = "random": "The random seed of faults, look-ups and the processes to kill",
        ],
        /// Draw hops and messages against the number of nodes as SVG
        #[arg(value_name = "FILE", help_heading = "Comparison")]
        plot: PathBuf => [compare],
        /// The zone that the names are in [default: lab.]
        #[arg(value_name = "ZONE")]
        zone: String => [
            register,
            unregister,
            rename,
            link,
            delegate,
            export,
            import,
            serve,
            resolve,
            store,
        ],
        /// Export a zone file, and not a names file
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL")]
        zone_file: bool => [store],
        /// The file with the keys that sign updates and transfers (TSIG) [default: unsigned]
        #[arg(value_name = "FILE")]
        key: PathBuf => [
            register,
            unregister,
            rename,
            link,
            delegate,
            serve: "The keys that sign updates and transfers (TSIG); the first signs notices [default: unsigned]",
            resolve,
            keygen: "Write the key into this file [default: onto standard output]",
        ],
        /// How long to wait for the server
        #[arg(value_name = "DURATION")]
        timeout: Period => [
            register = "5s",
            unregister = "5s",
            rename = "5s",
            link = "5s",
            delegate = "5s",
            serve = "10s": "How long to wait for a client that sends nothing",
            resolve = "5s",
            simulate = "1s": "How long a process waits for an answer",
            run = "500ms": "How long a process waits for an answer before it asks again",
            chord = "500ms": "How long a node waits for an answer before it asks another node",
        ],
        /// Iterative resolution: ask one name server after another, from --server on
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Resolution")]
        iterative: bool => [resolve],
        /// Recursive resolution: have the server ask the others
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Resolution")]
        recursive: bool => [
            resolve,
            serve: "Resolve names for clients, from --root on; serve no names",
        ],
        /// Print every message, and what the cache has
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "BOOL", help_heading = "Resolution")]
        trace: bool => [resolve, chord: "Print every message of the node"],
        /// A root server, where a recursive server begins; may be repeated
        #[arg(value_name = "HOST:PORT", help_heading = "Resolution")]
        root: Vec<Endpoint> => [serve],
        /// The memory for the cache of a recursive server, in MiB [default: 16]
        #[arg(value_name = "MIB", help_heading = "Resolution")]
        cache: usize => [serve],
        /// Who else may ask a recursive server; may be repeated [default: this machine]
        #[arg(value_name = "ADDR[/BITS]", help_heading = "Resolution")]
        allow: Vec<Network> => [serve],
        /// Listen on this address, :PORT on 127.0.0.1; port 0 takes a free one
        #[arg(value_name = "ADDR:PORT", help_heading = "Server")]
        listen: Endpoint => [
            serve = "127.0.0.1:5300",
            export = "127.0.0.1": "The name server's address in the zone",
            chord = "127.0.0.1:0",
        ],
        /// Store the names durably in this file; --names only fills a new one [default: in memory]
        #[arg(value_name = "FILE", help_heading = "Server")]
        store: PathBuf => [serve],
        /// Notify this server of changes, which may transfer the zones; may be repeated
        #[arg(value_name = "ADDR:PORT", help_heading = "Server")]
        secondary: Vec<Endpoint> => [serve],
        /// The time to live of records: how long others may cache them [default: 1m]
        #[arg(value_name = "DURATION")]
        ttl: Period => [
            export,
            serve,
            register: "The time to live of these values [default: that of the server]",
            link: "The time to live of a symbolic link [default: that of the server]",
        ],
        /// Number of threads that answer over UDP [default: one a processor]
        #[arg(value_name = "N", help_heading = "Server")]
        workers: usize => [serve, check = "one a processor": "Number of threads"],
        /// Number of TCP connections at once; others wait in the backlog [default: 200]
        #[arg(value_name = "N", help_heading = "Server")]
        max_clients: usize => [serve],
        /// Write the real address into this file once it listens; removed at the end
        #[arg(value_name = "FILE", help_heading = "Server")]
        ready_file: PathBuf => [serve, chord],
        /// The node's identifier on the circle [default: the first 64 bits of SHA-1 of --name]
        #[arg(value_name = "N", help_heading = "Ring")]
        id: u64 => [chord],
        /// Another node; may be repeated; a node with peers knows no others
        #[arg(value_name = "NAME=HOST:PORT", help_heading = "Ring")]
        peer: Vec<String> => [chord],
        /// Join the ring by this member; with --peer by its name [default: start a ring]
        #[arg(value_name = "HOST:PORT", help_heading = "Ring")]
        join: String => [chord],
        /// Length of the successor lists: a record has this many copies
        #[arg(value_name = "R", help_heading = "Ring")]
        successors: usize => [
            simulate = "4": "Length of the successor lists of a ring",
            check = "2": "Length of the successor lists of a ring",
            run = "4": "Length of the successor lists of a ring",
            chord = "4",
        ],
        /// Rules of a ring: corrected (Zave 2017), published (Stoica 2001)
        #[arg(value_name = "RULES", hide_possible_values = true, help_heading = "Ring")]
        rules: Rules => [simulate = "corrected", check = "corrected"],
        /// Time between two rounds of stabilization
        #[arg(value_name = "DURATION", help_heading = "Ring")]
        stabilize: Period => [
            simulate = "with --crash 500ms, else never": "Time between two rounds of stabilization of a ring",
            run = "200ms": "Time between two rounds of stabilization of a ring",
            chord = "200ms",
        ],
        /// How many processes are outside the ring and join it
        #[arg(value_name = "N", help_heading = "Ring")]
        joins: usize => [check = "1; with --count 0"],
        /// How many rounds of maintenance there are, of all processes together
        #[arg(value_name = "N", help_heading = "Ring")]
        rounds: u16 => [check = "1; with --count 0"],
        /// Start this many nodes, and check their look-ups
        #[arg(value_name = "N", help_heading = "Ring")]
        ring: usize => [chord],
        /// Kill this many random nodes at once, after a quarter of --for
        #[arg(value_name = "N", help_heading = "Faults")]
        kill: usize => [
            run = "0": "Kill this many random processes at once, after a quarter of --for",
            chord = "0",
        ],
        /// Kill a process: p2@1s; p2@1s..2s stops it for a while; may be repeated
        #[arg(value_name = "P@FROM..UNTIL", help_heading = "Faults")]
        crash: Vec<String> => [
            simulate: "Crash a process: p2@1s..2s, without an end for good; may be repeated",
            run,
            chord,
        ],
        /// How long look-ups go on
        #[arg(value_name = "DURATION")]
        r#for: Period => [run = "5s", chord = "5s, a single node without end"],
        /// Look-ups per process and second
        #[arg(value_name = "N")]
        rate: f64 => [
            simulate = "10": "Look-ups and moves per second, on average",
            run = "10",
            chord = "10",
        ],
        /// Write the event log of each process into this folder
        #[arg(value_name = "FOLDER")]
        logs: PathBuf => [
            simulate,
            check: "Write each counterexample as an event log into this folder",
            run,
            chord,
        ],
        /// Share of the frames that the network drops, such as 10% [default: 0%]
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        loss: Chance => [simulate, run, chord],
        /// Share of the frames that it duplicates [default: 0%]
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        duplicate: Chance => [simulate, run, chord],
        /// Share of the frames that it delivers out of order [default: 0%]
        #[arg(value_name = "SHARE", help_heading = "Faults")]
        reorder: Chance => [simulate, run, chord],
        /// Partition the network: p1/p2,p3@1s..2s, one way p1>*@1s; may be repeated
        #[arg(value_name = "A/B@FROM..UNTIL", help_heading = "Faults")]
        partition: Vec<String> => [simulate, run, chord],
        /// How many waits of each process may end early, while the answer is under way
        #[arg(value_name = "N", help_heading = "Model")]
        early: u16 => [check = "0"],
        /// How many messages the network may lose, each at any moment
        #[arg(value_name = "N", help_heading = "Model")]
        may_lose: u8 => [check = "0"],
        /// How many messages it may duplicate
        #[arg(value_name = "N", help_heading = "Model")]
        may_duplicate: u8 => [check = "0"],
        /// How many messages it may deliver out of order
        #[arg(value_name = "N", help_heading = "Model")]
        may_reorder: u8 => [check = "0"],
        /// How many processes may crash and stay crashed
        #[arg(value_name = "N", help_heading = "Model")]
        may_crash: u8 => [check = "0; where one joins 1"],
        /// The largest number of distinct states
        #[arg(value_name = "N", help_heading = "Model")]
        states: u64 => [check = "20000000"],
        /// The most memory for the states: 512MiB, 2GiB
        #[arg(value_name = "SIZE", help_heading = "Model")]
        memory: Size => [check = "half of what is free"],
    } writes { plot, ready_file }
}

impl Cli {
    /// The number of names of a comparison or a ring: `--names`, which elsewhere is a file, and as such may stand in the environment
    /// or in the lab file.
    fn number_of_names(&self, default: usize) -> Result<usize, Failure> {
        let given = self.options.names.as_deref();
        let Some(given) = given.filter(|_| self.options.given.has("--names")) else {
            return Ok(default);
        };
        let number = given.to_str().and_then(|given| given.parse().ok());
        number.ok_or_else(|| {
            let why = "not a number of names, such as 100000";
            Failure::could_not_run(format!("--names {}", visible_path(given)), why)
        })
    }

    /// What is to be compared.
    ///
    /// # Errors
    /// When something is out of range (exit code 2).
    pub fn comparison(&self) -> Result<compare::Settings, Failure> {
        let options = &self.options;
        let nodes = options.nodes.unwrap_or(NODES);
        let (from, to) = nodes.bounds();
        in_range("--nodes", from, 1, MOST_NODES)?;
        in_range("--nodes", to, 1, MOST_NODES)?;
        let lookups = in_range(
            "--lookups",
            options.lookups.unwrap_or(100_000),
            1,
            10_000_000,
        )?;
        let moves = options.moves.unwrap_or(lookups / 10);
        let delay = match options.delay {
            None => Duration::from_millis(50),
            Some(Delay::Constant(delay)) => delay,
            Some(delay) => {
                let why =
                    "not one length of time, such as 50ms: the delays of a comparison do not vary";
                return Err(Failure::could_not_run(format!("--delay {delay}"), why));
            }
        };
        let chosen = &options.scheme;
        let all = SchemeName::all().iter().copied();
        Ok(compare::Settings {
            nodes: nodes.numbers().map(|nodes| nodes as usize).collect(),
            schemes: all
                .filter(|scheme| chosen.as_ref().is_none_or(|chosen| chosen.contains(scheme)))
                .collect(),
            names: in_range("--names", self.number_of_names(NAMES)?, 1, 10_000_000)?,
            lookups,
            moves: in_range("--moves", moves, 0, 10_000_000)?,
            delay,
            seed: options.seed.unwrap_or(1),
            plot: options.plot.clone(),
        })
    }

    /// Where relative paths start.
    ///
    /// # Errors
    /// When `--at` is no path (exit code 2).
    pub fn at(&self) -> Result<Path, Failure> {
        self.options
            .at
            .as_deref()
            .map_or(Ok(Path::ROOT), str::parse)
    }

    /// The names from the root to where relative paths start, whatever is there.
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn start(&self) -> Result<Vec<Name>, Failure> {
        Ok(self.at()?.normalised(&[]))
    }

    /// A place as a command names it; with `--at` every name is structured.
    ///
    /// # Errors
    /// When it is none (exit code 2).
    pub fn place(&self, text: &str) -> Result<Place, Failure> {
        let from = self.start()?;
        match (self.options.at.is_some(), text.contains('/')) {
            (true, false) => Place::at(&Path::new([text])?, &from),
            _ => Place::parse(text, &from),
        }
    }

    /// The zones of DNS.
    ///
    /// # Errors
    /// When `--zone` is none (exit code 2).
    pub fn zones(&self) -> Result<Arc<Zones>, Failure> {
        let zone = self.options.zone.as_deref().unwrap_or("lab.");
        let shown = common::text::visible(zone.as_bytes());
        Zones::new(zone)
            .map(Arc::new)
            .map_err(|why| Failure::could_not_run(format!("--zone {shown}"), why))
    }

    /// How long answers may be kept, in seconds.
    ///
    /// # Errors
    /// When `--ttl` is out of range (exit code 2).
    pub fn ttl(&self) -> Result<u32, Failure> {
        let ttl = self
            .options
            .ttl
            .unwrap_or(Period(Duration::from_secs(DEFAULT_TTL.into())));
        let range = (Period(Duration::from_secs(1)), Period::LONGEST);
        Ok(in_range("--ttl", ttl, range.0, range.1)?.0.as_secs() as u32)
    }

    /// The TTL that a name is to have for its own, in seconds.
    ///
    /// # Errors
    /// When `--ttl` is not whole seconds, or too long for DNS (exit code 2).
    pub fn own_ttl(&self) -> Result<Option<u32>, Failure> {
        let ttl = self.options.ttl.map(|ttl| parse_ttl(&ttl.to_string()));
        ttl.transpose()
            .map_err(|why| Failure::could_not_run("--ttl", why))
    }

    /// How long to wait for a server.
    ///
    /// # Errors
    /// When `--timeout` is out of range (exit code 2).
    pub fn timeout(&self, default: Duration) -> Result<Duration, Failure> {
        self.options
            .timeout
            .unwrap_or(Period(default))
            .as_wait("--timeout")
    }

    /// The key that signs the messages of a client: the first of `--key`, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read (exit code 2).
    pub fn client_key(&self) -> Result<Option<Arc<Key>>, Failure> {
        Ok(self
            .signing_keys()?
            .first()
            .map(|key| Arc::clone(&key.client)))
    }

    /// The keys of `--key` for the server, in the order of the file.
    ///
    /// # Errors
    /// When the file cannot be read (exit code 2).
    pub fn signing_keys(&self) -> Result<SigningKeys, Failure> {
        let Some(path) = self.options.key.as_deref() else {
            return Ok(SigningKeys::new());
        };
        let keys = key::read_secrets(path)?;
        let keys = keys
            .iter()
            .map(|secret| SigningKey::new(secret).map(Arc::new));
        keys.collect::<Result<_, _>>()
            .map_err(|why| Failure::could_not_run(visible_path(path), why))
    }

    /// The address of `--listen`.
    ///
    /// # Errors
    /// What is wrong with it (exit code 2).
    pub fn listen(&self) -> Result<Option<SocketAddr>, Failure> {
        let listen = self.options.listen.as_ref();
        let listen = listen.map(|listen| listen.listen("--listen", SERVER));
        listen.transpose()
    }

    /// The secondaries, each by the first of its addresses that is of the family of `listen`, if there is one.
    fn secondaries(&self, listen: SocketAddr) -> Result<Vec<SocketAddr>, Failure> {
        let defaults = Defaults {
            address: Some(SERVER.ip()),
            port: Some(DOMAIN),
        };
        let v4 = net::canonical(listen).is_ipv4();
        let address = |secondary: &Endpoint| {
            let found = secondary.connect("--secondary", defaults)?;
            let same = found.iter().find(|address| address.is_ipv4() == v4);
            Ok(*same.unwrap_or(&found[0]))
        };
        let secondaries = self.options.secondary.iter().flatten();
        secondaries.map(address).collect()
    }

    /// What the server is to do.
    ///
    /// # Errors
    /// When something is out of range, or the keys cannot be read (exit code 2).
    pub fn server(&self) -> Result<(SocketAddr, server::Settings), Failure> {
        let options = &self.options;
        let listen = self.listen()?.unwrap_or(SERVER);
        let processors = parallel::processors();
        let dns = publish::Settings {
            zones: self.zones()?,
            ttl: self.ttl()?,
            address: one_address(listen.ip()),
        };
        let settings = server::Settings {
            dns,
            workers: in_range("--workers", options.workers.unwrap_or(processors), 1, 256)?,
            keys: self.signing_keys()?,
            secondaries: self.secondaries(listen)?,
            max_clients: self.max_clients()?,
            timeout: self.timeout(Duration::from_secs(10))?,
        };
        Ok((listen, settings))
    }

    /// How many TCP connections a server may have at once.
    fn max_clients(&self) -> Result<usize, Failure> {
        in_range(
            "--max-clients",
            self.options.max_clients.unwrap_or(200),
            1,
            10_000,
        )
    }

    /// The questions asked; without a command the handout's two.
    ///
    /// # Errors
    /// For a path with an empty component (exit code 2).
    pub fn questions(&self) -> Result<Vec<Question>, Failure> {
        Ok(match &self.command {
            Some(Command::Flat { queries }) => {
                queries.iter().cloned().map(Question::Flat).collect()
            }
            // Without a slash anywhere the words are the components of one path, as the handout prints it.
            Some(Command::Structured { paths }) if !paths.iter().any(|path| path.contains('/')) => {
                vec![Question::Structured(Path::new(
                    paths.iter().map(String::as_str),
                )?)]
            }
            Some(Command::Structured { paths }) => {
                let paths = paths
                    .iter()
                    .map(|path| path.parse().map(Question::Structured));
                paths.collect::<Result<_, _>>()?
            }
            Some(Command::Explain { queries }) => {
                let structured = |name: &str| name.contains('/') || self.options.at.is_some();
                let questions = queries.iter().map(|name| match structured(name) {
                    true => name.parse().map(Question::Structured),
                    false => Ok(Question::Flat(name.clone())),
                });
                questions.collect::<Result<_, _>>()?
            }
            _ => vec![
                Question::Flat("server1".into()),
                Question::Structured(Path::new(["region1", "server1"])?),
            ],
        })
    }
}

/// The address of a server that listens there, for its zone; None when it listens on every address, or on a link-local
/// one.
pub fn one_address(listen: IpAddr) -> Option<IpAddr> {
    let address = listen.to_canonical();
    // Nobody can use a link-local address without its zone, which DNS cannot give.
    (!address.is_unspecified() && !zone::is_of_link(address)).then_some(address)
}

/// The types that are asked for: the one given, or those that a name can have.
///
/// # Errors
/// When it is no type (exit code 2).
pub fn types(given: Option<&str>) -> Result<Vec<Rtype>, Failure> {
    match given {
        None => Ok(vec![Rtype::A, Rtype::AAAA, Rtype::TXT]),
        Some(given) => {
            let shown = common::text::visible(given.as_bytes());
            let rtype = given.to_uppercase().parse::<Rtype>();
            let rtype = rtype.map_err(|_| {
                Failure::could_not_run(format!("--type {shown}"), "not a type of records")
            })?;
            match rtype {
                Rtype::AXFR | Rtype::IXFR | Rtype::OPT | Rtype::TSIG => Err(
                    Failure::could_not_run(format!("--type {shown}"), "not a type to ask for here"),
                ),
                rtype => Ok(vec![rtype]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_with_slashes_or_as_words() {
        let questions = |paths: &[&str]| {
            let paths = paths.iter().map(ToString::to_string).collect();
            Cli {
                options: Options::default(),
                command: Some(Command::Structured { paths }),
            }
            .questions()
        };
        let question = |path: &str| Question::Structured(path.parse().unwrap());
        assert_eq!(
            questions(&["region1/server1"]),
            Ok(vec![question("region1/server1")])
        );
        assert_eq!(
            questions(&["region1", "server1"]),
            Ok(vec![question("region1/server1")])
        );
        let two = Ok(vec![
            question("region1/server1"),
            question("region2/server3"),
        ]);
        assert_eq!(questions(&["region1/server1", "region2/server3"]), two);
    }

    #[test]
    fn types_have_names() {
        assert_eq!(types(Some("aaaa")), Ok(vec![Rtype::AAAA]));
        assert_eq!(
            types(Some("TYPE65280")),
            Ok(vec![crate::dns::update::HARD_LINK])
        );
        assert!(types(Some("nonsense")).is_err() && types(Some("AXFR")).is_err());
    }
}
