//! From the entries of a zone file to records: directives, owners, times to live, classes, types.

use std::path::{Path as FilePath, PathBuf};

use common::{
    exit::Failure,
    files,
    text::{visible, visible_path},
};
use domain::base::iana::{Class, Rtype};

use super::{
    found::{Found, Trouble},
    generate::{self, Range},
    left_out::{At, LeftOut},
    lexer::{Entry, Lexer, Token},
    rdata,
};
use crate::{
    dns::{
        owner::{Owner, Zones},
        presentation,
    },
    file::LONGEST_FILE,
    space::Space,
    value::DEFAULT_TTL,
};

/// How deep files include files.
const DEEPEST: usize = 10;

/// How many records `$GENERATE` makes at most in a file.
const MOST_GENERATED: u64 = 1_000_000;

/// A zone file that is being read, and the files that it includes.
pub(super) struct Reader<'z> {
    zones: &'z Zones,
    /// Whether records that a name space cannot hold are left out.
    skip: bool,
    /// Whether `$INCLUDE` reads files.
    includes: bool,
    files: Vec<PathBuf>,
    /// How many files are open.
    depth: usize,
    /// How many bytes all files have, and how many records were generated.
    bytes: u64,
    generated: u64,
    origin: Vec<u8>,
    /// The TTL of `$TTL` (RFC 2308 section 4), and the last one that a record had, in seconds.
    default_ttl: Option<u32>,
    last_ttl: Option<u32>,
    /// The owner of the last record.
    owner: Option<Vec<u8>>,
    found: Found,
    left_out: Vec<(At, String)>,
    apex: Vec<(At, Rtype, Option<Vec<u8>>)>,
}

impl<'z> Reader<'z> {
    pub(super) fn new(zones: &'z Zones, skip: bool, includes: bool) -> Self {
        Self {
            zones,
            skip,
            includes,
            files: Vec::new(),
            depth: 0,
            bytes: 0,
            generated: 0,
            origin: zones.names.as_slice().to_vec(),
            default_ttl: None,
            last_ttl: None,
            owner: None,
            found: Found::default(),
            left_out: Vec::new(),
            apex: Vec::new(),
        }
    }

    /// Reads the text of the zone file.
    pub(super) fn read(
        mut self,
        path: &FilePath,
        text: &[u8],
    ) -> Result<(Space, Vec<LeftOut>), Failure> {
        self.file(path.into(), text)?;
        self.check_apex();
        let (files, skip) = (self.files, self.skip);
        let failed = |at: At, why: String| failure(&files, at, why);
        let mut left_out = self.left_out;
        let space = self
            .found
            .space(self.zones, |(at, trouble)| match trouble {
                Trouble::Unsupported(why) if skip => {
                    left_out.push((at, why));
                    Ok(())
                }
                trouble => Err(failed(at, reason(trouble))),
            })?;
        left_out.sort_by_key(|(at, _)| *at);
        let left_out = left_out.into_iter().map(|(at, why)| LeftOut {
            file: files[at.file].clone(),
            line: at.line,
            why,
        });
        Ok((space, left_out.collect()))
    }

    fn file(&mut self, path: PathBuf, text: &[u8]) -> Result<(), Failure> {
        let file = self.files.len();
        self.files.push(path);
        self.bytes += text.len() as u64;
        let mut lexer = Lexer::new(text);
        let mut entry = Entry::default();
        loop {
            let more = lexer.next(&mut entry).map_err(|malformed| {
                let at = At {
                    file,
                    line: malformed.line,
                };
                failure(&self.files, at, malformed.why)
            })?;
            if !more {
                return Ok(());
            }
            let at = At {
                file,
                line: entry.line,
            };
            self.entry(at, &entry)?;
        }
    }

    fn entry(&mut self, at: At, entry: &Entry<'_>) -> Result<(), Failure> {
        let [first, rest @ ..] = entry.tokens.as_slice() else {
            return Ok(());
        };
        let directive = !entry.indented && !first.quoted && first.text.starts_with(b"$");
        if directive {
            return self.directive(at, first.text, rest);
        }
        let named = match entry.indented {
            true => None,
            false => Some(first.text),
        };
        let rest = if entry.indented { &entry.tokens } else { rest };
        let taken = self
            .owner(named)
            .and_then(|owner| self.record(at, owner, rest));
        self.or_left_out(at, taken)
    }

    /// A record that is not taken is left out, or the file is refused.
    fn or_left_out(&mut self, at: At, taken: Result<(), Trouble>) -> Result<(), Failure> {
        match taken {
            Ok(()) => Ok(()),
            Err(Trouble::Unsupported(why) | Trouble::Outside(why)) if self.skip => {
                self.left_out.push((at, why));
                Ok(())
            }
            Err(trouble) => Err(failure(&self.files, at, reason(trouble))),
        }
    }

