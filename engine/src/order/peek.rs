//! The first rows of a sheet as it would be read under some options, without reading it.

use super::execute::OrderError;
use super::{Message, PeekAnswer, PeekOrder, PeekRow, Report};
use crate::sheets::book::Book;
use crate::sheets::header::ShownRow;
use crate::sheets::kind::letters;
use crate::sheets::{HeaderOption, Refusal, TextDialect};
use crate::tables::chunk::Chunk;
use crate::tables::header::{Head, shown, unique};

/// Rows that are looked at for the header, as a table does.
const LOOKED_AT: usize = 200;
/// Columns and characters of a cell that are shown.
const MOST_COLUMNS: usize = 50;
const SHOWN_CHARS: usize = 100;

/// The first rows of a sheet as they show, and what is known of it.
struct First {
    rows: Vec<ShownRow>,
    header: HeaderOption,
    text: Option<TextDialect>,
}

/// Answers with the first rows.
pub(super) fn run(order: &PeekOrder, say: &mut dyn FnMut(Message)) -> Result<Report, OrderError> {
    let First { rows, header, text } = first(order)?;
    let head = Head::find(&rows, &header)?;
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let width = width.max(head.words.len());
    let mut words = head.words;
    words.resize(width, String::new());
    let columns = unique(words)
        .iter()
        .take(MOST_COLUMNS)
        .map(|name| short(name))
        .collect();
    // A header far down is shown with the rows around it.
    let from = head.header.map_or(0, |(first, _)| {
        let at = rows.iter().take_while(|row| row.row < first).count();
        at.saturating_sub(order.rows / 2)
    });
    let row = |row: &ShownRow| PeekRow {
        row: row.row,
        cells: row
            .cells
            .iter()
            .take(MOST_COLUMNS)
            .map(|(_, _, text)| short(text))
            .collect(),
    };
    let letters = (0..width.min(MOST_COLUMNS)).map(|at| letters(u32::try_from(at).unwrap_or(0)));
    say(Message::Peek(Box::new(PeekAnswer {
        header: head.header,
        letters: letters.collect(),
        columns,
        rows: rows.iter().skip(from).take(order.rows).map(row).collect(),
        text,
    })));
    Ok(Report::default())
}

fn first(order: &PeekOrder) -> Result<First, OrderError> {
    let mut book = Book::open(&order.input, &order.options, &order.limits)?;
    let header = book.header().unwrap_or(&order.options.header).clone();
    let text = book.dialect().cloned();
    let sheet = book.sheets().get(order.position as usize).or(book.sheets().first());
    let Some(sheet) = sheet.cloned() else {
        return Err(Refusal::NoSheets.into());
    };
    let until = match header {
        HeaderOption::Rows(_, last) => last.saturating_add(u32::try_from(order.rows).unwrap_or(0)),
        HeaderOption::Auto | HeaderOption::None => 0,
    };
    let layout = order.options.arrange().then(|| book.layout(&sheet)).transpose()?;
    let mut cells = book.arranged(&sheet, layout.unwrap_or_default(), &order.options, &order.limits)?;
    let (mut chunk, mut last) = (Chunk::default(), 0);
    while let Some(cell) = cells.next()? {
        if chunk.len() >= LOOKED_AT && cell.row > until && cell.row != last {
            break;
        }
        last = cell.row;
        chunk.push(&cell);
    }
    let rows = (0..chunk.len()).map(|at| shown(&chunk, at, cells.formats())).collect();
    Ok(First { rows, header, text })
}

fn short(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}
