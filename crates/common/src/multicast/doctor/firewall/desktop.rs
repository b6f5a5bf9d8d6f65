//! The firewalls of Windows, macOS and the BSDs, by what netsh, socketfilterfw(8) and pfctl(8) print. What they print in
//! another language, or in another form, is open.

use super::super::{
    finding::Finding,
    tool::output,
    traffic::{CHECK, Traffic},
};
use crate::{
    event::Verdict,
    sys::commands::{AS_ADMINISTRATOR, word},
    text::visible,
};

/// What a firewall does to what comes from the network.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Inbound {
    /// It is switched off.
    Off,
    /// It lets pass what no rule drops.
    Passes,
    /// It drops what no rule lets pass.
    Drops,
    /// It drops all, whatever the rules.
    DropsAll,
}

/// Windows Defender Firewall.
pub(super) fn windows(traffic: Traffic) -> Finding {
    let Traffic { port, network, .. } = traffic;
    if !network {
        return local("the firewall of Windows");
    }
    let state = match output("netsh", &["advfirewall", "show", "currentprofile"]) {
        Ok(Some(text)) => of_windows(&text),
        _ => None,
    };
    let Some(state) = state else {
        let what = "not checked: netsh advfirewall show currentprofile does not say ON or OFF";
        return Finding::new(CHECK, Verdict::Open, what, "");
    };
    let name = format!("lab-udp-{port}");
    let (verdict, what) = match state {
        Inbound::Off => return Finding::ok(CHECK, "the firewall of Windows is off"),
        Inbound::Passes => {
            let what = "the firewall of Windows lets pass what no rule drops";
            return Finding::ok(CHECK, what);
        }
        Inbound::DropsAll => {
            let what = "the firewall of Windows drops all that comes from the network";
            let remedy =
                "netsh advfirewall set currentprofile firewallpolicy blockinbound,allowoutbound";
            return Finding::new(CHECK, Verdict::Warn, what, remedy);
        }
        Inbound::Drops => {
            let rule = format!("name={name}");
            let shown = output("netsh", &["advfirewall", "firewall", "show", "rule", &rule]);
            if matches!(shown, Ok(Some(_))) {
                return Finding::ok(
                    CHECK,
                    format!("the rule {name} lets UDP to port {port} pass"),
                );
            }
            (
                Verdict::Warn,
                "the firewall of Windows drops what comes from the network, but for programs that were allowed when it asked",
            )
        }
    };
    let remedy = format!(
        "netsh advfirewall firewall add rule name={name} dir=in action=allow protocol=udp localport={port}"
    );
    Finding::new(CHECK, verdict, what, remedy)
}

/// What `netsh advfirewall show currentprofile` says; None where it is not understood.
fn of_windows(text: &str) -> Option<Inbound> {
    let state = text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_state = words.next() == Some("State");
        is_state.then(|| words.next()).flatten()
    })?;
    match state {
        "OFF" => Some(Inbound::Off),
        "ON" if text.contains("BlockInboundAlways") => Some(Inbound::DropsAll),
        "ON" if text.contains("BlockInbound") => Some(Inbound::Drops),
        "ON" if text.contains("AllowInbound") => Some(Inbound::Passes),
        _ => None,
    }
}

/// The application firewall of macOS.
pub(super) fn application(traffic: Traffic) -> Finding {
    const PROGRAM: &str = "/usr/libexec/ApplicationFirewall/socketfilterfw";
    if !traffic.network {
        return local("the application firewall");
    }
    let says = |flag| output(PROGRAM, &[flag]).ok().flatten();
    let all = says("--getglobalstate").zip(says("--getblockall"));
    let state = all.and_then(|(state, all)| of_macos(&state, &all));
    match state {
        None => {
            let what = format!("not checked: {PROGRAM} --getglobalstate does not say its state");
            Finding::new(CHECK, Verdict::Open, what, "")
        }
        Some(Inbound::Off | Inbound::Passes) => {
            Finding::ok(CHECK, "the application firewall is off")
        }
        Some(Inbound::DropsAll) => {
            let what = "the application firewall drops all that comes from the network";
            let remedy = format!("sudo {PROGRAM} --setblockall off");
            Finding::new(CHECK, Verdict::Warn, what, remedy)
        }
        Some(Inbound::Drops) => {
            let what = "the application firewall drops what comes from the network, but for programs that were allowed when it asked";
            let own = std::env::current_exe().unwrap_or_default();
            let own = word(&own.to_string_lossy());
            let remedy = format!("sudo {PROGRAM} --add {own} --unblockapp {own}");
            Finding::new(CHECK, Verdict::Warn, what, remedy)
        }
    }
}

/// What socketfilterfw says of its state and of whether it blocks all; None where it is not understood.
fn of_macos(state: &str, all: &str) -> Option<Inbound> {
    let number = state.split_once("State = ")?.1.chars().next()?;
    let all = all.to_lowercase();
    match number {
        '0' => Some(Inbound::Off),
        _ if all.contains("enabled") => Some(Inbound::DropsAll),
        '1' => Some(Inbound::Drops),
        '2' => Some(Inbound::DropsAll),
        _ => None,
    }
}

