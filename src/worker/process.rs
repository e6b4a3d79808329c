//! Applies a recipe to a file of a run: its tables from storage into a child, outputs back under the attempt's own keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sheetmill_engine::order::{Message, Order, Output, OutputRole, ProcessOrder, Report, TableFiles};
use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::Choices;
use sheetmill_engine::tables::TableMeta;
use tokio::task::spawn_blocking;

use super::attempt::{Attempt, Halt, Product, Supervised, internal, plain};
use super::hash::hash_file;
use super::retry::Mishap;
use super::reuse;
use super::settle::OfUse;
use crate::database::artifacts::NewArtifact;
use crate::database::run_references;
use crate::database::tasks::{self, RunInput};
use crate::domain::failure::Fault;
use crate::domain::ids::{ArtifactId, FileId, IngestId, RunId};
use crate::domain::states::ArtifactKind;
use crate::sandbox::made;
use crate::sandbox::scratch::WorkFolder;
use crate::storage::{Key, Source};

type Stored = Vec<(Key, NewArtifact)>;

/// The work of an attempt at a file of a run.
///
/// # Errors
/// Why there are no outputs.
pub async fn work(attempt: &mut Attempt, folder: &WorkFolder, run: RunId, file: FileId) -> Result<Product, Halt> {
    let (input, others) = read(attempt, run, file).await?;
    let reuses = !attempt.context.settings.reuse.is_zero();
    let under = reuse::key(attempt.claimed.owner, &input, &others).filter(|_| reuses);
    if let Some(under) = under.filter(|_| !input.from_scratch)
        && let Some(product) = reuse::take(attempt, under, (run, file)).await?
    {
        return Ok(product);
    }
    let order = prepare(attempt, folder, input, others).await?;
    let settings = attempt.context.settings.process.clone();
    let mut child = attempt.begin(&settings, folder.path(), &order, vec![file]).await?;
    let mut stored = Stored::new();
    let mut account = None;
    let processed = process(
        attempt,
        &mut child,
        &folder.out(),
        (run, file),
        (&mut stored, &mut account),
    )
    .await;
    child.close(attempt).await;
    match processed {
        Ok(report) => {
            attempt.remains.rows = Some(report.rows_in);
            Ok(Product::Outputs {
                stored,
                report: Box::new(report),
                under,
                from: None,
            })
        }
        Err(halt) => {
            let (rejects, rest) = if of_use(&halt) {
                split(stored)
            } else {
                (Stored::new(), stored)
            };
            attempt.forget(&rest).await;
            match account {
                Some(report) => {
                    attempt.remains.of_use = Some(OfUse {
                        stored: rejects,
                        report,
                    });
                }
                None => attempt.forget(&rejects).await,
            }
            Err(halt)
        }
    }
}

/// Whether what was made so far is shown: a recipe may fail on rejected rows, and lists them.
fn of_use(halt: &Halt) -> bool {
    matches!(
        halt,
        Halt::Mishap(Mishap::Failed {
            fault: Fault::Input,
            ..
        })
    )
}

/// The lists of rejected rows and the sheets with notes, and the rest.
fn split(stored: Stored) -> (Stored, Stored) {
    stored
        .into_iter()
        .partition(|(_, artifact)| matches!(artifact.kind, ArtifactKind::Rejects | ArtifactKind::Annotated))
}

/// The other tables by the names that the recipe has for them: ingest and position.
type Others = BTreeMap<String, (IngestId, i32)>;

async fn read(attempt: &mut Attempt, run: RunId, file: FileId) -> Result<(RunInput, Others), Halt> {
    let mut conn = attempt.context.pool.acquire().await?;
    let input = tasks::run_input(&mut conn, run, file).await?;
    let others = run_references::of(&mut conn, run).await?;
    let input = input.ok_or_else(|| ours("its ingest is not ready".to_owned()))?;
    attempt.name.clone_from(&input.name);
    Ok((input, others))
}

fn ours(detail: String) -> Halt {
    Halt::Mishap(internal(Fault::Ours, detail))
}

async fn prepare(attempt: &Attempt, folder: &WorkFolder, input: RunInput, others: Others) -> Result<Order, Halt> {
    let RunInput {
        document,
        choices,
        name,
        ingest,
        tables,
        ..
    } = input;
    let recipe: Recipe = serde_json::from_value(document).map_err(|error| ours(format!("recipe: {error}")))?;
    let mapping: Choices = serde_json::from_value(choices).map_err(|error| ours(format!("choices: {error}")))?;
    let mut brought = Vec::new();
    for position in tables {
        let position = u32::try_from(position).map_err(|error| ours(error.to_string()))?;
        let folder = folder.inputs().join(position.to_string());
        brought.push(bring_table(attempt, folder, ingest, position).await?);
    }
    let mut references = BTreeMap::new();
    for (number, (name, (ingest, position))) in others.into_iter().enumerate() {
        let position = u32::try_from(position).map_err(|error| ours(error.to_string()))?;
        let folder = folder.inputs().join(format!("other-{number}"));
        references.insert(name, bring_table(attempt, folder, ingest, position).await?);
    }
    let settings = &attempt.context.settings;
    Ok(Order::Process(ProcessOrder {
        name,
        tables: brought,
        recipe,
        references,
        mapping,
        out: folder.out(),
        scratch: folder.tmp(),
        memory: settings.plan_memory,
        jobs: settings.plan_jobs,
    }))
}

