//! Linux: the rules of nft(8) and of iptables(8), as text.

use std::collections::HashSet;

use super::super::{
    finding::Finding,
    tool::output,
    traffic::{CHECK, Traffic},
};
use crate::{
    event::Verdict,
    sys::{
        commands::{AS_ADMINISTRATOR, word},
        tables,
    },
    text::visible,
};

/// The protocol in which members report the groups that they joined, as nft calls it.
fn reports(traffic: Traffic) -> &'static str {
    if traffic.v4 { "igmp" } else { "ipv6-icmp" }
}

/// The rules that let the traffic pass.
fn accepts(traffic: Traffic) -> Vec<String> {
    let mut rules = vec![format!("udp dport {} accept", traffic.port)];
    if traffic.network {
        rules.push(format!("meta l4proto {} accept", reports(traffic)));
    }
    rules
}

/// A chain of rules, as `nft list ruleset` prints it.
#[derive(Debug, Default)]
struct Chain {
    family: String,
    table: String,
    name: String,
    /// Where packets enter it; None: another chain's rule leads to it.
    hook: Option<String>,
    rules: Vec<String>,
}

/// What of the traffic a rule, or all rules before it, decides on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Part {
    datagrams: bool,
    reports: bool,
}

/// Whether the rules that are loaded drop the datagrams, with a command for each chain that does.
pub(super) fn check(traffic: Traffic) -> Finding {
    let old = iptables(traffic);
    let rules = match output("nft", &["list", "ruleset"]) {
        Ok(Some(rules)) => rules,
        _ if old.is_some() => return old.expect("it is there"),
        Ok(None) => {
            let what = "not checked: only the administrator may list the rules";
            return Finding::new(CHECK, Verdict::Open, what, AS_ADMINISTRATOR);
        }
        Err(()) => {
            let what = "not checked: nft is not installed";
            let remedy = "install nftables, Debian's package of nft";
            return Finding::new(CHECK, Verdict::Open, what, remedy);
        }
    };
    let (drops, remedies) = dropping(&rules, traffic);
    if drops.is_empty() {
        return old.unwrap_or_else(|| {
            Finding::ok(CHECK, format!("no rule drops UDP to port {}", traffic.port))
        });
    }
    let drops: Vec<_> = drops.iter().map(|rule| visible(rule.as_bytes())).collect();
    let what = format!("rules that may drop the datagrams: {}", drops.join(" | "));
    Finding::new(CHECK, Verdict::Warn, what, remedies.join(" && "))
}

/// What the old kind of rules, which nft does not list, does; None where there are none.
fn iptables(traffic: Traffic) -> Option<Finding> {
    let program = if traffic.v4 { "iptables" } else { "ip6tables" };
    if !tables::has_old_rules(traffic.v4) {
        return None;
    }
    let save = |name: &str| output(name, &[]).ok().flatten();
    let rules =
        save(&format!("{program}-legacy-save")).or_else(|| save(&format!("{program}-save")));
    let Some(rules) = rules else {
        let what = format!(
            "not checked: rules of {program} are loaded, which only the administrator may list"
        );
        return Some(Finding::new(CHECK, Verdict::Open, what, AS_ADMINISTRATOR));
    };
    let accept = format!("-p udp -m udp --dport {} -j ACCEPT", traffic.port);
    let drops = drops_of_iptables(&rules, &accept)?;
    let what = format!(
        "rules of {program} that may drop the datagrams: {}",
        visible(drops.as_bytes())
    );
    let remedy = format!("{program} -I INPUT {accept}");
    Some(Finding::new(CHECK, Verdict::Warn, what, remedy))
}

/// The first rule for packets to this machine that drops them, unless `accept` comes before all others.
fn drops_of_iptables<'r>(rules: &'r str, accept: &str) -> Option<&'r str> {
    let mut lines = rules.lines();
    let first = lines.clone().find(|line| line.starts_with("-A INPUT "));
    if first == Some(&format!("-A INPUT {accept}")) {
        return None;
    }
    lines.find(|line| {
        let to_here = !line.contains(" FORWARD") && !line.contains("FORWARD ");
        let other = line.contains("-p tcp") || line.contains("-p icmp");
        let drops = [" DROP", " REJECT"].iter().any(|word| line.contains(word));
        drops && to_here && !other
    })
}

