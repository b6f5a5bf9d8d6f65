//! Words that a program does not print: private language, for which the field has words.

/// The banned words, each as it stands in a sentence.
pub const BANNED: [&str; 26] = [
    "doubled",
    "doubles",
    "overtaken",
    "overtake",
    "overtakes",
    "told",
    "untold",
    "telling",
    "mistake",
    "mistaken",
    "promise",
    "promised",
    "promises",
    "judge",
    "judged",
    "visit",
    "visits",
    "whoever",
    "everybody",
    "technique",
    "so many",
    "come twice",
    "cut off",
    "as was wanted",
    "silent client",
    "what decides everything",
];

/// The first banned word in a text; letters and hyphens around it make it another word.
pub fn banned_word(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    BANNED.into_iter().find(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_word_is_found_and_its_neighbours_are_not() {
        assert_eq!(banned_word("2 lost, 1 Doubled"), Some("doubled"));
        assert_eq!(
            banned_word("a datagram that comes twice, so many of them"),
            Some("so many")
        );
        assert_eq!(banned_word("revisited, re-told, visitor, judgements"), None);
    }
}
