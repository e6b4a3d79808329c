//! `/files/{file}`: one workbook. Its sheets as tabs, the grid over the rows of one, and what is in each column.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sheetmill_engine::order::RowsAnswer;
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::sheets::{HeaderOption, Hidden, IngestOptions, Merged, TextDialect};
use sheetmill_engine::tables::{Issue, TableMeta};

use super::table::{self, ColumnHead};
use super::{archive, column, reading, rows};
use crate::database::files::{self, File};
use crate::database::recipes::{self, RecipeInList};
use crate::database::tables::{self, Table};
use crate::domain::ids::{FileId, Sha256, UserId};
use crate::domain::states::IngestState;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::marks::Mark;
use crate::pages::recipes::suggestions;
use crate::pages::{PageError, Pages, filters};
use crate::readings::ARCHIVE;

/// Columns in the grid's head: more make the page slow, and recipes see all of them anyway.
pub(super) const MOST_COLUMNS: usize = 1_000;
/// Rows of a plain table.
pub(super) const PLAIN_ROWS: u64 = 100;
/// Recipes in the menu.
const RECIPES: i64 = 12;
/// Suggestions that are told here; the builder has all of them.
const SUGGESTIONS: usize = 12;

#[derive(Debug, Template)]
#[template(path = "files/workbook.html")]
struct WorkbookPage {
    chrome: Chrome,
    file: FileHead,
    recipes: Vec<RecipeInList>,
    body: Body,
}

/// The file in the page's head.
#[derive(Debug)]
struct FileHead {
    id: FileId,
    name: String,
    bytes: i64,
    sha256: Sha256,
    sheets: Option<i64>,
    rows: Option<i64>,
    created_at: DateTime<Utc>,
}

/// What there is to see of it.
#[derive(Debug)]
enum Body {
    /// It is being read.
    Reading(String),
    /// It was refused, or reading it failed.
    Stopped(Stopped),
    /// Its rows.
    Ready(Box<Sheet>),
    /// Its files: it is an archive.
    Archive(String),
}

impl Sheet {
    fn has_header(&self, word: &str) -> bool {
        let now = match self.options.header {
            HeaderOption::Auto => "auto",
            HeaderOption::None => "none",
            HeaderOption::Rows(..) => "rows",
        };
        now == word
    }

    fn fills_merged(&self) -> bool {
        self.options.merged == Merged::Fill
    }

    fn leaves_out_hidden(&self) -> bool {
        self.options.hidden == Hidden::LeaveOut
    }
}

impl Body {
    /// The sheet in view, for addresses.
    fn sheet(&self) -> i32 {
        match self {
            Self::Ready(sheet) => sheet.position,
            _ => 0,
        }
    }

    fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}

#[derive(Debug)]
struct Stopped {
    mark: Mark,
    sentence: String,
    reference: Option<String>,
    /// It was to be read in a way that does not fit, so another may.
    by_choice: bool,
}

/// One sheet.
#[derive(Debug)]
struct Sheet {
    name: String,
    position: i32,
    rows: i64,
    tabs: Vec<Tab>,
    columns: Vec<ColumnHead>,
    more_columns: usize,
    column: Option<usize>,
    profile: Option<String>,
    header: String,
    /// The rows of the header, first and last, for a form.
    header_rows: Option<(u32, u32)>,
    /// How plain text was read.
    text: Option<TextRead>,
    /// The options under which it was read.
    options: IngestOptions,
    issues: Vec<Issue>,
    suggestions: Vec<Suggested>,
    more_suggestions: usize,
    plain: Option<Plain>,
    /// The row to go to, from 0.
    at: Option<u64>,
}

/// What the profile suggests, and a recipe that begins with it.
#[derive(Debug)]
struct Suggested {
    sentence: String,
    /// The builder on this sheet with the step.
    address: String,
}

