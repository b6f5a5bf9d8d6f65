//! What a process of the token ring says of itself at the prompt.

use common::process::ids::Names;

use super::TokenRing;

impl TokenRing {
    pub(super) fn words(&self, names: &Names) -> Vec<String> {
        let name = names.of(self.me);
        let request = self.state.words();
        let request =
            request.map(|(request, state)| format!("{name}: request of {}, {state}", request.time));
        let token = self.has_token.then(|| format!("{name}: has the token"));
        let round = self
            .regenerates
            .then(|| format!("{name}: regeneration round"));
        request.into_iter().chain(token).chain(round).collect()
    }
}
