//! XML as far as the parts of a workbook need it (XML 1.0, fifth edition), read in place.
//!
//! Tags, attributes, text with its references, CDATA, comments and instructions. Names are compared as they stand, with their
//! prefix: [`Names`] knows which prefix a part has. What a workbook has no need of (a document type, entities of its own) is
//! [`Stop::Odd`].

use memchr::{memchr, memmem};

/// Why reading does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end in the middle of something.
    More,
    /// Something that is left to another reader, in words for a log.
    Odd(&'static str),
}

/// What a `<` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// A start tag of this name; its attributes follow.
    Start(&'a [u8]),
    /// An end tag.
    End(&'a [u8]),
    /// The text of a CDATA section.
    CData(&'a [u8]),
    /// A processing instruction, or the declaration.
    Instruction(&'a [u8]),
    /// A comment.
    Comment,
}

/// What follows in a start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute<'a> {
    /// A name and a value as it stands.
    Is(&'a [u8], &'a [u8]),
    /// The tag ends, its content follows.
    Content,
    /// The tag ends and has no content.
    Empty,
}

/// Bytes of a part that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Markup<'a> {
    left: &'a [u8],
}

impl<'a> Markup<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// What is still to be read.
    pub(super) fn left(&self) -> &'a [u8] {
        self.left
    }

    /// Goes on with what is left of these bytes.
    pub(super) fn go_on(&mut self, left: &'a [u8]) {
        self.left = left;
    }

    /// Passes over this, if it comes next.
    pub(super) fn take(&mut self, literal: &[u8]) -> Result<bool, Stop> {
        if let Some(left) = self.left.strip_prefix(literal) {
            self.left = left;
            return Ok(true);
        }
        if literal.starts_with(self.left) {
            return Err(Stop::More);
        }
        Ok(false)
    }

    /// The text up to the next `<`, which comes next then.
    #[inline]
    pub(super) fn text(&mut self) -> Result<&'a [u8], Stop> {
        if let [b'<', ..] = self.left {
            return Ok(&[]);
        }
        let at = memchr(b'<', self.left).ok_or(Stop::More)?;
        let (text, left) = self.left.split_at_checked(at).ok_or(Stop::More)?;
        self.left = left;
        Ok(text)
    }

    /// The tag that comes next: there is a `<`.
    #[inline]
    pub(super) fn tag(&mut self) -> Result<Tag<'a>, Stop> {
        let [b'<', left @ ..] = self.left else {
            return Err(Stop::More);
        };
        match left {
            [] => Err(Stop::More),
            [b'/', left @ ..] => {
                let (name, left) = split(left, memchr(b'>', left))?;
                self.left = left;
                Ok(Tag::End(name.trim_ascii_end()))
            }
            [b'!', left @ ..] => self.declaration(left),
            [b'?', left @ ..] => {
                let at = memmem::find(left, b"?>").ok_or(Stop::More)?;
                self.left = left.get(at + 2..).unwrap_or_default();
                Ok(Tag::Instruction(left.get(..at).unwrap_or_default()))
            }
            _ => {
                let ends = |byte: &u8| matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n');
                let at = left.iter().position(ends).ok_or(Stop::More)?;
                let (name, left) = left.split_at_checked(at).ok_or(Stop::More)?;
                self.left = left;
                Ok(Tag::Start(name))
            }
        }
    }

    /// What stands behind `<!`.
    fn declaration(&mut self, left: &'a [u8]) -> Result<Tag<'a>, Stop> {
        let mut inside = Self::new(left);
        if inside.take(b"--")? {
            let at = memmem::find(inside.left, b"-->").ok_or(Stop::More)?;
            self.left = inside.left.get(at + 3..).unwrap_or_default();
            return Ok(Tag::Comment);
        }
        if inside.take(b"[CDATA[")? {
            let at = memmem::find(inside.left, b"]]>").ok_or(Stop::More)?;
            self.left = inside.left.get(at + 3..).unwrap_or_default();
            return Ok(Tag::CData(inside.left.get(..at).unwrap_or_default()));
        }
        Err(Stop::Odd("a document type"))
    }

    /// What comes next in a start tag, behind its name.
    #[inline]
    pub(super) fn attribute(&mut self) -> Result<Attribute<'a>, Stop> {
        let mut left = self.left;
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = left {
            left = rest;
        }
        match left {
            [b'>', left @ ..] => {
                self.left = left;
                return Ok(Attribute::Content);
            }
            [b'/', b'>', left @ ..] => {
                self.left = left;
                return Ok(Attribute::Empty);
            }
            [] | [b'/'] => return Err(Stop::More),
            _ => {}
        }
        let end = left
            .iter()
            .position(|byte| matches!(byte, b'=' | b'>' | b'<'))
            .ok_or(Stop::More)?;
        let (name, left) = left.split_at_checked(end).ok_or(Stop::More)?;
        let [b'=', left @ ..] = left else {
            return Err(Stop::Odd("an attribute without a value"));
        };
        let mut left = left;
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = left {
            left = rest;
        }
        let (quote, left) = match left {
            [] => return Err(Stop::More),
            [quote @ (b'"' | b'\''), left @ ..] => (*quote, left),
            _ => return Err(Stop::Odd("a value without quotes")),
        };
        // A value has no `<` (section 3.1, production 10): there its end is missing.
        let at = left
            .iter()
            .position(|byte| *byte == quote || *byte == b'<')
            .ok_or(Stop::More)?;
        let (value, left) = left.split_at_checked(at).ok_or(Stop::More)?;
        let left = left
            .strip_prefix(&[quote])
            .ok_or(Stop::Odd("a value that does not end"))?;
        self.left = left;
        Ok(Attribute::Is(name.trim_ascii_end(), value))
    }

    /// Passes over the attributes that are left of a start tag; how it ends.
    pub(super) fn attributes(&mut self) -> Result<Attribute<'a>, Stop> {
        loop {
            match self.attribute()? {
                Attribute::Is(..) => {}
                end => return Ok(end),
            }
        }
    }

    /// Passes over an element whose name was read.
    pub(super) fn pass_element(&mut self) -> Result<(), Stop> {
        let mut depth = match self.attributes()? {
            Attribute::Empty => return Ok(()),
            _ => 1_u64,
        };
        while depth > 0 {
            self.text()?;
            match self.tag()? {
                Tag::Start(_) if self.attributes()? == Attribute::Content => depth += 1,
                Tag::End(_) => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads text up to the end tag of its element, whose name is given, and adds it to `out`.
    pub(super) fn content(&mut self, name: &[u8], out: &mut String) -> Result<(), Stop> {
        loop {
            add_text(self.text()?, out)?;
            match self.tag()? {
                Tag::End(end) if end == name => return Ok(()),
                Tag::CData(text) => add_lines(utf8(text)?, out),
                Tag::Comment | Tag::Instruction(_) => {}
                Tag::Start(_) | Tag::End(_) => return Err(Stop::Odd("an element in a text")),
            }
        }
    }
}

/// Cuts before and behind the byte found.
fn split(bytes: &[u8], at: Option<usize>) -> Result<(&[u8], &[u8]), Stop> {
    let (before, rest) = bytes.split_at_checked(at.ok_or(Stop::More)?).ok_or(Stop::More)?;
    Ok((before, rest.get(1..).unwrap_or_default()))
}

/// The prefix that a part's own elements have: mostly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    prefix: Vec<u8>,
}

impl Names {
    /// From the name of the root element, where it is the one that is looked for.
    pub(super) fn of(root: &[u8], local: &[u8]) -> Result<Self, Stop> {
        let prefix = root.strip_suffix(local).ok_or(Stop::Odd("another kind of part"))?;
        if prefix.is_empty() || prefix.ends_with(b":") {
            let prefix = prefix.to_vec();
            return Ok(Self { prefix });
        }
        Err(Stop::Odd("another kind of part"))
    }

    /// Whether there is none.
    #[inline]
    pub(super) fn are_bare(&self) -> bool {
        self.prefix.is_empty()
    }

    /// The name without the part's prefix; names of other vocabularies keep theirs, or have none to lose.
    #[inline]
    pub(super) fn own<'n>(&self, name: &'n [u8]) -> &'n [u8] {
        if self.prefix.is_empty() {
            return name;
        }
        name.strip_prefix(self.prefix.as_slice()).unwrap_or_default()
    }
}

