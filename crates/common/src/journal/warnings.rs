//! Warnings caused by peers: so that no peer can flood standard error, a few of a kind are shown, and the rest is summed
//! up.

use std::time::{Duration, Instant};

use crate::{event::Event, text::grouped};

/// How many warnings of a kind are shown before the rest of a second is summed up.
const SHOWN: u32 = 10;

/// How many kinds are told apart; all others are one more.
const KINDS: usize = 16;

/// The first sum comes after this time.
const SHORTEST: Duration = Duration::from_secs(1);

/// While a flood goes on, the time between two sums doubles, up to this.
const LONGEST: Duration = Duration::from_secs(60);

/// The warnings caused by peers that were shown, and those that were not.
#[derive(Debug, Default)]
pub(super) struct PeerWarnings {
    kinds: Vec<Kind>,
}

#[derive(Debug)]
struct Kind {
    /// The text without the peer; None for all kinds beyond [`KINDS`].
    text: Option<String>,
    begun: Instant,
    length: Duration,
    shown: u32,
    more: u64,
}

impl Kind {
    /// How many more may be shown in its time.
    fn most(&self) -> u32 {
        if self.length == SHORTEST { SHOWN } else { 1 }
    }

    fn end(&self) -> Instant {
        self.begun + self.length
    }
}

impl PeerWarnings {
    /// Counts one more warning with this text about the event's peer; whether it is shown.
    pub(super) fn one_more(&mut self, event: &Event, text: &str, now: Instant) -> bool {
        let peer = event.peer.as_ref().map(ToString::to_string);
        let text = text.replace(&peer.unwrap_or_default(), "");
        let text = text.trim_start_matches([':', ' ']);
        let known = |kind: &Kind| kind.text.as_deref() == Some(text);
        let place = self.kinds.iter().position(known).unwrap_or_else(|| {
            // A kind whose time is over has said all.
            self.kinds.retain(|kind| kind.more > 0 || now < kind.end());
            let text = (self.kinds.len() < KINDS).then(|| text.to_owned());
            let others = |kind: &Kind| kind.text.is_none();
            let place = self
                .kinds
                .iter()
                .position(others)
                .filter(|_| text.is_none());
            place.unwrap_or_else(|| {
                self.kinds.push(Kind {
                    text,
                    begun: now,
                    length: SHORTEST,
                    shown: 0,
                    more: 0,
                });
                self.kinds.len() - 1
            })
        });
        let kind = &mut self.kinds[place];
        if kind.more == 0 && now >= kind.end() {
            // The time before had no more than were shown.
            (kind.begun, kind.length, kind.shown) = (now, SHORTEST, 0);
        }
        let shown = kind.shown < kind.most();
        if shown {
            kind.shown += 1;
        } else {
            kind.more += 1;
        }
        shown
    }

    /// When the next sum is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let summed = self.kinds.iter().filter(|kind| kind.more > 0);
        summed.map(Kind::end).min()
    }

    /// A sum that is due, or at the end of the program (`now` is None) one that is left; its kind's next time begins.
    pub(super) fn sum(&mut self, now: Option<Instant>) -> Option<String> {
        let is_due = |kind: &&mut Kind| kind.more > 0 && now.is_none_or(|now| now >= kind.end());
        let kind = self.kinds.iter_mut().find(is_due)?;
        let more = grouped(std::mem::take(&mut kind.more));
        kind.begun = now.unwrap_or(kind.begun);
        kind.length = (2 * kind.length).min(LONGEST);
        kind.shown = 0;
        Some(match &kind.text {
            Some(text) => format!("… and {more} more: {text}"),
            None => format!("… and {more} more warnings about peers"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Kind as EventKind, Level};

    fn warning(peer: &str, text: &str) -> Event {
        Event {
            level: Level::Warn,
            ..Event::new(EventKind::Error).peer(peer).text(text)
        }
    }

    #[test]
    fn a_few_are_shown_and_the_rest_is_summed_up() {
        let mut warnings = PeerWarnings::default();
        let begun = Instant::now();
        let second = |second| begun + Duration::from_secs(second);
        let mut shown = |port: u64, at| {
            let peer = format!("127.0.0.1:{port}");
            let text = format!("{peer}: closed");
            warnings.one_more(&warning(&peer, &text), &text, at)
        };
        assert_eq!((0..2922).filter(|port| shown(*port, begun)).count(), 10);
        assert_eq!(warnings.due(), Some(second(1)));
        assert_eq!(warnings.sum(Some(begun)), None);
        assert_eq!(
            warnings.sum(Some(second(1))).as_deref(),
            Some("… and 2,912 more: closed")
        );
        assert_eq!(
            (warnings.due(), warnings.sum(Some(second(1)))),
            (None, None)
        );
    }

    #[test]
    fn a_flood_is_summed_up_ever_less_often_and_a_pause_ends_it() {
        let mut warnings = PeerWarnings::default();
        let begun = Instant::now();
        let event = warning("p1", "late");
        let mut sums = Vec::new();
        for tenth in 0..4_000 {
            let now = begun + Duration::from_millis(100 * tenth);
            if warnings.sum(Some(now)).is_some() {
                sums.push(tenth / 10);
            }
            (0..20).for_each(|_| {
                warnings.one_more(&event, "late", now);
            });
        }
        assert_eq!(sums, [1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]);
        assert!(warnings.sum(None).is_some() && warnings.sum(None).is_none());
        let later = begun + Duration::from_secs(1_000);
        let shown = (0..20).filter(|_| warnings.one_more(&event, "late", later));
        assert_eq!(shown.count(), 10);
    }

    #[test]
    fn texts_that_a_peer_makes_up_are_bounded() {
        let mut warnings = PeerWarnings::default();
        let now = Instant::now();
        let shown = (0..10_000).filter(|number| {
            let text = format!("unknown word {number}");
            warnings.one_more(&warning("p1", &text), &text, now)
        });
        assert_eq!(shown.count(), KINDS + SHOWN as usize);
        assert_eq!(warnings.kinds.len(), KINDS + 1);
        let sum = warnings.sum(None);
        assert_eq!(
            sum.as_deref(),
            Some("… and 9,974 more warnings about peers")
        );
    }
}
