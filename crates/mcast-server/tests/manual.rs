//! The examples of the help, which run and end as their words say; and the reference page, which has every flag.

use common::testing;
use mcast_server::config::Cli;

/// A network card with a default route, as a laptop has it.
const PREPARE: &str = "
ip link add eth0 type veth peer name switch
ip link set switch up
ip addr add 192.0.2.2/24 dev eth0
ip link set eth0 up
ip route add default via 192.0.2.1
";

#[test]
fn every_example_of_the_help_runs() {
    testing::check_examples::<Cli>(env!("CARGO_BIN_EXE_mcast-server"), PREPARE);
}

#[test]
fn every_flag_stands_on_a_reference_page() {
    testing::check_reference::<Cli>(&["multicast"]);
}
