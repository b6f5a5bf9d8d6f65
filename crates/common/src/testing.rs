//! For tests: start a real binary, wait for its ready line, read what it prints, stop it.
//!
//! Nothing here sleeps to synchronise; every wait has a limit, and a program still running when its test ends is
//! killed.
//!
//! | module | job |
//! | --- | --- |
//! | `program` | a real binary, started and read |
//! | `files` | temporary folders, event logs, recorded texts |
//! | `handout` | the file that is the handout's program |
//! | `modules` | circles of modules |
//! | `contract` | what every program does alike |
//! | `several` | cases that are tried at once |
//! | `waiting` | what announces itself in no way |
//! | `recorder` | a journal for tests that call a library |
//! | `command_line` | help, flags and refusals |
//! | `documents` | completions and manual pages |
//! | `examples` | the examples of the help |
//! | `reference` | each flag on a reference page |
//! | `environment` | what a test needs of the machine |
//! | `words` | words that no program prints |
//! | [`measuring`] | benchmarks of code |

mod command_line;
mod contract;
mod documents;
mod environment;
mod examples;
mod files;
mod handout;
pub mod measuring;
mod modules;
mod program;
mod recorder;
mod reference;
mod several;
mod waiting;
mod words;

pub use self::{
    command_line::{check_command_line, check_every_flag, check_refusals},
    contract::check_contract,
    documents::check_documents,
    environment::{have, have_program, in_namespace, with_python_peers},
    examples::{NETWORK_CARD, check_examples},
    files::{Folder, read_log, snapshot},
    handout::{check_handout, lines_of_backtrace},
    modules::check_modules,
    program::{Finished, Running, command, run, start},
    recorder::Recorder,
    reference::check_reference,
    several::check_several,
    waiting::wait_for,
    words::{BANNED, banned_word},
};
