//! `/files/{file}/tables/{position}/columns/{column}`: what is in one column, for the panel beside the grid.

use actix_web::{HttpResponse, web};
use askama::Template;
use sheetmill_engine::tables::ColumnMeta;

use super::table::{self, Bars, ColumnHead};
use crate::domain::ids::FileId;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

#[derive(Debug, Template)]
#[template(path = "files/_profile.html")]
struct ProfileFragment<'a> {
    file: FileId,
    position: i32,
    column: ColumnHead,
    letters: &'a str,
    kind_word: &'static str,
    picture: Option<Bars>,
    least: &'a Option<String>,
    greatest: &'a Option<String>,
    facts: Vec<Fact>,
    top: Vec<Top>,
    patterns: &'a [(String, u64)],
}

/// A line of what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pages) struct Fact {
    pub(in crate::pages) name: &'static str,
    pub(in crate::pages) value: String,
    /// Cells to look at.
    pub(in crate::pages) cells: Vec<String>,
}

impl Fact {
    /// A line without cells.
    pub(in crate::pages) fn new(name: &'static str, value: String) -> Self {
        Self {
            name,
            value,
            cells: Vec::new(),
        }
    }
}

/// A frequent value.
#[derive(Debug)]
struct Top {
    value: String,
    count: u64,
    /// Of the most frequent one's count, in thousandths.
    share: u64,
}

/// `GET /files/{file}/tables/{position}/columns/{column}`
pub(in crate::pages) async fn show(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    path: web::Path<(FileId, u32, usize)>,
) -> Result<HttpResponse, PageError> {
    let (file, position, index) = path.into_inner();
    let mut connection = pages.pool.acquire().await?;
    let ingest = table::ready(&mut connection, session.user(), file).await?;
    drop(connection);
    let meta = table::load(&pages, ingest, position).await?;
    let column = meta.columns.get(index).ok_or(PageError::NotFound)?;
    let html = fragment(file, i32::try_from(position).unwrap_or_default(), index, column)?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

/// The panel's content.
pub(super) fn fragment(file: FileId, position: i32, index: usize, column: &ColumnMeta) -> Result<String, PageError> {
    let head = ColumnHead::of(index, column);
    let most = column.profile.top.first().map_or(1, |(_, count)| *count).max(1);
    let top = column.profile.top.iter().take(10);
    let fragment = ProfileFragment {
        file,
        position,
        letters: &column.letters,
        kind_word: table::kind(column.kind).2,
        picture: head.bars.clone(),
        least: &column.profile.min,
        greatest: &column.profile.max,
        facts: facts(column),
        patterns: &column.profile.patterns,
        top: top
            .map(|(value, count)| Top {
                value: value.clone(),
                count: *count,
                share: count * 1000 / most,
            })
            .collect(),
        column: head,
    };
    Ok(fragment.render()?)
}

/// Cells that are linked of each sign.
const LINKED: usize = 3;

fn facts(column: &ColumnMeta) -> Vec<Fact> {
    let (profile, mut facts) = (&column.profile, Vec::new());
    let mut say = |name, value: String| facts.push(Fact::new(name, value));
    let number = |n: u64| filters::grouped(n.into());
    let filled: u64 = profile.kinds.values().sum();
    say("Filled", number(filled));
    say("Blank", number(profile.blanks));
    let about = if profile.distinct_exact { "" } else { "about " };
    say("Distinct", format!("{about}{}", number(profile.distinct)));
    if profile.kinds.len() > 1 {
        for (kind, count) in &profile.kinds {
            say(kind_of_cells(kind), number(*count));
        }
    }
    if let Some(least) = &profile.min {
        say("Least", least.clone());
    }
    if let Some(greatest) = &profile.max {
        say("Greatest", greatest.clone());
    }
    if let Some((shortest, longest)) = profile.lengths {
        say(
            "Length",
            format!("{} to {} characters", number(shortest), number(longest)),
        );
    }
    if let Some(format) = &column.format {
        say("Number format", format.clone());
    }
    let signs = [
        ("Blanks around", profile.padded, "padded"),
        ("Leading zeros", profile.zero_padded, "zero_padded"),
        ("Odd blanks", profile.odd_blanks, "odd_blanks"),
    ];
    for (name, count, sign) in signs.into_iter().filter(|(_, count, _)| *count > 0) {
        let rows = profile.rows.get(sign).map(Vec::as_slice).unwrap_or_default();
        facts.push(Fact {
            name,
            value: number(count),
            cells: rows
                .iter()
                .take(LINKED)
                .map(|row| format!("{}{row}", column.letters))
                .collect(),
        });
    }
    facts
}

fn kind_of_cells(kind: &str) -> &'static str {
    match kind {
        "text" => "Texts",
        "number" => "Numbers",
        "boolean" => "True or false",
        "date" => "Dates",
        "date_time" => "Dates with time",
        "time" => "Times",
        "duration" => "Spans of time",
        "error" => "Errors",
        _ => "Others",
    }
}
