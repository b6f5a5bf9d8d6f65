//! From the command line to the command.

use std::{collections::BTreeMap, path::PathBuf};

use common::{
    event::{Event, Kind, Verdict},
    exit::{Exit, Failure, Summary, why},
    files,
    journal::Journal,
    json,
    shutdown::Shutdown,
    text::did_you_mean,
};

use crate::{
    config::{Cli, Command, Options, Role},
    grader::{self, Plan},
    inside,
    job::Subject,
    limits::Limits,
    report::{self, Format, text},
    requirement::Status,
    results::{Graded, Results, Submission, VERSION},
    sandbox::Isolation,
};

/// The longest points file, in bytes.
const LONGEST_POINTS: u64 = 1 << 20;

/// Runs the command.
///
/// # Errors
/// As the command (exit code 2).
pub fn run<'app>(
    cli: Cli,
    journal: &Journal,
    catch_signals: &dyn Fn() -> Result<&'app Shutdown, Failure>,
) -> Result<Summary, Failure> {
    let options = cli.options;
    let subject = match (cli.command, options.role.unwrap_or(Role::Server)) {
        (Command::Threads, Role::Server) => Subject::ThreadsServer,
        (Command::Threads, Role::Client) => Subject::ThreadsClient,
    };
    let plan = plan(&options, subject)?;
    let shutdown = catch_signals()?;
    if let Some(lacks) = plan.isolation.lacks() {
        journal.record(Event::new(Kind::Local).text(lacks));
    }
    let format = options.format.unwrap_or_default();
    let shows = format == Format::Text && options.output.as_deref().is_none_or(files::is_standard);
    let part = grader::grade(&plan, shutdown, |graded| {
        if shows {
            journal.record(check(graded));
        }
    })?;
    let summary = text::part(&part);
    if shows {
        journal.record(Event::new(Kind::Output).text(summary.as_str()));
    }
    let worst = exit([&part].into_iter().flat_map(|part| &part.requirements));
    let results = Results {
        version: VERSION,
        seed: plan.seed,
        timeout_ms: u64::try_from(plan.timeout.as_millis()).unwrap_or(u64::MAX),
        repeat: plan.repeat,
        isolation: plan.isolation,
        points: part.points,
        of: part.of,
        submissions: vec![Submission::new("submission", vec![part])],
    };
    write(&results, &options, journal)?;
    let summary = Summary::done(summary).exit(worst);
    Ok(summary
        .count("points", results.points.into())
        .count("of", results.of.into()))
}

/// What the exit code says of these: points lost, or not graded.
fn exit<'g>(graded: impl Iterator<Item = &'g Graded>) -> Exit {
    let exits = graded.map(|graded| match graded.status {
        Status::Pass => Exit::Done,
        Status::GraderFault => Exit::CouldNotRun,
        _ => Exit::No,
    });
    exits.max().unwrap_or(Exit::Done)
}

fn check(graded: &Graded) -> Event {
    let verdict = match graded.status {
        Status::Pass => Verdict::Ok,
        Status::GraderFault => Verdict::Open,
        _ => Verdict::Fail,
    };
    Event::check(graded.id.clone(), verdict, text::requirement(graded))
}

/// Writes the results in the form that is asked for.
fn write(results: &Results, options: &Options, journal: &Journal) -> Result<(), Failure> {
    let format = options.format.unwrap_or_default();
    let Some(document) = report::document(results, format) else {
        return Ok(());
    };
    match &options.output {
        Some(path) => {
            files::write("--output", path, |out| writeln!(out, "{document}"))?;
            if !files::is_standard(path) {
                let path = common::text::visible_path(path);
                journal.record(Event::new(Kind::Write).text(path));
            }
        }
        None => {
            for line in document.lines() {
                journal.record(Event::new(Kind::Output).text(line));
            }
        }
    }
    Ok(())
}

fn plan(options: &Options, subject: Subject) -> Result<Plan, Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::could_not_run("this folder", why(&error)))?;
    let plan = Plan {
        subject,
        command: options.command()?,
        folder,
        masks: Vec::new(),
        isolation: Isolation::None,
        limits: Limits::default(),
        timeout: options.timeout()?,
        seed: options.seed.unwrap_or(1),
        repeat: options.repeat()?,
        address: options.address()?,
        only: options.only.clone().unwrap_or_default(),
        hidden: options.hidden.clone().unwrap_or_default(),
        points: points(options.points.as_ref())?,
    };
    check_names("--only", &plan.only, subject)?;
    check_names("--hidden", &plan.hidden, subject)?;
    let points: Vec<String> = plan.points.keys().cloned().collect();
    check_names("--points", &points, subject)?;
    Ok(Plan {
        isolation: Isolation::best(&grader::own_file()?),
        ..plan
    })
}

/// Refuses a name that no requirement has.
fn check_names(flag: &str, names: &[String], subject: Subject) -> Result<(), Failure> {
    let known = || {
        inside::requirements(subject)
            .iter()
            .map(|requirement| requirement.id)
    };
    for name in names {
        let (part, id) = name.split_once('/').unwrap_or((subject.word(), name));
        if part != subject.word() || !known().any(|known| known == id) {
            let near = did_you_mean(id, known());
            let name = common::text::visible(name.as_bytes());
            let why = format!(
                "no requirement of {} is called {name}{near}",
                subject.word()
            );
            return Err(Failure::could_not_run(flag, why));
        }
    }
    Ok(())
}

/// Reads the points of requirements.
fn points(path: Option<&PathBuf>) -> Result<BTreeMap<String, u32>, Failure> {
    let Some(path) = path else {
        return Ok(BTreeMap::new());
    };
    let content = json::read_file(path, LONGEST_POINTS)?;
    json::parse(path, &content, || std::marker::PhantomData)
}
