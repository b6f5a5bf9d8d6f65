//! The commands that resolve names: in the names at hand, or at a name server.

use std::{net::IpAddr, time::Duration};

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
    text::{micros, plural, visible, whole_micros},
};
use domain::base::{
    Header, Message,
    iana::{Rcode, Rtype},
};

use crate::{
    answers::Answers,
    client::Client,
    config::{self, Cli},
    context::Context,
    dns::{
        owner::{Owner, Zones, of_address},
        publish, shown,
    },
    handout,
    name::{Path, Place},
    names::serial_of_now,
    space::{Meaning, Space},
    tree, zonefile,
};

/// `naming` without a command: the handout's program.
pub fn handout(space: &Space, journal: &Journal) -> Summary {
    let mut answers = Answers::new(journal);
    let (flat, structured) = (Context::flat(space), Context::structured(space));
    if let Err(failure) = handout::run(&flat, &structured, &mut answers) {
        answers.missing(&failure);
    }
    answers.summary()
}

/// `flat` and `structured`: resolves each name; one that does not resolve is an error, and the others are still resolved.
///
/// # Errors
/// When a name or `--at` is not valid (exit code 2).
pub fn resolve(
    cli: &Cli,
    space: &Space,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let at = cli.at()?;
    if !at.steps.is_empty() {
        let from_root = Path {
            absolute: true,
            steps: at.steps.clone(),
        };
        space
            .node(&from_root, &Path::ROOT)
            .map_err(|failure| Failure::could_not_run(format!("--at {at}"), failure.why))?;
    }
    let mut answers = Answers::new(journal);
    for question in cli.questions()? {
        answers.show(&question.to_string(), space.look_up(&question, &at));
        if shutdown.requested() {
            break;
        }
    }
    Ok(answers.summary())
}

/// `explain`: resolves each name and shows every step.
///
/// # Errors
/// When a name or `--at` is not valid (exit code 2).
pub fn explain(cli: &Cli, space: &Space, journal: &Journal) -> Result<Summary, Failure> {
    let mut answers = Answers::new(journal);
    let at = cli.at()?;
    for question in cli.questions()? {
        let line = |text: String| journal.record(Event::new(Kind::Output).text(text));
        let (steps, found) = space.explain(&question, &at);
        line(question.to_string());
        for (number, step) in steps.iter().enumerate() {
            line(format!("  {}. {step}", number + 1));
        }
        match found {
            Ok(values) => {
                let event = Event::new(Kind::Resolve);
                answers.resolved([event.resolved(question.to_string(), values.to_string())]);
            }
            Err(failure) => answers.missing(&failure),
        }
    }
    Ok(answers.summary())
}

/// `list`: every name with what it stands for.
pub fn list(space: &Space, journal: &Journal, shutdown: &Shutdown) -> Summary {
    let mut count = 0;
    let mut show = |place: &Place, value: String| {
        if !shutdown.requested() {
            count += 1;
            journal.record(Event::new(Kind::Resolve).resolved(place.to_string(), value));
        }
    };
    for (place, meaning) in space.meanings() {
        match meaning {
            Meaning::Values(values) => {
                for value in values.as_slice() {
                    show(&place, value.plain());
                }
            }
            Meaning::Symlink(link) => show(&place, format!("alias of {link}")),
            Meaning::Delegation(delegation) => {
                show(&place, delegation.clone().with_ttl(None).to_string());
            }
            link => show(&place, link.to_string()),
        }
    }
    Summary::done(plural(count, "value")).count("values", count)
}

/// `tree`: draws both name spaces.
pub fn tree(space: &Space, journal: &Journal, shutdown: &Shutdown) -> Summary {
    let mut lines = Output::new(journal, shutdown);
    tree::draw(space, |line| lines.print(line));
    lines.summary()
}

/// `export`: prints all names as a zone file.
///
/// # Errors
/// When a name is too long for DNS in the zone (exit code 2).
pub fn export(
    cli: &Cli,
    space: &Space,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let listen = cli.listen()?.map(|listen| listen.ip());
    let settings = publish::Settings {
        zones: cli.zones()?,
        ttl: cli.ttl()?,
        address: config::one_address(listen.unwrap_or([127, 0, 0, 1].into())),
    };
    for problem in zonefile::problems(space, &settings) {
        let text = format!("zone {}: {problem}", settings.zones.names);
        journal.record(Event::error(Level::Warn, text));
    }
    let mut lines = Output::new(journal, shutdown);
    zonefile::export(space, serial_of_now(), &settings, |line| lines.print(line))?;
    Ok(lines.summary())
}

/// The lines of a drawing or a file, until a stop is requested.
struct Output<'a> {
    journal: &'a Journal,
    shutdown: &'a Shutdown,
    count: u64,
}

impl<'a> Output<'a> {
    fn new(journal: &'a Journal, shutdown: &'a Shutdown) -> Self {
        Self {
            journal,
            shutdown,
            count: 0,
        }
    }

