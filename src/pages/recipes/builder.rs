//! `/recipes/{recipe}` and `/recipes/new`: the builder. Without script it is the recipe's text in a field.

use std::collections::{BTreeMap, HashMap};

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use sheetmill_engine::recipe::document::{Input, Recipe, Step};
use sheetmill_engine::sheets::IngestOptions;

use super::definitions;
use crate::database::{Connection, files, recipes, tables};
use crate::domain::ids::{FileId, RecipeId, UserId};
use crate::domain::states::IngestState;
use crate::pages::chrome::Chrome;
use crate::pages::gate::{Session, SignedIn};
use crate::pages::{PageError, Pages, filters};

/// Files that can be chosen, the newest.
const FILES: i64 = 60;

#[derive(Debug, Template)]
#[template(path = "recipes/builder.html")]
struct BuilderPage {
    chrome: Chrome,
    id: Option<RecipeId>,
    name: String,
    number: Option<i32>,
    newest: Option<i32>,
    saved_at: Option<DateTime<Utc>>,
    files: Vec<FileChoice>,
    chosen: Option<FileId>,
    chosen_table: i32,
    problems: Vec<String>,
    text: String,
    definitions: String,
    recipe: String,
    /// The tables behind the recipe's names, as JSON for the form that runs it.
    references: String,
}

/// A file that is ready, or is being read.
#[derive(Debug)]
struct FileChoice {
    id: FileId,
    name: String,
    rows: i64,
    /// It is not read yet: which sheets there are is not known.
    reading: bool,
    tables: Vec<TableChoice>,
}

#[derive(Debug)]
struct TableChoice {
    position: i32,
    sheet: String,
    visible: bool,
}

/// What is looked at.
#[derive(Debug, Default, Deserialize)]
pub(in crate::pages) struct Look {
    file: Option<FileId>,
    sheet: Option<i32>,
    revision: Option<i32>,
    /// The step that a new recipe begins with, as JSON.
    add: Option<String>,
    /// The tables behind the recipe's names, as JSON: `{"prices": "<file>/<sheet>"}`.
    references: Option<String>,
}

impl Look {
    /// The step that is asked for, if it is one.
    fn steps(&self) -> Vec<Step> {
        let step = self
            .add
            .as_deref()
            .and_then(|json| serde_json::from_str::<Value>(json).ok());
        let recipe = step.map(|step| Recipe::from_form(&json!({ "steps": [step] })));
        recipe.and_then(Result::ok).map(|it| it.steps).unwrap_or_default()
    }

    fn references(&self) -> BTreeMap<String, String> {
        let given = self.references.as_deref();
        given
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    }
}

/// A recipe as the builder begins with it.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) id: Option<RecipeId>,
    pub(super) number: Option<i32>,
    /// The newest revision; another one may be in view.
    pub(super) newest: Option<i32>,
    pub(super) saved_at: Option<DateTime<Utc>>,
    pub(super) document: Value,
    pub(super) text: String,
    pub(super) problems: Vec<String>,
}

impl Begun {
    /// A recipe that was not saved yet.
    pub(super) fn new(recipe: &Recipe) -> Self {
        let (document, text) = (recipe.to_form(), recipe.to_yaml());
        Self {
            id: None,
            number: None,
            newest: None,
            saved_at: None,
            document,
            text,
            problems: Vec::new(),
        }
    }
}

/// `GET /recipes/new`
pub(in crate::pages) async fn blank(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    look: web::Query<Look>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let file = match look.file {
        Some(file) => files::find(&mut connection, session.user(), file).await?,
        None => None,
    };
    drop(connection);
    // How the file is read was chosen by hand or is the usual: other files are to be read in the same way.
    let options = file
        .as_ref()
        .map(|it| serde_json::from_value::<IngestOptions>(it.options.clone()).unwrap_or_default());
    let recipe = Recipe {
        name: file.map_or_else(|| "New recipe".to_owned(), |it| name_for(&it.name)),
        input: options.map(|it| Input::of_reading(&it)).unwrap_or_default(),
        steps: look.steps(),
        ..Recipe::default()
    };
    page(&request, &pages, &session, &look, Begun::new(&recipe)).await
}

