//! The comparison as a picture: hops and messages of a look-up against the number of nodes, a line a scheme.

use std::path::Path;

use common::{
    exit::Failure,
    plot::{Axis, Line, Picture},
    text::grouped,
};

use super::{measure::Row, schemes::SchemeName, settings::Settings};

pub use common::plot::check;

/// Draws it into the file, as SVG; `-` is standard output.
///
/// # Errors
/// `--plot FILE: why` (exit code 2).
pub fn draw(path: &Path, settings: &Settings, rows: &[Row]) -> Result<(), Failure> {
    let title = format!(
        "{} names, {} look-ups, {} moves",
        grouped(settings.names as u64),
        grouped(settings.lookups),
        grouped(settings.moves)
    );
    let lines = |figure: fn(&Row) -> f64| {
        let line = |scheme: &SchemeName| Line {
            name: scheme.word(),
            colour: colour(*scheme),
            points: rows
                .iter()
                .filter(|row| row.scheme == *scheme)
                .map(|row| (row.nodes as u64, figure(row)))
                .collect(),
        };
        settings.schemes.iter().map(line).collect()
    };
    let picture = Picture {
        title: &title,
        height: 940,
        axis: Axis {
            what: "nodes",
            plus: 0,
        },
        panels: vec![
            ("Hops of a look-up, mean", lines(|row| row.hops.mean)),
            (
                "Messages of a look-up, mean",
                lines(|row| row.messages.mean),
            ),
        ],
    };
    picture.draw(path)
}

/// Colours that differ enough: one for each scheme, and a paler one for its variant.
fn colour(scheme: SchemeName) -> (u8, u8, u8) {
    match scheme {
        SchemeName::Broadcast => (0x7f, 0x7f, 0x7f),
        SchemeName::Forwarding => (0xb0, 0x30, 0x30),
        SchemeName::ForwardingShortened => (0xe3, 0x8a, 0x7e),
        SchemeName::Home => (0x2c, 0x8c, 0x3c),
        SchemeName::Chord => (0x1f, 0x57, 0xa8),
        SchemeName::ChordIterative => (0x7a, 0xa9, 0xdd),
        SchemeName::Hierarchical => (0x8a, 0x3f, 0xa0),
        SchemeName::Iterative => (0xc4, 0x77, 0x10),
        SchemeName::Recursive => (0xe8, 0xb4, 0x5a),
        SchemeName::IterativeCached => (0x0f, 0x8b, 0x8d),
        SchemeName::RecursiveCached => (0x6f, 0xc7, 0xc8),
    }
}
