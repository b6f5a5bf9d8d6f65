//! Words of commands.

/// A word as a command interpreter takes it for one: as it is where it has letters, digits and these `plain` characters
/// alone, else between two marks, with what stands for a mark within them.
pub(super) fn quoted(word: &str, plain: &str, mark: char, inside: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || plain.contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("{mark}{}{mark}", word.replace(mark, inside))
}

/// What stands for the mark between single quotes of a POSIX shell.
#[cfg(unix)]
pub(super) const OF_SHELL: &str = r"'\''";
