//! Which columns of files are those that a recipe expects: what its owner chooses, and has chosen before.

use sheetmill_engine::recipe::document::Recipe;
use sheetmill_engine::recipe::mapping::{Choices, normalised};

use super::Error;
use crate::database::column_mappings::{self, ColumnMapping};
use crate::database::{Connection, Pool};
use crate::domain::ids::UserId;

/// Longer names are not remembered; sheets have none.
const LONGEST: usize = 255;

/// Something that an owner has chosen for the sheets of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnChoice {
    /// The layout.
    pub layout: String,
    /// The expected column.
    pub expected: String,
    /// The header that it is; `None`: these sheets do not have it.
    pub header: Option<String>,
    /// Headers that fitted as well and are not it.
    pub instead_of: Vec<String>,
}

/// The choices of a run: those that came with it, and what its owner has chosen before.
///
/// # Errors
/// [`Error::NoSuchColumn`]; the database's.
pub async fn choices(
    connection: &mut Connection,
    owner: UserId,
    recipe: &Recipe,
    mut choices: Choices,
) -> Result<Choices, Error> {
    let of_layouts = choices.layouts.values().flat_map(|columns| columns.keys());
    for name in choices.chosen.values().chain(of_layouts) {
        recipe.input.expects(name).map_err(Error::NoSuchColumn)?;
    }
    if recipe.input.columns.is_empty() {
        return Ok(choices);
    }
    let expected: Vec<String> = recipe.input.columns.iter().map(|it| it.name.clone()).collect();
    for it in column_mappings::of(connection, owner, &expected).await? {
        if it.layout.is_empty() {
            // The latest comes last.
            choices.remembered.insert(it.header, it.expected);
        } else {
            let columns = choices.layouts.entry(it.layout).or_default();
            columns.entry(it.expected).or_insert(None);
        }
    }
    Ok(choices)
}

/// Remembers what an owner has chosen, instead of what was chosen for the same columns before.
///
/// # Errors
/// The database's.
pub async fn remember_columns(pool: &Pool, owner: UserId, chosen: &[ColumnChoice]) -> Result<(), Error> {
    let kept = chosen.iter().map(mapping);
    let kept: Vec<ColumnMapping> = kept.filter(|it| fits(&it.header) && fits(&it.expected)).collect();
    let absent = |it: &ColumnChoice| {
        mapping(&ColumnChoice {
            header: None,
            ..it.clone()
        })
    };
    let found = chosen.iter().filter(|it| it.header.is_some()).map(absent);
    // Where several were chosen in earlier runs and stand on one sheet, this one is the one to remember.
    let others = chosen.iter().flat_map(|it| {
        let other = |header: &String| {
            mapping(&ColumnChoice {
                header: Some(header.clone()),
                ..it.clone()
            })
        };
        it.instead_of.iter().map(other)
    });
    let gone: Vec<ColumnMapping> = found.chain(others).collect();
    let mut tx = pool.begin().await?;
    column_mappings::forget(&mut tx, owner, &gone).await?;
    column_mappings::remember(&mut tx, owner, &kept).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets something that an owner has chosen.
///
/// # Errors
/// The database's.
pub async fn forget_column(pool: &Pool, owner: UserId, chosen: &ColumnChoice) -> Result<(), Error> {
    let mut connection = pool.acquire().await?;
    column_mappings::forget(&mut connection, owner, &[mapping(chosen)]).await?;
    Ok(())
}

fn fits(name: &str) -> bool {
    name.chars().count() <= LONGEST
}

fn mapping(choice: &ColumnChoice) -> ColumnMapping {
    let (header, layout) = match &choice.header {
        Some(header) => (normalised(header), String::new()),
        None => (String::new(), choice.layout.clone()),
    };
    ColumnMapping {
        header,
        layout,
        expected: choice.expected.clone(),
    }
}

/// The choices of these layouts alone, for a run.
#[must_use]
pub fn of_layouts(chosen: &[ColumnChoice]) -> Choices {
    let mut choices = Choices::default();
    for it in chosen {
        let columns = choices.layouts.entry(it.layout.clone()).or_default();
        columns.insert(it.expected.clone(), it.header.clone());
    }
    choices
}
