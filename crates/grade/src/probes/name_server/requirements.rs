//! What a name server has to do.

use crate::{probes::tidy, requirement::Requirement};

/// Where the form of the names in DNS is described.
const NAMES: &str = "docs/reference/naming.md: the name server";

const fn requirement(
    id: &'static str,
    points: u32,
    sentence: &'static str,
    source: &'static str,
) -> Requirement {
    Requirement {
        id,
        points,
        sentence,
        source,
        needs: Some("answers"),
        when: None,
    }
}

/// All of them.
pub(super) const ALL: &[Requirement] = &[
    Requirement {
        needs: None,
        ..requirement(
            "answers",
            2,
            "answers a query over UDP",
            "RFC 1035, section 4.1: identifier and question of the query",
        )
    },
    requirement("flat", 3, "has the address of each flat name", NAMES),
    requirement(
        "structured",
        3,
        "has the address of each structured name",
        NAMES,
    ),
    requirement(
        "missing-name",
        2,
        "says that a name does not exist",
        "experiment 5: a missing name; RFC 1035: NXDOMAIN",
    ),
    requirement(
        "missing-region",
        2,
        "says that a region does not exist",
        "experiment 5: a missing region; RFC 1035: NXDOMAIN",
    ),
    requirement(
        "longer",
        2,
        "does not take a longer path for a shorter one",
        "experiment 5: hierarchical naming, each component is resolved",
    ),
    requirement(
        "no-data",
        1,
        "says of a name without an IPv6 address that it exists",
        "RFC 2308, section 2.2: NODATA",
    ),
    requirement(
        "odd",
        1,
        "goes on after datagrams that are no queries",
        "RFC 1035: anybody can send to a server",
    ),
    Requirement {
        when: Some("{names}"),
        ..requirement(
            "names-file",
            2,
            "has the names of a file that it has never seen",
            "experiment 5: name resolution by dictionaries, whatever is in them",
        )
    },
    requirement(
        "nested",
        2,
        "has names in regions of regions",
        "experiment 5: hierarchical naming",
    ),
    tidy::requirement(Some("answers")),
];
