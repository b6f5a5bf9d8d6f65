//! The system's table of routes, where only that says which of several routes to the groups is taken: that with the lowest
//! metric on Windows, the only one on macOS and the BSDs.

use std::net::{IpAddr, Ipv4Addr};

use super::{super::interface::Interface, finding::Finding, links::as_over, tool::output};
use crate::{
    event::Verdict,
    sys::commands::{self, ROUTES, Routes},
};

const CHECK: &str = "route metric";

/// A route to the groups.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Route {
    /// The address, the name or the index of its interface.
    over: String,
    /// The lower, the better; None: the system has one route alone.
    metric: Option<u32>,
}

/// Whether the groups are routed over one of these interfaces for programs that name none; None where the system has no
/// table to read.
pub(super) fn check(group: IpAddr, joined: &[Interface]) -> Option<Finding> {
    let (form, tools) = ROUTES?;
    let (program, arguments) = tools[usize::from(group.is_ipv6())];
    let tool = [&[program], arguments].concat().join(" ");
    let open = |what: String| Finding::new(CHECK, Verdict::Open, what, "");
    let Ok(Some(text)) = output(program, arguments) else {
        return Some(open(format!("not checked: {tool} fails")));
    };
    let routes = routes(form, &text, group.is_ipv4());
    let Some(best) = routes.iter().min_by_key(|route| route.metric) else {
        return Some(open(format!(
            "not checked: {tool} shows no route to groups"
        )));
    };
    let shown = |route: &Route| match route.metric {
        Some(metric) => format!("{} (metric {metric})", route.over),
        None => route.over.clone(),
    };
    let all: Vec<_> = routes.iter().map(shown).collect();
    let what = format!("groups are routed over {}", all.join(", "));
    if joined.iter().any(|interface| is_over(best, interface)) {
        return Some(Finding::ok(CHECK, what));
    }
    let what = format!(
        "{what}: programs that name no interface, as the handout's, use {}",
        best.over
    );
    let remedy = commands::prefer(as_over(&joined[0]));
    Some(Finding::new(CHECK, Verdict::Warn, what, remedy))
}

fn is_over(route: &Route, interface: &Interface) -> bool {
    let Interface {
        name,
        index,
        address,
        ..
    } = interface;
    [name.clone(), address.to_string(), index.to_string()].contains(&route.over)
}

/// The routes to all groups in a table.
fn routes(form: Routes, text: &str, v4: bool) -> Vec<Route> {
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let route = |line: &str| {
        let words = words(line);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match (form, v4, &words[..]) {
            // Destination, mask, gateway, interface, metric. Of the persistent routes below there is no interface.
            (Routes::RoutePrint, true, ["224.0.0.0", "240.0.0.0", .., over, metric])
                if over.parse::<Ipv4Addr>().is_ok() =>
            {
                Some(Route {
                    over: (*over).to_owned(),
                    metric: Some(metric.parse().ok()?),
                })
            }
            // Interface, metric, destination, gateway.
            (Routes::RoutePrint, false, [over, metric, "ff00::/8", ..]) => Some(Route {
                over: (*over).to_owned(),
                metric: Some(metric.parse().ok()?),
            }),
            // Destination, gateway, flags, interface, and on macOS perhaps the time when it expires.
            (Routes::Netstat, true, ["224.0.0/4" | "224.0.0.0/4", _, _, over, ..])
            | (Routes::Netstat, false, ["ff00::/8", _, _, over, ..]) => Some(Route {
                over: (*over).to_owned(),
                metric: None,
            }),
            _ => None,
        }
    };
    text.lines().filter_map(route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(over: &str, metric: impl Into<Option<u32>>) -> Route {
        Route {
            over: over.into(),
            metric: metric.into(),
        }
    }

    #[test]
    fn route_print_is_read_in_any_language() {
        let v4 = "IPv4-Routentabelle\r\n=====\r\nAktive Routen:\r\n\
            \x20         0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.20     25\r\n\
            \x20       224.0.0.0        240.0.0.0   Auf Verbindung         127.0.0.1    331\r\n\
            \x20       224.0.0.0        240.0.0.0         On-link      192.168.1.20    281\r\n\
            Ständige Routen:\r\n        224.0.0.0        240.0.0.0         On-link          1\r\n";
        assert_eq!(
            routes(Routes::RoutePrint, v4, true),
            [route("127.0.0.1", 331), route("192.168.1.20", 281)]
        );
        let v6 = "Active Routes:\r\n If Metric Network Destination      Gateway\r\n\
            \x20 1    331 ::1/128                  On-link\r\n  1    331 ff00::/8                 On-link\r\n\
            \x20 7    281 ff00::/8                 On-link\r\n";
        assert_eq!(
            routes(Routes::RoutePrint, v6, false),
            [route("1", 331), route("7", 281)]
        );
        assert_eq!(routes(Routes::RoutePrint, "", true), []);
    }

    #[test]
    fn netstat_is_read() {
        let macos = "Routing tables\n\nInternet:\nDestination        Gateway            Flags               Netif Expire\n\
            default            192.168.1.1        UGScg                 en0       \n\
            224.0.0/4          link#6             UmCS                  en0      !\n\
            224.0.0.251        1:0:5e:0:0:fb      UHmLWI                en0       \n";
        assert_eq!(routes(Routes::Netstat, macos, true), [route("en0", None)]);
        let freebsd = "Internet6:\nDestination                       Gateway                       Flags     Netif Expire\n\
            ff00::/8                          fe80::1%lo0                   US          lo0\n";
        assert_eq!(
            routes(Routes::Netstat, freebsd, false),
            [route("lo0", None)]
        );
    }

    #[test]
    fn a_route_is_over_an_interface_by_name_address_or_index() {
        let lo = &Interface::find(None, "224.1.1.1".parse().unwrap()).unwrap()[0];
        for over in [&lo.name, "127.0.0.1", &lo.index.to_string()] {
            assert!(is_over(&route(over, None), lo));
        }
        assert!(!is_over(&route("en7", None), lo));
    }
}
