//! `sheetmill run`: applies a recipe to files.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use sheetmill_engine::order::Report;
use sheetmill_engine::recipe::document::{OutputFormat, Recipe, Split, SplitInto};
use sheetmill_engine::recipe::mapping::Choices;
use sheetmill_engine::sheets::sniff::{Format, HEAD_BYTES, sniff};
use sheetmill_engine::tables::TableMeta;

use super::columns::{self, column};
use super::mill::{Answer, Mill, Share, Trouble, TroubleKind, meta};
use super::outputs::{Form, Made, place};
use super::progress::{Line, Lines};
use super::references::{References, reference};
use super::report::{InputReport, IssueReport, LedgerEntry, RunReport, sha256};
use super::together::together;
use super::{End, Stop, existing, finish, name_of, recipe, say};
use crate::domain::units;

/// What `run` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The recipe, YAML or JSON.
    recipe: PathBuf,
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    target: Target,
    /// Another table by the name that the recipe calls it.
    #[arg(long = "with", value_name = "NAME=FILE", value_parser = reference)]
    with: Vec<(String, PathBuf)>,
    /// A header of the files, and which of the columns that the recipe expects it is.
    #[arg(long = "column", value_name = "HEADER=NAME", value_parser = column)]
    columns: Vec<(String, String)>,
}

/// Where results go and what may be taken: the same for `run` and `convert`.
#[derive(Debug, Args)]
pub struct Target {
    /// The result: a file for one, a folder for several.
    #[arg(long, value_name = "PATH", value_parser = file)]
    pub(super) out: PathBuf,
    /// The format, instead of the one that PATH's ending or the recipe says.
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub(super) format: Option<OutputFormat>,
    /// Where rejected rows go.
    #[arg(long, value_name = "PATH")]
    pub(super) rejects: Option<PathBuf>,
    /// Where a report in JSON goes.
    #[arg(long, value_name = "PATH")]
    pub(super) report: Option<PathBuf>,
    /// Threads in all; by default as many as the machine has.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Memory of each child.
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = units::bytes)]
    pub(super) memory: u64,
}

/// A path. Standard output is for machine answers, so `-` is no name for it.
fn file(text: &str) -> Result<PathBuf, String> {
    match text {
        "-" => Err("results go to a file; name one".to_owned()),
        _ => Ok(text.into()),
    }
}

/// Applies a recipe to files.
#[must_use]
pub fn main(arguments: &Arguments) -> ExitCode {
    finish(async {
        let recipe = recipe::read(&arguments.recipe)?;
        let said = Said {
            with: &arguments.with,
            columns: &arguments.columns,
        };
        apply(recipe, &arguments.files, said, &arguments.target).await
    })
}

/// What became of one input.
struct Done {
    name: String,
    sha256: String,
    rows: u64,
    streamed_sheets: u64,
    tables: Vec<TableMeta>,
    report: Report,
    outputs: Vec<Made>,
    seconds: BTreeMap<String, f64>,
    peak_memory: u64,
    trouble: Option<Trouble>,
    /// Holds the folder that the outputs are in.
    _mill: Mill,
}

/// What else a command says about the files.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said<'a> {
    /// Other tables by name.
    pub(super) with: &'a [(String, PathBuf)],
    /// Headers, and the expected columns that they are.
    pub(super) columns: &'a [(String, String)],
}

pub(super) async fn apply(mut recipe: Recipe, files: &[PathBuf], said: Said<'_>, target: &Target) -> Result<End, Stop> {
    let choices = columns::choices(&recipe, said.columns)?;
    if let Some(format) = target.format.or_else(|| format_of(&target.out)) {
        recipe.output.format = format;
    }
    let files = files.iter().map(|file| existing(file)).collect::<Result<Vec<_>, _>>()?;
    let archives = Archives::unpack(files, target.memory).await?;
    let files = &archives.files;
    let jobs = target.jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let at_once = jobs.min(files.len());
    let share = Share {
        memory: target.memory,
        jobs: (jobs / at_once).max(1),
    };
    let mut references = References::read(said.with, share).await?;
    let hash = recipe.hash();
    let mut further = Vec::new();
    let mut files = files.as_slice();
    if recipe.puts_files_together() {
        let (first, others) = files.split_at(1);
        let called = first.first().map_or("", |(name, _)| name);
        (recipe, further) = together(&recipe, called, others, &mut references, share).await?;
        files = first;
    }
    let lines = Lines::default();
    let (wanted, tables) = (&recipe, (&references.tables, &choices));
    let beside = Beside {
        recipe: hash,
        further,
        peak_memory: references.peak_memory,
    };
    // In the order of the command, whichever is ready first.
    let done: Vec<Done> = stream::iter(files)
        .map(|(name, file)| {
            let line = lines.of(name);
            async move { one((name, file), wanted, tables, share, &line).await }
        })
        .buffered(at_once)
        .try_collect()
        .await?;
    columns::say_unused(&choices, done.iter().flat_map(|input| &input.tables));
    tell(&recipe, beside, done, target)
}

