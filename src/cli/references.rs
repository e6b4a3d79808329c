//! Other tables that a recipe calls by name: `--with NAME=FILE`, and further files whose rows are put together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sheetmill_engine::sheets::IngestOptions;

use super::mill::{Mill, Share};
use super::progress::Line;
use super::{Stop, existing};

/// The tables that a recipe names.
#[derive(Default)]
pub(super) struct References {
    /// Their folders, by name.
    pub(super) tables: BTreeMap<String, PathBuf>,
    /// The most memory that a child held while it read one of them, bytes.
    pub(super) peak_memory: u64,
    /// Hold the folders.
    _mills: Vec<Mill>,
}

impl References {
    /// Reads the first sheet of each file.
    pub(super) async fn read(with: &[(String, PathBuf)], share: Share) -> Result<Self, Stop> {
        let mut references = Self::default();
        for (name, file) in with {
            let file = existing(file)?;
            let called = super::name_of(&file);
            references
                .add(name, (&called, &file), IngestOptions::default(), share)
                .await?;
        }
        Ok(references)
    }

    /// Reads the first sheet of one more file; answers its data rows.
    pub(super) async fn add(
        &mut self,
        name: &str,
        (called, file): (&str, &Path),
        options: IngestOptions,
        share: Share,
    ) -> Result<u64, Stop> {
        let mill = Mill::new(share)?;
        let read = mill.ingest_as(called, file, options, &Line::silent()).await?;
        if let Some(trouble) = read.trouble {
            return Err(Stop::of(trouble));
        }
        self.peak_memory = self.peak_memory.max(read.peak_memory);
        let first = read.tables.into_iter().next();
        let table = first.ok_or_else(|| Stop::wrong(format!("{} holds no table", file.display())))?;
        let rows = super::mill::meta(&table)?.rows;
        self.tables.insert(name.to_owned(), table);
        self._mills.push(mill);
        Ok(rows)
    }
}

/// `NAME=FILE`.
pub(super) fn reference(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), PathBuf::from(file))),
        _ => Err("write it like prices=prices.xlsx".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_a_name_and_a_file() {
        assert_eq!(reference("p=a=b.xlsx"), Ok(("p".to_owned(), PathBuf::from("a=b.xlsx"))));
        assert!(reference("prices.xlsx").is_err());
        assert!(reference("=prices.xlsx").is_err());
    }
}
