//! A table's metadata, and the columns and pictures that pages make of it.

use futures_util::TryStreamExt;
use sheetmill_engine::tables::{ColumnKind, ColumnMeta, TableMeta};

use crate::database::{Connection, files};
use crate::domain::ids::{FileId, IngestId, UserId};
use crate::domain::states::IngestState;
use crate::pages::filters;
use crate::pages::{PageError, Pages};
use crate::storage::Key;

/// `table.json` is small except for very wide sheets; more than this is none of ours.
const MOST_BYTES: usize = 64 << 20;

/// The ingest of the owner's file, which must be ready.
pub(in crate::pages) async fn ready(
    connection: &mut Connection,
    owner: UserId,
    file: FileId,
) -> Result<IngestId, PageError> {
    let file = files::find(connection, owner, file).await?.ok_or(PageError::NotFound)?;
    match file.state {
        IngestState::Ready => Ok(file.ingest),
        _ => Err(PageError::Conflict("This file is not ready yet.".to_owned())),
    }
}

/// Reads a table's `table.json`.
pub(in crate::pages) async fn load(pages: &Pages, ingest: IngestId, position: u32) -> Result<TableMeta, PageError> {
    let mut stream = pages.storage.get(&Key::TableMeta(ingest, position), None).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(PageError::Internal(format!(
                "table.json of {ingest}/{position} is too large"
            )));
        }
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| PageError::Internal(format!("table.json of {ingest}/{position}: {error}")))
}

/// A small picture: bars over a strip of `width`, 20 high.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pages) struct Bars {
    pub(in crate::pages) width: usize,
    pub(in crate::pages) bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pages) struct Bar {
    pub(in crate::pages) x: usize,
    pub(in crate::pages) width: usize,
    pub(in crate::pages) height: u64,
}

/// A picture of counts; an empty step stays empty and the least that is not empty still shows.
pub(in crate::pages) fn bars(counts: &[u64]) -> Option<Bars> {
    let most = counts.iter().copied().max().filter(|most| *most > 0)?;
    let bar = |(index, count): (usize, &u64)| {
        let height = if *count == 0 { 0 } else { (count * 20 / most).max(1) };
        Bar {
            x: index * 10,
            width: 9,
            height,
        }
    };
    Some(Bars {
        width: counts.len() * 10 - 1,
        bars: counts.iter().enumerate().map(bar).collect(),
    })
}

/// A column as the grid's head shows it.
#[derive(Clone, Debug)]
pub(in crate::pages) struct ColumnHead {
    pub(in crate::pages) index: usize,
    pub(in crate::pages) name: String,
    pub(in crate::pages) letters: String,
    pub(in crate::pages) kind: &'static str,
    pub(in crate::pages) icon: &'static str,
    pub(in crate::pages) about: String,
    pub(in crate::pages) bars: Option<Bars>,
}

impl ColumnHead {
    /// What the head shows of a column.
    pub(in crate::pages) fn of(index: usize, column: &ColumnMeta) -> Self {
        let (kind, icon, _) = kind(column.kind);
        let bars = bars(&column.profile.histogram);
        Self {
            index,
            name: column.name.clone(),
            letters: column.letters.clone(),
            kind,
            icon,
            about: about(column, bars.is_some()),
            bars,
        }
    }
}

/// A kind's word for scripts, its icon and its word for people.
pub(in crate::pages) fn kind(kind: ColumnKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        ColumnKind::Blank => ("blank", "circle-dashed", "blank"),
        ColumnKind::Integer => ("integer", "hash", "whole number"),
        ColumnKind::Decimal => ("decimal", "hash", "number"),
        ColumnKind::Boolean => ("boolean", "toggle-left", "true or false"),
        ColumnKind::Date => ("date", "calendar", "date"),
        ColumnKind::DateTime => ("date_time", "calendar-clock", "date and time"),
        ColumnKind::Time => ("time", "clock", "time"),
        ColumnKind::Text => ("text", "type", "text"),
        ColumnKind::Mixed => ("mixed", "shuffle", "mixed"),
    }
}

fn about(column: &ColumnMeta, pictured: bool) -> String {
    let profile = &column.profile;
    let kinds = |n: u64| {
        let about = if profile.distinct_exact { "" } else { "about " };
        format!(
            "{about}{} {}",
            filters::grouped(n.into()),
            if n == 1 { "value" } else { "values" }
        )
    };
    let blanks = match profile.blanks {
        0 => String::new(),
        n => format!(", {} blank", filters::grouped(n.into())),
    };
    match (&profile.min, &profile.max) {
        _ if column.kind == ColumnKind::Blank => "nothing in it".to_owned(),
        (Some(min), Some(max)) if pictured => format!("{min} … {max}"),
        _ => format!("{}{blanks}", kinds(profile.distinct)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_bar_shows_and_nothing_is_drawn_of_nothing() {
        let picture = bars(&[0, 1, 1_000]).expect("there is something to draw");
        assert_eq!(picture.bars.iter().map(|it| it.height).collect::<Vec<_>>(), [0, 1, 20]);
        assert_eq!(picture.width, 29);
        assert_eq!(bars(&[]), None);
        assert_eq!(bars(&[0, 0]), None);
    }
}
