//! Starts a run: a task per file, in one transaction. What is still being read waits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256 as Hasher};
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::Choices;
use sheetmill_engine::sheets::IngestOptions;

use super::{Error, columns, follow, together};
use crate::chains;
use crate::database::idempotency::{self, Key};
use crate::database::run_files::{self, Candidate, NewRunFile};
use crate::database::run_references::{self, RunReference};
use crate::database::runs::{self, NewRun};
use crate::database::tasks::{self, Told};
use crate::database::{self, Pool, Tx, recipes, tables};
use crate::domain::ids::{FileId, RecipeId, RequestId, RevisionId, RunId, Sha256, TaskId, UserId};
use crate::domain::states::{IngestState, RunFileState, RunState, TaskKind, TaskState};
use crate::events::{Event, Kind, announce};
use crate::queue;
use crate::readings::{self, ARCHIVE, For};

/// The most files of one run: a thousand is everyday, and pages and transactions still bear this.
const FILES_AT_MOST: usize = 10_000;

/// Which recipe.
#[derive(Clone, Debug)]
pub enum RecipeRef {
    /// The latest revision of a saved one.
    Saved(RecipeId),
    /// A revision of a saved one, by its number.
    Revision(RecipeId, i32),
    /// One that came with the call, read and checked.
    Inline(Box<Recipe>),
    /// The one of an earlier run of the owner's, as it was then.
    OfRun(RunId),
}

/// When something is to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At an instant.
    At(DateTime<Utc>),
    /// So long after it is asked for.
    After(Duration),
}

/// The longest that a run may wait: who plans further ahead wants a schedule.
const WAIT_AT_MOST: Duration = Duration::from_secs(366 * 86_400);

impl When {
    /// The instant, by the database's clock.
    pub(super) async fn instant(self, tx: &mut Tx) -> Result<DateTime<Utc>, Error> {
        let now = database::now(tx).await?;
        let at = match self {
            Self::At(at) => at,
            Self::After(wait) => now + TimeDelta::from_std(wait.min(WAIT_AT_MOST * 2)).unwrap_or_default(),
        };
        if (at - now).to_std().is_ok_and(|wait| wait > WAIT_AT_MOST) {
            return Err(Error::TooFarAhead);
        }
        Ok(at)
    }
}

/// A run that somebody wants.
#[derive(Clone, Debug)]
pub struct Start {
    /// Whose it is.
    pub owner: UserId,
    /// What to do.
    pub recipe: RecipeRef,
    /// To which files; named twice is once.
    pub files: Vec<FileId>,
    /// Instead of files: to the results of these runs, once they have all ended well.
    pub after: Vec<RunId>,
    /// The other tables by the names that the recipe calls them: a file of the owner's, and the position of its sheet, or its
    /// first visible one.
    pub references: BTreeMap<String, (FileId, Option<i32>)>,
    /// Which columns of the files are those that the recipe expects, where its owner says so.
    pub columns: Choices,
    /// Higher goes first among the owner's.
    pub priority: i32,
    /// Not before; `None`: now.
    pub run_at: Option<When>,
    /// Whether nothing is taken over from earlier runs of the same recipe on the same files.
    pub from_scratch: bool,
    /// The same key and body again are the same run.
    pub idempotency_key: Option<String>,
    /// The request that asks.
    pub request: RequestId,
}

/// A run that has been started, now or by an earlier call with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// How far it has come.
    pub state: RunState,
}

/// Starts a run.
///
/// # Errors
/// [`Error::NoFiles`], [`Error::TooManyFiles`], [`Error::NoFile`], [`Error::NoRecipe`], [`Error::NoSuchColumn`],
/// [`Error::KeyReused`]; the database's.
pub async fn start(pool: &Pool, start: Start) -> Result<Started, Error> {
    if start.files.is_empty() && start.after.is_empty() {
        return Err(Error::NoFiles);
    }
    let mut tx = pool.begin().await?;
    if let Some(key) = &start.idempotency_key {
        match idempotency::take(&mut tx, start.owner, key, &body_hash(&start)?).await? {
            Key::Fresh => {}
            Key::OtherBody => return Err(Error::KeyReused),
            Key::Answered(run) => {
                let (state, _) = runs::state(&mut tx, run).await?.ok_or(Error::NoRun)?;
                return Ok(Started { run, state });
            }
        }
    }
    let mut seen = HashSet::new();
    let mut files = run_files::without_archives(&mut tx, start.owner, &start.files).await?;
    files.retain(|it| seen.insert(*it));
    if files.len() > FILES_AT_MOST {
        return Err(Error::TooManyFiles(FILES_AT_MOST));
    }
    let run = RunId::new();
    let run_at = match start.run_at {
        Some(when) => Some(when.instant(&mut tx).await?),
        None => None,
    };
    let mut wanted = Wanted::of(&mut tx, &start).await?;
    let held = match start.after.as_slice() {
        [] => None,
        _ => Some(follow::held(&mut tx, &start, &wanted).await?),
    };
    together::put_together(&mut tx, start.owner, &mut wanted, &mut files).await?;
    // The gathering of results counts as a file until these are known.
    let count = files.len() + usize::from(held.is_some());
    insert_run(&mut tx, &start, &wanted, (run, run_at), count).await?;
    insert_references(&mut tx, &start, run, &wanted).await?;
    let input = wanted.recipe.input.ingest_options();
    announce(&mut tx, &Event::of(start.owner, Kind::RunCreated).run(run)).await?;
    match held {
        Some(held) => follow::insert(&mut tx, &start, (run, run_at), &held).await?,
        None => insert_files(&mut tx, &start, (run, run_at), &files, &input).await?,
    }
    if let Some(key) = &start.idempotency_key {
        idempotency::remember(&mut tx, start.owner, key, run).await?;
    }
    let (state, _) = runs::state(&mut tx, run).await?.ok_or(Error::NoRun)?;
    tx.commit().await?;
    Ok(Started { run, state })
}

