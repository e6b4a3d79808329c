//! What one cell is, and how a cell of a mixed column is laid out.

use serde::{Deserialize, Serialize};

/// The kind of one cell. The discriminant is what the `kind` child of a mixed column holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum CellKind {
    /// Nothing.
    #[default]
    Blank = 0,
    /// Text.
    Text = 1,
    /// A number.
    Number = 2,
    /// True or false.
    Boolean = 3,
    /// A date.
    Date = 4,
    /// A date with a time.
    DateTime = 5,
    /// A time of day.
    Time = 6,
    /// A span of time.
    Duration = 7,
    /// An error such as `#N/A`.
    Error = 8,
}

impl CellKind {
    /// Every kind, in the order of the discriminants.
    pub const ALL: [Self; 9] = [
        Self::Blank,
        Self::Text,
        Self::Number,
        Self::Boolean,
        Self::Date,
        Self::DateTime,
        Self::Time,
        Self::Duration,
        Self::Error,
    ];

    /// The kind with this discriminant; what is none is blank.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or_default()
    }

    /// The discriminant.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The word that profiles and machine answers use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "date_time",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::Error => "error",
        }
    }
}

/// The letters of a column from its position, from 0: `A`, `Z`, `AA`, …
#[must_use]
pub fn letters(column: u32) -> String {
    let mut rest = column + 1;
    let mut reversed = Vec::with_capacity(3);
    while rest > 0 {
        rest -= 1;
        reversed.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    reversed.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_excel() {
        let seen: Vec<String> = [0, 25, 26, 701, 702, 16_383].map(letters).to_vec();
        assert_eq!(seen, ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }

    #[test]
    fn codes_and_kinds_are_one_to_one() {
        for kind in CellKind::ALL {
            assert_eq!(CellKind::from_code(kind.code()), kind);
        }
        assert_eq!(CellKind::from_code(200), CellKind::Blank);
    }
}
