//! The examples of the help, which run and end as their words say; and the reference page, which has every flag.

use common::testing;
use mcast_client::config::Cli;

/// A member that unicast reaches.
const PREPARE: &str = "
case $EXAMPLE in *unicast*)
    mcast-client --quiet --ready-file ready </dev/null >received & peers=$!
    until [ -s ready ]; do sleep 0.02; done ;;
esac
";

#[test]
fn every_example_of_the_help_runs() {
    let prepare = [testing::NETWORK_CARD, PREPARE].concat();
    testing::check_examples::<Cli>(env!("CARGO_BIN_EXE_mcast-client"), &prepare);
}

#[test]
fn every_flag_stands_on_a_reference_page() {
    testing::check_reference::<Cli>(&["multicast"]);
}