/// The rules that drop some of the traffic, and the commands after which each of the chains that packets enter accepts it.
fn dropping(ruleset: &str, traffic: Traffic) -> (Vec<String>, Vec<String>) {
    let chains = chains(ruleset);
    let (mut drops, mut remedies) = (Vec::new(), Vec::new());
    let not_forwarding = |chain: &&Chain| chain.hook.as_ref().is_some_and(|hook| hook != "forward");
    for base in chains.iter().filter(not_forwarding) {
        let before = drops.len();
        let mut seen = HashSet::new();
        let undecided = Part {
            datagrams: true,
            reports: traffic.network,
        };
        walk(&chains, base, undecided, traffic, &mut seen, &mut drops);
        if drops.len() > before {
            let Chain {
                family,
                table,
                name,
                ..
            } = base;
            let [table, name] = [table, name].map(|name| word(name));
            remedies.extend(
                accepts(traffic)
                    .into_iter()
                    .map(|rule| format!("nft insert rule {family} {table} {name} {rule}")),
            );
        }
    }
    drops.dedup();
    (drops, remedies)
}

/// Adds the rules of a chain that drop what the rules before have left undecided, and those of the chains it leads to.
fn walk<'c>(
    chains: &'c [Chain],
    chain: &'c Chain,
    mut undecided: Part,
    traffic: Traffic,
    seen: &mut HashSet<(&'c str, Part)>,
    drops: &mut Vec<String>,
) {
    if !seen.insert((&chain.name, undecided)) {
        return;
    }
    let mut policy = None;
    for rule in &chain.rules {
        if rule.starts_with("type ") {
            policy = rule.contains("policy drop").then_some(rule);
            continue;
        }
        let mut of = concerned(rule, &chain.family, traffic);
        of.datagrams &= undecided.datagrams;
        of.reports &= undecided.reports;
        if !of.datagrams && !of.reports {
            continue;
        }
        let unquoted: String = rule.split('"').step_by(2).collect();
        let words: Vec<_> = unquoted
            .split([' ', ';', ','])
            .filter(|word| !word.is_empty() && *word != "comment")
            .collect();
        if words.iter().any(|word| ["drop", "reject"].contains(word)) {
            drops.push(rule.clone());
        }
        for pair in words.windows(2) {
            if ["jump", "goto"].contains(&pair[0]) {
                let target = |other: &&Chain| {
                    other.name == pair[1]
                        && (&other.family, &other.table) == (&chain.family, &chain.table)
                };
                if let Some(target) = chains.iter().find(target) {
                    walk(chains, target, of, traffic, seen, drops);
                }
            }
        }
        // The rest of the chain does not see what this rule accepts whole.
        match &accepted(&words)[..] {
            [] => {
                undecided = Part {
                    datagrams: false,
                    reports: false,
                }
            }
            ["udp", "dport", port] if *port == traffic.port.to_string() => {
                undecided.datagrams = false;
            }
            ["meta", "l4proto", "udp"] => undecided.datagrams = false,
            ["meta", "l4proto", protocol] | ["ip", "protocol", protocol]
                if *protocol == reports(traffic) =>
            {
                undecided.reports = false;
            }
            _ => {}
        }
    }
    if let Some(policy) = policy
        && (undecided.datagrams || undecided.reports)
    {
        drops.push(policy.clone());
    }
}

/// The conditions of a rule that accepts; what no rule has where it does not.
fn accepted<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let Some((&"accept", conditions)) = words.split_last() else {
        return vec!["no accept"];
    };
    let counter = conditions.iter().position(|word| *word == "counter");
    conditions[..counter.unwrap_or(conditions.len())].to_vec()
}