/// The files of a command, archives unpacked.
struct Archives {
    /// Names and files.
    files: Vec<(String, PathBuf)>,
    /// Hold the folders that members are in.
    _mills: Vec<Mill>,
}

impl Archives {
    async fn unpack(given: Vec<PathBuf>, memory: u64) -> Result<Self, Stop> {
        let (mut files, mut mills) = (Vec::new(), Vec::new());
        for file in given {
            if !may_be_archive(&file)? {
                files.push((name_of(&file), file));
                continue;
            }
            let mill = Mill::new(Share { memory, jobs: 1 })?;
            let read = mill.ingest(&file, Default::default(), &Line::silent()).await?;
            read.left_out.iter().for_each(|sentence| say(sentence));
            if read.members.is_empty() {
                files.push((name_of(&file), file));
            }
            files.extend(read.members);
            mills.push(mill);
        }
        Ok(Self { files, _mills: mills })
    }
}

fn may_be_archive(file: &Path) -> Result<bool, Stop> {
    let mut head = Vec::new();
    let opened = std::fs::File::open(file).map_err(Stop::io(file))?;
    opened
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(Stop::io(file))?;
    Ok(sniff(&head) == Ok(Format::Zip))
}

/// Takes one input through the mill.
async fn one(
    (name, file): (&str, &Path),
    recipe: &Recipe,
    others: (&BTreeMap<String, PathBuf>, &Choices),
    share: Share,
    line: &Line,
) -> Result<Done, Stop> {
    let mill = Mill::new(share)?;
    let read = mill.ingest_as(name, file, recipe.input.ingest_options(), line).await?;
    let tables = read
        .tables
        .iter()
        .map(|folder| meta(folder))
        .collect::<Result<Vec<_>, _>>()?;
    let made = match read.trouble {
        Some(_) => Answer::default(),
        None => mill.process(name, recipe, &read.tables, others, line).await?,
    };
    let mut seconds = read.report.seconds.clone();
    for (stage, spent) in &made.report.seconds {
        *seconds.entry(stage.clone()).or_default() += spent;
    }
    Ok(Done {
        name: name.to_owned(),
        sha256: sha256(file)?,
        rows: read.report.rows_in,
        streamed_sheets: read.report.streamed_sheets,
        tables,
        report: made.report,
        outputs: made.outputs,
        seconds,
        peak_memory: read.peak_memory.max(made.peak_memory),
        trouble: read.trouble.or(made.trouble),
        _mill: mill,
    })
}

/// What a report says besides what became of its inputs.
struct Beside {
    /// The hash of the recipe as it was given.
    recipe: String,
    /// Files whose rows were put together with those of the first.
    further: Vec<InputReport>,
    /// The most memory that a child held while it read one of them or another table, bytes.
    peak_memory: u64,
}

/// Places what was made, writes the report, tells what went wrong, and says how the command ends.
fn tell(recipe: &Recipe, beside: Beside, mut done: Vec<Done>, target: &Target) -> Result<End, Stop> {
    let made: Vec<Vec<Made>> = done
        .iter_mut()
        .map(|input| std::mem::take(&mut input.outputs))
        .collect();
    let mut report = RunReport {
        engine: sheetmill_engine::VERSION,
        recipe: beside.recipe,
        peak_memory: beside.peak_memory,
        ..RunReport::default()
    };
    let form = match &recipe.output.split {
        Some(Split {
            into: SplitInto::Files, ..
        }) => Form::Files,
        _ => Form::Plain,
    };
    report.outputs = place(&made, form, &target.out, target.rejects.as_deref())?;
    let mut end = End::Done;
    let mut counts = Counts::default();
    for input in done {
        if let Some(trouble) = &input.trouble {
            say(&trouble.sentence);
            end = worse(end, trouble.kind);
        }
        counts.add(&input.report);
        for issue in &input.report.issues {
            say(&format!("{}: {}", input.name, issue.sentence));
        }
        add(&mut report, input);
    }
    report.inputs.extend(beside.further);
    let listed = report
        .outputs
        .iter()
        .any(|it| it.role != sheetmill_engine::order::OutputRole::Result);
    if let Some(sentence) = counts.sentence(listed) {
        say(&sentence);
    }
    if let Some(path) = &target.report {
        report.write(path)?;
    }
    Ok(end)
}

