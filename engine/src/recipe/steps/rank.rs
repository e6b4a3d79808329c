//! `rank`: give rows ranks by a column.

use serde_json::{Value as Json, json};

use super::number_rows::{BY, COLUMN, per, with_column};
use super::{Definition, Direction, OptionForm, OptionKind, find_all};
use crate::recipe::columns::{Column, find};
use crate::recipe::document::{Node, Reading};
use crate::recipe::plan::operator::Operator;
use crate::recipe::plan::rank::{RankPlan, Ties};
use crate::recipe::plan::sort::SortBy;
use crate::recipe::problem::Problem;
use crate::tables::ColumnKind;

/// Fills a column with the ranks of the rows by another column. Rows stay where they are; equal ones have equal ranks; a
/// blank has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// The column that is filled.
    pub column: String,
    /// The column that is ranked.
    pub of: String,
    /// Which way.
    pub order: Direction,
    /// What follows equal rows.
    pub ties: Ties,
    /// The columns that make a group; none: all rows are one.
    pub by: Vec<String>,
}

const TIES: &[(&str, Ties)] = &[("competition", Ties::Competition), ("dense", Ties::Dense)];

impl Rank {
    /// How forms and the guide present it.
    pub const DEFINITION: Definition = Definition {
        name: "rank",
        title: "Rank rows",
        about: "Fills a column with the ranks of the rows by another one; the rows stay where they are.",
        options: &[
            COLUMN,
            OptionForm {
                name: "of",
                title: "Of",
                kind: OptionKind::Column,
                required: true,
                default: None,
                about: "The column that is ranked; a blank has no rank.",
            },
            OptionForm {
                name: "order",
                title: "Rank 1 is",
                kind: OptionKind::Choice(&["descending", "ascending"]),
                required: false,
                default: Some("\"descending\""),
                about: "`descending`: the greatest; `ascending`: the smallest.",
            },
            OptionForm {
                name: "ties",
                title: "Behind equal rows",
                kind: OptionKind::Choice(&["competition", "dense"]),
                required: false,
                default: Some("\"competition\""),
                about: "`competition`: ranks are left out, 1, 2, 2, 4; `dense`: none is, 1, 2, 2, 3.",
            },
            BY,
        ],
    };

    pub(super) fn read(node: &Node, path: &str, reading: &mut Reading) -> Option<Self> {
        let mut options = reading.map(node, path, "`rank`")?;
        let column = options.required_text(reading, "column");
        let of = options.required_text(reading, "of");
        let order = options.optional_choice(reading, "order", Direction::WORDS);
        let ties = options.optional_choice(reading, "ties", TIES).unwrap_or_default();
        let by = options.optional_texts(reading, "by").unwrap_or_default();
        options.finish(reading, &["column", "of", "order", "ties", "by"]);
        Some(Self {
            column: column?,
            of: of?,
            order: order.unwrap_or(Direction::Descending),
            ties,
            by,
        })
    }

    pub(super) fn to_json(&self) -> Json {
        json!({
            "column": self.column,
            "of": self.of,
            "order": match self.order {
                Direction::Descending => "descending",
                Direction::Ascending => "ascending",
            },
            "ties": match self.ties {
                Ties::Competition => "competition",
                Ties::Dense => "dense",
            },
            "by": self.by,
        })
    }

    pub(super) fn label(&self) -> String {
        let order = match self.order {
            Direction::Descending => "greatest first",
            Direction::Ascending => "smallest first",
        };
        let ties = match self.ties {
            Ties::Competition => "",
            Ties::Dense => ", no rank left out",
        };
        let per = per(&self.by);
        format!("Fill {} with the rank by {}{per}, {order}{ties}", self.column, self.of)
    }

    pub(super) fn check(&self, columns: &[Column]) -> Result<Vec<Column>, Vec<Problem>> {
        self.position(columns)?;
        find_all(columns, &self.by, "by")?;
        Ok(with_column(columns, &self.column, ColumnKind::Integer)?.0)
    }

    pub(super) fn plan(&self, columns: &[Column]) -> Result<Operator, Vec<Problem>> {
        Ok(Operator::ordered(RankPlan {
            of: SortBy {
                order: self.order,
                ..SortBy::ascending(self.position(columns)?)
            },
            by: find_all(columns, &self.by, "by")?,
            ties: self.ties,
            target: with_column(columns, &self.column, ColumnKind::Integer)?.1,
            before: columns.to_vec(),
        }))
    }

    fn position(&self, columns: &[Column]) -> Result<usize, Vec<Problem>> {
        find(columns, &self.of).map_err(|message| vec![Problem::at("of", message)])
    }
}