/// What of the traffic a rule may apply to.
fn concerned(rule: &str, family: &str, traffic: Traffic) -> Part {
    let none = Part {
        datagrams: false,
        reports: false,
    };
    // What it rejects with, and what it says, are no conditions.
    let rule = rule.split(" reject").next().unwrap_or_default();
    let rule = rule.split(" comment ").next().unwrap_or_default();
    let other_version = if traffic.v4 { "ip6" } else { "ip" };
    let words: Vec<_> = rule
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    let has = |wanted: &str| words.contains(&wanted);
    let pair = |one: &str, other: &str| words.windows(2).any(|pair| pair == [one, other]);
    if family == other_version
        || family == "arp"
        || ["saddr", "daddr"]
            .iter()
            .any(|field| pair(other_version, field))
        || rule.starts_with("ct state invalid ")
        || ["tcp", "sctp", "icmp", "arp"]
            .iter()
            .any(|protocol| has(protocol))
    {
        return none;
    }
    let reports = reports(traffic);
    let udp = words
        .windows(3)
        .find(|words| words[..2] == ["udp", "dport"]);
    match udp {
        Some(_) if !names_port(rule, traffic.port) => none,
        Some(_) => Part {
            datagrams: true,
            reports: false,
        },
        None if has("udp") => Part {
            datagrams: true,
            reports: false,
        },
        None if has("icmpv6") && traffic.v4 => none,
        None if has(reports) || has("icmpv6") => Part {
            datagrams: false,
            reports: true,
        },
        None => Part {
            datagrams: true,
            reports: true,
        },
    }
}

/// Whether a rule with `udp dport` is for this port; where it is not plain, it is.
fn names_port(rule: &str, port: u16) -> bool {
    let ports = rule.split_once("udp dport ").map_or("", |(_, rest)| rest);
    let ports = match ports.strip_prefix('{') {
        Some(set) => set.split('}').next().unwrap_or_default(),
        None => ports.split(' ').next().unwrap_or_default(),
    };
    ports.split(',').map(str::trim).any(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        match (low.parse::<u16>(), high.parse::<u16>()) {
            (Ok(low), Ok(high)) => (low..=high).contains(&port),
            _ => true,
        }
    })
}

