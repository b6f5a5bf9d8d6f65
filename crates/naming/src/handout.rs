//! The handout's programs, `flat_naming.py` and `structured_naming.py`: a dictionary and a query each.
//!
//! `naming` without a command is [`run`]. The other commands and the name server have their names from the same two
//! dictionaries, unless `--names` names a file of others.

use common::exit::Failure;

use crate::{answers::Answers, context::Context};

/// Flat naming system: a name stands for an address.
pub const FLAT: [(&str, &str); 2] = [("server1", "192.168.1.2"), ("server2", "192.168.1.3")];

/// Structured naming system (hierarchical): a region has names of its own.
pub const STRUCTURED: [(&str, [(&str, &str); 2]); 2] = [
    (
        "region1",
        [("server1", "192.168.1.2"), ("server2", "192.168.1.3")],
    ),
    (
        "region2",
        [("server3", "192.168.2.1"), ("server4", "192.168.2.2")],
    ),
];

/// The two queries. A missing server is an answer, the handout's `None`; a missing region ends the program, as the
/// handout's `KeyError` does.
///
/// # Errors
/// `REGION: why` (exit code 1).
pub fn run(flat: &Context, structured: &Context, answers: &mut Answers) -> Result<(), Failure> {
    // Query
    let server = flat.get("server1");
    answers.show("server1", server);

    // Query
    let server = structured.directory("region1")?.get("server1");
    answers.show("region1/server1", server);
    Ok(())
}

/// The printed line; the components of a path are printed as words.
pub fn line(name: &str, server: &str) -> String {
    let name = name.replace('/', " ");
    format!("IP address of {}: {server}", name.trim())
}