/// `GET /recipes/{recipe}`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    look: web::Query<Look>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let latest = recipes::latest(&mut connection, session.user(), *recipe)
        .await?
        .ok_or(PageError::NotFound)?;
    let newest = latest.number;
    let row = match look.revision.filter(|number| *number != newest) {
        Some(number) => recipes::revision(&mut connection, session.user(), *recipe, number)
            .await?
            .ok_or(PageError::NotFound)?,
        None => latest,
    };
    drop(connection);
    let stored = super::stored(&row)?;
    let begun = Begun {
        id: Some(row.id),
        number: Some(row.number),
        newest: Some(newest),
        saved_at: Some(row.saved_at),
        ..Begun::new(&stored)
    };
    page(&request, &pages, &session, &look, begun).await
}

/// The page, also for a text that could not be saved.
pub(super) async fn page(
    request: &HttpRequest,
    pages: &Pages,
    session: &Session,
    look: &Look,
    begun: Begun,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let files = ready_files(&mut connection, session.user(), look.file).await?;
    drop(connection);
    let chosen = look
        .file
        .filter(|file| files.iter().any(|it| it.id == *file))
        .or(files.first().map(|it| it.id));
    let tables = files
        .iter()
        .find(|it| Some(it.id) == chosen)
        .map_or(&[][..], |it| &it.tables);
    let first = tables
        .iter()
        .find(|it| it.visible)
        .or(tables.first())
        .map_or(0, |it| it.position);
    let references = look.references();
    let named = begun.document["name"].as_str().unwrap_or_default();
    let page = BuilderPage {
        chrome: Chrome::of(request, session, "recipes", pages.clock.now()),
        id: begun.id,
        name: super::named(named),
        number: begun.number,
        newest: begun.newest,
        saved_at: begun.saved_at,
        chosen,
        chosen_table: look.sheet.unwrap_or(first),
        files,
        problems: begun.problems,
        text: begun.text,
        definitions: definitions::block(&json!({ "steps": definitions::definitions(), "parts": definitions::parts() })),
        recipe: definitions::block(
            &json!({ "id": begun.id, "newest": begun.newest, "document": begun.document, "references": references }),
        ),
        references: json!(references).to_string(),
    };
    crate::pages::page(&page)
}

async fn ready_files(
    connection: &mut Connection,
    user: UserId,
    chosen: Option<FileId>,
) -> Result<Vec<FileChoice>, PageError> {
    let mut rows = files::page(connection, user, None, FILES).await?;
    if let Some(chosen) = chosen.filter(|chosen| !rows.iter().any(|it| it.id == *chosen)) {
        rows.extend(files::find(connection, user, chosen).await?);
    }
    rows.retain(|it| !matches!(it.state, IngestState::Refused | IngestState::Failed));
    let ingests: Vec<_> = rows.iter().map(|it| it.ingest).collect();
    let mut sheets: HashMap<_, Vec<TableChoice>> = HashMap::new();
    for (ingest, table) in tables::of_several(connection, &ingests).await? {
        let choice = TableChoice {
            position: table.position,
            visible: table.visibility == "visible",
            sheet: table.sheet,
        };
        sheets.entry(ingest).or_default().push(choice);
    }
    // Two files of the same content share their sheets.
    let tables_of = |ingest| sheets.get(&ingest).into_iter().flatten();
    let copy = |it: &TableChoice| TableChoice {
        position: it.position,
        sheet: it.sheet.clone(),
        visible: it.visible,
    };
    let choice = |file: files::File| FileChoice {
        id: file.id,
        rows: file.rows,
        reading: file.state != IngestState::Ready,
        tables: tables_of(file.ingest).map(copy).collect(),
        name: file.name,
    };
    Ok(rows.into_iter().map(choice).collect())
}

/// `orders 2026.xlsx` suggests "Clean orders 2026".
fn name_for(file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    format!("Clean {}", stem.chars().take(60).collect::<String>())
}
