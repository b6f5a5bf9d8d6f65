//! How long serde_json takes to parse the lines of event logs into the type that `lamport trace` reads them into, on one
//! thread: the yardstick of `scripts/bench.sh trace`. The bytes are in memory before the clock starts.
//!
//! `cargo run --release -p lamport --example parse_log_lines FILE…`

use std::{fs, hint::black_box, io::Write, time::Instant};

use lamport::trace::lines::Line;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = std::env::args_os().skip(1);
    let logs: Vec<String> = files.map(fs::read_to_string).collect::<Result<_, _>>()?;
    let started = Instant::now();
    let mut lines = 0_u64;
    for line in logs.iter().flat_map(|log| log.lines()) {
        black_box(serde_json::from_str::<Line<'_>>(line)?);
        lines += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{}",
        serde_json::json!({"lines": lines, "seconds": seconds})
    )?;
    Ok(())
}
