//! From the command line to the command.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use common::{
    endpoint,
    event::{Event, Kind, Level, Verdict},
    exit::{Exit, Failure, Summary, why},
    files,
    journal::Journal,
    json,
    shutdown::Shutdown,
    sys::files::real_path,
    text::{did_you_mean, plural, visible_path},
};

use crate::{
    class::{self, Class},
    config::{Cli, Command, Options},
    grader, inside,
    job::Subject,
    limits::Limits,
    logs, own, picture,
    plan::{Plan, Server},
    progress::Progress,
    report::{self, Format, csv, text},
    requirement::Status,
    results::{Graded, Results, Submission, VERSION},
    sandbox::Isolation,
    served::Served,
    submissions::Submissions,
    suite::{self, Experiment, Role, Suite},
};

/// The longest points file, in bytes.
const LONGEST_POINTS: u64 = 1 << 20;

/// Runs the command; with `show_progress` a progress bar on the terminal while a class is graded.
///
/// # Errors
/// As the command (exit code 2).
pub fn run<'app>(
    cli: Cli,
    journal: &Journal,
    catch_signals: &dyn Fn() -> Result<&'app Shutdown, Failure>,
    show_progress: bool,
) -> Result<Summary, Failure> {
    let options = cli.options;
    let experiment = match &cli.command {
        Command::Threads => Experiment::Threads,
        Command::Multicast => Experiment::Multicast,
        Command::Naming => Experiment::Naming,
        Command::Clock => Experiment::Clock,
        Command::Node { .. } => Experiment::Node,
        Command::Logs { folder } => return logs(folder, &options, journal),
        Command::All => return all(&options, journal, catch_signals, show_progress),
    };
    let role = match options.server {
        Some(_) => Some(Role::Server),
        None => options.role,
    };
    let subject =
        suite::subject(experiment, role).map_err(|why| Failure::could_not_run("--role", why))?;
    let workload = match cli.command {
        Command::Node { workload } => {
            suite::check_workload(&workload)
                .map_err(|why| Failure::could_not_run("WORKLOAD", why))?;
            Some(workload)
        }
        _ => None,
    };
    let server = name_server(&options)?;
    let (command, address) = match &server {
        Some(server) if options.cmd.is_none() => (String::new(), server.addresses[0]),
        Some(server) => (options.command()?, own_server(server)?),
        None => (options.command()?, options.address(subject)?),
    };
    let plan = plan(&options, &[subject])?;
    let runs_already = command.is_empty();
    let plan = Plan {
        subject,
        command,
        workload,
        address,
        server,
        // Nothing is started.
        isolation: if runs_already {
            Isolation::None
        } else {
            plan.isolation
        },
        ..plan
    };
    let shutdown = catch_signals()?;
    if !runs_already {
        say_what_lacks(plan.isolation, journal);
    }
    let shows = shows_lines(&options);
    let part = grader::grade(&plan, shutdown, |graded| {
        if shows {
            let check = Event::check(
                graded.id.clone(),
                verdict(graded.status),
                text::requirement(graded),
            );
            journal.record(check);
        }
    })?;
    let summary = text::part(&part);
    finish(
        vec![Submission::new("submission", vec![part])],
        &plan,
        &options,
        journal,
        summary,
    )
}

/// The name server that the options name.
fn name_server(options: &Options) -> Result<Option<Server>, Failure> {
    let Some(text) = &options.server else {
        return match options.names {
            Some(_) => Err(Failure::could_not_run(
                "--names",
                "the names of a server: needs --server",
            )),
            None => Ok(None),
        };
    };
    let addresses = endpoint::connect("--server", text, naming::config::SERVER)?;
    let served = options
        .names
        .as_deref()
        .map_or_else(|| Ok(Served::handout()), Served::read)?;
    Ok(Some(Server {
        text: text.clone(),
        addresses,
        file: options.names.clone(),
        served,
    }))
}

/// Where a server listens that the command starts.
fn own_server(server: &Server) -> Result<SocketAddr, Failure> {
    let address = server.addresses[0];
    let checked = Subject::NamingServer.check_address(address);
    checked.map_err(|why| Failure::could_not_run(format!("--server {}", server.text), why))?;
    Ok(address)
}

