//! A line of the event log, as it is parsed: the fields that merging and matching need.

use std::borrow::Cow;

use serde::Deserialize;

/// The fields that are parsed. A missing text is empty, because serde copies an `Option<Cow>`.
#[derive(Debug, Default, Deserialize, PartialEq)]
pub struct Line<'a> {
    #[serde(default)]
    pub(super) v: Option<u64>,
    #[serde(borrow, default)]
    pub(super) run: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) node: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) thread: Cow<'a, str>,
    #[serde(default)]
    pub(super) seq: Option<u64>,
    #[serde(borrow, default)]
    pub(super) time: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) level: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) event: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) message: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) message_type: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) meaning: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) algorithm: Cow<'a, str>,
    #[serde(default)]
    pub(super) clock: Option<u64>,
    #[serde(default)]
    pub(super) counts: Option<Suppressed>,
}

/// The count of events that were not logged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub(super) struct Suppressed {
    #[serde(default)]
    pub(super) suppressed: Option<u64>,
    #[serde(default)]
    pub(super) unwritten: Option<u64>,
}