/// The recipe of a run, and the other tables by the names that it calls them.
pub(super) struct Wanted {
    revision: Option<RevisionId>,
    name: String,
    pub(super) document: Value,
    pub(super) recipe: Recipe,
    pub(super) references: BTreeMap<String, (FileId, Option<i32>)>,
}

impl Wanted {
    async fn of(tx: &mut Tx, start: &Start) -> Result<Self, Error> {
        let (revision, name, document) = match &start.recipe {
            RecipeRef::Inline(recipe) => (None, recipe.name.clone(), serde_json::to_value(recipe)?),
            RecipeRef::Saved(id) => {
                let latest = recipes::latest(tx, start.owner, *id).await?.ok_or(Error::NoRecipe)?;
                (Some(latest.revision), latest.name, latest.document)
            }
            RecipeRef::OfRun(run) => {
                let asked = runs::asked(tx, start.owner, *run).await?.ok_or(Error::NoRun)?;
                (asked.revision, asked.name, asked.document)
            }
            RecipeRef::Revision(id, number) => {
                let row = recipes::revision(tx, start.owner, *id, *number).await?;
                let row = row.ok_or(Error::NoRecipe)?;
                (Some(row.revision), row.name, row.document)
            }
        };
        // A recipe that cannot be read any more fails its files by name.
        let recipe = Recipe::from_json(&document).unwrap_or_default();
        Ok(Self {
            revision,
            name,
            document,
            recipe,
            references: start.references.clone(),
        })
    }
}

async fn insert_run(
    tx: &mut Tx,
    start: &Start,
    wanted: &Wanted,
    (run, run_at): (RunId, Option<DateTime<Utc>>),
    files: usize,
) -> Result<(), Error> {
    let choices = columns::choices(tx, start.owner, &wanted.recipe, start.columns.clone()).await?;
    let new = NewRun {
        id: run,
        owner: start.owner,
        revision: wanted.revision,
        name: &wanted.name,
        document: &wanted.document,
        choices: &serde_json::to_value(choices)?,
        files: i32::try_from(files).unwrap_or(i32::MAX),
        priority: start.priority,
        run_at,
        from_scratch: start.from_scratch,
        request: start.request,
    };
    Ok(runs::insert(tx, &new).await?)
}

/// The tables behind the names of the recipe; each name has one, and no other is given.
async fn insert_references(tx: &mut Tx, start: &Start, run: RunId, wanted: &Wanted) -> Result<(), Error> {
    let names = wanted.recipe.references();
    if let Some(unused) = wanted.references.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(Error::UnusedReference(unused.clone()));
    }
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let missing = || Error::NoReference(name.to_owned());
        let (file, position) = *wanted.references.get(name).ok_or_else(missing)?;
        let candidates = run_files::candidates(tx, start.owner, &[file]).await?;
        let candidate = candidates.first().ok_or(Error::NoFile(file))?;
        if candidate.state != IngestState::Ready {
            return Err(Error::NotReady(candidate.name.clone()));
        }
        let tables = tables::of(tx, candidate.ingest).await?;
        let table = match position {
            Some(position) => tables.iter().find(|it| it.position == position),
            None => tables.iter().find(|it| it.visibility == "visible").or(tables.first()),
        };
        found.push(RunReference {
            name: name.to_owned(),
            file,
            ingest: candidate.ingest,
            position: table.ok_or_else(missing)?.position,
        });
    }
    run_references::insert(tx, run, &found).await?;
    Ok(())
}