    /// The owner of a record: the name written, or else the owner of the record before.
    fn owner(&mut self, named: Option<&[u8]>) -> Result<Vec<u8>, Trouble> {
        if let Some(text) = named {
            let name = presentation::name(text, &self.origin);
            self.owner = Some(
                name.map_err(|why| Trouble::Malformed(format!("'{}': {why}", visible(text))))?,
            );
        }
        let missing = || Trouble::Malformed("the first record has no owner".into());
        self.owner.clone().ok_or_else(missing)
    }

    /// Takes a record: `[TTL] [CLASS] TYPE DATA`, the first two in any order.
    fn record(&mut self, at: At, owner: Vec<u8>, tokens: &[Token<'_>]) -> Result<(), Trouble> {
        let owner = Owner::from_wire(&owner);
        let (mut ttl, mut class) = (None, None);
        let mut rest = tokens;
        let rtype = loop {
            let [token, after @ ..] = rest else {
                return Err(Trouble::Malformed(format!("{owner} without a type")));
            };
            rest = after;
            if ttl.is_none()
                && let Some(seconds) = presentation::seconds(token.text)
            {
                ttl = Some(seconds.map_err(Trouble::Malformed)?);
                continue;
            }
            let word = str::from_utf8(token.text).unwrap_or_default();
            if class.is_none()
                && let Ok(found) = word.parse::<Class>()
            {
                class = Some(found);
                continue;
            }
            if let Ok(rtype) = word.parse::<Rtype>() {
                break rtype;
            }
            let shown = visible(token.text);
            let is_a_type = word.starts_with(|first: char| first.is_ascii_alphabetic())
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let why = format!("'{shown}' is not a type of records");
            return Err(match is_a_type {
                true => Trouble::Unsupported(why),
                false => Trouble::Malformed(why),
            });
        };
        if let Some(class) = class.filter(|class| *class != Class::IN) {
            return Err(Trouble::Malformed(format!("class {class} is not IN")));
        }
        self.last_ttl = ttl.or(self.last_ttl);
        let ttl = ttl.or(self.default_ttl).or(self.last_ttl);
        let data = rdata::data(rtype, rest, &self.origin).map_err(Trouble::Malformed)?;
        if let (Rtype::SOA, None, Some(minimum)) = (rtype, ttl, data.as_deref()) {
            // As in BIND, all records without a TTL have the last number of an SOA record without one.
            self.default_ttl = minimum.last_chunk().map(|ttl| u32::from_be_bytes(*ttl));
        }
        let ttl = ttl.filter(|ttl| *ttl != DEFAULT_TTL);
        match self
            .found
            .take(at, &owner, rtype, ttl, data.as_deref(), self.zones)
        {
            Err(Trouble::Apex) => {
                self.apex.push((at, rtype, data));
                Ok(())
            }
            taken => taken,
        }
    }

    /// The name server makes SOA and NS records of its own, and the address of a name server that is called as the zone.
    /// Others that the zone itself cannot have are left out.
    fn check_apex(&mut self) {
        let is_server = self.apex.iter().any(|(_, rtype, data)| {
            let apex = self.zones.names.as_slice();
            *rtype == Rtype::NS
                && data
                    .as_deref()
                    .is_some_and(|data| data.eq_ignore_ascii_case(apex))
        });
        for (at, rtype, _) in std::mem::take(&mut self.apex) {
            match rtype {
                Rtype::SOA | Rtype::NS => {}
                Rtype::A | Rtype::AAAA if is_server => {}
                rtype => {
                    let why =
                        format!("the zone itself has texts and services, and no {rtype} record");
                    self.left_out.push((at, why));
                }
            }
        }
    }

    fn directive(&mut self, at: At, word: &[u8], tokens: &[Token<'_>]) -> Result<(), Failure> {
        let wrong = |files: &[PathBuf], why: String| Err(failure(files, at, why));
        match (word.to_ascii_uppercase().as_slice(), tokens) {
            (b"$ORIGIN", [name]) => match presentation::name(name.text, &self.origin) {
                Ok(origin) => self.origin = origin,
                Err(why) => return wrong(&self.files, format!("$ORIGIN: {why}")),
            },
            (b"$TTL", [time]) => match presentation::seconds(time.text) {
                Some(Ok(seconds)) => self.default_ttl = Some(seconds),
                Some(Err(why)) => return wrong(&self.files, format!("$TTL: {why}")),
                None => {
                    let shown = visible(time.text);
                    return wrong(
                        &self.files,
                        format!("$TTL: '{shown}' is not a time, such as 6h"),
                    );
                }
            },
            (b"$INCLUDE", [path, origin @ ..]) if origin.len() < 2 => {
                return self.include(at, path, origin.first());
            }
            (b"$GENERATE", [range, owner, rest @ ..]) if rest.len() >= 2 => {
                return self.generate(at, range, owner, rest);
            }
            (b"$ORIGIN" | b"$TTL" | b"$INCLUDE" | b"$GENERATE", tokens) => {
                let why = format!(
                    "{}: {} values are not possible",
                    visible(word),
                    tokens.len()
                );
                return wrong(&self.files, why);
            }
            _ => return wrong(&self.files, format!("{} is not supported", visible(word))),
        }
        Ok(())
    }

    /// Reads another file in this place. Origin and owner are those from before afterwards (RFC 1035 section 5.1).
    fn include(
        &mut self,
        at: At,
        path: &Token<'_>,
        origin: Option<&Token<'_>>,
    ) -> Result<(), Failure> {
        let refused = |files: &[PathBuf], why: String| Err(failure(files, at, why));
        if !self.includes {
            return refused(&self.files, "$INCLUDE is not supported here".into());
        }
        if self.files.len() > 1000 || self.depth >= DEEPEST {
            let why =
                format!("$INCLUDE: files are included {DEEPEST} deep, 1000 in all, and not more");
            return refused(&self.files, why);
        }
        let name = str::from_utf8(path.text).unwrap_or_default();
        if name.is_empty() {
            return refused(&self.files, "$INCLUDE: not the name of a file".into());
        }
        // Relative to the file that includes it, or to the zone file, or to the working directory: as servers differ.
        let folders = [at.file, 0].map(|file| {
            let folder = self.files[file].parent();
            let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
            folder.unwrap_or(FilePath::new(".")).to_path_buf()
        });
        let here = PathBuf::from(".");
        let candidates = folders
            .iter()
            .chain([&here])
            .map(|folder| folder.join(name));
        let found = candidates.clone().find(|path| path.is_file());
        let Some(file) = found.or_else(|| candidates.clone().next()) else {
            return Ok(());
        };
        let text =
            files::read(&file, LONGEST_FILE.saturating_sub(self.bytes)).map_err(|error| {
                failure(
                    &self.files,
                    at,
                    format!("$INCLUDE {}: {}", visible(path.text), error.why),
                )
            })?;
        let before = (self.origin.clone(), self.owner.clone());
        if let Some(origin) = origin {
            self.origin = presentation::name(origin.text, &self.origin)
                .map_err(|why| failure(&self.files, at, format!("$INCLUDE: {why}")))?;
        }
        self.depth += 1;
        self.file(file, &text)?;
        self.depth -= 1;
        (self.origin, self.owner) = before;
        Ok(())
    }

    /// Takes the records of a `$GENERATE`.
    fn generate(
        &mut self,
        at: At,
        range: &Token<'_>,
        owner: &Token<'_>,
        rest: &[Token<'_>],
    ) -> Result<(), Failure> {
        let refused =
            |files: &[PathBuf], why: &str| Err(failure(files, at, format!("$GENERATE: {why}")));
        let Some(range) = Range::parse(range.text) else {
            return refused(&self.files, "not a range, such as 1-10 or 0-100/2");
        };
        self.generated = self.generated.saturating_add(range.count());
        if self.generated > MOST_GENERATED {
            return refused(&self.files, "more than 1,000,000 records");
        }
        let (fixed, template) = rest.split_at(rest.len() - 1);
        let template = unquoted(&template[0]);
        for number in range.numbers() {
            let texts = generate::text(owner.text, number)
                .and_then(|owner| Ok((owner, generate::text(&template, number)?)));
            let (owner, data) = match texts {
                Ok(texts) => texts,
                Err(why) => return refused(&self.files, &why),
            };
            let mut entry = Entry::default();
            // A text in quotes can have several values.
            let lexed = Lexer::new(&data).next(&mut entry);
            if let Err(malformed) = lexed {
                return refused(&self.files, malformed.why);
            }
            let tokens = [fixed, &entry.tokens].concat();
            let owner = presentation::name(&owner, &self.origin).map_err(Trouble::Malformed);
            let taken = owner.and_then(|owner| self.record(at, owner, &tokens));
            self.or_left_out(at, taken)?;
        }
        Ok(())
    }
}

/// The text of a token in which \" is a quote, as it is within quotes.
fn unquoted(token: &Token<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(token.text.len());
    let mut rest = token.text;
    while let Some((byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'\\', [b'"', ..]) if token.quoted => rest = after,
            (b'\\', [escaped, after @ ..]) => {
                text.extend([b'\\', *escaped]);
                rest = after;
                continue;
            }
            _ => {}
        }
        text.push(rest[0]);
        rest = &rest[1..];
    }
    text
}

fn reason(trouble: Trouble) -> String {
    match trouble {
        Trouble::Unsupported(why) => format!("{why}; --skip-unsupported leaves it out"),
        trouble => trouble.to_string(),
    }
}

fn failure(files: &[PathBuf], at: At, why: impl AsRef<str>) -> Failure {
    let file = files
        .get(at.file)
        .map_or_else(String::new, |path| visible_path(path));
    Failure::could_not_run(
        format!("{file}:{}", at.line),
        visible(why.as_ref().as_bytes()),
    )
}
