//! A sheet's cells become a table folder: header, typed parts, profile, `table.json` last.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chunk::Chunk;
use super::header::{self, Head};
use super::part::{Group, PartWriter};
use super::profile::ProfileBuilder;
use super::read::TableError;
use super::{CHUNK_ROWS, ColumnKind, ColumnMeta, Issue, PartMeta, TABLE_FILE, TableMeta, counted};
use crate::sheets::kind::letters;
use crate::sheets::source::SheetInfo;
use crate::sheets::{CellKind, HeaderOption, Refusal, TextDialect};

/// Rows that wait for the header.
const HEAD_ROWS: usize = 200;
/// Cells of them that are looked at, for very wide sheets.
const HEAD_CELLS: usize = 60_000;
/// Bytes of text that wait.
const HEAD_TEXT: usize = 16 << 20;
/// A row group is written before it has so many rows times columns, or bytes of text.
const GROUP_CELLS: usize = 2 << 20;
const GROUP_TEXT: usize = 32 << 20;
/// Distinct values counted exactly in the first columns, in those of a wide sheet, and in those of a very wide one.
const EXACT: [(usize, usize); 3] = [(200, 10_000), (1_000, 200), (usize::MAX, 24)];
/// Addresses listed with an issue.
const EXAMPLES: usize = 20;

/// Why a table was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The input is at fault.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The disk is.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Makes one table, from chunks in row order.
pub struct TableWriter {
    folder: PathBuf,
    sheet: SheetInfo,
    option: HeaderOption,
    formats: Vec<String>,
    /// Chunks held back until the header is found.
    waiting: Vec<Chunk>,
    head: Option<Head>,
    group: Group,
    part: Option<(String, PartWriter)>,
    parts: Vec<PartMeta>,
    kinds: Vec<ColumnKind>,
    profiles: Vec<ProfileBuilder>,
    rows: u64,
    errors: Issue,
    issues: Vec<Issue>,
    text: Option<TextDialect>,
}

impl TableWriter {
    /// Starts a table in a folder that exists.
    #[must_use]
    pub fn new(folder: &Path, sheet: &SheetInfo, option: &HeaderOption, formats: Vec<String>) -> Self {
        Self {
            folder: folder.to_owned(),
            sheet: sheet.clone(),
            option: option.clone(),
            formats,
            waiting: Vec::new(),
            head: None,
            group: Group::default(),
            part: None,
            parts: Vec::new(),
            kinds: Vec::new(),
            profiles: Vec::new(),
            rows: 0,
            errors: Issue {
                code: "error_cells".to_owned(),
                ..Issue::default()
            },
            issues: Vec::new(),
            text: None,
        }
    }

    /// Notes how plain text was read.
    pub fn set_dialect(&mut self, dialect: Option<TextDialect>) {
        self.text = dialect;
    }

    /// Notes something odd that is known from elsewhere.
    pub fn add_issue(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    /// Data rows taken so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds rows; answers the names of part files that are complete.
    ///
    /// # Errors
    /// When the header is not where it was said to be, or the disk fails.
    pub fn push(&mut self, chunk: Chunk) -> Result<Vec<String>, MakeError> {
        if self.head.is_some() {
            let all = 0..chunk.len();
            return Ok(self.take(chunk, all)?);
        }
        self.waiting.push(chunk);
        let rows: usize = self.waiting.iter().map(Chunk::len).sum();
        let last = self.waiting.last().and_then(|c| c.rows.last()).copied().unwrap_or(0);
        let reached = match self.option {
            HeaderOption::Rows(_, until) => last > until,
            HeaderOption::Auto | HeaderOption::None => true,
        };
        let texts: usize = self.waiting.iter().map(Chunk::text_bytes).sum();
        if (rows >= HEAD_ROWS || texts >= HEAD_TEXT) && reached {
            self.start()
        } else {
            Ok(Vec::new())
        }
    }

    /// Completes the table: writes the last part and `table.json`; answers both its metadata and that part's name.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn finish(mut self) -> Result<(TableMeta, Vec<String>), MakeError> {
        let mut done = if self.head.is_none() { self.start()? } else { Vec::new() };
        done.extend(self.write_group()?);
        done.extend(self.close_part()?);
        let folder = self.folder.clone();
        let meta = self.into_meta();
        let json = serde_json::to_vec(&meta).map_err(TableError::from)?;
        std::fs::write(folder.join(TABLE_FILE), json).map_err(TableError::from)?;
        Ok((meta, done))
    }

