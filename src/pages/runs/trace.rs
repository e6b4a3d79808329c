//! `/runs/{run}/files/{file}/rows/{row}`: where a row of a result comes from, for the panel beside the rows.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use sheetmill_engine::order::{AnswerCell, TraceAnswer, TracedSource, TracedStep};

use super::rows::{Place, result_of};
use crate::database::{files, run_references};
use crate::domain::ids::{FileId, IngestId, RunId, UserId};
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};
use crate::preview::{self, ResultOf, RowOf};

/// Cells of a source row that its line shows.
const SHOWN_CELLS: usize = 4;

/// What is told of a row.
#[derive(Debug, Template)]
#[template(path = "runs/_trace.html")]
struct Panel {
    answer: TraceAnswer,
    sources: Vec<Source>,
    /// The row that the steps are told of in the sheet's grid, where that is still there.
    grid: Option<String>,
    steps: Vec<Step>,
    /// The rows alone; nothing where the panel is closed otherwise.
    close: Option<String>,
}

/// What is said where nothing can be told.
#[derive(Debug, Template)]
#[template(path = "runs/_untold.html")]
struct Untold<'a> {
    row: u64,
    sentence: &'a str,
}

/// A row that it was made of.
#[derive(Debug)]
struct Source {
    row: u32,
    table: Option<String>,
    sheet: String,
    /// Its first cells, in words.
    cells: String,
    /// Its place in the grid of its workbook, where that is still there.
    grid: Option<String>,
    /// The same page with this row followed, and what a script asks for.
    follow: Option<(String, String)>,
    here: bool,
}

#[derive(Debug)]
struct Step {
    told: TracedStep,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    column: String,
    before: Option<Cell>,
    after: Cell,
    /// What kinds of value they are, where they show the same.
    kinds: Option<String>,
}

#[derive(Debug)]
struct Cell {
    text: String,
    blank: bool,
}

/// Which row.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Which {
    sheet: Option<String>,
    follow: Option<u32>,
}

/// `GET /runs/{run}/files/{file}/rows/{row}`
pub(in crate::pages) async fn show(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    path: web::Path<(RunId, FileId, u64)>,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageError> {
    let (run, file, row) = path.into_inner();
    let of = result_of(&pages, session.user(), (run, file)).await?;
    let Which { sheet, follow } = which.into_inner();
    let place = Place {
        run,
        file,
        sheet: sheet.clone().unwrap_or_default(),
    };
    let wanted = RowOf {
        sheet,
        row,
        follow,
        ..RowOf::default()
    };
    let html = panel(&pages, session.user(), (of, wanted), &place).await?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}

/// Where the rows of tables are shown: the grid of the file itself, if it is still read as it was, and those of other tables.
pub(in crate::pages) struct Grids {
    pub(in crate::pages) own: Option<FileId>,
    /// The file and the sheet's position behind each name.
    pub(in crate::pages) others: BTreeMap<String, (FileId, i32)>,
}

impl Grids {
    async fn of(pages: &Pages, user: UserId, place: &Place, ingest: IngestId) -> Result<Self, PageError> {
        let mut connection = pages.pool.acquire().await?;
        let file = files::find(&mut connection, user, place.file).await?;
        let others = run_references::chosen(&mut connection, place.run).await?;
        Ok(Self {
            own: file.filter(|file| file.ingest == ingest).map(|file| file.id),
            others: others
                .into_iter()
                .filter(|it| it.is_there && it.is_read_so)
                .map(|it| (it.name, (it.file, it.position)))
                .collect(),
        })
    }

    /// The place of a row in its grid.
    fn place(&self, source: &TracedSource) -> Option<String> {
        let (file, sheet) = match &source.table {
            None => (self.own?, i64::from(source.sheet_position)),
            Some(name) => self.others.get(name).map(|(file, sheet)| (*file, i64::from(*sheet)))?,
        };
        Some(format!("/files/{file}?sheet={sheet}&at={}", source.position))
    }
}

/// What is told of a row of a run's result, or the sentence why nothing is.
pub(super) async fn panel(
    pages: &Pages,
    user: UserId,
    (of, wanted): (ResultOf, RowOf),
    place: &Place,
) -> Result<String, PageError> {
    let grids = Grids::of(pages, user, place, of.ingest).await?;
    let row = wanted.row;
    let answer = pages.previews.trace(of, wanted).await;
    fragment(answer, row, (&grids, Some(place)))
}

/// What is told of a row, or the sentence why nothing is. Without a place among the rows of a run, a script finds the others.
pub(in crate::pages) fn fragment(
    answer: Result<TraceAnswer, preview::Error>,
    row: u64,
    (grids, place): (&Grids, Option<&Place>),
) -> Result<String, PageError> {
    match answer {
        Ok(answer) => Ok(Panel::told(answer, grids, place).render()?),
        Err(preview::Error::Refused(sentence) | preview::Error::TooMuch(sentence)) => {
            let sentence = sentence.as_str();
            Ok(Untold { row, sentence }.render()?)
        }
        Err(error) => Err(error.into()),
    }
}

impl Panel {
    fn told(mut answer: TraceAnswer, grids: &Grids, place: Option<&Place>) -> Self {
        let row = answer.row;
        let of = |source: &TracedSource| {
            let (is_own, several) = (source.table.is_none(), answer.sources.len() > 1);
            let follow = [("follow", source.row.to_string())];
            let and_row = [("row", row.to_string()), ("follow", source.row.to_string())];
            Source {
                row: source.row,
                table: source.table.clone(),
                sheet: source.sheet.clone(),
                cells: some_cells(&source.cells),
                grid: grids.place(source),
                follow: (is_own && several).then(|| {
                    let href = place.map_or_else(String::new, |place| place.page(&and_row));
                    let panel = place.map_or_else(String::new, |place| place.panel(row, &follow));
                    (format!("{href}#trace"), panel)
                }),
                here: is_own && Some(source.row) == answer.followed,
            }
        };
        let sources: Vec<Source> = answer.sources.iter().map(of).collect();
        let steps = std::mem::take(&mut answer.steps);
        Self {
            grid: sources
                .iter()
                .find(|source| source.here)
                .and_then(|source| source.grid.clone()),
            close: place.map(|place| place.page(&[("from", row.to_string())])),
            answer,
            sources,
            steps: steps.into_iter().map(step).collect(),
        }
    }
}

/// The first cells of a row that hold something.
fn some_cells(cells: &[AnswerCell]) -> String {
    let filled = cells
        .iter()
        .map(|cell| cell.text.trim())
        .filter(|text| !text.is_empty());
    filled.take(SHOWN_CELLS).collect::<Vec<_>>().join(" · ")
}

fn step(mut told: TracedStep) -> Step {
    let changes = std::mem::take(&mut told.changes);
    let changes = changes.into_iter().map(|change| Change {
        kinds: change.before.as_ref().and_then(|before| kinds(before, &change.after)),
        column: change.column,
        before: change.before.map(cell),
        after: cell(change.after),
    });
    Step {
        changes: changes.collect(),
        told,
    }
}

/// What kinds of value a cell had and has, where it shows the same.
fn kinds(before: &AnswerCell, after: &AnswerCell) -> Option<String> {
    let words = |cell: &AnswerCell| cell.kind.word().replace('_', " ");
    (before.text == after.text && before.kind != after.kind).then(|| format!("{} → {}", words(before), words(after)))
}

fn cell(cell: AnswerCell) -> Cell {
    Cell {
        blank: cell.text.is_empty(),
        text: cell.text,
    }
}
