//! `/recipes/{recipe}/use`: a saved recipe on other files. Those that came after its last run are ticked already, so that the
//! same as last month takes two clicks.

use std::collections::{BTreeMap, HashMap, HashSet};

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use sheetmill_engine::recipe::document::Recipe;

use super::stored;
use crate::database::files::{self, Choice};
use crate::database::recipes::{self, RecipeRow};
use crate::database::{Connection, run_references, runs, tables};
use crate::domain::ids::{FileId, IngestId, RecipeId, RunId, UserId};
use crate::domain::states::IngestState;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

/// Files of the list; a search finds the others.
const LISTED: i64 = 500;
/// Files whose sheets can be other tables, the newest.
const OTHERS: usize = 60;
/// Ticked files that an address remembers.
const REMEMBERED: usize = 200;

#[derive(Debug, Template)]
#[template(path = "recipes/use.html")]
struct UsePage {
    chrome: Chrome,
    id: RecipeId,
    name: String,
    /// The revision that runs; with the latest one where that is another.
    number: i32,
    latest: i32,
    /// The run that is done again on other files.
    run: Option<RunId>,
    search: String,
    query: String,
    why: String,
    files: Vec<FileLine>,
    more: bool,
    ticked: usize,
    others: Vec<OtherTable>,
}

#[derive(Debug)]
struct FileLine {
    id: FileId,
    name: String,
    rows: i64,
    reading: bool,
    created_at: DateTime<Utc>,
    ticked: bool,
}

/// Another table that the recipe looks at, and the sheets that can be it.
#[derive(Debug)]
struct OtherTable {
    name: String,
    sheets: Vec<SheetChoice>,
}

#[derive(Debug)]
struct SheetChoice {
    value: String,
    label: String,
    here: bool,
}

/// What is wanted.
#[derive(Debug, Default, Deserialize)]
pub(in crate::pages) struct Wanted {
    revision: Option<i32>,
    /// A run that is done again on other files.
    run: Option<RunId>,
    #[serde(default)]
    search: String,
    /// `all` or `none` of the list.
    #[serde(default)]
    tick: String,
    /// Files by id, with commas between.
    ticked: Option<String>,
}

/// What was before: when the recipe last ran, and on which other tables.
#[derive(Debug, Default)]
struct Before {
    since: Option<DateTime<Utc>>,
    others: BTreeMap<String, (FileId, i32)>,
}

/// `GET /recipes/{recipe}/use`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, PageError> {
    let (wanted, user) = (wanted.into_inner(), session.user());
    let mut connection = pages.pool.acquire().await?;
    let latest = recipes::latest(&mut connection, user, *recipe).await?;
    let latest = latest.ok_or(PageError::NotFound)?;
    let number = latest.number;
    let row = chosen(&mut connection, user, latest, &wanted).await?;
    let before = before(&mut connection, user, *recipe, wanted.run).await?;
    let mut found = files::choices(&mut connection, user, wanted.search.trim(), LISTED + 1).await?;
    let more = found.len() as i64 > LISTED;
    found.truncate(LISTED as usize);
    let (ticks, why) = ticks(&found, &wanted, &before);
    // What was ticked before a search stays, on top.
    let mut lines = Vec::new();
    for id in ticks.iter().filter(|id| !found.iter().any(|it| it.id == **id)) {
        lines.extend(files::find(&mut connection, user, *id).await?.map(remembered));
    }
    lines.extend(found.iter().map(|it| line(it, ticks.contains(&it.id))));
    let others = others(&mut connection, user, &stored(&row)?, &before).await?;
    drop(connection);
    crate::pages::page(&UsePage {
        chrome: Chrome::of(&request, &session, "recipes", pages.clock.now()),
        id: row.id,
        name: super::named(&row.name),
        number: row.number,
        latest: number,
        run: wanted.run,
        query: query(&wanted),
        search: wanted.search,
        why,
        ticked: lines.iter().filter(|it| it.ticked).count(),
        files: lines,
        more,
        others,
    })
}

/// The revision that is to run: the one that is named, or the latest.
async fn chosen(
    connection: &mut Connection,
    user: UserId,
    latest: RecipeRow,
    wanted: &Wanted,
) -> Result<RecipeRow, PageError> {
    match wanted.revision.filter(|number| *number != latest.number) {
        Some(number) => recipes::revision(connection, user, latest.id, number)
            .await?
            .ok_or(PageError::NotFound),
        None => Ok(latest),
    }
}

