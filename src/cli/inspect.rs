//! `sheetmill inspect`: what is in a file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use sheetmill_engine::sheets::IngestOptions;
use sheetmill_engine::tables::{ColumnMeta, TableMeta};

use super::mill::{Mill, Share, TroubleKind, meta};
use super::progress::Lines;
use super::report::sha256;
use super::{End, Stop, answer, existing, finish, name_of};
use crate::domain::units;

/// What `inspect` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file.
    file: PathBuf,
    /// Answers in JSON rather than for people.
    #[arg(long)]
    json: bool,
    /// Memory of the child that reads it.
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = units::bytes)]
    memory: u64,
}

/// Says what is in a file.
#[must_use]
pub fn main(arguments: &Arguments) -> ExitCode {
    finish(inspect(arguments))
}

async fn inspect(arguments: &Arguments) -> Result<End, Stop> {
    let file = existing(&arguments.file)?;
    let mill = Mill::new(Share {
        memory: arguments.memory,
        jobs: 1,
    })?;
    let line = Lines::default().of(&name_of(&file));
    let read = mill.ingest(&file, IngestOptions::default(), &line).await?;
    drop(line);
    if let Some(trouble) = read.trouble {
        let end = if trouble.kind == TroubleKind::Refused {
            End::Refused
        } else {
            End::Failed
        };
        if arguments.json {
            answer(&format!(
                "{}\n",
                json!({"file": name_of(&file), "code": trouble.code, "sentence": trouble.sentence})
            ))?;
        }
        return Err(Stop {
            end,
            sentence: trouble.sentence,
        });
    }
    let tables = read
        .tables
        .iter()
        .map(|folder| meta(folder))
        .collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        let bytes = file.metadata().map_err(Stop::io(&file))?.len();
        let whole = json!({
            "file": name_of(&file),
            "bytes": bytes,
            "sha256": sha256(&file)?,
            "engine": sheetmill_engine::VERSION,
            "sheets": tables.iter().map(sheet).collect::<Vec<_>>(),
        });
        answer(&format!("{whole:#}\n"))?;
    } else {
        answer(&tables.iter().map(in_words).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(End::Done)
}

fn sheet(table: &TableMeta) -> Value {
    json!({
        "name": table.sheet,
        "visibility": table.visibility,
        "rows": table.rows,
        "dimensions": {"rows": table.rows, "columns": table.columns.len()},
        "header": table.header.map(|(first, last)| [first, last]),
        "columns": table.columns.iter().map(column).collect::<Vec<_>>(),
        "issues": table.issues,
        "text": table.text,
    })
}

fn column(column: &ColumnMeta) -> Value {
    let profile = &column.profile;
    json!({
        "name": column.name,
        "letters": column.letters,
        "type": column.kind,
        "format": column.format,
        "kinds": profile.kinds,
        "blanks": profile.blanks,
        "distinct": profile.distinct,
        "distinct_exact": profile.distinct_exact,
        "min": profile.min,
        "max": profile.max,
        "top": profile.top,
        "lengths": profile.lengths,
        "padded": profile.padded,
        "zero_padded": profile.zero_padded,
        "odd_blanks": profile.odd_blanks,
        "patterns": profile.patterns,
        "rows": profile.rows,
    })
}

fn in_words(table: &TableMeta) -> String {
    let header = match table.header {
        Some((first, last)) if first == last => format!("header in row {first}"),
        Some((first, last)) => format!("header in rows {first} to {last}"),
        None => "no header".to_owned(),
    };
    let mut text = format!(
        "{}: {} rows, {} columns, {header}\n",
        table.sheet,
        table.rows,
        table.columns.len()
    );
    for column in &table.columns {
        let profile = &column.profile;
        let kind = serde_json::to_value(column.kind)
            .ok()
            .and_then(|it| it.as_str().map(str::to_owned))
            .unwrap_or_default();
        let range = match (&profile.min, &profile.max) {
            (Some(min), Some(max)) => format!("{min} … {max}"),
            _ => String::new(),
        };
        text.push_str(&format!(
            "  {:<4}{:<24} {kind:<10} {:>9} blank  {range}\n",
            column.letters, column.name, profile.blanks
        ));
    }
    for issue in &table.issues {
        text.push_str(&format!("  ! {} ({})\n", issue.sentence, issue.examples.join(", ")));
    }
    text
}
