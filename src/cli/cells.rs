//! `sheetmill cells`: every filled cell as read, one JSON object a row.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::mill::{Mill, Share};
use super::{End, Stop, existing, finish};
use crate::domain::units;

/// What `cells` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file.
    file: PathBuf,
    /// Only this sheet.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Memory of the child that reads it.
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = units::bytes)]
    memory: u64,
}

/// Prints every filled cell.
#[must_use]
pub fn main(arguments: &Arguments) -> ExitCode {
    finish(cells(arguments))
}

async fn cells(arguments: &Arguments) -> Result<End, Stop> {
    let file = existing(&arguments.file)?;
    let mill = Mill::new(Share {
        memory: arguments.memory,
        jobs: 1,
    })?;
    let (read, printed) = mill.cells(&file, arguments.sheet.clone()).await?;
    if let Some(trouble) = read.trouble {
        return Err(Stop::of(trouble));
    }
    let mut printed = std::fs::File::open(&printed).map_err(Stop::io(&printed))?;
    match std::io::copy(&mut printed, &mut std::io::stdout().lock()) {
        Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => Err(Stop::failed(format!("stdout: {cause}"))),
        _ => Ok(End::Done),
    }
}
