//! Wall-clock times as the logs of other tools write them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::event::Time;

/// The months as logs name them.
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Microseconds since 1970: RFC 3339 with any offset, the same with a space or slashes (`2026/11/25 17:25:54,131`), syslog's
/// (`Nov 25 17:25:54`, in the last twelve months), a web server's (`25/Nov/2026:17:25:54 +0100`), America's (`11/25/2026 5:25:54 PM`), a time of day alone (on the first day
/// of 1970), or a number of seconds, milliseconds, microseconds or nanoseconds since 1970. A time without an offset is UTC.
pub(super) fn micros(text: &str) -> Option<i64> {
    micros_at(text, SystemTime::now())
}

fn micros_at(text: &str, now: SystemTime) -> Option<i64> {
    let text = text.trim().trim_matches(['[', ']']).trim();
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    number(text).or_else(|| calendar(text, now))
}

/// A number since 1970, whose unit follows from its size: seconds until the year 5138.
fn number(text: &str) -> Option<i64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !digits(whole) || !digits(fraction) {
        return float(text);
    }
    let whole: u64 = whole.parse().ok()?;
    let (unit, divided) = match whole {
        0..100_000_000_000 => (1_000_000, 1),
        100_000_000_000..100_000_000_000_000 => (1_000, 1),
        100_000_000_000_000..100_000_000_000_000_000 => (1, 1),
        _ => (1, 1_000),
    };
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    let micros = whole / divided * unit + (fraction * unit as f64).round() as u64;
    micros.try_into().ok()
}

/// `1.7951e9`, as some libraries write seconds.
fn float(text: &str) -> Option<i64> {
    let is_number =
        text.contains(['e', 'E']) && text.starts_with(|letter: char| letter.is_ascii_digit());
    let seconds: f64 = is_number.then(|| text.parse().ok()).flatten()?;
    number(&format!("{seconds:.6}"))
}

fn calendar(text: &str, now: SystemTime) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let colon = lower.find(':')?;
    let before = &lower[..colon];
    let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    // A web server's date ends with a colon: 25/Nov/2026:17:25:54.
    let start = if digits > 2 {
        colon + 1
    } else {
        colon - digits
    };
    let date = lower[..start].trim_end_matches([' ', ':', ',']);
    let date = match date.strip_suffix('t') {
        Some(date) if date.ends_with(|letter: char| letter.is_ascii_digit()) => date,
        _ => date,
    };
    let (of_day, rest) = time_of_day(&lower[start..])?;
    let offset = offset(rest.trim())?;
    let days = match date {
        "" => 0,
        date => days(date, now)?,
    };
    days.checked_mul(86_400_000_000)?
        .checked_add(of_day)?
        .checked_sub(offset)
}

/// The microseconds of `17:25:54.131`, with a point or comma, and what follows.
fn time_of_day(text: &str) -> Option<(i64, &str)> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, rest) = rest.split_at_checked(2)?;
    let (seconds, rest) = match rest.strip_prefix(':') {
        Some(rest) => rest.split_at_checked(2)?,
        None => ("0", rest),
    };
    let within = |text: &str, most: i64| {
        text.parse()
            .ok()
            .filter(|number| (0..=most).contains(number))
    };
    let whole = within(hours, 23)? * 3600 + within(minutes, 59)? * 60 + within(seconds, 60)?;
    let (fraction, rest) = match rest.strip_prefix(['.', ',']) {
        Some(after) => after.split_at(after.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", rest),
    };
    let micros = format!("{fraction:0<6}");
    let micros: i64 = micros.get(..6)?.parse().ok()?;
    let half = ["am", "pm"].map(|half| rest.trim_start().strip_prefix(half));
    let (shift, rest) = match half {
        [Some(rest), _] if whole / 3600 == 12 => (-12, rest),
        [None, Some(rest)] if whole / 3600 < 12 => (12, rest),
        [Some(rest), _] | [_, Some(rest)] => (0, rest),
        [None, None] => (0, rest),
    };
    Some(((whole + shift * 3600) * 1_000_000 + micros, rest))
}

/// The microseconds of an offset from UTC: `z`, `utc`, `+01:00`, `-0530`, or none.
fn offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first() {
        None => return Some(0),
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        Some(_) => return matches!(text, "z" | "utc" | "gmt").then_some(0),
    };
    let digits = digits.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes: i64 = if minutes.is_empty() {
        0
    } else {
        minutes.parse().ok()?
    };
    let hours: i64 = hours.parse().ok()?;
    ((0..=23).contains(&hours) && (0..=59).contains(&minutes))
        .then_some(sign * (hours * 60 + minutes) * 60_000_000)
}

