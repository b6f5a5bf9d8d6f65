//! Times to live: how long others may keep what a name stands for, in seconds (RFC 1035 section 3.2.1).

use common::config::Period;

/// The TTL of names that have none of their own, unless `--ttl` gives another, in seconds.
pub const DEFAULT_TTL: u32 = 60;

/// The longest TTL, in seconds (RFC 2181 section 8).
pub const LONGEST_TTL: u32 = i32::MAX as u32;

/// The kinds of values, by the type of their records.
pub(super) const KINDS: [&str; 4] = ["A", "AAAA", "TXT", "SRV"];

/// The prefix of a TTL among the values of a name.
pub const TTL: &str = "ttl:";

/// The TTL of each kind of values: the records of one type have one (RFC 2181 section 5.2). None is that of the zone.
pub type Ttls = [Option<u32>; KINDS.len()];

/// Reads a TTL: seconds, or a length of time such as `5m`.
///
/// # Errors
/// When it is neither, or not whole seconds, or too long.
pub fn parse_ttl(text: &str) -> Result<u32, String> {
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let Period(time) = text.parse()?;
            if time.subsec_nanos() > 0 {
                return Err("a TTL is in whole seconds".into());
            }
            time.as_secs()
        }
    };
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds <= LONGEST_TTL)
        .ok_or_else(|| format!("a TTL has at most {LONGEST_TTL} seconds"))
}

/// Reads what follows `ttl:`, the TTL of all values or, as in `TXT=60`, of one kind, into `ttls`.
pub(super) fn read(text: &str, ttls: &mut Ttls) -> Result<(), String> {
    match text.split_once('=') {
        None => *ttls = [Some(parse_ttl(text)?); KINDS.len()],
        Some((kind, text)) => {
            let index = KINDS
                .iter()
                .position(|known| known.eq_ignore_ascii_case(kind));
            let index = index.ok_or("a TTL is of A, AAAA, TXT or SRV")?;
            ttls[index] = Some(parse_ttl(text)?);
        }
    }
    Ok(())
}

/// The TTLs as [`read`] reads them; `has` says which kinds of values there are.
pub(super) fn texts(ttls: Ttls, has: [bool; KINDS.len()]) -> Vec<String> {
    let mut present = (0..KINDS.len())
        .filter(|kind| has[*kind])
        .map(|kind| ttls[kind]);
    let first = present.next().flatten();
    match first {
        Some(first) if present.all(|ttl| ttl == Some(first)) => vec![format!("{TTL}{first}")],
        _ => (0..KINDS.len())
            .filter_map(|kind| Some(format!("{TTL}{}={}", KINDS[kind], ttls[kind]?)))
            .collect(),
    }
}
