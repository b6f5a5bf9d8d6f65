//! What a process of Maekawa's algorithm says of itself at the prompt.

use common::process::ids::Names;

use super::Maekawa;

impl Maekawa {
    pub(super) fn words(&self, names: &Names) -> Vec<String> {
        let request = self.state.words().map(|(request, state)| {
            let name = names.of(self.me);
            format!("{name}: request of {}, {state}", request.time)
        });
        let quorum = self.quorum.iter().filter(|_| request.is_some());
        let missing = quorum.filter(|member| !self.locked.contains(member));
        let missing = missing.map(|member| match self.failed.contains(member) {
            true => format!("{}: locked for an earlier request", names.of(*member)),
            false => format!("{}: lock missing", names.of(*member)),
        });
        let missing: Vec<_> = missing.chain(self.member.words(names)).collect();
        request.into_iter().chain(missing).collect()
    }
}