/// The days since 1970 of a date: `2026-11-25`, `2026/11/25`, `25/nov/2026`, `nov 25`, `wed nov 25 2026`.
fn days(date: &str, now: SystemTime) -> Option<i64> {
    let mut month = None;
    let mut numbers: Vec<(i64, usize)> = Vec::new();
    for word in date
        .split(['-', '/', ' ', ',', '.'])
        .filter(|word| !word.is_empty())
    {
        if let Ok(number) = word.parse::<u32>() {
            numbers.push((number.into(), word.len()));
        } else if let Some(number) = MONTHS.iter().position(|name| word.starts_with(name)) {
            month = Some(number as i64 + 1);
        } else if !word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
    }
    let (year, month, day) = match (month, numbers.as_slice()) {
        (None, [(year, 4), (month, _), (day, _)]) => (*year, *month, *day),
        // Months come first in America, where the separator is no point.
        (None, [(first, 1..=2), (second, 1..=2), (year, 4)]) => {
            match date.contains('.') || *first > 12 {
                true => (*year, *second, *first),
                false => (*year, *first, *second),
            }
        }
        (Some(month), [(day, 1..=2), (year, 4)] | [(year, 4), (day, 1..=2)]) => {
            (*year, month, *day)
        }
        (Some(month), [(day, 1..=2)]) => (year_of(month, *day, now)?, month, *day),
        _ => return None,
    };
    days_since_1970(year, month, day)
}

/// The year of a date that is not in the future, but for the day of another time zone.
fn year_of(month: i64, day: i64, now: SystemTime) -> Option<i64> {
    let tomorrow = now + Duration::from_secs(2 * 86400);
    let year: i64 = Time::new(tomorrow).to_string().get(..4)?.parse().ok()?;
    let latest = tomorrow.duration_since(UNIX_EPOCH).ok()?.as_secs() as i64 / 86400;
    [year, year - 1, year - 2, year - 3, year - 4]
        .into_iter()
        .find(|year| days_since_1970(*year, month, day).is_some_and(|days| days < latest))
}

fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..=9999).contains(&year) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
    let since: Time = date.parse().ok()?;
    Some((since.since_1970().as_secs() / 86400) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_common_tools() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_627_554);
        let at = 1_795_627_554_000_000;
        for (text, expected) in [
            ("2026-11-25T17:25:54Z", at),
            ("2026-11-25T17:25:54.131Z", at + 131_000),
            ("2026-11-25T18:25:54.131588999+01:00", at + 131_588),
            ("2026-11-25T11:55:54-0530", at),
            ("2026-11-25 17:25:54,131", at + 131_000),
            ("2026/11/25 17:25:54.5", at + 500_000),
            ("2026/11/25 17:25:54", at),
            ("25/Nov/2026:18:25:54 +0100", at),
            ("[25/Nov/2026:17:25:54 +0000]", at),
            ("Nov 25 17:25:54", at),
            ("Wed Nov 25 2026 17:25:54", at),
            ("Dec  1 00:00:00", 1_764_547_200_000_000),
            ("25 Nov 2026 17:25:54 UTC", at),
            ("11/25/2026 05:25:54 PM", at),
            ("11/25/2026 17:25:54", at),
            ("25/11/2026 17:25:54", at),
            ("25.11.2026 17:25:54", at),
            ("11/25/2026 12:00:00 AM", at - 62_754_000_000),
            ("11/25/2026 12:00:00 pm", at - 19_554_000_000),
            ("1795627554", at),
            ("1795627554.131", at + 131_000),
            ("1.795627554131e9", at + 131_000),
            ("1795627554131", at + 131_000),
            ("1795627554131588", at + 131_588),
            ("1795627554131588999", at + 131_588),
            ("0.25", 250_000),
            ("17:25:54.131", 62_754_131_000),
            ("7:25", 26_700_000_000),
        ] {
            assert_eq!(micros_at(text, now), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "now",
            "2026-11-25",
            "2026-13-25T17:25:54Z",
            "2026-02-30 10:00:00",
            "25:00:00",
            "17:61:00",
            "-5",
            "1e400",
            "NaN",
            "2026-11-25T17:25:54 Mars",
            "::",
            ":",
            "1:",
            "99999999999999999999999",
            "é:00:00",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
