//! The examples of the help, which run and end as their words say; and the reference page, which has every flag.

use common::testing;
use mcast_server::config::Cli;

#[test]
fn every_example_of_the_help_runs() {
    testing::check_examples::<Cli>(env!("CARGO_BIN_EXE_mcast-server"), testing::NETWORK_CARD);
}

#[test]
fn every_flag_stands_on_a_reference_page() {
    testing::check_reference::<Cli>(&["multicast"]);
}
