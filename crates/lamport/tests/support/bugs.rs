//! The algorithms and their injected bugs.

/// Every algorithm with the bugs that it takes.
pub(crate) const ALGORITHMS: [(&str, &[&str]); 18] = [
    ("events", &["no-advance"]),
    (
        "mutex",
        &[
            "no-tie-break",
            "no-acknowledgement",
            "no-advance",
            "unfair-queue",
        ],
    ),
    (
        "ricart-agrawala",
        &["no-tie-break", "no-acknowledgement", "no-advance"],
    ),
    ("central", &["no-acknowledgement", "no-advance"]),
    (
        "token-ring",
        &["keep-token", "no-round", "no-acknowledgement", "no-advance"],
    ),
    (
        "maekawa",
        &[
            "no-relinquish",
            "no-tie-break",
            "no-acknowledgement",
            "no-advance",
        ],
    ),
    (
        "total",
        &["no-tie-break", "no-acknowledgement", "no-advance"],
    ),
    ("causal", &["no-hold-back", "no-advance"]),
    ("bully", &["no-acknowledgement", "no-timeout", "old-terms"]),
    ("ring", &["no-discard", "no-removal", "old-terms"]),
    (
        "wireless",
        &["no-acknowledgement", "late-parent", "no-timeout"],
    ),
    (
        "snapshot",
        &["no-marker", "late-record", "no-channel-state"],
    ),
    ("vector-snapshot", &["no-piggyback", "no-counters"]),
    (
        "two-phase",
        &["no-acknowledgement", "no-blocking", "no-advance"],
    ),
    ("three-phase", &["no-acknowledgement", "no-advance"]),
    ("cristian", &["no-halving", "stale-reply", "set-back"]),
    (
        "berkeley",
        &["average-outliers", "no-halving", "stale-reply", "set-back"],
    ),
    ("ntp", &["wrong-sign", "stale-reply", "set-back"]),
];
