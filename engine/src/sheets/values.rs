//! What calamine's values are in our words, whichever of its readers they come from.

use calamine::{CellErrorType, Data, DataRef};

use super::dates::{kind_of, parse_iso, parse_iso_duration};
use super::kind::CellKind;
use super::number_format::{FormatClass, classify};

/// A value, borrowed from either of calamine's two forms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Blank,
    Text(&'a str),
    Number(f64),
    /// A number that only calamine knows to be a date.
    Moment(f64),
    Boolean(bool),
    Error(&'a CellErrorType),
    /// An ISO 8601 date, date-time or time.
    Iso(&'a str),
    /// An ISO 8601 duration.
    Duration(&'a str),
}

impl<'a> From<&'a DataRef<'_>> for Value<'a> {
    fn from(value: &'a DataRef<'_>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a spreadsheet has no finer number")]
        match value {
            DataRef::Empty => Self::Blank,
            DataRef::String(text) => Self::Text(text),
            DataRef::SharedString(text) => Self::Text(text),
            DataRef::Int(number) => Self::Number(*number as f64),
            DataRef::Float(number) => Self::Number(*number),
            DataRef::DateTime(moment) => Self::Moment(moment.as_f64()),
            DataRef::Bool(value) => Self::Boolean(*value),
            DataRef::Error(error) => Self::Error(error),
            DataRef::DateTimeIso(text) => Self::Iso(text),
            DataRef::DurationIso(text) => Self::Duration(text),
        }
    }
}

impl<'a> From<&'a Data> for Value<'a> {
    fn from(value: &'a Data) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a spreadsheet has no finer number")]
        match value {
            Data::Empty => Self::Blank,
            Data::String(text) => Self::Text(text),
            Data::Int(number) => Self::Number(*number as f64),
            Data::Float(number) => Self::Number(*number),
            Data::DateTime(moment) => Self::Moment(moment.as_f64()),
            Data::Bool(value) => Self::Boolean(*value),
            Data::Error(error) => Self::Error(error),
            Data::DateTimeIso(text) => Self::Iso(text),
            Data::DurationIso(text) => Self::Duration(text),
        }
    }
}

impl<'a> Value<'a> {
    /// What it is under a format of this class, and its number: a serial of the 1900 system for dates. `shift` is what a
    /// serial lacks to be one. Nothing for a blank.
    pub(super) fn classified(self, class: FormatClass, shift: f64) -> Option<(CellKind, f64)> {
        let by_format = |number: f64, class: FormatClass| {
            let dated = matches!(class, FormatClass::Date | FormatClass::DateTime);
            let number = if dated { number + shift } else { number };
            Some((kind_of(class, number), number))
        };
        match self {
            Self::Blank | Self::Text("") => None,
            Self::Text(_) => Some((CellKind::Text, 0.0)),
            Self::Number(number) | Self::Moment(number) if !number.is_finite() => {
                // `1e999`: no spreadsheet can hold such a number.
                Some((CellKind::Error, 0.0))
            }
            Self::Number(number) => by_format(number, class),
            // A locale's format that only calamine knows.
            Self::Moment(number) if class == FormatClass::Number => by_format(number, FormatClass::DateTime),
            Self::Moment(number) => by_format(number, class),
            Self::Boolean(value) => Some((CellKind::Boolean, f64::from(u8::from(value)))),
            Self::Error(_) => Some((CellKind::Error, 0.0)),
            Self::Iso(text) => Some(parse_iso(text).unwrap_or((CellKind::Text, 0.0))),
            Self::Duration(text) => Some(parse_iso_duration(text).unwrap_or((CellKind::Text, 0.0))),
        }
    }

    /// Text and errors as they stand; numbers, for which there is none, as the error that they are where they are none.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Text(text) | Self::Iso(text) | Self::Duration(text) => text,
            Self::Error(error) => error_text(error),
            Self::Number(_) | Self::Moment(_) => error_text(&CellErrorType::Num),
            Self::Blank | Self::Boolean(_) => "",
        }
    }
}

/// An error as cells show it.
pub(super) fn error_text(error: &CellErrorType) -> &'static str {
    use CellErrorType as E;
    match error {
        E::Div0 => "#DIV/0!",
        E::NA => "#N/A",
        E::Name => "#NAME?",
        E::Null => "#NULL!",
        E::Num => "#NUM!",
        E::Ref => "#REF!",
        E::Value => "#VALUE!",
        E::GettingData => "#GETTING_DATA",
    }
}

/// The number formats of a workbook, each code once, and what its styles make of numbers.
#[derive(Clone, Debug)]
pub(super) struct Formats {
    codes: Vec<String>,
    styles: Vec<(u16, FormatClass)>,
}

impl Formats {
    /// From the format code of each style, in order.
    pub(super) fn of<'a>(styles: impl IntoIterator<Item = &'a str>) -> Self {
        let mut codes = vec![super::number_format::GENERAL.to_owned()];
        let mut by_style = Vec::new();
        for code in styles {
            let code = plain_general(code);
            let at = codes.iter().position(|known| known == code).unwrap_or_else(|| {
                codes.push(code.to_owned());
                codes.len() - 1
            });
            // Formats beyond 65,535 show as General: no workbook that a program wrote has so many.
            by_style.push((u16::try_from(at).unwrap_or(0), classify(code)));
        }
        Self {
            codes,
            styles: by_style,
        }
    }

    /// The codes; the first is `General`.
    pub(super) fn codes(&self) -> &[String] {
        &self.codes
    }

    /// The position of a style's code, and its class.
    pub(super) fn style(&self, style: usize) -> (u16, FormatClass) {
        self.styles.get(style).copied().unwrap_or((0, FormatClass::Number))
    }
}

/// What some programs write for General, as everybody else does.
pub(super) fn plain_general(code: &str) -> &str {
    if code.is_empty() || code.eq_ignore_ascii_case(super::number_format::GENERAL) {
        super::number_format::GENERAL
    } else {
        code
    }
}

/// The code of a built-in format (ECMA-376 part 1, section 18.8.30; the same numbers in BIFF), those that differ by locale in
/// the form that shows the same parts.
pub(super) fn built_in(id: u16) -> &'static str {
    match id {
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        5 | 6 => "\"$\"#,##0",
        7 | 8 => "\"$\"#,##0.00",
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        12 => "# ?/?",
        13 => "# ??/??",
        14 => "mm-dd-yy",
        15 => "d-mmm-yy",
        16 => "d-mmm",
        17 => "mmm-yy",
        18 => "h:mm AM/PM",
        19 => "h:mm:ss AM/PM",
        20 => "h:mm",
        21 => "h:mm:ss",
        22 => "m/d/yy h:mm",
        27..=31 | 36 | 50..=54 | 57 | 58 => "yyyy-mm-dd",
        32..=35 | 55 | 56 => "h:mm:ss",
        37 | 38 => "#,##0 ;(#,##0)",
        39 | 40 => "#,##0.00;(#,##0.00)",
        41 | 42 => "#,##0",
        43 | 44 => "#,##0.00",
        45 => "mm:ss",
        46 => "[h]:mm:ss",
        47 => "mmss.0",
        48 => "##0.0E+0",
        49 => "@",
        _ => super::number_format::GENERAL,
    }
}
