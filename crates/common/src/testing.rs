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
//! | `recorder` | a journal for tests that call a library |
//! | `command_line` | help, flags and refusals |
//! | `environment` | what a test needs of the machine |
//! | `words` | words that no program prints |
//! | [`measuring`] | benchmarks of code |

mod command_line;
mod environment;
mod files;
mod handout;
pub mod measuring;
mod program;
mod recorder;
mod words;

use std::{
    thread,
    time::{Duration, Instant},
};

pub use self::{
    command_line::{check_command_line, check_every_flag, check_refusals},
    environment::{have, have_program, in_namespace, with_python_peers},
    files::{Folder, read_log, snapshot},
    handout::{check_handout, lines_of_backtrace},
    program::{Finished, Running, command, run, start},
    recorder::Recorder,
    words::{BANNED, banned_word},
};

/// Far longer than anything a test waits for takes, on a machine however busy.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for something that announces itself in no other way than by being there.
pub fn wait_for<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = there() {
            return value;
        }
        assert!(Instant::now() < deadline, "not there within {LIMIT:?}");
        thread::sleep(Duration::from_millis(2));
    }
}
