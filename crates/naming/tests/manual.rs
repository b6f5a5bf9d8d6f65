//! The examples of the help, which run and end as their words say; and the reference page, which has every flag.

use common::testing;
use naming::config::Cli;

/// Files of names, of a zone and a store; and a server, where the example asks one.
const PREPARE: &str = r#"
cat >lab.json <<'END'
{"server1": "192.168.1.1", "region1": {"server1": "192.168.1.2", "server2": "192.168.1.4"}, "region2": {}}
END
naming export --names lab.json >lab.zone
cat >mail.zone <<'END'
$ORIGIN example.
@ 60 IN SOA ns admin 1 60 60 60 60
@ 60 IN NS ns
ns 60 IN A 192.0.2.1
@ 60 IN MX 10 ns
END
until_ready() { until [ -s ready ]; do sleep 0.02; done; }
case $EXAMPLE in
    *"naming delegate"*)
        naming serve --quiet --names lab.json --ready-file ready & peers=$!; until_ready; rm ready
        for child in region1.lab.=127.0.0.2 berlin.europe.lab.=127.0.0.3; do
            echo '{}' >empty.json
            naming serve --quiet --names empty.json --zone "${child%=*}" --listen "${child#*=}:5300" --ready-file ready &
            peers="$peers $!"; until_ready; rm ready
        done ;;
    *--server*|*resolve*) naming serve --quiet --names lab.json --ready-file ready & peers=$!; until_ready ;;
esac
case $EXAMPLE in
    *resolve*--recursive*)
        rm ready
        naming serve --quiet --recursive --root 127.0.0.1:5300 --listen 127.0.0.1:5301 --ready-file ready & peers="$peers $!"
        until_ready ;;
    *"naming store"*)
        naming serve --quiet --names lab.json --store lab.redb --listen 127.0.0.1:0 --ready-file ready &
        until_ready; kill $!; wait $! ;;
esac
"#;

#[test]
fn every_example_of_the_help_runs() {
    testing::check_examples::<Cli>(env!("CARGO_BIN_EXE_naming"), PREPARE);
}

#[test]
fn every_flag_stands_on_a_reference_page() {
    testing::check_reference::<Cli>(&["naming", "name-server", "resolution", "location"]);
}
