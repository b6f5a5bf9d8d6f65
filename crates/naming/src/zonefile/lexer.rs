//! From the text of a zone file to entries: the tokens of a line, or of several lines in parentheses.

/// A token, without its quotes; what is escaped in it still is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) text: &'t [u8],
    pub(super) quoted: bool,
}

/// An entry of a zone file.
#[derive(Debug, Default)]
pub(super) struct Entry<'t> {
    /// The line of its first token, from 1.
    pub(super) line: usize,
    /// Whether it begins with white space, so that its owner is that of the entry before.
    pub(super) indented: bool,
    /// At least one.
    pub(super) tokens: Vec<Token<'t>>,
}

/// What is wrong with the text, and in which line.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Malformed {
    pub(super) line: usize,
    pub(super) why: &'static str,
}

/// Reads the entries of a text, one after the other.
pub(super) struct Lexer<'t> {
    rest: &'t [u8],
    line: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    /// Reads the next entry into `entry`; false at the end of the text.
    pub(super) fn next(&mut self, entry: &mut Entry<'t>) -> Result<bool, Malformed> {
        entry.tokens.clear();
        entry.indented = matches!(self.rest, [b' ' | b'\t', ..]);
        // The line of the open parenthesis. Like other servers, this one allows no parentheses within parentheses to
        // matter: they only have to be closed as often as they were opened.
        let mut open: Vec<usize> = Vec::new();
        while let Some((byte, after)) = self.rest.split_first() {
            match byte {
                b'\n' => {
                    self.rest = after;
                    self.line += 1;
                    if !open.is_empty() {
                        continue;
                    }
                    if !entry.tokens.is_empty() {
                        return Ok(true);
                    }
                    entry.indented = matches!(after, [b' ' | b'\t', ..]);
                }
                b' ' | b'\t' | b'\r' => self.rest = after,
                b';' => {
                    let end = after.iter().position(|byte| *byte == b'\n');
                    self.rest = &after[end.unwrap_or(after.len())..];
                }
                b'(' => {
                    open.push(self.line);
                    self.rest = after;
                }
                b')' if open.pop().is_none() => return Err(self.malformed("a ) without its (")),
                b')' => self.rest = after,
                _ => {
                    if entry.tokens.is_empty() {
                        entry.line = self.line;
                    }
                    let token = if *byte == b'"' {
                        self.quoted(after)?
                    } else {
                        self.word()?
                    };
                    entry.tokens.push(token);
                }
            }
        }
        match open.pop() {
            Some(line) => Err(Malformed {
                line,
                why: "a ( without its )",
            }),
            None => Ok(!entry.tokens.is_empty()),
        }
    }

    fn malformed(&self, why: &'static str) -> Malformed {
        Malformed {
            line: self.line,
            why,
        }
    }

    fn quoted(&mut self, text: &'t [u8]) -> Result<Token<'t>, Malformed> {
        let (begun, mut end, mut escaped) = (self.line, 0, false);
        loop {
            match text.get(end) {
                None => {
                    return Err(Malformed {
                        line: begun,
                        why: "a \" without the one that closes it",
                    });
                }
                Some(b'"') if !escaped => break,
                Some(b'\n') => self.line += 1,
                Some(_) => {}
            }
            escaped = text[end] == b'\\' && !escaped;
            end += 1;
        }
        self.rest = &text[end + 1..];
        Ok(Token {
            text: &text[..end],
            quoted: true,
        })
    }

    fn word(&mut self) -> Result<Token<'t>, Malformed> {
        let (text, mut end, mut escaped) = (self.rest, 0, false);
        while let Some(byte) = text.get(end) {
            match byte {
                b'\n' if escaped => return Err(self.malformed(r"a \ at the end of a line")),
                b'\n' => break,
                _ if escaped => {}
                b' ' | b'\t' | b'\r' | b';' | b'(' | b')' | b'"' => break,
                _ => {}
            }
            escaped = *byte == b'\\' && !escaped;
            end += 1;
        }
        if escaped {
            return Err(self.malformed(r"a \ at the end of the file"));
        }
        self.rest = &text[end..];
        Ok(Token {
            text: &text[..end],
            quoted: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Result<Vec<(usize, bool, Vec<String>)>, Malformed> {
        let (mut lexer, mut entry) = (Lexer::new(text.as_bytes()), Entry::default());
        let mut found = Vec::new();
        while lexer.next(&mut entry)? {
            let tokens = entry.tokens.iter().map(|token| {
                let text = String::from_utf8_lossy(token.text).into_owned();
                if token.quoted {
                    format!("'{text}'")
                } else {
                    text
                }
            });
            found.push((entry.line, entry.indented, tokens.collect()));
        }
        Ok(found)
    }

    #[test]
    fn lines_are_entries_of_tokens() {
        let text = "a A 1 ; x \"(\n\n  ; only (\n\tTXT \"a;b\"\"c\" d;e\r\n( b\n A 2 ) ; (\nc (\n\n ( A ) ; )\n3 ) \"q\nr\" x\\ y\\;z\nd";
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            entries(text),
            Ok(vec![
                (1, false, words(&["a", "A", "1"])),
                (4, true, words(&["TXT", "'a;b'", "'c'", "d"])),
                (5, false, words(&["b", "A", "2"])),
                (7, false, words(&["c", "A", "3", "'q\nr'", "x\\ y\\;z"])),
                (12, false, words(&["d"])),
            ])
        );
    }

    #[test]
    fn what_is_not_closed_is_named_by_its_line() {
        for (text, line, why) in [
            ("a\nb (c\nd", 2, "a ( without its )"),
            ("a\nb c )", 2, "a ) without its ("),
            ("a \"b\nc", 1, "a \" without the one that closes it"),
            ("a\\\nb", 1, r"a \ at the end of a line"),
            ("a\\", 1, r"a \ at the end of the file"),
        ] {
            assert_eq!(entries(text), Err(Malformed { line, why }), "{text}");
        }
    }
}
