//! What the commands that ask do: in the names at hand, or a name server.

use std::{net::IpAddr, sync::Arc, time::Duration};

use common::{
    event::{Event, Kind},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
    text::{micros, plural, visible, whole_micros},
};
use domain::base::{
    Message,
    iana::{Rcode, Rtype},
};

use crate::{
    client::Client,
    config::{self, Cli, Command},
    dns::{
        owner::{Owner, of_address},
        publish, shown,
    },
    names::look_up,
    space::{Meaning, Space},
    tree, zonefile,
};

/// Answers every question; a name that does not resolve is told as an error and does not keep the others from it.
///
/// # Errors
/// When a question is none (exit code 2).
pub fn names(
    cli: &Cli,
    space: &Space,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let at = cli.at()?;
    if !at.steps.is_empty() {
        space
            .node(
                &crate::name::Path::of(true, at.steps.clone()),
                &crate::name::Path::ROOT,
            )
            .map_err(|failure| Failure::could_not_run(format!("--at {at}"), failure.why))?;
    }
    let (mut resolved, mut missing) = (0, 0);
    for question in cli.questions()? {
        match look_up(space, &question, &at) {
            Ok(values) => {
                for value in values.as_slice() {
                    journal.record(
                        Event::new(Kind::Resolve).resolved(question.to_string(), value.plain()),
                    );
                }
                resolved += 1;
            }
            Err(unresolved) => {
                journal.record(Event::failure(&unresolved));
                missing += 1;
            }
        }
        if shutdown.requested() {
            break;
        }
    }
    Ok(counted(resolved, missing))
}

fn counted(resolved: u64, missing: u64) -> Summary {
    let text = format!("{} resolved, {missing} not", plural(resolved, "name"));
    let exit = if missing > 0 { Exit::No } else { Exit::Done };
    Summary::done(text)
        .exit(exit)
        .count("resolved", resolved)
        .count("missing", missing)
}

/// Lists, draws or exports all names.
///
/// # Errors
/// When they cannot be exported (exit code 2).
pub fn all(
    cli: &Cli,
    space: &Space,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let mut names = 0;
    let mut line = |event: Event| {
        if !shutdown.requested() {
            names += u64::from(event.value.is_some());
            journal.record(event);
        }
    };
    match &cli.command {
        Some(Command::Tree) => tree::draw(space, line),
        Some(Command::Export) => {
            let settings = publish::Settings {
                zones: cli.zones()?,
                ttl: cli.ttl()?,
                address: cli
                    .options
                    .listen
                    .map(|listen| listen.ip())
                    .or(Some([127, 0, 0, 1].into())),
            };
            zonefile::export(space, serial_of_now(), &settings, |text| {
                line(Event::new(Kind::Resolve).text(text))
            })?;
        }
        _ => {
            for (place, meaning) in space.meanings() {
                match meaning {
                    Meaning::Values(values) => {
                        for value in values.as_slice() {
                            line(
                                Event::new(Kind::Resolve)
                                    .resolved(place.to_string(), value.plain()),
                            );
                        }
                    }
                    other => line(
                        Event::new(Kind::Resolve).resolved(place.to_string(), other.to_string()),
                    ),
                }
            }
        }
    }
    Ok(Summary::done(plural(names, "value")).count("values", names))
}

/// A serial that grows with time (RFC 1982).
pub fn serial_of_now() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| since.as_secs() as u32).max(1)
}

/// Shows every step of a resolution.
///
/// # Errors
/// When a question is none (exit code 2).
pub fn explain(cli: &Cli, space: &Space, journal: &Journal) -> Result<Summary, Failure> {
    let (mut resolved, mut missing) = (0, 0);
    let at = cli.at()?;
    for question in cli.questions()? {
        let step = |text: String| {
            journal.record(Event {
                name: Some(question.to_string()),
                ..Event::new(Kind::Resolve).text(text)
            })
        };
        let (steps, found) = space.explain(&question, &at);
        step(format!("{question}"));
        for (number, text) in steps.iter().enumerate() {
            step(format!("  {}. {text}", number + 1));
        }
        match found {
            Ok(values) => {
                let text = format!("  so {question} is {values}");
                journal.record(
                    Event::new(Kind::Resolve)
                        .resolved(question.to_string(), values.to_string())
                        .text(text),
                );
                resolved += 1;
            }
            Err(unresolved) => {
                journal.record(Event::failure(&unresolved));
                missing += 1;
            }
        }
    }
    Ok(counted(resolved, missing))
}

/// The server that the options name.
///
/// # Errors
/// When none is named, or it has no address (exit code 2).
pub fn client<'c>(
    cli: &Cli,
    journal: &'c Journal,
    shutdown: &'c Shutdown,
) -> Result<Client<'c>, Failure> {
    let server = cli.options.server.as_deref().unwrap_or(config::SERVER);
    let addresses = common::net::resolve("--server", server)?;
    Ok(Client {
        server: addresses[0],
        key: cli.keys()?.into_values().next(),
        timeout: cli.timeout(Duration::from_secs(5))?,
        journal,
        shutdown,
    })
}

/// Asks a name server.
///
/// # Errors
/// When it does not answer, or a name is none (exit code 2).
pub fn server(
    cli: &Cli,
    asked: &[String],
    rtype: Option<&str>,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let client = client(cli, journal, shutdown)?;
    let zones = cli.zones()?;
    let (mut resolved, mut missing) = (0, 0);
    for name in asked {
        let (owner, types) = question(cli, name, rtype, &zones)?;
        let (mut values, mut took, mut tcp, mut code) =
            (Vec::new(), Duration::ZERO, false, Rcode::NOERROR);
        for rtype in types {
            let answer = client.ask(&owner, rtype)?;
            took += answer.took;
            tcp |= answer.tcp;
            code = Message::from_octets(&answer.message)
                .map_or(Rcode::SERVFAIL, |message| message.header().rcode());
            let of_type = |found: Rtype| found == rtype || rtype == Rtype::ANY;
            let records = shown::answers(&answer.message);
            values.extend(
                records
                    .iter()
                    .filter(|record| of_type(record.rtype()))
                    .map(shown::data),
            );
            if code != Rcode::NOERROR {
                break;
            }
        }
        if values.is_empty() {
            let why = match code {
                Rcode::NOERROR => format!(
                    "{} has {owner}, and nothing of this kind for it",
                    client.server
                ),
                Rcode::NXDOMAIN => format!("{} has no {owner}", client.server),
                code => format!("{} says {} to {owner}", client.server, shown::rcode(code)),
            };
            journal.record(Event::failure(&Failure::no(visible(name.as_bytes()), why)));
            missing += 1;
            continue;
        }
        for value in &values {
            let event = Event::new(Kind::Resolve).resolved(visible(name.as_bytes()), value.clone());
            journal.record(
                event
                    .peer(client.server)
                    .counts([("elapsed_us", whole_micros(took))]),
            );
        }
        let over = if tcp {
            "TCP, the answer being too long for UDP,"
        } else {
            "UDP"
        };
        let text = format!(
            "{} answered for {owner} over {over} in {}",
            client.server,
            micros(whole_micros(took))
        );
        journal.record(Event::new(Kind::Local).peer(client.server).text(text));
        resolved += 1;
    }
    Ok(counted(resolved, missing))
}

fn question(
    cli: &Cli,
    name: &str,
    rtype: Option<&str>,
    zones: &Arc<crate::dns::owner::Zones>,
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
