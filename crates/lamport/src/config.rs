//! What the program can be told.

const EXAMPLES: &str = "\
Examples:
  lamport                                       the handout's two clocks and one message
  lamport --json                                the same as events, with the clock of each";

/// Lamport's logical clocks
#[derive(Debug, clap::Parser)]
#[command(name = "lamport", after_help = EXAMPLES)]
pub struct Cli {
    /// Flags.
    #[command(flatten)]
    pub options: Options,
}

common::options! {
    /// The program's options.
    pub struct Options of Cli = "lamport" {}
}