/// What rules found, over all inputs.
#[derive(Debug, Default)]
struct Counts {
    rejected: u64,
    flagged: u64,
    warnings: u64,
}

impl Counts {
    fn add(&mut self, report: &Report) {
        self.rejected += report.rejected;
        self.flagged += report.flagged;
        self.warnings += report.warnings;
    }

    /// "3 rows were rejected, 1 warning; --rejects PATH lists them"; nothing where nothing was found.
    fn sentence(&self, listed: bool) -> Option<String> {
        let of = |count: u64, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let parts: Vec<String> = [
            of(self.rejected, "row was rejected", "rows were rejected"),
            of(self.flagged, "row was kept and flagged", "rows were kept and flagged"),
            of(self.warnings, "warning", "warnings"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let hint = if listed { "" } else { "; --rejects PATH lists them" };
        (!parts.is_empty()).then(|| format!("{}{hint}", parts.join(", ")))
    }
}

fn add(report: &mut RunReport, input: Done) {
    let (code, sentence) = input.trouble.map(|it| (it.code, it.sentence)).unzip();
    report.code = report.code.take().or_else(|| code.clone());
    report.sentence = report.sentence.take().or_else(|| sentence.clone());
    let name = &input.name;
    report
        .ledger
        .extend(input.report.ledger.into_iter().map(|step| LedgerEntry {
            input: name.clone(),
            step,
        }));
    for table in input.tables {
        let sheet = table.sheet;
        let issues = table.issues.into_iter().map(|issue| IssueReport {
            input: name.clone(),
            sheet: sheet.clone(),
            issue,
        });
        report.issues.extend(issues);
    }
    let of_outputs = input.report.issues.into_iter().map(|issue| IssueReport {
        input: name.clone(),
        sheet: String::new(),
        issue,
    });
    report.issues.extend(of_outputs);
    for (stage, spent) in input.seconds {
        *report.seconds.entry(stage).or_default() += spent;
    }
    report.peak_memory = report.peak_memory.max(input.peak_memory);
    report.inputs.push(InputReport {
        name: input.name,
        sha256: input.sha256,
        rows: input.rows,
        streamed_sheets: input.streamed_sheets,
        rejected: input.report.rejected,
        flagged: input.report.flagged,
        warnings: input.report.warnings,
        columns: input.report.columns,
        code,
        sentence,
    });
}

/// Of several ends the worst counts: failed, then refused, then rejected.
fn worse(end: End, trouble: TroubleKind) -> End {
    match (end, trouble) {
        (End::Failed, _) | (_, TroubleKind::Failed) => End::Failed,
        (End::Refused, _) | (_, TroubleKind::Refused) => End::Refused,
        (_, TroubleKind::Rejected) => End::Rejected,
    }
}

fn format(word: &str) -> Result<OutputFormat, String> {
    let found = OutputFormat::WORDS
        .iter()
        .find(|(it, _)| *it == word)
        .map(|(_, format)| *format);
    let all = || {
        OutputFormat::WORDS
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(", ")
    };
    found.ok_or_else(|| format!("formats are: {}", all()))
}

/// The format that a file's ending names.
pub(super) fn format_of(path: &Path) -> Option<OutputFormat> {
    format(&path.extension()?.to_str()?.to_ascii_lowercase()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_ends_counts() {
        let end = |troubles: &[TroubleKind]| troubles.iter().fold(End::Done, |end, trouble| worse(end, *trouble));
        assert_eq!(end(&[]), End::Done);
        assert_eq!(end(&[TroubleKind::Rejected]), End::Rejected);
        assert_eq!(end(&[TroubleKind::Refused, TroubleKind::Rejected]), End::Refused);
        assert_eq!(
            end(&[TroubleKind::Rejected, TroubleKind::Failed, TroubleKind::Refused]),
            End::Failed
        );
    }

    #[test]
    fn what_rules_found_is_told_in_a_sentence() {
        let counts = |rejected, flagged, warnings| Counts {
            rejected,
            flagged,
            warnings,
        };
        assert_eq!(counts(0, 0, 0).sentence(true), None);
        assert_eq!(counts(1, 0, 0).sentence(true).as_deref(), Some("1 row was rejected"));
        assert_eq!(
            counts(3, 0, 2).sentence(false).as_deref(),
            Some("3 rows were rejected, 2 warnings; --rejects PATH lists them")
        );
    }
}
