//! Before a run: which columns of the files are those that the recipe expects, where that is not sure. Files are asked about by
//! their layout: a thousand that look the same are one question.

use std::collections::{BTreeMap, HashMap};

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::{Choices, ColumnMatch, How, find_columns, layout};
use sheetmill_engine::sheets::{IngestOptions, Visibility};

use super::later::Later;
use crate::database::run_files::{self, Candidate};
use crate::database::{Tx, recipes, tables};
use crate::domain::ids::{FileId, IngestId, RecipeId};
use crate::domain::states::IngestState;
use crate::pages::chrome::Chrome;
use crate::pages::files::table;
use crate::pages::gate::Session;
use crate::pages::{PageError, Pages, filters};
use crate::readings::{self, For};
use crate::runs::{self, ColumnChoice};

/// Layouts that are asked about at once: those of most files.
const LAYOUTS: usize = 20;
/// Tables whose headers are looked at; the run itself says what it finds in others.
const TABLES: usize = 1_000;
/// So many are fetched at once.
const AT_ONCE: usize = 8;
/// So many choices of a layout; beyond, what is sure stays as it is.
const CHOICES: usize = 10_000;
/// Headers to choose from.
const HEADERS: usize = 300;

/// Sheets with the same headers.
#[derive(Debug)]
pub(super) struct Layout {
    key: String,
    files: usize,
    first: String,
    headers: Vec<String>,
    columns: Vec<ColumnMatch>,
    required: Vec<bool>,
}

/// What the run is to be started with once more.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) recipe: RecipeId,
    pub(super) revision: Option<i32>,
    pub(super) files: Vec<FileId>,
    pub(super) references: String,
    pub(super) later: Later,
}

#[derive(Debug, Template)]
#[template(path = "runs/ask.html")]
struct AskPage {
    chrome: Chrome,
    again: Again,
    layouts: Vec<LayoutView>,
    more: usize,
}

#[derive(Debug)]
struct LayoutView {
    title: String,
    rows: Vec<RowView>,
}