/// Brings one table: `table.json`, and the parts that it names.
async fn bring_table(attempt: &Attempt, folder: PathBuf, ingest: IngestId, position: u32) -> Result<TableFiles, Halt> {
    let storage = &attempt.context.storage;
    tokio::fs::create_dir_all(&folder).await?;
    let meta = folder.join("table.json");
    attempt
        .unless_stopped(storage.fetch(&Key::TableMeta(ingest, position), &meta))
        .await?;
    let meta: TableMeta = serde_json::from_slice(&tokio::fs::read(&meta).await?)
        .map_err(|error| Halt::Mishap(internal(Fault::Ours, format!("table.json: {error}"))))?;
    for part in meta.parts {
        let name = Path::new(&part.path)
            .file_name()
            .and_then(|it| it.to_str())
            .filter(|it| *it == part.path);
        let name =
            name.ok_or_else(|| Halt::Mishap(internal(Fault::Ours, format!("table.json names {:?}", part.path))))?;
        let key = Key::TablePart(ingest, position, name.to_owned());
        attempt.unless_stopped(storage.fetch(&key, &folder.join(name))).await?;
    }
    Ok(TableFiles { folder })
}

async fn process(
    attempt: &mut Attempt,
    child: &mut Supervised,
    out: &Path,
    work: (RunId, FileId),
    (stored, account): (&mut Stored, &mut Option<Box<Report>>),
) -> Result<Report, Halt> {
    loop {
        match child.next(attempt).await? {
            Ok(Message::Output(output)) => store(attempt, out, work, &output, stored).await?,
            Ok(Message::Account(report)) => *account = Some(Box::new(report)),
            Ok(other) => tracing::debug!(?other, "a message that says nothing to a run"),
            Err(report) => return Ok(report),
        }
    }
}

async fn store(
    attempt: &Attempt,
    out: &Path,
    (run, file): (RunId, FileId),
    output: &Output,
    stored: &mut Stored,
) -> Result<(), Halt> {
    let nonsense = || Halt::Mishap(Mishap::Crashed(format!("it said that it made {:?}", output.path)));
    let found = made(out, &output.path)
        .filter(|it| it.parts.len() == 1)
        .ok_or_else(nonsense)?;
    let path = found.path.clone();
    let hashed = spawn_blocking(move || hash_file(&path))
        .await
        .map_err(std::io::Error::other)??;
    let fence = attempt.claimed.fence;
    let key = Key::RunOutput(run, fence.task, fence.attempt, output.path.clone());
    let artifact = NewArtifact {
        id: ArtifactId::new(),
        run,
        file: Some(file),
        kind: match output.role {
            OutputRole::Result => ArtifactKind::Result,
            OutputRole::Rejects => ArtifactKind::Rejects,
            OutputRole::Annotated => ArtifactKind::Annotated,
        },
        name: file_name(&output.name, &output.path),
        storage_key: key.to_string(),
        content_type: key.content_type(),
        bytes: i64::try_from(hashed.bytes).unwrap_or(i64::MAX),
        sha256: hashed.sha256,
        rows: i64::try_from(output.rows).ok(),
    };
    // Remembered first: what is stored halfway has to be removed as well.
    stored.push((key.clone(), artifact));
    attempt
        .unless_stopped(attempt.context.storage.put(&key, &found.path, Source::Give))
        .await
}

/// The longest file name that file systems take, in bytes.
const NAME_BYTES: usize = 255;

/// A name for people without folders in it.
fn file_name(name: &str, path: &str) -> String {
    let name: String = plain(name)
        .chars()
        .map(|it| if matches!(it, '/' | '\\') { '_' } else { it })
        .collect();
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_BYTES {
        path.to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_name_for_people_holds_no_folders_and_is_never_empty() {
        assert_eq!(file_name("orders (clean).xlsx", "0.xlsx"), "orders (clean).xlsx");
        assert_eq!(file_name("../../etc/passwd", "0.xlsx"), ".._.._etc_passwd");
        assert_eq!(file_name(" \n ", "0.xlsx"), "0.xlsx");
        assert_eq!(file_name(&"x".repeat(300), "0.xlsx"), "0.xlsx");
    }
}