/// How plain text was read, in words and for a form.
#[derive(Debug)]
struct TextRead {
    words: String,
    encodings: Vec<(&'static str, bool)>,
    delimiters: Vec<(&'static str, &'static str, bool)>,
}

#[derive(Debug)]
struct Tab {
    position: i32,
    name: String,
    hidden: bool,
    rows: i64,
}

/// Rows for readers without script.
#[derive(Debug)]
struct Plain {
    columns: Vec<sheetmill_engine::order::AnswerColumn>,
    rows: Vec<sheetmill_engine::order::AnswerRow>,
    offset: u64,
    previous: Option<u64>,
    next: Option<u64>,
}

/// What of the workbook is looked at.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Look {
    sheet: Option<i32>,
    column: Option<usize>,
    plain: Option<u64>,
    /// The row to go to, from 0.
    at: Option<u64>,
}

/// `GET /files/{file}`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
    look: web::Query<Look>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let file = files::find(&mut connection, session.user(), *file)
        .await?
        .ok_or(PageError::NotFound)?;
    let tables = tables::of(&mut connection, file.ingest).await?;
    let recipes = recipes::list(&mut connection, session.user(), None, RECIPES).await?;
    drop(connection);
    let body = body(&pages, session.user(), &file, tables, &look).await?;
    let page = WorkbookPage {
        chrome: Chrome::of(&request, &session, "files", pages.clock.now()),
        file: head(file),
        recipes,
        body,
    };
    crate::pages::page(&page)
}

fn head(file: File) -> FileHead {
    let (ready, archive) = (file.state == IngestState::Ready, file.format == ARCHIVE);
    FileHead {
        id: file.id,
        name: file.name,
        bytes: file.bytes,
        sha256: file.sha256,
        sheets: ready.then_some(file.tables).filter(|_| !archive),
        rows: ready.then_some(file.rows).filter(|_| !archive),
        created_at: file.created_at,
    }
}

async fn body(pages: &Pages, user: UserId, file: &File, tables: Vec<Table>, look: &Look) -> Result<Body, PageError> {
    match file.state {
        IngestState::Received | IngestState::Ingesting => Ok(Body::Reading(reading::fragment(file, 0)?.0)),
        IngestState::Refused | IngestState::Failed => Ok(Body::Stopped(Stopped {
            mark: file.state.into(),
            sentence: file
                .sentence
                .clone()
                .unwrap_or_else(|| "It could not be read.".to_owned()),
            reference: file
                .reference
                .filter(|_| file.state == IngestState::Failed)
                .map(|it| it.to_string()),
            by_choice: matches!(file.code.as_deref(), Some("header_not_found" | "unknown_encoding")),
        })),
        IngestState::Ready if file.format == ARCHIVE => {
            Ok(Body::Archive(archive::fragment(pages, user, file.id).await?))
        }
        IngestState::Ready => Ok(Body::Ready(Box::new(sheet(pages, file, tables, look).await?))),
    }
}

async fn sheet(pages: &Pages, file: &File, tables: Vec<Table>, look: &Look) -> Result<Sheet, PageError> {
    let first = || tables.iter().find(|it| it.visibility == "visible").or(tables.first());
    let chosen = match look.sheet {
        Some(position) => tables.iter().find(|it| it.position == position),
        None => first(),
    };
    let chosen = chosen.ok_or(PageError::NotFound)?.clone();
    let position = u32::try_from(chosen.position).unwrap_or_default();
    let meta = table::load(pages, file.ingest, position).await?;
    let profile = match look
        .column
        .and_then(|index| meta.columns.get(index).map(|column| (index, column)))
    {
        Some((index, column)) => Some(column::fragment(file.id, chosen.position, index, column)?),
        None => None,
    };
    let plain = match look.plain {
        Some(offset) => Some(plain(
            rows::window(pages, file.ingest, position, offset, PLAIN_ROWS).await?,
            offset,
            meta.rows,
        )),
        None => None,
    };
    let mut suggestions = suggested(file.id, chosen.position, &meta);
    let more_suggestions = suggestions.len().saturating_sub(SUGGESTIONS);
    suggestions.truncate(SUGGESTIONS);
    let columns = meta
        .columns
        .iter()
        .take(MOST_COLUMNS)
        .enumerate()
        .map(|(index, column)| ColumnHead::of(index, column))
        .collect();
    Ok(Sheet {
        name: chosen.sheet,
        position: chosen.position,
        rows: chosen.rows,
        tabs: tables.into_iter().map(tab).collect(),
        columns,
        more_columns: meta.columns.len().saturating_sub(MOST_COLUMNS),
        column: look.column,
        profile,
        header: header(&meta),
        header_rows: meta.header,
        text: meta.text.as_ref().map(TextRead::of),
        options: serde_json::from_value(file.options.clone()).unwrap_or_default(),
        issues: meta.issues,
        suggestions,
        more_suggestions,
        plain,
        at: look.at,
    })
}