/// A task for each file that can still give a result; files that were refused before end here.
async fn insert_files(
    tx: &mut Tx,
    start: &Start,
    (run, run_at): (RunId, Option<DateTime<Utc>>),
    files: &[FileId],
    input: &IngestOptions,
) -> Result<(), Error> {
    let mut found: HashMap<FileId, Candidate> = run_files::candidates(tx, start.owner, files)
        .await?
        .into_iter()
        .map(|it| (it.id, it))
        .collect();
    if let Some(archive) = found.values().find(|it| it.format == ARCHIVE) {
        return Err(Error::Archive(archive.name.clone()));
    }
    read_as_wanted(tx, start, input, &mut found).await?;
    let mut new = Vec::with_capacity(files.len());
    let mut ended = Vec::new();
    for file in files {
        let candidate = found.get(file).ok_or(Error::NoFile(*file))?;
        let task = match candidate.state {
            IngestState::Ready => Some((TaskId::new(), TaskState::Queued)),
            IngestState::Received | IngestState::Ingesting => Some((TaskId::new(), TaskState::Waiting)),
            IngestState::Refused | IngestState::Failed => {
                ended.push(candidate);
                None
            }
        };
        new.push(NewRunFile {
            file: *file,
            ingest: candidate.ingest,
            task,
        });
    }
    let made = tasks::NewOfRun {
        run,
        owner: start.owner,
        priority: start.priority,
        run_at,
        request: start.request,
    };
    tasks::insert_of_run(tx, &made, &new).await?;
    run_files::insert_all(tx, run, &new).await?;
    let due = new
        .iter()
        .filter(|it| it.task.is_some_and(|(_, state)| state == TaskState::Queued))
        .count();
    if due > 0 {
        let pause = pause_until(tx, run_at).await?;
        queue::push_many(tx, TaskKind::Process.queue(), due, pause).await?;
    }
    end_refused(tx, start, run, &ended).await
}

/// Files that were read in another way than the recipe wants are read again for this run.
async fn read_as_wanted(
    tx: &mut Tx,
    start: &Start,
    input: &IngestOptions,
    found: &mut HashMap<FileId, Candidate>,
) -> Result<(), Error> {
    let mut others: HashMap<IngestOptions, Vec<FileId>> = HashMap::new();
    for candidate in found.values() {
        let own: IngestOptions = serde_json::from_value(candidate.options.clone()).unwrap_or_default();
        let wanted = input.over(&own);
        if wanted != own {
            others.entry(wanted).or_default().push(candidate.id);
        }
    }
    let asks = For {
        owner: start.owner,
        request: start.request,
    };
    for (options, files) in others {
        let blobs: Vec<Sha256> = files.iter().filter_map(|it| Some(found.get(it)?.blob)).collect();
        let readings = readings::ensure(tx, asks, &blobs, &options).await?;
        for file in files {
            let Some(candidate) = found.get_mut(&file) else {
                continue;
            };
            let Some(reading) = readings.get(&candidate.blob) else {
                continue;
            };
            (candidate.ingest, candidate.state) = (reading.ingest, reading.state);
        }
    }
    Ok(())
}

async fn end_refused(tx: &mut Tx, start: &Start, run: RunId, ended: &[&Candidate]) -> Result<(), Error> {
    if ended.is_empty() {
        return Ok(());
    }
    for candidate in ended {
        let state = match candidate.state {
            IngestState::Refused => RunFileState::Refused,
            _ => RunFileState::Failed,
        };
        let told = Told {
            code: candidate.code.clone().unwrap_or_else(|| "failed".to_owned()),
            sentence: candidate
                .sentence
                .clone()
                .unwrap_or_else(|| format!("{} could not be read.", candidate.name)),
            reference: candidate.reference.unwrap_or(start.request),
        };
        run_files::fail(tx, run, candidate.id, state, &told).await?;
    }
    let Some(locked) = runs::lock(tx, run).await? else {
        return Ok(());
    };
    let count = i32::try_from(ended.len()).unwrap_or(i32::MAX);
    if let Some(state) = runs::end_files(tx, &locked, count, &locked.ledger).await? {
        chains::run_ended(tx, &locked, state).await?;
    }
    Ok(())
}

pub(super) async fn pause_until(tx: &mut Tx, run_at: Option<DateTime<Utc>>) -> Result<Duration, Error> {
    let Some(run_at) = run_at else {
        return Ok(Duration::ZERO);
    };
    Ok((run_at - database::now(tx).await?).to_std().unwrap_or_default())
}

/// What a key stands for: all that decides what the run does.
fn body_hash(start: &Start) -> Result<Vec<u8>, Error> {
    let recipe = match &start.recipe {
        RecipeRef::Saved(id) => Value::String(id.to_string()),
        RecipeRef::Revision(id, number) => json!([id, number]),
        RecipeRef::Inline(recipe) => serde_json::to_value(recipe)?,
        RecipeRef::OfRun(run) => json!({ "run": run }),
    };
    let (at, after) = match start.run_at {
        Some(When::At(at)) => (Some(at), None),
        Some(When::After(wait)) => (None, Some(wait)),
        None => (None, None),
    };
    let mut body = serde_json::to_vec(&(recipe, &start.files, &start.references, start.priority, at))?;
    // A delay is the same however late the call comes again.
    if let Some(wait) = after {
        body.extend(wait.as_millis().to_be_bytes());
    }
    // Without choices the key stands for what it always stood for.
    if start.columns != Choices::default() {
        body.extend(serde_json::to_vec(&start.columns)?);
    }
    if !start.after.is_empty() {
        body.extend(serde_json::to_vec(&start.after)?);
    }
    if start.from_scratch {
        body.extend(b"from scratch");
    }
    Ok(Hasher::digest(body).to_vec())
}
