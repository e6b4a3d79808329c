//! Steps for columns and text against the same thing in plain Rust, on nasty texts and on columns of several kinds.

use super::*;
use crate::sheets::view::CellView;
use crate::tables::mixed::MixedBuilder;

mod letters;
mod parting;
mod replacing;
mod tidying;

/// A cell of the generated tables.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Blank,
    Text(String),
    Number(f64),
    Truth(bool),
    Day(f64),
    Error,
}

impl Cell {
    fn view(&self) -> CellView<'_> {
        let (kind, number, text) = match self {
            Self::Blank => (CellKind::Blank, 0.0, ""),
            Self::Text(text) => (CellKind::Text, 0.0, text.as_str()),
            Self::Number(number) => (CellKind::Number, *number, ""),
            Self::Truth(truth) => (CellKind::Boolean, f64::from(u8::from(*truth)), ""),
            Self::Day(serial) => (CellKind::Date, *serial, ""),
            Self::Error => (CellKind::Error, 0.0, "#N/A"),
        };
        CellView {
            kind,
            number,
            text,
            format: None,
        }
    }

    /// As it stands in a text made of it.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Blank => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => format!("{}", number + 0.0),
            Self::Truth(truth) => truth.to_string().to_uppercase(),
            Self::Day(45_322.0) => "2024-01-31".into(),
            Self::Day(_) => "1999-12-31".into(),
            Self::Error => "#N/A".into(),
        }
    }
}

/// Texts of pieces that each go wrong somewhere.
pub(super) fn nasty_text() -> impl Strategy<Value = String> {
    let pieces = [
        " ",
        "  ",
        "\u{a0}",
        "\u{2009}",
        "\u{3000}",
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\n",
        "\r\n",
        "\t",
        "\u{7}",
        "\u{ad}",
        "\u{200e}",
        "\u{85}",
        "a",
        "B",
        "straße",
        "ß",
        "İ",
        "ı",
        "é",
        "e\u{301}",
        "\u{301}",
        "ﬁ",
        "ΟΔΟΣ",
        "ς",
        "ǆ",
        "ŉ",
        "ᾳ",
        "👩\u{200d}👩\u{200d}👧",
        "007",
        "12",
        "-1.5",
        ",",
        ";",
        "$1",
        "日本",
        "が",
        "Å",
        "ø",
        "don't",
        "O'NEIL",
        "x.y",
        ". ",
        "! ",
        "_",
        "-",
    ];
    let piece = select(pieces.to_vec());
    prop_oneof![
        1 => piece.clone().prop_map(str::to_owned),
        3 => proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
    ]
}

pub(super) fn nasty_cells() -> impl Strategy<Value = Vec<Cell>> {
    let text = nasty_text().prop_map(|text| if text.is_empty() { Cell::Blank } else { Cell::Text(text) });
    let other = select(vec![
        Cell::Blank,
        Cell::Number(7.0),
        Cell::Number(-12.0),
        Cell::Number(0.5),
        Cell::Truth(true),
        Cell::Day(45_322.0),
        Cell::Day(36_525.0),
        Cell::Error,
    ]);
    let cell = prop_oneof![5 => text, 1 => other];
    proptest::collection::vec(cell, 0..60)
}

/// A table of the columns `text` (the texts alone), `mixed` (all cells), `whole` and `day`.
pub(super) fn table_of(cells: &[Cell]) -> Vec<(&'static str, ArrayRef)> {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    };
    let whole = |cell: &Cell| match cell {
        Cell::Number(number) if number.fract() == 0.0 => Some(*number as i64),
        _ => None,
    };
    let day = |cell: &Cell| match cell {
        Cell::Day(serial) => Some(*serial as i32 - 25_569),
        _ => None,
    };
    let mut mixed = MixedBuilder::default();
    cells.iter().for_each(|cell| mixed.push(&cell.view(), u16::MAX, None));
    vec![
        ("text", Arc::new(cells.iter().map(text).collect::<StringArray>())),
        ("mixed", mixed.finish()),
        ("whole", Arc::new(cells.iter().map(whole).collect::<Int64Array>())),
        (
            "day",
            Arc::new(cells.iter().map(day).collect::<arrow::array::Date32Array>()),
        ),
    ]
}

/// What [`words`] says of a cell.
pub(super) fn word(cell: &Cell) -> String {
    match cell {
        Cell::Blank => "-".into(),
        Cell::Text(cell) => text(Some(cell)),
        Cell::Number(number) => format!("n:{}", number + 0.0),
        cell => format!("{}:{}", cell.view().kind.word(), cell.view().number),
    }
}

/// The rows of [`table_of`] as they are.
pub(super) fn rows_of(cells: &[Cell]) -> Vec<Vec<String>> {
    let only = |cell: &Cell, is: bool| if is { word(cell) } else { "-".into() };
    let row = |cell: &Cell| {
        vec![
            only(cell, matches!(cell, Cell::Text(_))),
            word(cell),
            only(cell, matches!(cell, Cell::Number(number) if number.fract() == 0.0)),
            only(cell, matches!(cell, Cell::Day(_))),
        ]
    };
    cells.iter().map(row).collect()
}

pub(super) fn made(cells: &[Cell], split: Split, recipe: &str) -> Result<Made, TestCaseError> {
    carry_out(&table_of(cells), recipe, split).map_err(|error| TestCaseError::fail(error.to_string()))
}

/// Whether a step makes of all texts what `change` makes of them, and leaves all other cells as they are.
pub(super) fn changes_texts(
    cells: &[Cell],
    split: Split,
    step: &str,
    change: impl Fn(&str) -> String,
) -> Result<(), TestCaseError> {
    let changed: Vec<Cell> = cells
        .iter()
        .map(|cell| match cell {
            Cell::Text(text) => match change(text) {
                text if text.is_empty() => Cell::Blank,
                text => Cell::Text(text),
            },
            cell => cell.clone(),
        })
        .collect();
    let made = made(cells, split, &format!("steps: [{step}]"))?;
    prop_assert_eq!(made.rows, rows_of(&changed));
    prop_assert_eq!(made.tally.rejects.rows(), 0);
    Ok(())
}

/// What a step makes of one text in a text column; `None`: the row is rejected.
pub(super) fn one(step: &str, given: &str) -> Fallible<Option<String>> {
    let column: ArrayRef = Arc::new(StringArray::from(vec![given]));
    let made = carry_out(&[("text", column)], &format!("steps: [{step}]"), WHOLE)?;
    let cell = |row: &Vec<String>| match row.as_slice() {
        [blank] if blank == "-" => String::new(),
        row => row.join("|").replace("t:", ""),
    };
    Ok(made.rows.first().map(cell))
}
