//! What only a run of Chord has: whether the processes form a ring.

use crate::location::circle;

use super::state::State;

/// A process that is up: its name, and its latest state.
pub(super) type Member<'a> = (&'a str, Option<&'a State>);

/// The first process whose neighbours are not those of a ring of all these; `length` is that of a successor list.
pub(super) fn first_wrong<'a>(
    up: impl Iterator<Item = Member<'a>>,
    length: usize,
) -> Option<String> {
    let mut ring: Vec<_> = up.map(|member| (circle::hash(member.0), member)).collect();
    ring.sort_unstable_by_key(|(id, _)| *id);
    let name = |place: usize| ring[place % ring.len()].1.0;
    for (place, (_, (me, state))) in ring.iter().enumerate() {
        let Some(state) = state else {
            return Some(format!("{me} has not answered"));
        };
        let length = length.min(ring.len() - 1);
        let successors: Vec<_> = (1..=length).map(|next| name(place + next)).collect();
        let before = Some(name(place + ring.len() - 1)).filter(|before| before != me);
        let has: Vec<_> = state.successors.iter().map(String::as_str).collect();
        if has != successors || state.predecessor.as_deref() != before {
            let list = |names: &[&str]| match names {
                [] => "none".to_owned(),
                names => names.join(" "),
            };
            return Some(format!(
                "{me} has successors {}, predecessor {}; in a ring of all they are {} and {}",
                list(&has),
                state.predecessor.as_deref().unwrap_or("none"),
                list(&successors),
                before.unwrap_or("none")
            ));
        }
    }
    None
}
