//! What is graded, and how.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use common::{config::Period, sys::processes::quoted};

use crate::{
    inside,
    job::{NameServer, Subject},
    limits::Limits,
    probes::node::is_about,
    requirement::{Requirement, Status},
    results::Graded,
    sandbox::Isolation,
    served::Served,
};

/// A name server as the command line names it.
#[derive(Clone, Debug)]
pub struct Server {
    /// As it was given: `localhost:5300`.
    pub text: String,
    /// Its addresses.
    pub addresses: Vec<SocketAddr>,
    /// The file of its names, if they are not the handout's.
    pub file: Option<PathBuf>,
    /// Its names.
    pub served: Served,
}

/// What is graded, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the submission is.
    pub subject: Subject,
    /// Its command.
    pub command: String,
    /// What nodes are asked: `broadcast`.
    pub workload: Option<String>,
    /// A command that is run before.
    pub build: Option<String>,
    /// The folder in which it runs.
    pub folder: PathBuf,
    /// Words for a shell that go to the submission, before a command that probes it again.
    pub enter: Option<String>,
    /// What it does not see.
    pub masks: Vec<PathBuf>,
    /// How it is kept apart.
    pub isolation: Isolation,
    /// What it may use.
    pub limits: Limits,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What chance decides.
    pub seed: u64,
    /// How often each requirement is probed; it is met when all probes pass.
    pub repeat: u32,
    /// Where it listens or connects to.
    pub address: SocketAddr,
    /// The name server to ask; none is the one at `address`, with the handout's names.
    pub server: Option<Server>,
    /// The folder of the pictures, where they are drawn.
    pub pictures: Option<PathBuf>,
    /// The requirements; none are all.
    pub only: Vec<String>,
    /// Those whose details are kept from the student.
    pub hidden: Vec<String>,
    /// Points that are not the requirement's own: `idle`, or `threads-server/idle`.
    pub points: BTreeMap<String, u32>,
}

impl Plan {
    /// The requirements that are probed.
    pub fn requirements(&self) -> Vec<&'static Requirement> {
        let all = inside::requirements(self.subject).iter();
        let name_server = self.name_server();
        let can_be_asked = |requirement: &Requirement| {
            let asked = name_server.as_ref();
            asked.is_none_or(|server| self.can_ask(server, requirement.id))
        };
        let is_wanted = |requirement: &&Requirement| {
            let is_named = self.only.is_empty() || names(&self.only, self.subject, requirement.id);
            let workload = self.workload.as_deref();
            is_named
                && workload.is_none_or(|workload| is_about(requirement.id, workload))
                && can_be_asked(requirement)
                && requirement
                    .when
                    .is_none_or(|word| self.command.contains(word))
        };
        all.filter(is_wanted).collect()
    }

    /// What a name server is asked.
    pub fn name_server(&self) -> Option<NameServer> {
        (self.subject == Subject::NamingServer).then(|| match &self.server {
            Some(server) => NameServer {
                addresses: server.addresses.clone(),
                served: server.served.clone(),
            },
            None => NameServer {
                addresses: vec![self.address],
                served: Served::handout(),
            },
        })
    }

    /// Whether a name server has what this requirement asks for.
    fn can_ask(&self, server: &NameServer, id: &str) -> bool {
        let served = &server.served;
        match id {
            "flat" => !served.flat.is_empty(),
            "structured" => !served.structured.is_empty(),
            "missing-name" => !served.missing.is_empty(),
            "missing-region" => !served.missing_region.is_empty(),
            "longer" => !served.longer.is_empty(),
            "nested" => !served.nested.is_empty() || self.command.contains("{names}"),
            "tidy" => !self.command.is_empty(),
            _ => true,
        }
    }

    /// The points of a requirement.
    pub fn worth(&self, requirement: &Requirement) -> u32 {
        let whole = format!("{}/{}", self.subject.word(), requirement.id);
        let own = self
            .points
            .get(&whole)
            .or_else(|| self.points.get(requirement.id));
        own.copied().unwrap_or(requirement.points)
    }

    /// A command that probes this requirement again.
    pub fn reproduce(&self, id: &str, run: u32) -> String {
        let mut words = Vec::new();
        if let Some(enter) = &self.enter {
            words.push(format!("{enter} &&"));
        }
        if let Some(build) = &self.build {
            words.push(format!("{build} &&"));
        }
        let seed = self.seed.wrapping_add(run.into());
        let workload = self
            .workload
            .as_ref()
            .map(|workload| format!(" {workload}"));
        words.push(format!(
            "grade {}{}",
            self.subject.command(),
            workload.unwrap_or_default(),
        ));
        if self.subject == Subject::NamingServer {
            let server = self.server.as_ref();
            let address =
                server.map_or_else(|| self.address.to_string(), |server| server.text.clone());
            words.push(format!("--server {}", quoted(&address)));
            if let Some(file) = server.and_then(|server| server.file.as_ref()) {
                words.push(format!("--names {}", quoted(&file.to_string_lossy())));
            }
        }
        if !self.command.is_empty() {
            words.push(format!("--cmd {}", quoted(&self.command)));
        }
        if self.subject != Subject::NamingServer && self.address != self.subject.address() {
            words.push(format!("--address {}", self.address));
        }
        words.push(format!("--only {id} --seed {seed}"));
        // Nodes have the time that `lamport run` gives them.
        if self.subject != Subject::Node {
            words.push(format!("--timeout {}", Period(self.timeout)));
        }
        words.join(" ")
    }
}

/// Whether a list of requirements names this one, alone or with its part.
pub fn names(list: &[String], subject: Subject, id: &str) -> bool {
    let is_it = |name: &String| match name.split_once('/') {
        Some((part, name)) => part == subject.word() && name == id,
        None => name == id,
    };
    list.iter().any(is_it)
}

/// A requirement of which nothing is known: no points.
pub fn ungraded(plan: &Plan, requirement: &Requirement) -> Graded {
    Graded {
        id: requirement.id.to_owned(),
        sentence: requirement.sentence.to_owned(),
        source: requirement.source.to_owned(),
        status: Status::GraderFault,
        points: 0,
        of: plan.worth(requirement),
        passed: 0,
        runs: 1,
        elapsed_ms: 0,
        hidden: names(&plan.hidden, plan.subject, requirement.id),
        what: None,
        sent: None,
        received: None,
        expected: None,
        stderr: None,
        limit: None,
        picture: None,
        reproduce: plan.reproduce(requirement.id, 0),
    }
}
