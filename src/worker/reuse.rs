//! Takes over what an earlier run made of the same file with the same recipe: equal input, recipe and engine give equal bytes.

use sha2::{Digest as _, Sha256};
use sheetmill_engine::order::Report;

use super::attempt::{Attempt, Halt, Product};
use crate::database::artifacts::{ArtifactRow, NewArtifact};
use crate::database::reusable;
use crate::database::tasks::RunInput;
use crate::domain::ids::{ArtifactId, FileId, IngestId, RunId, UserId};
use crate::storage::{self, Key};

/// The most bytes of a report that is kept; one of ten thousand sheets is longer, and made anew.
const REPORT_BYTES: usize = 1 << 20;

/// What a result is found under: all that decides its bytes. An ingest's id stands for the file's bytes, how they are read and by
/// which version.
pub(super) fn key(
    owner: Option<UserId>,
    input: &RunInput,
    others: &std::collections::BTreeMap<String, (IngestId, i32)>,
) -> Option<[u8; 32]> {
    let decides = serde_json::to_vec(&(
        sheetmill_engine::DIGEST,
        owner,
        &input.document,
        &input.choices,
        &input.name,
        input.ingest,
        others,
    ));
    decides.ok().map(|it| Sha256::digest(it).into())
}

/// A report as it is kept; `None`: it is too long, or holds what the database does not take.
pub(super) fn kept(report: &Report) -> Option<serde_json::Value> {
    let text = serde_json::to_string(report).ok()?;
    let fits = text.len() <= REPORT_BYTES && !text.contains("\\u0000");
    fits.then(|| serde_json::from_str(&text).ok())?
}

/// What an earlier run made, copied to keys of this attempt; `None` when there is none, or some of it is gone.
///
/// # Errors
/// When the database or storage is away, or the attempt shall stop. Nothing is left behind then.
pub(super) async fn take(
    attempt: &Attempt,
    under: [u8; 32],
    (run, file): (RunId, FileId),
) -> Result<Option<Product>, Halt> {
    let context = &attempt.context;
    let mut conn = context.pool.acquire().await?;
    let Some(found) = reusable::find(&mut conn, &under, context.settings.reuse).await? else {
        return Ok(None);
    };
    let made = reusable::artifacts(&mut conn, found.run, found.file).await?;
    drop(conn);
    let (Some(made), Ok(report)) = (made, serde_json::from_value::<Report>(found.report)) else {
        return Ok(None);
    };
    let mut stored = Vec::with_capacity(made.len());
    match copy_all(attempt, &made, (run, file), &mut stored).await {
        Ok(true) => Ok(Some(Product::Outputs {
            stored,
            report: Box::new(report),
            under: Some(under),
            from: Some(found.run),
        })),
        Ok(false) => {
            attempt.forget(&stored).await;
            Ok(None)
        }
        Err(halt) => {
            attempt.forget(&stored).await;
            Err(halt)
        }
    }
}

/// False when one of the objects is not there any more.
async fn copy_all(
    attempt: &Attempt,
    made: &[ArtifactRow],
    (run, file): (RunId, FileId),
    stored: &mut Vec<(Key, NewArtifact)>,
) -> Result<bool, Halt> {
    let fence = attempt.claimed.fence;
    for one in made {
        let Ok(from @ Key::RunOutput(..)) = one.storage_key.parse() else {
            return Ok(false);
        };
        let Key::RunOutput(_, _, _, name) = &from else {
            return Ok(false);
        };
        let to = Key::RunOutput(run, fence.task, fence.attempt, name.clone());
        let artifact = NewArtifact {
            id: ArtifactId::new(),
            run,
            file: Some(file),
            kind: one.kind,
            name: one.name.clone(),
            storage_key: to.to_string(),
            content_type: to.content_type(),
            bytes: one.bytes,
            sha256: one.sha256,
            rows: one.rows,
        };
        // Remembered first: what is copied halfway has to be removed as well.
        stored.push((to.clone(), artifact));
        let copied = async {
            match attempt.context.storage.copy(&from, &to).await {
                Err(storage::Error::Missing(_)) => Ok(false),
                other => other.map(|()| true),
            }
        };
        if !attempt.unless_stopped(copied).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn input() -> RunInput {
        RunInput {
            document: json!({ "version": 1, "steps": [{ "trim": {} }] }),
            choices: json!({}),
            name: "orders.xlsx".to_owned(),
            ingest: IngestId::new(),
            tables: vec![0],
            rows: 10,
            from_scratch: false,
        }
    }

    #[test]
    fn all_that_decides_the_bytes_is_in_the_key_and_nothing_else() {
        let (owner, one, none) = (UserId::new(), input(), BTreeMap::new());
        let first = key(Some(owner), &one, &none);
        assert_eq!(
            first,
            key(
                Some(owner),
                &RunInput {
                    rows: 11,
                    from_scratch: true,
                    ..one.clone()
                },
                &none
            )
        );
        let others = [
            key(Some(UserId::new()), &one, &none),
            key(
                Some(owner),
                &RunInput {
                    name: "other.xlsx".to_owned(),
                    ..one.clone()
                },
                &none,
            ),
            key(
                Some(owner),
                &RunInput {
                    ingest: IngestId::new(),
                    ..one.clone()
                },
                &none,
            ),
            key(
                Some(owner),
                &RunInput {
                    document: json!({ "version": 1 }),
                    ..one.clone()
                },
                &none,
            ),
            key(
                Some(owner),
                &RunInput {
                    choices: json!({ "chosen": { "a": "b" } }),
                    ..one.clone()
                },
                &none,
            ),
            key(
                Some(owner),
                &one,
                &BTreeMap::from([("prices".to_owned(), (IngestId::new(), 0))]),
            ),
        ];
        for (number, other) in others.iter().enumerate() {
            assert_ne!(&first, other, "{number}");
        }
    }

    #[test]
    fn a_report_that_the_database_does_not_take_is_not_kept() {
        let mut report = Report::default();
        assert!(kept(&report).is_some());
        report.seconds.insert("a\0b".to_owned(), 1.0);
        assert!(kept(&report).is_none());
    }
}
