//! Reads a workbook into tables: one thread reads cells, this one types, counts and writes them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::execute::OrderError;
use super::{IngestOrder, Member, Message, Report, Stage, TableSummary};
use crate::sheets::archive;
use crate::sheets::book::Book;
use crate::sheets::layout::SheetLayout;
use crate::sheets::source::{Oddity, OddityKind, SheetInfo};
use crate::sheets::{HeaderOption, Hidden, IngestOptions, Limits, Merged, ReadError, Refusal, TextDialect};
use crate::tables::chunk::Chunk;
use crate::tables::write::TableWriter;
use crate::tables::{Issue, TableMeta, counted};

/// Chunks that may wait between the threads: each is a few megabytes at most.
const WAITING_CHUNKS: usize = 4;
/// The folder of an archive's members.
const MEMBERS: &str = "members";
/// Progress is told at most so often.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// What the reading thread hands over.
enum Fed {
    /// The workbook is open.
    Book { sheets: u32, skipped: Vec<String> },
    /// A sheet begins.
    Sheet(Start),
    /// Rows of it, and the bytes of it that were read so far and in all.
    Rows { chunk: Chunk, bytes: (u64, u64) },
    /// It ends, and this was odd in it.
    End(Vec<Oddity>),
    /// The workbook ends; sheets of it that our scanner has left alone.
    Done { streamed: u64 },
}

/// What is known of a sheet before its first row.
struct Start {
    sheet: SheetInfo,
    formats: Vec<String>,
    last_row: Option<u32>,
    /// Where the header is, where the reader had to find it.
    header: Option<HeaderOption>,
    /// How plain text was read.
    dialect: Option<TextDialect>,
}

/// Ingests one workbook, or unpacks an archive of some.
pub(super) fn run(order: &IngestOrder, say: &mut dyn FnMut(Message)) -> Result<Report, OrderError> {
    match workbook(order, say) {
        Err(OrderError::Refused(Refusal::Archive)) => unpack(order, say),
        ended => ended,
    }
}

fn unpack(order: &IngestOrder, say: &mut dyn FnMut(Message)) -> Result<Report, OrderError> {
    let folder = order.out.join(MEMBERS);
    std::fs::create_dir_all(&folder)?;
    archive::unpack(&order.input, &folder, &order.limits, &mut |position, member| {
        let (format, refused) = match member.content {
            Ok(format) => (Some(format), None),
            Err(refusal) => {
                let name = member.name.rsplit('/').next().unwrap_or_default();
                (None, Some((refusal.code().to_owned(), refusal.sentence(name))))
            }
        };
        say(Message::Member(Member {
            path: format!("{MEMBERS}/{position}"),
            name: member.name,
            bytes: member.bytes,
            format,
            refused,
        }));
        Ok(())
    })?;
    Ok(Report::default())
}

fn workbook(order: &IngestOrder, say: &mut dyn FnMut(Message)) -> Result<Report, OrderError> {
    let started = Instant::now();
    std::fs::create_dir_all(&order.out)?;
    let (give, take) = sync_channel(WAITING_CHUNKS);
    let (tables, streamed) = std::thread::scope(|scope| {
        let (input, options, limits) = (order.input.clone(), order.options.clone(), order.limits.clone());
        scope.spawn(move || {
            // A reader that stumbles over a hostile file is the file's fault, not the end of the child.
            let read = || feed(&input, &options, &limits, &give);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
            let result = result.unwrap_or_else(|_| Err(Refusal::Damaged("the reader stumbled".to_owned()).into()));
            if let Err(error) = result {
                // A closed channel means that the other side has failed first.
                give.send(Err(error)).ok();
            }
        });
        let mut ingest = Ingest {
            order,
            say,
            sheets: 0,
            skipped: Vec::new(),
            open: None,
            tables: Vec::new(),
            told: None,
            streamed: 0,
        };
        ingest.take_all(take)?;
        Ok::<_, OrderError>((ingest.tables, ingest.streamed))
    })?;
    let rows_in = tables.iter().map(|table| table.rows).sum();
    let seconds = BTreeMap::from([("reading".to_owned(), started.elapsed().as_secs_f64())]);
    Ok(Report {
        rows_in,
        seconds,
        tables,
        streamed_sheets: streamed,
        ..Report::default()
    })
}

type Feed = Result<Fed, ReadError>;

