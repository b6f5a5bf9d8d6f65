//! What every program does alike.

use common::testing;

const SERVER: &str = env!("CARGO_BIN_EXE_mcast-server");

#[test]
fn it_is_ready_by_machine_and_answers_signals() {
    testing::check_contract(SERVER, &["--port", "0"], true);
    testing::check_contract(
        SERVER,
        &[
            "--port",
            "0",
            "--group",
            "224.1.1.1",
            "--group",
            "224.1.1.2",
        ],
        true,
    );
}
