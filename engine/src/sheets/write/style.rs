//! How csv is written: what stands between fields, in which encoding, how lines end; and how small xlsx is made.

use super::WriteError;

/// How csv is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CsvStyle {
    /// What stands between fields.
    pub delimiter: Delimiter,
    /// How characters become bytes.
    pub encoding: Encoding,
    /// How lines end.
    pub line_end: LineEnd,
    /// What becomes of characters that the encoding does not have.
    pub unwritable: Unwritable,
}

/// What stands between fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`, which programs expect where the comma is the decimal sign.
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

/// How characters become bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-8 with the mark in front by which Excel knows it.
    Utf8Bom,
    /// The western code page of Windows: 251 characters.
    Windows1252,
    /// UTF-16, little end first, with a mark in front.
    Utf16Le,
}

/// How lines end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed.
    #[default]
    Lf,
    /// Carriage return and line feed.
    CrLf,
}

/// What becomes of characters that the encoding does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unwritable {
    /// `?` stands for each, and it is said how many there are.
    #[default]
    Replace,
    /// Nothing is written.
    Fail,
}

/// How much work goes into making a workbook small, as measured on a million rows of ten columns: the level of deflate that takes
/// the least time makes a file two fifths larger than the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Little: soonest done.
    #[default]
    Fast,
    /// Some: a quarter longer, a sixteenth smaller.
    Balanced,
    /// Much: four times as long, a seventh smaller.
    Small,
}

impl Compression {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("fast", Self::Fast),
        ("balanced", Self::Balanced),
        ("small", Self::Small),
    ];

    /// The level of deflate.
    pub(super) fn level(self) -> u8 {
        match self {
            Self::Fast => 2,
            Self::Balanced => 3,
            Self::Small => 6,
        }
    }
}

impl Delimiter {
    /// The delimiters by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        (",", Self::Comma),
        (";", Self::Semicolon),
        ("tab", Self::Tab),
        ("|", Self::Pipe),
        ("comma", Self::Comma),
        ("semicolon", Self::Semicolon),
        ("pipe", Self::Pipe),
        ("\t", Self::Tab),
    ];

    /// The character.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
            Self::Pipe => '|',
        }
    }
}

impl Encoding {
    /// The encodings by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[
        ("utf-8", Self::Utf8),
        ("utf-8-bom", Self::Utf8Bom),
        ("windows-1252", Self::Windows1252),
        ("utf-16le", Self::Utf16Le),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Bom => "utf-8",
            Self::Windows1252 => "windows-1252",
            Self::Utf16Le => "utf-16le",
        }
    }

    /// What stands in front of the text.
    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 | Self::Windows1252 => b"",
            Self::Utf8Bom => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
        }
    }
}

impl LineEnd {
    /// The line ends by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("lf", Self::Lf), ("crlf", Self::CrLf)];

    /// The characters.
    #[must_use]
    pub fn signs(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

impl Unwritable {
    /// The choices by the words of the document.
    pub const WORDS: &[(&str, Self)] = &[("replace", Self::Replace), ("fail", Self::Fail)];
}

impl CsvStyle {
    /// Writes a text as bytes behind others; answers how many characters `?` stands for.
    pub(super) fn encode(self, text: &str, bytes: &mut Vec<u8>) -> Result<u64, WriteError> {
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => bytes.extend_from_slice(text.as_bytes()),
            Encoding::Utf16Le => text
                .encode_utf16()
                .for_each(|unit| bytes.extend_from_slice(&unit.to_le_bytes())),
            Encoding::Windows1252 => return self.encode_1252(text, bytes),
        }
        Ok(0)
    }

    fn encode_1252(self, text: &str, bytes: &mut Vec<u8>) -> Result<u64, WriteError> {
        if text.is_ascii() {
            bytes.extend_from_slice(text.as_bytes());
            return Ok(0);
        }
        let (mut replaced, mut rest) = (0, text);
        let mut encoder = encoding_rs::WINDOWS_1252.new_encoder();
        loop {
            // A character is a byte at most, so that there is always room.
            bytes.reserve(rest.len());
            let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, bytes, true);
            rest = &rest[read..];
            match result {
                encoding_rs::EncoderResult::Unmappable(_) if self.unwritable == Unwritable::Replace => {
                    bytes.push(b'?');
                    replaced += 1;
                }
                encoding_rs::EncoderResult::Unmappable(character) => {
                    return Err(WriteError::Refused {
                        code: "not_in_encoding",
                        sentence: format!(
                            "“{character}” is not a character of {}; write another encoding, or let `?` stand for it.",
                            self.encoding.name()
                        ),
                    });
                }
                encoding_rs::EncoderResult::InputEmpty | encoding_rs::EncoderResult::OutputFull if rest.is_empty() => {
                    return Ok(replaced);
                }
                encoding_rs::EncoderResult::InputEmpty | encoding_rs::EncoderResult::OutputFull => {}
            }
        }
    }
}