/// Reads all sheets; ends early where nobody listens any more.
fn feed(input: &Path, options: &IngestOptions, limits: &Limits, give: &SyncSender<Feed>) -> Result<(), ReadError> {
    let mut book = Book::open(input, options, limits)?;
    let sheets = book.sheets().to_vec();
    let count = u32::try_from(sheets.len()).unwrap_or(u32::MAX);
    let (header, dialect) = (book.header().cloned(), book.dialect().cloned());
    let send = |fed: Fed| give.send(Ok(fed)).is_ok();
    if !send(Fed::Book {
        sheets: count,
        skipped: book.skipped().to_vec(),
    }) {
        return Ok(());
    }
    for sheet in sheets {
        let layout = options.arrange().then(|| book.layout(&sheet)).transpose()?;
        let known = layout.as_ref().map(SheetLayout::oddities);
        let mut cells = book.arranged(&sheet, layout.unwrap_or_default(), options, limits)?;
        let (formats, last_row) = (cells.formats().to_vec(), cells.last_row());
        if !send(Fed::Sheet(Start {
            sheet: sheet.clone(),
            formats,
            last_row,
            header: header.clone(),
            dialect: dialect.clone(),
        })) {
            return Ok(());
        }
        let mut chunk = Chunk::default();
        while let Some(cell) = cells.next()? {
            if chunk.is_full_before(cell.row) {
                let full = std::mem::take(&mut chunk);
                chunk.push(&cell);
                if !send(Fed::Rows {
                    chunk: full,
                    bytes: cells.bytes(),
                }) {
                    return Ok(());
                }
            } else {
                chunk.push(&cell);
            }
        }
        let bytes = cells.bytes();
        drop(cells);
        let mut oddities = book.oddities(&sheet);
        oddities.extend(known.map_or_else(|| book.layout(&sheet).map(|it| it.oddities()), Ok)?);
        if !send(Fed::Rows { chunk, bytes }) || !send(Fed::End(oddities)) {
            return Ok(());
        }
    }
    let streamed = book.streamed();
    send(Fed::Done { streamed });
    Ok(())
}

/// A sheet that is being made into a table.
struct Open {
    writer: TableWriter,
    sheet: SheetInfo,
    folder: String,
    last_row: Option<u32>,
}

struct Ingest<'a> {
    order: &'a IngestOrder,
    say: &'a mut dyn FnMut(Message),
    sheets: u32,
    skipped: Vec<String>,
    open: Option<Open>,
    tables: Vec<TableMeta>,
    told: Option<Instant>,
    streamed: u64,
}

impl Ingest<'_> {
    fn take_all(&mut self, take: Receiver<Feed>) -> Result<(), OrderError> {
        for fed in take {
            match fed? {
                Fed::Book { sheets, skipped } => (self.sheets, self.skipped) = (sheets, skipped),
                Fed::Sheet(start) => self.start(start)?,
                Fed::Rows { chunk, bytes } => self.rows(chunk, bytes)?,
                Fed::End(oddities) => self.end(oddities)?,
                Fed::Done { streamed } => self.streamed = streamed,
            }
        }
        Ok(())
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.order.out.join(name)
    }

    fn start(&mut self, start: Start) -> Result<(), OrderError> {
        let folder = start.sheet.position.to_string();
        let path = self.folder(&folder);
        std::fs::create_dir_all(&path)?;
        let header = start.header.as_ref().unwrap_or(&self.order.options.header);
        let mut writer = TableWriter::new(&path, &start.sheet, header, start.formats);
        writer.set_dialect(start.dialect);
        self.open = Some(Open {
            writer,
            sheet: start.sheet,
            folder,
            last_row: start.last_row,
        });
        self.told = None;
        self.progress((0, 0));
        Ok(())
    }

    fn rows(&mut self, chunk: Chunk, bytes: (u64, u64)) -> Result<(), OrderError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if !chunk.is_empty() {
            for part in open.writer.push(chunk)? {
                let path = format!("{}/{part}", open.folder);
                (self.say)(Message::Part { path });
            }
        }
        self.progress(bytes);
        Ok(())
    }

    fn progress(&mut self, (bytes, bytes_total): (u64, u64)) {
        let now = Instant::now();
        let Some(open) = &self.open else { return };
        if self.told.is_some_and(|told| now - told < PROGRESS_EVERY) {
            return;
        }
        self.told = Some(now);
        (self.say)(Message::Progress {
            stage: Stage::Processing,
            sheet: Some(open.sheet.name.clone()),
            sheet_number: open.sheet.position + 1,
            sheets: self.sheets,
            rows: open.writer.rows(),
            rows_total: open.last_row.map(u64::from),
            bytes,
            bytes_total: Some(bytes_total).filter(|total| *total > 0),
        });
    }

    fn end(&mut self, oddities: Vec<Oddity>) -> Result<(), OrderError> {
        let Some(mut open) = self.open.take() else {
            return Ok(());
        };
        oddities
            .into_iter()
            .for_each(|oddity| open.writer.add_issue(issue(oddity, &self.order.options)));
        if open.sheet.position == 0 && !self.skipped.is_empty() {
            open.writer.add_issue(skipped(&self.skipped));
        }
        let (meta, parts) = open.writer.finish()?;
        for part in parts {
            (self.say)(Message::Part {
                path: format!("{}/{part}", open.folder),
            });
        }
        (self.say)(Message::Table {
            folder: open.folder,
            summary: TableSummary {
                position: meta.position,
                sheet: meta.sheet.clone(),
                visibility: meta.visibility,
                rows: meta.rows,
                columns: u32::try_from(meta.columns.len()).unwrap_or(u32::MAX),
            },
        });
        self.tables.push(meta);
        Ok(())
    }
}

