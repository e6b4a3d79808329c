//! The activity report: a workbook with what was done on the day before a tick, owner by owner, and every file that gave no
//! result. No bytes of anybody are read for it.

use std::path::Path;

use sheetmill_engine::sheets::write::{PlainColumn, PlainSheet, write_plain};
use tokio::task::spawn_blocking;

use super::attempt::{Attempt, Halt, internal};
use super::hash::hash_file;
use super::upkeep::Done;
use crate::database::activity::{self, FailureRow, OwnerRow};
use crate::database::reports::Report;
use crate::database::ticks;
use crate::domain::failure::Fault;
use crate::domain::ids::TickId;
use crate::sandbox::scratch::WorkFolder;
use crate::schedules::Day;
use crate::storage::{Key, Source};

/// Failures that a report lists.
const FAILURES: usize = 10_000;

/// The work of an attempt at a report.
///
/// # Errors
/// Why there is none.
pub async fn work(attempt: &Attempt, folder: &WorkFolder, tick: TickId) -> Result<Done, Halt> {
    let ours = |detail: String| Halt::Mishap(internal(Fault::Ours, detail));
    let mut conn = attempt.context.pool.acquire().await?;
    let input = ticks::input(&mut conn, tick).await?;
    let input = input.ok_or_else(|| ours("a report without a tick".to_owned()))?;
    let day = Day::before(input.at, &input.time_zone).map_err(|wrong| ours(wrong.to_string()))?;
    let owners = activity::by_owner(&mut conn, day.from, day.to).await?;
    let limit = i64::try_from(FAILURES).unwrap_or(i64::MAX);
    let failures = activity::failures(&mut conn, day.from, day.to, limit).await?;
    drop(conn);

    let said = sentence(&day, &owners);
    let sheets = [by_owner(&owners), by_failure(&day, &failures)];
    let path = folder.out().join("report.xlsx");
    let written = path.clone();
    let hashed = spawn_blocking(move || write(&written, &sheets))
        .await
        .map_err(std::io::Error::other)??;
    let name = format!("activity {}.xlsx", day.name);
    let key = Key::Report(tick, attempt.claimed.fence.attempt, name.clone());
    attempt.context.storage.put(&key, &path, Source::Give).await?;
    Ok(Done {
        said,
        report: Some(Report {
            name,
            storage_key: key.to_string(),
            bytes: i64::try_from(hashed.bytes).unwrap_or(i64::MAX),
            sha256: hashed.sha256,
        }),
    })
}

fn write(path: &Path, sheets: &[PlainSheet]) -> Result<super::hash::Hashed, Halt> {
    write_plain(path, sheets)
        .map_err(|error| Halt::Mishap(internal(Fault::Surroundings, format!("report: {error}"))))?;
    Ok(hash_file(path)?)
}

fn by_owner(owners: &[OwnerRow]) -> PlainSheet {
    let count = |name, of: fn(&OwnerRow) -> i64| {
        let counts: Vec<i64> = owners.iter().map(of).collect();
        let all = counts.iter().sum();
        PlainColumn::Counts(name, counts.into_iter().chain([all]).collect())
    };
    let names = owners.iter().map(|it| it.owner.clone()).chain(["All".to_owned()]);
    PlainSheet {
        name: "Owners".to_owned(),
        columns: vec![
            PlainColumn::Texts("Owner", names.collect()),
            count("Uploads", |it| it.uploads),
            count("Uploaded bytes", |it| it.bytes),
            count("Runs", |it| it.runs),
            count("Runs succeeded", |it| it.succeeded),
            count("Runs failed", |it| it.failed),
            count("Runs cancelled", |it| it.cancelled),
            count("Files", |it| it.files),
            count("Files refused", |it| it.files_refused),
            count("Files failed", |it| it.files_failed),
            count("Rows read", |it| it.rows_in),
            count("Rows in results", |it| it.rows_out),
        ],
    }
}

fn by_failure(day: &Day, failures: &[FailureRow]) -> PlainSheet {
    let text = |name, of: &dyn Fn(&FailureRow) -> String| PlainColumn::Texts(name, failures.iter().map(of).collect());
    PlainSheet {
        name: "Failures".to_owned(),
        columns: vec![
            text("Owner", &|it| it.owner.clone()),
            text("Run", &|it| it.run.clone()),
            text("File", &|it| it.file.clone()),
            text("State", &|it| it.state.clone()),
            text("Code", &|it| it.code.clone().unwrap_or_default()),
            text("Reason", &|it| it.sentence.clone().unwrap_or_default()),
            text("Ended", &|it| day.shown(it.ended_at)),
        ],
    }
}

fn sentence(day: &Day, owners: &[OwnerRow]) -> String {
    if owners.is_empty() {
        return format!("{} in {}: nothing was done.", day.name, day.place());
    }
    let sum = |of: fn(&OwnerRow) -> i64| owners.iter().map(of).sum::<i64>();
    let several = |count: i64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    format!(
        "{} in {}: {} of {}, {}, {} without a result.",
        day.name,
        day.place(),
        several(sum(|it| it.runs), "run", "runs"),
        several(i64::try_from(owners.len()).unwrap_or(i64::MAX), "owner", "owners"),
        several(sum(|it| it.rows_in), "row read", "rows read"),
        several(sum(|it| it.files_refused + it.files_failed), "file", "files"),
    )
}