/// An expected column.
#[derive(Debug)]
struct RowView {
    expected: String,
    required: bool,
    found: Option<String>,
    words: String,
    tone: &'static str,
    icon: &'static str,
    choices: Vec<Choice>,
    /// Whether something has to be chosen.
    must: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Choice {
    value: String,
    label: String,
    here: bool,
}

/// What was chosen in the form.
pub(super) fn chosen(columns: &[String]) -> Result<Vec<ColumnChoice>, PageError> {
    let wrong = |_| PageError::Wrong("The form is not complete. Go back and try again.".to_owned());
    let mut chosen: Vec<ColumnChoice> = Vec::new();
    for text in columns.iter().filter(|text| !text.is_empty()) {
        let (layout, expected, header, instead_of): (String, String, Option<String>, Vec<String>) =
            serde_json::from_str(text).map_err(wrong)?;
        let twice = |it: &&ColumnChoice| it.layout == layout && header.is_some() && it.header == header;
        if let (Some(other), Some(header)) = (chosen.iter().find(twice), &header) {
            let other = &other.expected;
            let sentence = format!("“{header}” is chosen for “{other}” and for “{expected}”. Choose it once.");
            return Err(PageError::Wrong(sentence));
        }
        chosen.push(ColumnChoice {
            layout,
            expected,
            header,
            instead_of,
        });
    }
    Ok(chosen)
}

/// The layouts of the files in which a column is not surely found, those of most files first; nothing where all are sure.
pub(super) async fn unsure(
    pages: &Pages,
    by: For,
    (recipe, revision): (RecipeId, Option<i32>),
    files: &[FileId],
) -> Result<Option<Vec<Layout>>, PageError> {
    let mut tx = pages.pool.begin().await?;
    let row = match revision {
        Some(number) => recipes::revision(&mut tx, by.owner, recipe, number).await?,
        None => recipes::latest(&mut tx, by.owner, recipe).await?,
    };
    let recipe = row
        .and_then(|it| Recipe::from_json(&it.document).ok())
        .unwrap_or_default();
    if recipe.input.columns.is_empty() {
        return Ok(None);
    }
    let choices = runs::choices(&mut tx, by.owner, &recipe, Choices::default()).await?;
    let tables = chosen_tables(&mut tx, by, &recipe, files).await?;
    tx.commit().await?;
    let layouts = layouts(pages, tables, &recipe, &choices).await?;
    Ok(Some(layouts).filter(|it| !it.is_empty()))
}

/// A sheet, and the files that have it.
type SheetOf = ((IngestId, u32), Vec<String>);

/// The sheets that the recipe is for, as far as they are read in the way that it wants.
async fn chosen_tables(tx: &mut Tx, by: For, recipe: &Recipe, files: &[FileId]) -> Result<Vec<SheetOf>, PageError> {
    let files = run_files::without_archives(tx, by.owner, files).await?;
    let candidates = run_files::candidates(tx, by.owner, &files).await?;
    let ingests = ready(tx, by, recipe, &candidates).await?;
    let mut of_ingest: BTreeMap<IngestId, Vec<String>> = BTreeMap::new();
    for candidate in &candidates {
        if let Some(ingest) = ingests.get(&candidate.id) {
            of_ingest.entry(*ingest).or_default().push(candidate.name.clone());
        }
    }
    let ids: Vec<IngestId> = of_ingest.keys().copied().collect();
    let mut sheets: HashMap<IngestId, Vec<tables::Table>> = HashMap::new();
    for (ingest, table) in tables::of_several(tx, &ids).await? {
        sheets.entry(ingest).or_default().push(table);
    }
    let mut found = Vec::new();
    for (ingest, names) in of_ingest {
        let sheets = sheets.remove(&ingest).unwrap_or_default();
        let named: Vec<_> = sheets
            .iter()
            .map(|it| (it.sheet.clone(), visibility(&it.visibility)))
            .collect();
        // A file without the sheet fails in the run, with its sentence.
        for index in recipe.input.sheets.choose(&named).unwrap_or_default() {
            let position = u32::try_from(sheets[index].position).unwrap_or_default();
            found.push(((ingest, position), names.clone()));
        }
    }
    found.truncate(TABLES);
    Ok(found)
}

fn visibility(word: &str) -> Visibility {
    match word {
        "hidden" => Visibility::Hidden,
        "very_hidden" => Visibility::VeryHidden,
        _ => Visibility::Visible,
    }
}

/// The readings of files that the recipe wants, where they are done.
async fn ready(
    tx: &mut Tx,
    by: For,
    recipe: &Recipe,
    candidates: &[Candidate],
) -> Result<HashMap<FileId, IngestId>, PageError> {
    let mut ready = HashMap::new();
    let mut others: HashMap<IngestOptions, Vec<&Candidate>> = HashMap::new();
    for candidate in candidates {
        let own: IngestOptions = serde_json::from_value(candidate.options.clone()).unwrap_or_default();
        let wanted = recipe.input.ingest_options().over(&own);
        if wanted != own {
            others.entry(wanted).or_default().push(candidate);
        } else if candidate.state == IngestState::Ready {
            ready.insert(candidate.id, candidate.ingest);
        }
    }
    for (options, files) in others {
        let blobs: Vec<_> = files.iter().map(|it| it.blob).collect();
        let readings = readings::ensure(tx, by, &blobs, &options).await?;
        let done = |it: &&Candidate| readings.get(&it.blob).filter(|it| it.state == IngestState::Ready);
        ready.extend(files.iter().filter_map(|it| Some((it.id, done(it)?.ingest))));
    }
    Ok(ready)
}

async fn layouts(
    pages: &Pages,
    sheets: Vec<SheetOf>,
    recipe: &Recipe,
    choices: &Choices,
) -> Result<Vec<Layout>, PageError> {
    let headers = stream::iter(sheets)
        .map(async |((ingest, position), names)| {
            let meta = table::load(pages, ingest, position).await?;
            let headers: Vec<String> = meta.columns.into_iter().map(|it| it.name).collect();
            Ok::<_, PageError>((headers, names))
        })
        .buffered(AT_ONCE);
    let headers: Vec<(Vec<String>, Vec<String>)> = headers.try_collect().await?;
    let mut found: BTreeMap<String, Layout> = BTreeMap::new();
    for (headers, names) in headers {
        let key = layout(headers.iter().map(String::as_str));
        let known = found.entry(key.clone()).or_insert_with(|| Layout {
            key,
            files: 0,
            first: names.first().cloned().unwrap_or_default(),
            headers,
            columns: Vec::new(),
            required: recipe.input.columns.iter().map(|it| it.required).collect(),
        });
        known.files += names.len();
    }
    let mut unsure = Vec::new();
    for mut layout in found.into_values() {
        let headers: Vec<&str> = layout.headers.iter().map(String::as_str).collect();
        layout.columns = find_columns(&recipe.input, &headers, choices).map_err(PageError::Wrong)?;
        if layout.columns.iter().any(|it| !it.is_sure()) {
            unsure.push(layout);
        }
    }
    unsure.sort_by(|one, other| other.files.cmp(&one.files).then(one.first.cmp(&other.first)));
    Ok(unsure)
}

/// The page that asks.
pub(super) fn page(
    request: &HttpRequest,
    pages: &Pages,
    session: &Session,
    again: Again,
    layouts: Vec<Layout>,
) -> Result<HttpResponse, PageError> {
    let page = AskPage {
        chrome: Chrome::of(request, session, "runs", pages.clock.now()),
        again,
        more: layouts.len().saturating_sub(LAYOUTS),
        layouts: layouts.iter().take(LAYOUTS).map(view).collect(),
    };
    crate::pages::page(&page)
}

fn view(layout: &Layout) -> LayoutView {
    let files = i128::try_from(layout.files).unwrap_or_default();
    LayoutView {
        title: match layout.files {
            1 => layout.first.clone(),
            _ => format!("{} files like {}", filters::grouped(files), layout.first),
        },
        rows: layout
            .columns
            .iter()
            .zip(&layout.required)
            .map(|(column, required)| row(layout, column, *required))
            .collect(),
    }
}

fn row(layout: &Layout, column: &ColumnMatch, required: bool) -> RowView {
    let sure = column.is_sure();
    let (tone, icon) = match column.how {
        _ if sure => ("good", "check"),
        How::Fuzzy => ("warn", "search"),
        _ if required => ("bad", "circle-x"),
        _ => ("warn", "circle-dashed"),
    };
    RowView {
        expected: column.expected.clone(),
        required,
        found: column.header.clone(),
        words: column.words(),
        tone,
        icon,
        choices: choices(layout, column, required),
        must: required && column.header.is_none(),
    }
}

/// What may be chosen: nothing is sent for what was surely found and stays so.
fn choices(layout: &Layout, column: &ColumnMatch, required: bool) -> Vec<Choice> {
    let value = |header: Option<&str>| {
        let tied = column.nearest.iter().filter(|_| column.how == How::Tied);
        let others: Vec<&str> = tied
            .map(|near| near.header.as_str())
            .filter(|it| Some(*it) != header)
            .collect();
        let value: Value = json!([layout.key, column.expected, header, others]);
        value.to_string()
    };
    let absent = |here| Choice {
        value: value(None),
        label: "leave it blank".to_owned(),
        here,
    };
    let header = |header: &str| Choice {
        value: value(Some(header)),
        label: header.to_owned(),
        here: column.header.as_deref() == Some(header),
    };
    let mut choices = Vec::new();
    if column.is_sure() {
        let label = column.header.clone().unwrap_or_else(|| column.words());
        choices.push(Choice {
            value: String::new(),
            label,
            here: true,
        });
        if layout.headers.len() * layout.columns.len() > CHOICES {
            return choices;
        }
    } else if required && column.header.is_none() {
        choices.push(Choice {
            value: String::new(),
            label: "choose a column".to_owned(),
            here: true,
        });
    }
    if !required && column.how != How::Absent {
        choices.push(absent(!column.is_sure() && column.header.is_none()));
    }
    let near: Vec<&str> = column.nearest.iter().map(|near| near.header.as_str()).collect();
    let rest = layout
        .headers
        .iter()
        .map(String::as_str)
        .filter(|it| !near.contains(it));
    let found = column.header.as_deref().filter(|_| !column.is_sure());
    let rest = rest.filter(|it| column.header.as_deref() != Some(*it));
    let all = found.into_iter().chain(near.iter().copied()).chain(rest);
    choices.extend(all.take(HEADERS).map(header));
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout_of(columns: Vec<ColumnMatch>) -> Layout {
        Layout {
            key: "k".to_owned(),
            files: 2,
            first: "a.csv".to_owned(),
            headers: vec!["id".to_owned(), "E-Mial".to_owned()],
            required: vec![true; columns.len()],
            columns,
        }
    }

    fn found(header: Option<&str>, how: How) -> ColumnMatch {
        ColumnMatch {
            expected: "email".to_owned(),
            header: header.map(str::to_owned),
            how,
            score: header.map(|_| 0.9),
            nearest: Vec::new(),
        }
    }

    #[test]
    fn what_is_sure_sends_nothing_and_what_is_missed_and_required_has_to_be_chosen() {
        let layout = layout_of(vec![
            found(Some("id"), How::Exact),
            found(Some("E-Mial"), How::Fuzzy),
            found(None, How::Missing),
        ]);
        let view = view(&layout);
        assert_eq!(view.title, "2 files like a.csv");
        let here = |row: &RowView| row.choices.iter().find(|it| it.here).map(|it| it.value.clone());
        let values: Vec<Option<String>> = view.rows.iter().map(here).collect();
        assert_eq!(values[0].as_deref(), Some(""));
        assert_eq!(values[1].as_deref(), Some(r#"["k","email","E-Mial",[]]"#));
        assert_eq!(values[2].as_deref(), Some(""));
        assert!(view.rows[2].must && !view.rows[1].must);
    }

    #[test]
    fn choices_come_back_and_a_header_is_chosen_once() {
        let sent = |texts: &[&str]| chosen(&texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        let back = sent(&["", r#"["k","email","Mail",[]]"#, r#"["k","phone",null,[]]"#]).expect("choices");
        assert_eq!(back.len(), 2);
        assert_eq!(back[1].header, None);
        assert!(sent(&[r#"["k","email","Mail",[]]"#, r#"["k","phone","Mail",[]]"#]).is_err());
        assert!(sent(&["nonsense"]).is_err());
    }
}