fn issue(oddity: Oddity, options: &IngestOptions) -> Issue {
    let (code, one, many) = layout_words(oddity.kind, options).unwrap_or_else(|| words(oddity.kind));
    Issue {
        code: code.to_owned(),
        sentence: counted(oddity.count, one, many),
        count: oddity.count,
        examples: oddity.examples,
    }
}

/// Code, and sentences for one and for many.
type Words = (&'static str, &'static str, &'static str);

/// What is said where the options change what is read.
fn layout_words(kind: OddityKind, options: &IngestOptions) -> Option<Words> {
    let (left_out, filled) = (options.hidden == Hidden::LeaveOut, options.merged == Merged::Fill);
    match kind {
        OddityKind::HiddenRows if left_out => Some((
            "hidden_rows",
            "row is hidden in the sheet; it is left out.",
            "rows are hidden in the sheet; they are left out.",
        )),
        OddityKind::HiddenColumns if left_out => Some((
            "hidden_columns",
            "column is hidden in the sheet; it is left out.",
            "columns are hidden in the sheet; they are left out.",
        )),
        OddityKind::MergedCells if filled => Some((
            "merged_cells",
            "merged area: each of its cells holds its value.",
            "merged areas: each of their cells holds the value.",
        )),
        _ => None,
    }
}

fn words(kind: OddityKind) -> Words {
    match kind {
        OddityKind::FormulaWithoutValue => (
            "formula_without_value",
            "formula has no stored value and reads as blank. Open the file in Excel, save it and try again.",
            "formulas have no stored value and read as blank. Open the file in Excel, save it and try again.",
        ),
        OddityKind::HiddenRows => (
            "hidden_rows",
            "row is hidden in the sheet; it is read like all others.",
            "rows are hidden in the sheet; they are read like all others.",
        ),
        OddityKind::HiddenColumns => (
            "hidden_columns",
            "column is hidden in the sheet; it is read like all others.",
            "columns are hidden in the sheet; they are read like all others.",
        ),
        OddityKind::RaggedRows => (
            "ragged_rows",
            "row has fewer or more fields than most.",
            "rows have fewer or more fields than most.",
        ),
        OddityKind::OpenQuote => (
            "open_quote",
            "quote is opened and never closed; all that follows is one field.",
            "quotes are opened and never closed.",
        ),
        OddityKind::UnknownBytes => (
            "unknown_bytes",
            "place or more holds bytes that stand for nothing in the encoding and became �. Choose another if texts look wrong.",
            "places hold bytes that stand for nothing in the encoding and became �. Choose another if texts look wrong.",
        ),
        OddityKind::AmbiguousDates => (
            "ambiguous_dates",
            "column holds dates that could begin with the day or the month; it stays text until a step converts it.",
            "columns hold dates that could begin with the day or the month; they stay text until a step converts them.",
        ),
        OddityKind::MergedCells => (
            "merged_cells",
            "merged area: only its first cell holds a value.",
            "merged areas: only the first cell of each holds a value.",
        ),
    }
}

fn skipped(names: &[String]) -> Issue {
    let listed: Vec<String> = names.iter().take(20).map(|name| format!("“{name}”")).collect();
    Issue {
        code: "skipped_sheets".to_owned(),
        sentence: format!(
            "{} hold charts or dialogs, not cells, and are left out.",
            listed.join(", ")
        ),
        count: names.len() as u64,
        examples: Vec::new(),
    }
}
