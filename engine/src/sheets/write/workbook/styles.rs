//! The formats of cells: a list for the workbook, and what a column picks of it.

use super::super::super::kind::CellKind;
use super::super::super::number_format::{FormatClass, GENERAL, classify};
use super::super::super::view::{CellView, ColumnView};
use super::super::rules::{code_for, is_no_day, suits};
use super::super::{OutputSheet, is_injection};
use super::text::{put, put_attribute};

/// A position in the list; 0 is the format of cells without one.
pub(super) type Style = u32;

/// Codes that every program knows by number (ECMA-376 part 1, section 18.8.30), where all countries have the same.
const BUILT_IN: [(&str, usize); 12] = [
    ("0", 1),
    ("0.00", 2),
    ("#,##0", 3),
    ("#,##0.00", 4),
    ("0%", 9),
    ("0.00%", 10),
    ("0.00E+00", 11),
    ("# ?/?", 12),
    ("# ??/??", 13),
    ("mm:ss", 45),
    ("[h]:mm:ss", 46),
    ("@", 49),
];
/// The number of the first code of one's own.
const OWN: usize = 164;

/// The list.
#[derive(Debug)]
pub(super) struct Styles {
    codes: Vec<String>,
    styles: Vec<Look>,
}

/// What a format is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    /// The number of its code.
    code: usize,
    bold: bool,
    /// Whether its text is no formula, whatever it looks like.
    quoted: bool,
}

impl Default for Styles {
    fn default() -> Self {
        Self {
            codes: Vec::new(),
            styles: vec![Look::default()],
        }
    }
}

impl Styles {
    fn position(&mut self, look: Look) -> Style {
        let at = self.styles.iter().position(|known| *known == look).unwrap_or_else(|| {
            self.styles.push(look);
            self.styles.len() - 1
        });
        Style::try_from(at).unwrap_or(0)
    }

    /// The format of a header, which may look like a formula.
    pub(super) fn header(&mut self, text: &str) -> Style {
        self.position(Look {
            bold: true,
            quoted: is_injection(text),
            ..Look::default()
        })
    }

    /// The format of texts that look like a formula.
    fn quoted(&mut self) -> Style {
        self.position(Look {
            quoted: true,
            ..Look::default()
        })
    }

    fn numbers(&mut self, code: &str) -> Style {
        let built_in = BUILT_IN
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(_, number)| *number);
        let code = built_in.unwrap_or_else(|| {
            let known = self.codes.iter().position(|known| known == code);
            OWN + known.unwrap_or_else(|| {
                self.codes.push(code.to_owned());
                self.codes.len() - 1
            })
        });
        self.position(Look {
            code,
            ..Look::default()
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.styles.len()
    }

    /// The part of the workbook that holds them.
    pub(super) fn xml(&self) -> Vec<u8> {
        let mut out = super::parts::DECLARATION.to_vec();
        out.extend_from_slice(b"<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">");
        if !self.codes.is_empty() {
            put(&mut out, format_args!("<numFmts count=\"{}\">", self.codes.len()));
            for (at, code) in self.codes.iter().enumerate() {
                put(
                    &mut out,
                    format_args!("<numFmt numFmtId=\"{}\" formatCode=\"", OWN + at),
                );
                put_attribute(code, &mut out);
                out.extend_from_slice(b"\"/>");
            }
            out.extend_from_slice(b"</numFmts>");
        }
        out.extend_from_slice(FONTS_TO_CELL_STYLES.as_bytes());
        put(&mut out, format_args!("<cellXfs count=\"{}\">", self.styles.len()));
        for look in &self.styles {
            let font = u8::from(look.bold);
            put(
                &mut out,
                format_args!(
                    "<xf numFmtId=\"{}\" fontId=\"{font}\" fillId=\"0\" borderId=\"0\" xfId=\"0\"",
                    look.code
                ),
            );
            for (is_so, attribute) in [
                (look.quoted, " quotePrefix=\"1\""),
                (look.code > 0, " applyNumberFormat=\"1\""),
                (look.bold, " applyFont=\"1\""),
            ] {
                out.extend_from_slice(if is_so { attribute.as_bytes() } else { b"" });
            }
            out.extend_from_slice(b"/>");
        }
        out.extend_from_slice(b"</cellXfs>");
        out.extend_from_slice(NORMAL.as_bytes());
        out
    }
}

const FONTS_TO_CELL_STYLES: &str = "<fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font>\
    <font><b/><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font></fonts>\
    <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
    <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
    <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>";
const NORMAL: &str =
    "<cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>";

/// The formats of one column's cells.
#[derive(Debug)]
pub(super) struct ColumnStyles {
    /// Text that could run as a formula.
    pub(super) quoted: Style,
    /// The column's own, in a typed column.
    pub(super) column: Style,
    /// By the position of the cell's own format, in a mixed column, with what it is for; `None`: General.
    own: Vec<Option<(Style, FormatClass)>>,
    /// By kind, for cells whose own format does not suit them.
    plain: [Style; CellKind::ALL.len()],
    /// By kind, for cells without an own format.
    by_kind: [Style; CellKind::ALL.len()],
}

impl ColumnStyles {
    /// The formats of a column of a sheet.
    pub(super) fn of(styles: &mut Styles, at: usize, view: &ColumnView, sheet: &OutputSheet) -> Self {
        let code = sheet.columns.get(at).and_then(|column| column.format.as_deref());
        let code = code.filter(|code| *code != GENERAL);
        let kind = match view {
            ColumnView::Mixed { .. } => {
                let own = |code: &String| (code != GENERAL).then(|| (styles.numbers(code), classify(code)));
                return Self {
                    own: sheet.formats.iter().map(own).collect(),
                    plain: CellKind::ALL.map(|kind| code_for(kind, None).map_or(0, |code| styles.numbers(code))),
                    by_kind: CellKind::ALL.map(|kind| code_for(kind, code).map_or(0, |code| styles.numbers(code))),
                    quoted: styles.quoted(),
                    column: 0,
                };
            }
            ColumnView::Integer(_) | ColumnView::Decimal(_) => CellKind::Number,
            ColumnView::Date(_) => CellKind::Date,
            ColumnView::DateTime(_) => CellKind::DateTime,
            ColumnView::Time(_) => CellKind::Time,
            ColumnView::Blank | ColumnView::Boolean(_) | ColumnView::Text(_) => CellKind::Text,
        };
        let column = code_for(kind, code).map_or(0, |code| styles.numbers(code));
        Self {
            quoted: styles.quoted(),
            column,
            own: Vec::new(),
            plain: [0; CellKind::ALL.len()],
            by_kind: [column; CellKind::ALL.len()],
        }
    }

    /// The format of a number, date, time or span.
    pub(super) fn of_number(&self, cell: &CellView<'_>) -> Style {
        let of_kind = |styles: &[Style]| styles.get(usize::from(cell.kind.code())).copied().unwrap_or(0);
        match cell.format.and_then(|at| self.own.get(usize::from(at))) {
            Some(Some((style, class))) if suits(cell.kind, *class) || is_no_day(cell) => *style,
            Some(_) => of_kind(&self.plain),
            None => of_kind(&self.by_kind),
        }
    }
}
