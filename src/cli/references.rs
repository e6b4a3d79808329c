//! `--with NAME=FILE`: other tables that a recipe calls by name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::mill::{Mill, Share, TroubleKind};
use super::progress::Line;
use super::{End, Stop, existing};

/// The tables that a recipe names.
pub(super) struct References {
    /// Their folders, by name.
    pub(super) tables: BTreeMap<String, PathBuf>,
    /// Hold the folders.
    _mills: Vec<Mill>,
}

impl References {
    /// Reads the first sheet of each file.
    pub(super) async fn read(with: &[(String, PathBuf)], share: Share) -> Result<Self, Stop> {
        let mut references = Self {
            tables: BTreeMap::new(),
            _mills: Vec::new(),
        };
        for (name, file) in with {
            let mill = Mill::new(share)?;
            let read = mill
                .ingest(&existing(file)?, Default::default(), &Line::silent())
                .await?;
            if let Some(trouble) = read.trouble {
                let end = if trouble.kind == TroubleKind::Refused {
                    End::Refused
                } else {
                    End::Failed
                };
                return Err(Stop {
                    end,
                    sentence: trouble.sentence,
                });
            }
            let first = read.tables.into_iter().next();
            let table = first.ok_or_else(|| Stop::wrong(format!("{} holds no table", file.display())))?;
            references.tables.insert(name.clone(), table);
            references._mills.push(mill);
        }
        Ok(references)
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