    fn print(&mut self, line: String) {
        if !self.shutdown.requested() {
            self.count += 1;
            self.journal.record(Event::new(Kind::Output).text(line));
        }
    }

    fn summary(&self) -> Summary {
        Summary::done(plural(self.count, "line")).count("lines", self.count)
    }
}

/// `resolve`: asks a name server.
///
/// # Errors
/// When it does not answer, or a name is not valid (exit code 2).
pub fn server(
    cli: &Cli,
    queries: &[String],
    rtype: Option<&str>,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let client = Client::new(cli, journal, shutdown)?;
    let zones = cli.zones()?;
    let mut answers = Answers::new(journal);
    let mut warned = false;
    for name in queries {
        let (owner, types) = question(cli, name, rtype, &zones)?;
        let shown = visible(name.as_bytes());
        let reply = ask(&client, &owner, types)?;
        if client.recursion && !reply.recursive && !warned {
            warned = true;
            let text = format!(
                "{} offers no recursive resolution (RA is off): it answers from its own zones alone; --iterative asks the others, too",
                client.server()
            );
            journal.record(Event::error(Level::Warn, text).peer(client.server()));
        }
        if let Some(why) = reply.why_missing(&client, &owner) {
            answers.missing(&Failure::no(shown, why));
            continue;
        }
        let took = whole_micros(reply.took);
        answers.resolved(reply.values.into_iter().map(|value| {
            let event = Event::new(Kind::Resolve).resolved(shown.clone(), value);
            event.peer(client.server()).counts([("elapsed_us", took)])
        }));
        let over = match reply.tcp {
            true => "TCP, because the answer is too long for UDP,",
            false => "UDP",
        };
        let text = format!(
            "{} answered for {owner} over {over} in {}",
            client.server(),
            micros(took)
        );
        journal.record(Event::new(Kind::Report).peer(client.server()).text(text));
    }
    Ok(answers.summary())
}

/// What the server answered to the queries for one name.
struct Reply {
    values: Vec<String>,
    rcode: Rcode,
    /// The zone cut that the last answer refers to, in words.
    referral: Option<String>,
    took: Duration,
    tcp: bool,
    /// Whether the server resolves names recursively (RA).
    recursive: bool,
}

impl Reply {
    /// Why there are no values, when there are none.
    fn why_missing(&self, client: &Client, owner: &Owner) -> Option<String> {
        let server = client.server();
        self.values.is_empty().then(|| match self.rcode {
            Rcode::NOERROR if self.referral.is_some() => {
                let referral = self.referral.as_deref().unwrap_or_default();
                format!("{server} refers to another server: {referral}; --iterative goes on there")
            }
            Rcode::NOERROR => format!("{server} has {owner}, but no record of this type for it"),
            Rcode::NXDOMAIN => format!("{server} has no {owner}"),
            rcode => format!("{server} answers {} for {owner}", shown::rcode(rcode)),
        })
    }
}

/// Asks for the records of each type, until a query fails.
fn ask(client: &Client, owner: &Owner, types: Vec<Rtype>) -> Result<Reply, Failure> {
    let mut reply = Reply {
        values: Vec::new(),
        rcode: Rcode::NOERROR,
        referral: None,
        took: Duration::ZERO,
        tcp: false,
        recursive: false,
    };
    for rtype in types {
        let answer = client.ask(owner, rtype)?;
        reply.took += answer.took;
        reply.tcp |= answer.tcp;
        let header = Message::from_octets(&answer.message).map(|message| message.header());
        reply.rcode = header.map_or(Rcode::SERVFAIL, Header::rcode);
        reply.recursive |= header.is_ok_and(Header::ra);
        reply.referral = shown::referral(&answer.message).map(|_| shown::outcome(&answer.message));
        let records = shown::chain(&answer.message, owner, rtype)
            .map_err(|why| Failure::could_not_run(format!("server {}", client.server()), why))?;
        reply.values.extend(records.iter().map(shown::data));
        if reply.rcode != Rcode::NOERROR {
            break;
        }
    }
    Ok(reply)
}

/// The domain name and the record types to ask for.
///
/// # Errors
/// When one of them is not valid (exit code 2).
pub fn question(
    cli: &Cli,
    name: &str,
    rtype: Option<&str>,
    zones: &Zones,
) -> Result<(Owner, Vec<Rtype>), Failure> {
    let shown = visible(name.as_bytes());
    let wrong = |why: String| Failure::could_not_run(format!("name {shown}"), why);
    if let Ok(address) = name.parse::<IpAddr>() {
        let types = rtype.map_or(Ok(vec![Rtype::PTR]), |given| config::types(Some(given)))?;
        return Ok((of_address(address), types));
    }
    let owner = if name.ends_with('.') && name.len() > 1 {
        name.parse().map_err(wrong)?
    } else {
        zones.owner(&cli.place(name)?).map_err(wrong)?
    };
    Ok((owner, config::types(rtype)?))
}
