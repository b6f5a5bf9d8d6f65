//! Runs anybody's program, in any language, attacks it, and says which requirements it meets, and why not.
//!
//! | module | job |
//! | --- | --- |
//! | [`requirement`] | a requirement, its status, why it is not met |
//! | [`probes`] | the requirements of each kind of submission, and the probe of each |
//! | [`stack_trace`] | whether a program has ended in the middle of something |
//! | [`bench`] | what every probe has at hand: the command, the folder, the time, chance |
//! | [`program`], [`limits`], [`start`] | one start of a submission, and what it may use |
//! | [`sandbox`], [`cgroup`] | the outer and the inner sandbox; the limit on processes |
//! | [`job`], [`inside`], [`hidden`] | the part of this program inside a sandbox, and what it is asked |
//! | [`grader`] | one submission, graded from outside its sandbox |
//! | [`results`], [`report`] | the results, and how they are written |
//! | [`config`], [`command`], [`view`] | the command line, the commands, what a person sees |

pub mod bench;
pub mod cgroup;
pub mod command;
pub mod config;
pub mod grader;
pub mod hidden;
pub mod inside;
pub mod job;
pub mod limits;
pub mod probes;
pub mod program;
pub mod report;
pub mod requirement;
pub mod results;
pub mod sandbox;
pub mod stack_trace;
pub mod start;
pub mod view;