fn suggested(file: FileId, sheet: i32, meta: &TableMeta) -> Vec<Suggested> {
    let of = suggestions::of(&meta.columns, &Recipe::default());
    let suggested = |it: suggestions::Suggestion| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("file", &file.to_string());
        query.append_pair("sheet", &sheet.to_string());
        query.append_pair("add", &it.step.to_string());
        Suggested {
            sentence: it.sentence,
            address: format!("/recipes/new?{}", query.finish()),
        }
    };
    of.into_iter().map(suggested).collect()
}

/// Encodings to choose from, by the names of the Encoding Standard: those that files come in.
const ENCODINGS: [&str; 12] = [
    "UTF-8",
    "UTF-16LE",
    "windows-1252",
    "windows-1250",
    "windows-1251",
    "windows-1253",
    "windows-1254",
    "ISO-8859-2",
    "Shift_JIS",
    "EUC-KR",
    "gb18030",
    "Big5",
];
/// What separates fields, and its name.
const DELIMITERS: [(&str, &str); 4] = [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")];

/// How plain text was read, in words.
pub(super) fn read_as(dialect: &TextDialect) -> String {
    let name = DELIMITERS
        .iter()
        .find(|(it, _)| it.starts_with(dialect.delimiter))
        .map(|(_, name)| *name);
    let sure = if dialect.sure { "" } else { ", most likely" };
    let separator = name.map_or_else(|| format!("“{}”", dialect.delimiter), str::to_owned);
    format!("Read as {}{sure}; separated by {separator}", dialect.encoding)
}

impl TextRead {
    fn of(dialect: &TextDialect) -> Self {
        let is_delimiter = |it: &str| it.starts_with(dialect.delimiter);
        Self {
            words: read_as(dialect),
            encodings: ENCODINGS.map(|it| (it, it == dialect.encoding)).to_vec(),
            delimiters: DELIMITERS.map(|(it, name)| (it, name, is_delimiter(it))).to_vec(),
        }
    }
}

fn tab(table: Table) -> Tab {
    Tab {
        position: table.position,
        name: table.sheet,
        hidden: table.visibility != "visible",
        rows: table.rows,
    }
}

fn header(meta: &TableMeta) -> String {
    match meta.header {
        None => "No header row: columns go by their letters".to_owned(),
        Some((first, last)) if first == last => format!("Header in row {}", filters::grouped(first.into())),
        Some((first, last)) => format!(
            "Header in rows {} to {}",
            filters::grouped(first.into()),
            filters::grouped(last.into())
        ),
    }
}

fn plain(answer: RowsAnswer, offset: u64, total: u64) -> Plain {
    Plain {
        columns: answer.columns,
        rows: answer.rows,
        offset,
        previous: (offset > 0).then(|| offset.saturating_sub(PLAIN_ROWS)),
        next: (offset + PLAIN_ROWS < total).then_some(offset + PLAIN_ROWS),
    }
}
