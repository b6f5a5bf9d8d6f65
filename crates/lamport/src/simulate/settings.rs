//! The settings of a simulation, from the program's options.

use std::time::Duration;

use common::{
    exit::Failure,
    process::{
        faults::{Delay, FaultArgs, Faults},
        ids::Names,
        simulation::Detector,
    },
};

use super::Settings;
use crate::{
    algorithms::Algorithm,
    config::{Cli, FailureDetector, MOST},
};

/// How long frames take, where nothing else is given.
pub const DELAY: Delay = Delay::Uniform(Duration::from_millis(1), Duration::from_millis(10));

/// The settings of a simulation with these faults.
///
/// # Errors
/// When something is out of range (exit code 2).
pub fn settings(
    cli: &Cli,
    algorithm: Algorithm,
    fault_args: &FaultArgs,
) -> Result<Settings, Failure> {
    let processes = cli.processes(MOST.0)?;
    let options = &cli.options;
    if options.detector.is_some() && !algorithm.has_detector() {
        let why = format!("{} has no failure detector", algorithm.word());
        return Err(Failure::could_not_run("--detector", why));
    }
    let lasting = options.r#for.map(|period| period.as_wait("--for"));
    let ends = options.r#for.is_some() && options.count.is_none();
    let workload = cli.workload(if ends { u64::MAX } else { 10 })?;
    let workload = algorithm.simulated(workload, processes);
    Ok(Settings {
        processes,
        seed: options.seed.unwrap_or(1),
        workload,
        lasting: lasting.transpose()?.unwrap_or(Duration::MAX),
        faults: Faults::new(fault_args, &Names::numbered(processes), DELAY)?,
        process: cli.bug(algorithm)?,
        unreliable: false,
        order: cli.order(),
        detector: match options.detector.unwrap_or_default() {
            FailureDetector::Perfect => Detector::Perfect,
            FailureDetector::Heartbeats => Detector::Heartbeats,
        },
        commands: Vec::new(),
    })
}