/// Grades logs.
fn logs(folder: &Path, options: &Options, journal: &Journal) -> Result<Summary, Failure> {
    let pictures = options.pictures.as_deref();
    let part = logs::grade(folder, options.algorithm.as_deref(), pictures)?;
    if shows_lines(options) {
        for graded in &part.requirements {
            let line = text::requirement(graded);
            journal.record(Event::check(
                graded.id.clone(),
                verdict(graded.status),
                line,
            ));
        }
    }
    let summary = text::part(&part);
    let plan = general_plan(options)?;
    finish(
        vec![Submission::new("logs", vec![part])],
        &plan,
        options,
        journal,
        summary,
    )
}

/// Grades a class.
fn all<'app>(
    options: &Options,
    journal: &Journal,
    catch_signals: &dyn Fn() -> Result<&'app Shutdown, Failure>,
    show_progress: bool,
) -> Result<Summary, Failure> {
    let submissions = Options::path(
        "--submissions",
        options.submissions.as_ref(),
        "the folder of the submissions, each a folder or a file",
    )?;
    let what = "a JSON file that says what is graded of each submission";
    let file = Options::path("--suite", options.suite.as_ref(), what)?;
    let suite = Suite::read(&file)?;
    let failed = |path: &PathBuf| {
        let path = visible_path(path);
        move |error: std::io::Error| Failure::could_not_run(path, why(&error))
    };
    let submissions = real_path(&submissions).map_err(failed(&submissions))?;
    let found = Submissions::find(&submissions, &suite)?;
    for name in &found.left_out {
        let text = format!("{name}: no program of the suite, left out");
        journal.record(Event::error(Level::Warn, text));
    }
    pictures(options)?;
    let mut masks = vec![submissions];
    masks.extend(found.hidden().map(Path::to_owned));
    let secret = [
        options.suite.as_ref(),
        options.points.as_ref(),
        options.csv.as_ref(),
        options.pictures.as_ref(),
    ];
    masks.extend(
        secret
            .into_iter()
            .flatten()
            .filter_map(|path| real_path(path).ok()),
    );
    let plan = Plan {
        masks,
        limits: suite.limits.limits(),
        ..plan(options, &suite.subjects())?
    };
    let class = Class {
        submissions: found,
        suite,
        plan,
        jobs: options.jobs()?,
    };
    let shutdown = catch_signals()?;
    say_what_lacks(class.plan.isolation, journal);
    let shows = shows_lines(options);
    let bar = Progress::new(show_progress, class.submissions.all.len());
    let show = |submission: &Submission| {
        let statuses = submission.graded().map(|(_, graded)| graded.status);
        let worst = statuses.max().unwrap_or(Status::Pass);
        let line = text::submission(submission);
        journal.record(Event::check(submission.name.clone(), verdict(worst), line));
    };
    let graded = class.grade(shutdown, &|submission| {
        bar.one(&submission.name);
        if shows && !show_progress {
            show(submission);
        }
    });
    bar.end();
    let graded = graded?;
    if shows && show_progress {
        graded.iter().for_each(show);
    }
    if let Some(empty) = graded.iter().find(|submission| submission.parts.is_empty()) {
        let text = format!("{}: none of the files that the suite grades", empty.name);
        journal.record(Event::error(Level::Warn, text));
    }
    let full = graded
        .iter()
        .filter(|submission| submission.of > 0 && submission.points == submission.of)
        .count();
    let summary = format!(
        "{}, {full} with full marks",
        plural(graded.len() as u64, "submission")
    );
    finish(graded, &class.plan, options, journal, summary)
}

/// Writes the results and sums up.
fn finish(
    submissions: Vec<Submission>,
    plan: &Plan,
    options: &Options,
    journal: &Journal,
    summary: String,
) -> Result<Summary, Failure> {
    if shows_lines(options) {
        journal.record(Event::new(Kind::Output).text(summary.as_str()));
    }
    let all = submissions.iter().flat_map(Submission::graded);
    let worst = all
        .map(|(_, graded)| exit(graded))
        .max()
        .unwrap_or(Exit::Done);
    let results = Results {
        version: VERSION,
        seed: plan.seed,
        timeout_ms: u64::try_from(plan.timeout.as_millis()).unwrap_or(u64::MAX),
        repeat: plan.repeat,
        isolation: plan.isolation,
        points: submissions.iter().map(|submission| submission.points).sum(),
        of: submissions.iter().map(|submission| submission.of).sum(),
        submissions,
    };
    if let Some(path) = &options.csv {
        write_file("--csv", path, &csv::document(&results), journal)?;
    }
    write(&results, options, journal)?;
    let summary = Summary::done(summary).exit(worst);
    Ok(summary
        .count("points", results.points.into())
        .count("of", results.of.into()))
}