async fn before(
    connection: &mut Connection,
    user: UserId,
    recipe: RecipeId,
    run: Option<RunId>,
) -> Result<Before, PageError> {
    let last = match run {
        Some(run) => {
            let run = runs::find(connection, user, run).await?.ok_or(PageError::NotFound)?;
            Some((run.id, run.created_at))
        }
        None => recipes::last_run(connection, user, recipe).await?,
    };
    let Some((run, at)) = last else {
        return Ok(Before::default());
    };
    let others = run_references::chosen(connection, run).await?.into_iter();
    Ok(Before {
        since: Some(at),
        others: others
            .filter(|it| it.is_there)
            .map(|it| (it.name, (it.file, it.position)))
            .collect(),
    })
}

/// The files that are ticked, and why.
fn ticks(found: &[Choice], wanted: &Wanted, before: &Before) -> (HashSet<FileId>, String) {
    let remembered = wanted.ticked.as_deref().unwrap_or_default().split(',');
    let mut ticks: HashSet<FileId> = remembered.take(REMEMBERED).filter_map(|id| id.parse().ok()).collect();
    match (wanted.tick.as_str(), before.since) {
        ("all", _) => ticks.extend(found.iter().map(|it| it.id)),
        ("none", _) => ticks.clear(),
        _ if wanted.ticked.is_some() => {}
        (_, Some(since)) => {
            ticks.extend(found.iter().filter(|it| it.created_at > since).map(|it| it.id));
            let why = match (ticks.len(), wanted.run) {
                (0, Some(_)) => "No file came after this run was started.",
                (0, None) => "No file came after the recipe ran last.",
                (_, Some(_)) => "What came after this run was started is ticked.",
                (_, None) => "What came after the recipe ran last is ticked.",
            };
            return (ticks, why.to_owned());
        }
        (_, None) => ticks.extend(found.first().filter(|_| wanted.search.is_empty()).map(|it| it.id)),
    }
    (ticks, String::new())
}

fn line(file: &Choice, ticked: bool) -> FileLine {
    FileLine {
        id: file.id,
        name: file.name.clone(),
        rows: file.rows,
        reading: file.state != IngestState::Ready,
        created_at: file.created_at,
        ticked,
    }
}

fn remembered(file: files::File) -> FileLine {
    FileLine {
        id: file.id,
        name: file.name,
        rows: file.rows,
        reading: file.state != IngestState::Ready,
        created_at: file.created_at,
        ticked: true,
    }
}

/// The rest of the address, for links that tick all or none.
fn query(wanted: &Wanted) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(number) = wanted.revision {
        query.append_pair("revision", &number.to_string());
    }
    if let Some(run) = wanted.run {
        query.append_pair("run", &run.to_string());
    }
    if !wanted.search.is_empty() {
        query.append_pair("search", &wanted.search);
    }
    query.finish()
}

/// What can be each of the other tables: sheets of the newest files, and those of the last run.
async fn others(
    connection: &mut Connection,
    user: UserId,
    recipe: &Recipe,
    before: &Before,
) -> Result<Vec<OtherTable>, PageError> {
    let names = recipe.references();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let newest = files::choices(connection, user, "", OTHERS as i64).await?;
    let mut known: Vec<(FileId, String, IngestId)> = newest
        .into_iter()
        .filter(|it| it.state == IngestState::Ready)
        .map(|it| (it.id, it.name, it.ingest))
        .collect();
    for (file, _) in before.others.values() {
        if !known.iter().any(|(id, ..)| id == file)
            && let Some(file) = files::find(connection, user, *file).await?
        {
            known.push((file.id, file.name, file.ingest));
        }
    }
    let ingests: Vec<IngestId> = known.iter().map(|(.., ingest)| *ingest).collect();
    let mut sheets: HashMap<IngestId, Vec<tables::Table>> = HashMap::new();
    for (ingest, table) in tables::of_several(connection, &ingests).await? {
        sheets.entry(ingest).or_default().push(table);
    }
    let choices = |name: &str| {
        let before = before.others.get(name);
        let of_file = |(id, file, ingest): &(FileId, String, IngestId)| {
            let tables = sheets.get(ingest).map_or(&[][..], Vec::as_slice);
            let choice = |table: &tables::Table| SheetChoice {
                value: json!([name, format!("{id}/{}", table.position)]).to_string(),
                label: match tables.len() {
                    1 => file.clone(),
                    _ => format!("{file}, {}", table.sheet),
                },
                here: before == Some(&(*id, table.position)),
            };
            tables.iter().map(choice).collect::<Vec<_>>()
        };
        known.iter().flat_map(of_file).collect()
    };
    let other = |name: &&str| OtherTable {
        name: (*name).to_owned(),
        sheets: choices(name),
    };
    Ok(names.iter().map(other).collect())
}