/// Whether an attribute changes what names mean from here on; workbooks do that at the root only.
pub(super) fn renames(attribute: &[u8]) -> bool {
    attribute.starts_with(b"xmlns")
}

/// The encoding of a part must be UTF-8: looks at its first bytes, of which there are four, and answers how many to pass over.
pub(super) fn byte_order_mark(bytes: &[u8]) -> Result<usize, Stop> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Ok(3),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, ..] | [_, 0, ..] => Err(Stop::Odd("another encoding than UTF-8")),
        _ if bytes.len() < 4 => Err(Stop::More),
        _ => Ok(0),
    }
}

/// The declaration may name UTF-8, or what is a part of it.
pub(super) fn check_encoding(instruction: &[u8]) -> Result<(), Stop> {
    let Some(rest) = instruction.strip_prefix(b"xml") else {
        return Ok(());
    };
    let Some(at) = memmem::find(rest, b"encoding") else {
        return Ok(());
    };
    let value = rest.get(at + 8..).unwrap_or_default();
    let mut quoted = value.split(|byte| matches!(byte, b'"' | b'\''));
    let name = quoted.nth(1).unwrap_or_default();
    if name.eq_ignore_ascii_case(b"utf-8")
        || name.eq_ignore_ascii_case(b"utf8")
        || name.eq_ignore_ascii_case(b"us-ascii")
    {
        return Ok(());
    }
    Err(Stop::Odd("another encoding than UTF-8"))
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(bytes).map_err(|_invalid| Stop::Odd("bytes that are not UTF-8"))
}

/// Adds text with its references resolved (XML 1.0 section 4.1) and its line ends as one (section 2.11).
pub(super) fn add_text(text: &[u8], out: &mut String) -> Result<(), Stop> {
    let mut text = utf8(text)?;
    while let Some((before, rest)) = text.split_once('&') {
        add_lines(before, out);
        let (name, rest) = rest.split_once(';').ok_or(Stop::Odd("a reference without an end"))?;
        out.push(character(name).ok_or(Stop::Odd("a reference to an entity of its own"))?);
        text = rest;
    }
    add_lines(text, out);
    Ok(())
}

fn add_lines(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\r') {
        out.push_str(before);
        out.push('\n');
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    out.push_str(rest);
}

/// The character of a reference, without its `&` and `;`. A character that XML does not have is none.
fn character(name: &str) -> Option<char> {
    let number = match name {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let code = match number.strip_prefix('x') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => u32::from_str_radix(digits, 16).ok()?,
        None if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse().ok()?,
        _ => return None,
    };
    char::from_u32(code).filter(|c| *c != '\0')
}
