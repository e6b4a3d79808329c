//! Reads a workbook into tables: bytes from storage into a child, parts back to storage as they come, `table.json` last.

use std::path::Path;

use sheetmill_engine::order::{IngestOrder, Member, Message, Order, TableSummary};
use sheetmill_engine::sheets::IngestOptions;
use tokio::task::spawn_blocking;

use super::attempt::{Attempt, Halt, Product, Supervised, internal};
use super::hash::hash_file;
use super::retry::Mishap;
use crate::database::{blobs, tasks};
use crate::domain::failure::Fault;
use crate::domain::ids::{FileId, IngestId, Sha256};
use crate::domain::name::clean;
use crate::readings::NewMember;
use crate::sandbox::made;
use crate::sandbox::scratch::WorkFolder;
use crate::storage::{Key, Source};

/// The work of an attempt at an ingest.
///
/// # Errors
/// Why there are no tables.
pub async fn work(attempt: &mut Attempt, folder: &WorkFolder, ingest: IngestId) -> Result<Product, Halt> {
    let (order, files) = prepare(attempt, folder, ingest).await?;
    let settings = attempt.context.settings.ingest.clone();
    let mut child = attempt.begin(&settings, folder.path(), &order, files).await?;
    let read = read(attempt, &mut child, &folder.out(), ingest).await;
    child.close(attempt).await;
    read
}

/// Brings the bytes, and looks whether they are what they were.
async fn prepare(attempt: &mut Attempt, folder: &WorkFolder, ingest: IngestId) -> Result<(Order, Vec<FileId>), Halt> {
    let mut conn = attempt.context.pool.acquire().await?;
    let input = tasks::ingest_input(&mut conn, ingest).await?;
    let files = tasks::readers(&mut conn, ingest)
        .await?
        .into_iter()
        .map(|(file, _)| file)
        .collect();
    drop(conn);
    let input = input.ok_or_else(|| Halt::Mishap(internal(Fault::Ours, "an ingest without a file".to_owned())))?;
    attempt.name.clone_from(&input.name);
    let path = folder.inputs().join("workbook");
    attempt
        .unless_stopped(attempt.context.storage.fetch(&Key::Blob(input.blob), &path))
        .await?;
    intact(&input.name, &path, input.blob).await?;
    let options: IngestOptions = serde_json::from_value(input.options)
        .map_err(|error| Halt::Mishap(internal(Fault::Ours, format!("ingest options: {error}"))))?;
    let limits = attempt.context.settings.limits.clone();
    let order = Order::Ingest(IngestOrder {
        input: path,
        name: input.name,
        options,
        limits,
        out: folder.out(),
    });
    Ok((order, files))
}

async fn intact(name: &str, path: &Path, blob: Sha256) -> Result<(), Halt> {
    let path = path.to_owned();
    let found = spawn_blocking(move || hash_file(&path))
        .await
        .map_err(std::io::Error::other)??;
    if found.sha256 == blob {
        return Ok(());
    }
    let sentence = format!("The stored copy of {name} is damaged. Upload it again.");
    Err(Halt::Mishap(input_at_fault(
        "damaged",
        sentence,
        format!("its hash is {}", found.sha256),
    )))
}

fn input_at_fault(code: &str, sentence: String, detail: String) -> Mishap {
    Mishap::Failed {
        fault: Fault::Input,
        code: code.to_owned(),
        sentence,
        detail,
    }
}

async fn read(attempt: &mut Attempt, child: &mut Supervised, out: &Path, ingest: IngestId) -> Result<Product, Halt> {
    let mut tables: Vec<TableSummary> = Vec::new();
    let mut members = Vec::new();
    loop {
        match child.next(attempt).await? {
            Ok(Message::Part { path }) => store_part(attempt, out, ingest, &path).await?,
            Ok(Message::Table { folder, summary }) => {
                let expected = summary.position.to_string();
                let path = made(out, &format!("{folder}/table.json")).filter(|_| folder == expected);
                let path = path.ok_or_else(|| nonsense(&folder))?.path;
                let key = Key::TableMeta(ingest, summary.position);
                attempt
                    .unless_stopped(attempt.context.storage.put(&key, &path, Source::Give))
                    .await?;
                tables.push(summary);
            }
            Ok(Message::Member(member)) => members.push(store_member(attempt, out, member).await?),
            Ok(other) => tracing::debug!(?other, "a message that says nothing to an ingest"),
            Err(report) => {
                attempt.remains.rows = Some(report.rows_in);
                return Ok(if members.is_empty() {
                    Product::Tables(tables)
                } else {
                    Product::Members(members)
                });
            }
        }
    }
}

async fn store_part(attempt: &Attempt, out: &Path, ingest: IngestId, path: &str) -> Result<(), Halt> {
    let part = made(out, path).ok_or_else(|| nonsense(path))?;
    let [folder, name] = part.parts.as_slice() else {
        return Err(nonsense(path));
    };
    let position = folder.parse().map_err(|_not_a_number| nonsense(path))?;
    let key = Key::TablePart(ingest, position, name.clone());
    attempt
        .unless_stopped(attempt.context.storage.put(&key, &part.path, Source::Give))
        .await
}

/// The bytes of a member go to storage under their own name, as those of an upload do.
async fn store_member(attempt: &Attempt, out: &Path, member: Member) -> Result<NewMember, Halt> {
    let content = match (member.format, member.refused) {
        (Some(format), None) => {
            let file = made(out, &member.path).ok_or_else(|| nonsense(&member.path))?;
            let path = file.path.clone();
            let hashed = spawn_blocking(move || hash_file(&path))
                .await
                .map_err(std::io::Error::other)??;
            let key = Key::Blob(hashed.sha256);
            let mut conn = attempt.context.pool.acquire().await?;
            blobs::want(&mut conn, &[(hashed.sha256, hashed.bytes)]).await?;
            drop(conn);
            let storage = &attempt.context.storage;
            if attempt.unless_stopped(storage.size(&key)).await? != Some(hashed.bytes) {
                attempt
                    .unless_stopped(storage.put(&key, &file.path, Source::Give))
                    .await?;
            } else {
                tokio::fs::remove_file(&file.path).await?;
            }
            Ok((hashed.sha256, format.word()))
        }
        (_, refused) => Err(refused.ok_or_else(|| nonsense(&member.path))?),
    };
    Ok(NewMember {
        name: clean(&member.name),
        bytes: member.bytes,
        content,
    })
}

/// A child that names what it did not make is not our child any more.
fn nonsense(path: &str) -> Halt {
    Halt::Mishap(Mishap::Crashed(format!("it said that it made {path:?}")))
}
