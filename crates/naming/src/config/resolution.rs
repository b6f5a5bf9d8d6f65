//! The options of name resolution over several servers.

use std::{net::SocketAddr, time::Duration};

use common::{config::in_range, exit::Failure};

use super::{Cli, SERVER};
use crate::{recursive, resolver::Roots};

impl Cli {
    /// What a recursive server is to do; None when it is not to be one.
    ///
    /// # Errors
    /// When something is out of range, or is of no use to a recursive server (exit code 2).
    pub fn recursive_server(&self) -> Result<Option<(SocketAddr, recursive::Settings)>, Failure> {
        let options = &self.options;
        if options.recursive != Some(true) {
            let unused = [
                ("--root", options.root.is_some()),
                ("--cache", options.cache.is_some()),
                ("--allow", options.allow.is_some()),
            ];
            return match unused.into_iter().find(|(_, given)| *given) {
                Some((flag, _)) => Err(Failure::could_not_run(flag, "is of --recursive alone")),
                None => Ok(None),
            };
        }
        let of_names = [
            ("--names", options.names.is_some()),
            ("--mount", options.mount.is_some()),
            ("--delegate", options.delegate.is_some()),
            ("--store", options.store.is_some()),
            ("--zone", options.zone.is_some()),
            ("--key", options.key.is_some()),
            ("--secondary", options.secondary.is_some()),
            ("--ttl", options.ttl.is_some()),
            ("--workers", options.workers.is_some()),
        ];
        if let Some((flag, _)) = of_names.into_iter().find(|(_, given)| *given) {
            let why = "a recursive server has no names of its own; start another server for them";
            return Err(Failure::could_not_run(flag, why));
        }
        let mut roots = Vec::new();
        for root in options.root.iter().flatten() {
            roots.extend(root.connect("--root", SERVER)?);
        }
        let Some(roots) = Roots::new(roots) else {
            let why = "needs --root HOST:PORT, the server where resolution begins";
            return Err(Failure::could_not_run("--recursive", why));
        };
        let cache = in_range("--cache", options.cache.unwrap_or(16), 1, 65_536)?;
        let settings = recursive::Settings {
            roots,
            cache: cache << 20,
            allow: options.allow.clone().unwrap_or_default(),
            max_clients: self.max_clients()?,
            timeout: self.timeout(Duration::from_secs(10))?,
        };
        Ok(Some((self.listen()?.unwrap_or(SERVER), settings)))
    }

    /// Checks that nothing contradicts `--iterative`.
    ///
    /// # Errors
    /// What does (exit code 2).
    pub fn check_iterative(&self) -> Result<(), Failure> {
        let why = match &self.options {
            options if options.recursive == Some(true) => "and --recursive exclude each other",
            options if options.key.is_some() => {
                "asks servers that have no key in common: leave out --key"
            }
            _ => return Ok(()),
        };
        Err(Failure::could_not_run("--iterative", why))
    }
}
