//! `sample`: keep some rows at random.

use serde_json::{Value as Json, json};

use super::{Definition, OptionForm, OptionKind};
use crate::recipe::columns::Column;
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::portion::{PortionPlan, ShareStep, Which};
use crate::recipe::problem::Problem;

/// Keeps some rows at random, in their order: a number of them, or a share. The same rows of the same sheet with the same
/// seed give the same sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// How much stays.
    pub size: SampleSize,
    /// Another seed gives another sample.
    pub seed: usize,
}

/// How much of the rows stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleSize {
    /// So many rows.
    Rows(usize),
    /// About so much of all rows: above 0 and below 1.
    Share(f64),
}

/// Seeds are whole numbers that JSON holds exactly.
const SEEDS: std::ops::RangeInclusive<usize> = 0..=1_000_000_000;

impl Sample {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "sample",
        title: "Keep a sample",
        about: "Keeps some rows at random and leaves out the others; the same seed gives the same rows.",
        options: &[
            OptionForm {
                name: "rows",
                title: "Rows",
                kind: OptionKind::Number,
                required: false,
                default: None,
                about: "How many rows stay. Either this or `share`.",
            },
            OptionForm {
                name: "share",
                title: "Share",
                kind: OptionKind::Text,
                required: false,
                default: None,
                about: "About how much of the rows stays, such as 10% or 0.1. Either this or `rows`.",
            },
            OptionForm {
                name: "seed",
                title: "Seed",
                kind: OptionKind::Number,
                required: false,
                default: Some("1"),
                about: "Another number gives other rows.",
            },
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`sample`")?;
        let before = reading.problems.len();
        let rows = options
            .take("rows")
            .map(|node| reading.number(node, &options.path("rows"), &options.subject("rows"), 1..=1_000_000_000));
        let share = options
            .take("share")
            .map(|node| read_share(node, &options.path("share"), reading));
        let seed = options
            .take("seed")
            .map(|node| reading.number(node, &options.path("seed"), &options.subject("seed"), SEEDS));
        options.finish(reading, &["rows", "share", "seed"]);
        let size = match (rows, share) {
            (Some(rows), None) => SampleSize::Rows(rows?),
            (None, Some(share)) => SampleSize::Share(share?),
            (Some(_), Some(_)) => {
                reading.problem(
                    node.place,
                    path,
                    "`sample` has both `rows` and `share`; one of them is enough.",
                );
                return None;
            }
            (None, None) => {
                if reading.problems.len() == before {
                    let message = "`sample` needs `rows`, such as 100, or `share`, such as 10%.";
                    reading.problem(node.place, path, message);
                }
                return None;
            }
        };
        Some(Self {
            size,
            seed: seed.unwrap_or(Some(1))?,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        match self.size {
            SampleSize::Rows(rows) => json!({ "rows": rows, "seed": self.seed }),
            SampleSize::Share(share) => json!({ "share": share, "seed": self.seed }),
        }
    }

    pub(super) fn label(&self) -> String {
        match self.size {
            SampleSize::Rows(1) => "Keep one row at random".into(),
            SampleSize::Rows(rows) => format!("Keep {rows} rows at random"),
            SampleSize::Share(share) => format!("Keep about {share} of the rows at random"),
        }
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        Ok(columns.to_vec())
    }

    pub(super) fn plan(&self, _columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        let (seed, why) = (self.seed as u64, "it is not in the sample".to_owned());
        Ok(match self.size {
            SampleSize::Rows(rows) => Operator::ordered(PortionPlan {
                which: Which::Any(seed),
                rows,
                why,
            }),
            SampleSize::Share(share) => Operator::step(ShareStep { share, seed, why }),
        })
    }
}

/// A share as a number such as 0.1, or in hundredths such as 10%.
fn read_share(node: &Node, path: &str, reading: &mut Reading) -> Option<f64> {
    reading.places.insert(path.to_owned(), node.place);
    let text = node.as_text().unwrap_or_default().trim();
    let number = match text.strip_suffix('%') {
        Some(hundredths) => hundredths.trim().parse().map(|number: f64| number / 100.0),
        None => text.parse(),
    };
    let share = number.ok().filter(|share| *share > 0.0 && *share < 1.0);
    if share.is_none() {
        let message = "`share` of `sample` expects a part of all rows such as 10% or 0.1: more than 0 and less than 1.";
        reading.problem(node.place, path, message);
    }
    share
}
