//! Runs anybody's program, in any language, attacks it, and says which requirements it meets, and why not.
//!
//! | module | job |
//! | --- | --- |
//! | [`requirement`] | a requirement, its status, why it is not met |
//! | [`probes`] | the requirements of each kind of submission, and the probe of each |
//! | [`stack_trace`] | whether a program has ended in the middle of something |
//! | [`mod@bench`] | what every probe has at hand: the command, the folder, the time, chance |
//! | [`program`], [`limits`], [`start`] | one start of a submission, and what it may use |
//! | [`sandbox`] | the outer and the inner sandbox |
//! | [`own`] | this very program, which starts itself |
//! | [`load`] | how busy this machine is |
//! | [`scratch`] | a folder for a while |
//! | [`job`], [`inside`], [`hidden`] | the part of this program inside a sandbox, and what it is asked |
//! | [`plan`], [`grader`], [`outside`] | what is graded, one program graded, one sandbox from outside |
//! | [`class`], [`submissions`], [`suite`], [`progress`] | a class, the submissions in a folder, what is graded of each, the progress bar |
//! | [`picture`] | the picture beside a verdict |
//! | [`served`] | the names that a name server is asked for |
//! | [`logs`] | logs that a submission wrote |
//! | [`results`], [`report`] | the results, and how they are written |
//! | [`config`], [`command`], [`view`] | the command line, the commands, what a person sees |

pub mod bench;
pub mod class;
pub mod command;
pub mod config;
pub mod grader;
pub mod hidden;
pub mod inside;
pub mod job;
pub mod limits;
pub mod load;
pub mod logs;
pub mod outside;
pub mod own;
pub mod picture;
pub mod plan;
pub mod probes;
pub mod program;
pub mod progress;
pub mod report;
pub mod requirement;
pub mod results;
pub mod sandbox;
pub mod scratch;
pub mod served;
pub mod stack_trace;
pub mod start;
pub mod submissions;
pub mod suite;
pub mod view;