/// The packet filter of the BSDs and macOS.
pub(super) fn pf(traffic: Traffic) -> Finding {
    let open = |what, remedy| Finding::new(CHECK, Verdict::Open, what, remedy);
    let info = match output("pfctl", &["-s", "info"]) {
        Ok(Some(info)) => info,
        Ok(None) => {
            let what = "pf is not checked: it is not loaded, or only the administrator may ask it";
            return open(what, AS_ADMINISTRATOR);
        }
        Err(()) => return open("pf is not checked: no pfctl", ""),
    };
    if !info.contains("Status: Enabled") {
        return Finding::ok(CHECK, "pf is off");
    }
    let Ok(Some(rules)) = output("pfctl", &["-s", "rules"]) else {
        return open("pf is not checked: pfctl -s rules fails", AS_ADMINISTRATOR);
    };
    let Some(rule) = dropping(&rules, traffic) else {
        let what = format!("no rule of pf drops UDP to port {}", traffic.port);
        return Finding::ok(CHECK, what);
    };
    let what = format!(
        "a rule of pf that may drop the datagrams: {}",
        visible(rule.as_bytes())
    );
    let remedy = format!(
        "at the end of /etc/pf.conf: pass in quick proto udp to any port {}",
        traffic.port
    );
    Finding::new(CHECK, Verdict::Warn, what, remedy)
}

/// The last rule that concerns the datagrams, or the first of them with `quick`, if it drops them: the last one that
/// matches decides (pf.conf(5)).
fn dropping(rules: &str, traffic: Traffic) -> Option<&str> {
    let mut decides = None;
    for rule in rules.lines().map(str::trim) {
        let words: Vec<_> = rule.split_whitespace().collect();
        let has = |wanted: &str| words.contains(&wanted);
        let other_protocol = words
            .windows(2)
            .any(|pair| pair[0] == "proto" && pair[1] != "udp");
        let other_family = has(if traffic.v4 { "inet6" } else { "inet" });
        let other_port = words.windows(3).any(|three| {
            let [port, equals, number] = [three[0], three[1], three[2]];
            port == "port" && equals == "=" && number != traffic.port.to_string()
        });
        // What comes over the loopback interface alone is not from the network, and the other way round.
        let other_interface = words
            .windows(2)
            .any(|pair| pair[0] == "on" && (pair[1] == "lo0") == traffic.network);
        let concerns = (has("block") || has("pass")) && !has("out");
        if concerns && !other_protocol && !other_family && !other_port && !other_interface {
            decides = Some(rule);
            if has("quick") {
                break;
            }
        }
    }
    decides.filter(|rule| rule.starts_with("block"))
}

fn local(firewall: &str) -> Finding {
    let what = format!("{firewall} lets pass what stays on this machine");
    Finding::ok(CHECK, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netsh_is_understood_in_english_alone() {
        let text = |state: &str, policy: &str| {
            format!(
                "\r\nPublic Profile Settings: \r\n----------\r\nState                                 {state}\r\nFirewall Policy                       {policy}\r\nLocalFirewallRules                    N/A (GPO-store only)\r\nOk.\r\n"
            )
        };
        for (state, policy, expected) in [
            ("OFF", "BlockInbound,AllowOutbound", Some(Inbound::Off)),
            ("ON", "BlockInbound,AllowOutbound", Some(Inbound::Drops)),
            (
                "ON",
                "BlockInboundAlways,AllowOutbound",
                Some(Inbound::DropsAll),
            ),
            ("ON", "AllowInbound,AllowOutbound", Some(Inbound::Passes)),
            ("EIN", "BlockInbound,AllowOutbound", None),
        ] {
            assert_eq!(
                of_windows(&text(state, policy)),
                expected,
                "{state} {policy}"
            );
        }
        assert_eq!(of_windows(""), None);
        assert_eq!(
            of_windows(&text("ON", "x").replace("State", "Status")),
            None
        );
    }

    #[test]
    fn the_application_firewall_of_macos() {
        let none = "Block all DISABLED!";
        let off = "Firewall is disabled. (State = 0)";
        let on = "Firewall is enabled. (State = 1)";
        assert_eq!(of_macos(off, none), Some(Inbound::Off));
        assert_eq!(of_macos(on, none), Some(Inbound::Drops));
        assert_eq!(of_macos(on, "Block all ENABLED!"), Some(Inbound::DropsAll));
        assert_eq!(of_macos("", none), None);
    }

    #[test]
    fn the_last_matching_rule_of_pf_decides() {
        let traffic = Traffic {
            v4: true,
            port: 5007,
            network: true,
        };
        for (rules, drops) in [
            ("", None),
            ("block drop in all", Some("block drop in all")),
            (
                "block drop in all\npass in proto udp from any to any port = 5007",
                None,
            ),
            (
                "pass in all\nblock drop in proto udp from any to any port = 5007",
                Some("block drop in proto udp from any to any port = 5007"),
            ),
            ("pass in quick all\nblock drop in all", None),
            ("block drop in proto tcp all", None),
            ("block drop in inet6 all", None),
            ("block drop in proto udp from any to any port = 53", None),
            ("block drop out all", None),
            ("block drop in on lo0 all", None),
        ] {
            assert_eq!(dropping(rules, traffic), drops, "{rules}");
        }
    }
}