/// The chains in a rule set; a rule on several lines is one.
fn chains(ruleset: &str) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let (mut table, mut depth, mut in_chain) = ((String::new(), String::new()), 0_usize, false);
    let mut rule = String::new();
    for line in ruleset.lines().map(str::trim) {
        let words: Vec<_> = line.split(' ').collect();
        match (depth, &words[..]) {
            (0, ["table", family, name, "{"]) => table = ((*family).into(), (*name).into()),
            (1, ["chain", name, "{"]) => {
                in_chain = true;
                chains.push(Chain {
                    family: table.0.clone(),
                    table: table.1.clone(),
                    name: (*name).into(),
                    ..Chain::default()
                });
            }
            (2.., _) if in_chain && !(depth == 2 && line == "}") => {
                if !rule.is_empty() {
                    rule.push(' ');
                }
                rule += line;
            }
            _ => {}
        }
        depth += line.matches('{').count();
        depth = depth.saturating_sub(line.matches('}').count());
        if depth == 2 && in_chain && !rule.is_empty() {
            let rule = std::mem::take(&mut rule);
            let chain = chains.last_mut().expect("in a chain");
            if let Some(words) = rule.strip_prefix("type ") {
                let hook = words.split(' ').skip_while(|word| *word != "hook").nth(1);
                chain.hook = hook.map(String::from);
            }
            chain.rules.push(rule);
        }
        if depth < 2 {
            in_chain = false;
        }
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAFFIC: Traffic = Traffic {
        v4: true,
        port: 5007,
        network: true,
    };

    fn drops(rules: &str, traffic: Traffic) -> Vec<String> {
        let ruleset = format!(
            "table inet f {{\n\tset s {{\n\t\ttype ipv4_addr\n\t\telements = {{ 1.2.3.4,\n\t\t\t 1.2.3.5 }}\n\t}}\n\n\
            \tchain in {{\n\t\ttype filter hook input priority filter; policy accept;\n{rules}\n\t}}\n\n\
            \tchain x {{\n\t\tcounter packets 0 bytes 0 drop comment \"x\"\n\t}}\n\tchain unused {{\n\t\tdrop\n\t}}\n}}\n"
        );
        let (drops, remedies) = dropping(&ruleset, traffic);
        let expected = if drops.is_empty() {
            0
        } else {
            accepts(traffic).len()
        };
        assert_eq!(remedies.len(), expected, "{drops:?}");
        drops
    }

    #[test]
    fn the_rules_that_concern_the_datagrams_are_found() {
        for rule in [
            "drop",
            "udp dport 5007 drop",
            "udp dport 5007 counter packets 0 bytes 0 reject with icmp port-unreachable",
            "udp dport { 53, 5000-5010 } drop",
            "udp dport != 53 drop",
            "meta l4proto udp numgen inc mod 10 vmap { 0 : drop, 1 : drop }",
            "ip protocol igmp drop",
            "ip saddr 10.0.0.0/8 drop",
            "iifname \"eth0\" drop",
        ] {
            assert_eq!(drops(rule, TRAFFIC), [rule]);
        }
        assert_eq!(drops("jump x", TRAFFIC).len(), 1);
        for rule in [
            "udp dport 53 drop",
            "udp dport { 53, 67-68 } drop",
            "tcp dport 22 reject with tcp reset",
            "ct state invalid drop",
            "ip6 saddr fe80::/10 drop",
            "icmpv6 type echo-request drop",
            "tcp dport 22 jump x",
            "accept comment \"drop it\"",
            "udp dport 5007 accept\nmeta l4proto igmp accept\ndrop",
            "udp dport 5007 counter packets 1 bytes 2 accept\nip protocol igmp accept\njump x\ndrop",
            "accept\ndrop",
        ] {
            assert_eq!(drops(rule, TRAFFIC), [""; 0], "{rule}");
        }
        let here = Traffic {
            network: false,
            ..TRAFFIC
        };
        assert_eq!(drops("ip protocol igmp drop", here), [""; 0]);
        assert_eq!(drops("udp dport 5007 accept\ndrop", here), [""; 0]);
        let v6 = Traffic {
            v4: false,
            ..TRAFFIC
        };
        assert_eq!(drops("ip saddr 10.0.0.0/8 drop", v6), [""; 0]);
        assert_eq!(drops("meta l4proto ipv6-icmp drop", v6).len(), 1);
    }

    #[test]
    fn a_policy_drops_what_no_rule_accepts() {
        let with = |hook, rules: &str| {
            format!(
                "table ip f {{\n\tchain c {{\n\t\ttype filter hook {hook} priority filter; policy drop;\n{rules}\n\t}}\n}}\n"
            )
        };
        assert_eq!(dropping(&with("forward", ""), TRAFFIC).0.len(), 0);
        let (drops, remedies) = dropping(&with("input", "ip saddr 10.0.0.1 accept"), TRAFFIC);
        assert_eq!(drops.len(), 1);
        assert_eq!(
            remedies,
            [
                "nft insert rule ip f c udp dport 5007 accept",
                "nft insert rule ip f c meta l4proto igmp accept"
            ]
        );
        let accepts = "udp dport 5007 accept\nmeta l4proto igmp accept";
        assert_eq!(dropping(&with("input", accepts), TRAFFIC).0.len(), 0);
    }

    #[test]
    fn old_rules() {
        let accept = "-p udp -m udp --dport 5007 -j ACCEPT";
        let with = |rules: &str| {
            format!("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n{rules}\nCOMMIT\n")
        };
        assert_eq!(
            drops_of_iptables(&with("-A INPUT -p tcp -j DROP"), accept),
            None
        );
        let drop = "-A INPUT -p udp -j DROP";
        assert_eq!(drops_of_iptables(&with(drop), accept), Some(drop));
        let accepted = with(&format!("-A INPUT {accept}\n{drop}"));
        assert_eq!(drops_of_iptables(&accepted, accept), None);
    }
}