/// What the exit code says of this: points lost, or not graded.
fn exit(graded: &Graded) -> Exit {
    match graded.status {
        Status::Pass => Exit::Done,
        Status::GraderFault => Exit::CouldNotRun,
        _ => Exit::No,
    }
}

fn verdict(status: Status) -> Verdict {
    match status {
        Status::Pass => Verdict::Ok,
        Status::GraderFault => Verdict::Open,
        _ => Verdict::Fail,
    }
}

fn say_what_lacks(isolation: Isolation, journal: &Journal) {
    if let Some(lacks) = isolation.lacks() {
        journal.record(Event::new(Kind::Local).text(lacks));
    }
}

/// Whether the results are lines on standard output.
fn shows_lines(options: &Options) -> bool {
    let is_shown = options.output.as_deref().is_none_or(files::is_standard);
    options.format.unwrap_or_default() == Format::Text && is_shown
}

/// Writes the results in the form that is asked for.
fn write(results: &Results, options: &Options, journal: &Journal) -> Result<(), Failure> {
    let format = options.format.unwrap_or_default();
    let document = match report::document(results, format)? {
        Some(document) => document,
        None if shows_lines(options) => return Ok(()),
        None => text::document(results),
    };
    match &options.output {
        Some(path) => write_file("--output", path, &document, journal),
        None => {
            for line in document.lines() {
                journal.record(Event::new(Kind::Output).text(line));
            }
            Ok(())
        }
    }
}

fn write_file(flag: &str, path: &Path, text: &str, journal: &Journal) -> Result<(), Failure> {
    files::write(flag, path, |out| writeln!(out, "{text}"))?;
    if !files::is_standard(path) {
        journal.record(Event::new(Kind::Write).text(visible_path(path)));
    }
    Ok(())
}

/// The folder of the pictures, which is there then: a submission may not see it.
fn pictures(options: &Options) -> Result<Option<PathBuf>, Failure> {
    let Some(folder) = &options.pictures else {
        return Ok(None);
    };
    picture::make_folder(folder)?;
    Ok(Some(folder.clone()))
}

/// What the options say of every submission of these kinds.
fn plan(options: &Options, subjects: &[Subject]) -> Result<Plan, Failure> {
    let plan = general_plan(options)?;
    check_names("--only", &plan.only, subjects)?;
    check_names("--hidden", &plan.hidden, subjects)?;
    let points: Vec<String> = plan.points.keys().cloned().collect();
    check_names("--points", &points, subjects)?;
    Ok(Plan {
        isolation: Isolation::best(&own::file()?),
        ..plan
    })
}

fn general_plan(options: &Options) -> Result<Plan, Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::could_not_run("this folder", why(&error)))?;
    let subject = Subject::ThreadsServer;
    Ok(Plan {
        subject,
        command: String::new(),
        workload: None,
        build: None,
        folder,
        enter: None,
        masks: Vec::new(),
        isolation: Isolation::None,
        limits: Limits::default(),
        timeout: options.timeout()?,
        seed: options.seed.unwrap_or(1),
        repeat: options.repeat()?,
        address: subject.address(),
        server: None,
        pictures: pictures(options)?,
        only: options.only.clone().unwrap_or_default(),
        hidden: options.hidden.clone().unwrap_or_default(),
        points: points(options.points.as_ref())?,
    })
}

/// Refuses a name that no requirement has.
fn check_names(flag: &str, names: &[String], subjects: &[Subject]) -> Result<(), Failure> {
    let Some(name) = names.iter().find(|name| !class::is_known(subjects, name)) else {
        return Ok(());
    };
    let known = subjects
        .iter()
        .flat_map(|subject| inside::requirements(*subject));
    let id = name.split_once('/').map_or(name.as_str(), |(_, id)| id);
    let near = did_you_mean(id, known.map(|requirement| requirement.id));
    let words: Vec<&str> = subjects.iter().map(|subject| subject.word()).collect();
    let name = common::text::visible(name.as_bytes());
    let why = format!(
        "no requirement of {} is called {name}{near}",
        words.join(", ")
    );
    Err(Failure::could_not_run(flag, why))
}

/// Reads the points of requirements.
fn points(path: Option<&PathBuf>) -> Result<BTreeMap<String, u32>, Failure> {
    let Some(path) = path else {
        return Ok(BTreeMap::new());
    };
    let content = json::read_file(path, LONGEST_POINTS)?;
    json::parse(path, &content, || std::marker::PhantomData)
}