    /// Finds the header in the rows that waited, and takes those below it.
    fn start(&mut self) -> Result<Vec<String>, MakeError> {
        let waiting = std::mem::take(&mut self.waiting);
        let places = waiting
            .iter()
            .flat_map(|chunk| (0..chunk.len()).map(move |at| (chunk, at)));
        let until = match self.option {
            HeaderOption::Rows(_, until) => until,
            HeaderOption::Auto | HeaderOption::None => 0,
        };
        let mut rows = Vec::new();
        let mut cells = 0;
        for (chunk, at) in places {
            let row = chunk.rows.get(at).copied().unwrap_or(0);
            if (rows.len() >= HEAD_ROWS || cells >= HEAD_CELLS) && row > until {
                break;
            }
            let shown = header::shown(chunk, at, &self.formats);
            cells += shown.cells.len();
            rows.push(shown);
        }
        let head = Head::find(&rows, &self.option)?;
        let first_data = head.header.map_or(0, |(_, last)| last + 1);
        self.head = Some(head);
        let mut done = Vec::new();
        for chunk in waiting {
            let from = chunk.rows.iter().take_while(|row| **row < first_data).count();
            let rows = from..chunk.len();
            done.extend(self.take(chunk, rows)?);
        }
        Ok(done)
    }

    /// Takes data rows of a chunk.
    fn take(&mut self, chunk: Chunk, rows: std::ops::Range<usize>) -> Result<Vec<String>, TableError> {
        self.count(&chunk, rows.clone());
        let chunk = Arc::new(chunk);
        let mut done = Vec::new();
        let mut from = rows.start;
        while from < rows.end {
            let until = rows.end.min(from + CHUNK_ROWS.saturating_sub(self.group.rows()).max(1));
            self.rows += (until - from) as u64;
            self.group.push(Arc::clone(&chunk), from..until);
            from = until;
            let group = &self.group;
            if group.rows() >= CHUNK_ROWS || group.cells() >= GROUP_CELLS || group.text_bytes() >= GROUP_TEXT {
                done.extend(self.write_group()?);
            }
        }
        Ok(done)
    }

    fn count(&mut self, chunk: &Chunk, rows: std::ops::Range<usize>) {
        for (at, column) in chunk.columns.iter().enumerate() {
            if self.profiles.len() <= at {
                let room = EXACT
                    .iter()
                    .find(|(columns, _)| at < *columns)
                    .map_or(0, |(_, room)| *room);
                self.profiles.push(ProfileBuilder::new(room));
            }
            let Some(profile) = self.profiles.get_mut(at) else {
                continue;
            };
            for row in rows.clone() {
                let cell = column.cell(row);
                if cell.kind == CellKind::Blank {
                    continue;
                }
                let number = chunk.rows.get(row).copied().unwrap_or(0);
                profile.see(&cell, number);
                if cell.kind == CellKind::Error {
                    self.errors.count += 1;
                    if self.errors.examples.len() < EXAMPLES {
                        let letters = letters(u32::try_from(at).unwrap_or(0));
                        self.errors.examples.push(format!("{letters}{number}"));
                    }
                }
            }
        }
    }

