//! Experiment 5: flat and structured naming, and a name server that speaks DNS.
//!
//! | module | job |
//! | --- | --- |
//! | [`handout`] | the handout's programs: two dictionaries, and a query of each |
//! | [`context`], [`answers`] | the look-ups and the answers of a query |
//! | [`name`], [`value`] | valid names, and the values that they stand for |
//! | [`delegation`] | where a subtree is that another server has |
//! | [`space`] | both name spaces: the naming graph, resolution, changes |
//! | [`names`] | the sources of names: built in, a file, mounted files, a store |
//! | [`mod@file`], [`zonefile`], [`store`] | names in a JSON file, in a zone file, in a store of transactions |
//! | [`marks`] | the serials beside a names file |
//! | [`dns`] | the name spaces in DNS, without sockets |
//! | [`server`], [`client`] | the name server, and its client |
//! | [`resolver`] | name resolution over several servers, without sockets |
//! | [`exchange`], [`resolving`] | its queries on sockets, its events |
//! | [`iterate`], [`recursive`] | a client that walks from server to server; a server that does it for others |
//! | [`config`] | the command line |
//! | [`commands`] | from the command line to the command |
//! | [`ask`], [`change`], [`delegate`], [`tree`], [`stored`] | the commands |
//! | [`location`] | how an entity is found by its flat name where no process knows all names |
//! | [`compare`] | what each location scheme costs |
//! | [`simulate`], [`check`] | a location scheme in simulated time, and in every interleaving |
//! | [`ring`], [`run`] | a node of a Chord ring; many real processes of a location scheme |
//! | [`view`] | what a person sees of the events |

pub mod answers;
pub mod ask;
pub mod change;
pub mod check;
pub mod client;
pub mod commands;
pub mod compare;
pub mod config;
pub mod context;
pub mod delegate;
pub mod delegation;
pub mod dns;
pub mod exchange;
pub mod file;
pub mod handout;
pub mod iterate;
pub mod location;
pub mod marks;
pub mod name;
pub mod names;
pub mod recursive;
pub mod resolver;
pub mod resolving;
pub mod ring;
pub mod run;
pub mod server;
pub mod simulate;
pub mod space;
pub mod store;
pub mod stored;
pub mod tree;
pub mod value;
pub mod view;
pub mod zonefile;