    fn write_group(&mut self) -> Result<Vec<String>, TableError> {
        let group = std::mem::take(&mut self.group);
        let mut done = Vec::new();
        if group.rows() == 0 {
            return Ok(done);
        }
        if self.part.as_ref().is_some_and(|(_, part)| !part.takes(&group)) {
            done.extend(self.close_part()?);
        }
        if self.part.is_none() {
            let name = format!("{:05}.parquet", self.parts.len());
            let part = PartWriter::create(&self.folder.join(&name), &group)?;
            self.part = Some((name, part));
        }
        if let Some((_, part)) = &mut self.part {
            part.write(&group, &self.formats)?;
            for (at, kind) in part.kinds().iter().enumerate() {
                if self.kinds.len() <= at {
                    self.kinds.push(ColumnKind::Blank);
                }
                if let Some(held) = self.kinds.get_mut(at) {
                    *held = held.join(*kind);
                }
            }
        }
        Ok(done)
    }

    fn close_part(&mut self) -> Result<Option<String>, TableError> {
        let Some((name, part)) = self.part.take() else {
            return Ok(None);
        };
        let (rows, bytes) = part.finish()?;
        self.parts.push(PartMeta {
            path: name.clone(),
            rows,
            bytes,
        });
        Ok(Some(name))
    }

    fn into_meta(self) -> TableMeta {
        let head = self.head.unwrap_or_default();
        let width = head.words.len().max(self.kinds.len());
        let mut words = head.words;
        words.resize(width, String::new());
        let blank_names: Vec<bool> = words.iter().map(|word| word.trim().is_empty()).collect();
        let names = header::unique(words);
        let mut profiles = self.profiles.into_iter();
        let mut columns = Vec::new();
        let mut left_out = Issue {
            code: "blank_columns".to_owned(),
            ..Issue::default()
        };
        for (at, (name, blank_name)) in names.into_iter().zip(blank_names).enumerate() {
            let letters = letters(u32::try_from(at).unwrap_or(u32::MAX));
            let kind = self.kinds.get(at).copied().unwrap_or_default();
            let profile = profiles.next().unwrap_or_else(|| ProfileBuilder::new(0));
            if kind == ColumnKind::Blank && blank_name {
                left_out.count += 1;
                if left_out.examples.len() < EXAMPLES {
                    left_out.examples.push(letters);
                }
                continue;
            }
            let format = profile
                .format()
                .and_then(|at| self.formats.get(usize::from(at)))
                .cloned();
            columns.push(ColumnMeta {
                name,
                letters,
                kind,
                format,
                profile: profile.finish(kind, self.rows, &self.formats),
            });
        }
        let mut issues = issues(&head.above, left_out, self.errors);
        issues.extend(self.issues);
        TableMeta {
            engine: crate::VERSION.to_owned(),
            position: self.sheet.position,
            sheet: self.sheet.name,
            visibility: self.sheet.visibility,
            rows: self.rows,
            header: head.header,
            columns,
            parts: self.parts,
            formats: self.formats,
            text: self.text,
            issues,
        }
    }
}

fn issues(above: &[u32], mut left_out: Issue, mut errors: Issue) -> Vec<Issue> {
    let mut issues = Vec::new();
    if !above.is_empty() {
        issues.push(Issue {
            code: "rows_above_header".to_owned(),
            sentence: counted(
                above.len() as u64,
                "row above the header is not part of the data.",
                "rows above the header are not part of the data.",
            ),
            count: above.len() as u64,
            examples: above.iter().take(EXAMPLES).map(|row| format!("A{row}")).collect(),
        });
    }
    if left_out.count > 0 {
        left_out.sentence = counted(
            left_out.count,
            "column without a header and without any cell is left out.",
            "columns without a header and without any cell are left out.",
        );
        issues.push(left_out);
    }
    if errors.count > 0 {
        errors.sentence = counted(
            errors.count,
            "cell holds an error such as #N/A instead of a value.",
            "cells hold an error such as #N/A instead of a value.",
        );
        issues.push(errors);
    }
    issues
}
