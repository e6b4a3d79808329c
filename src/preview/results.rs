//! Rows of results, and where they come from: what made a result is looked up and carried out again in a warm child.

use std::collections::BTreeMap;
use std::sync::Arc;

use sheetmill_engine::order::{
    Message, Order, ProcessOrder, ResultsAnswer, ResultsOrder, TableFiles, TraceAnswer, TraceOrder,
};
use sheetmill_engine::recipe::document::{Recipe, Sheets};
use sheetmill_engine::recipe::mapping::Choices;
use tokio_util::sync::CancellationToken;

use super::cache::Kept;
use super::{Error, PreviewOf, Previews, unasked};
use crate::database::tasks::{self, RunInput};
use crate::database::{self, Connection, run_files, run_references, runs};
use crate::domain::ids::{FileId, IngestId, RunId, UserId};
use crate::domain::states::RunFileState;

/// Threads of a child: pages share the machine with runs.
const JOBS: usize = 2;

/// What made the result of a file in a run.
#[derive(Clone, Debug)]
pub struct ResultOf {
    /// The file's name for people.
    pub name: String,
    /// How the file was read.
    pub ingest: IngestId,
    /// The positions of its tables in the workbook, in sheet order.
    tables: Vec<u32>,
    recipe: Recipe,
    references: BTreeMap<String, (IngestId, u32)>,
    mapping: Choices,
}

/// Which row of a result is asked about.
#[derive(Clone, Debug, Default)]
pub struct RowOf {
    /// The sheet of whose rows it was made; the first one where there is none.
    pub sheet: Option<String>,
    /// Where the result is split by a column: the value of the part in which the row is counted.
    pub part: Option<String>,
    /// The row, from 1.
    pub row: u64,
    /// Of several rows that it was made of, the one to follow.
    pub follow: Option<u32>,
}

impl ResultOf {
    /// Looks up what made the result of a file in somebody's run; nothing where that is no file of a run of theirs.
    ///
    /// # Errors
    /// [`Error::NoResult`] where it has no result; [`Error::Gone`] where what it read is no longer kept; the database's.
    pub async fn find(
        connection: &mut Connection,
        owner: UserId,
        run: RunId,
        file: FileId,
    ) -> Result<Option<Self>, Error> {
        if runs::find(connection, owner, run).await?.is_none() {
            return Ok(None);
        }
        match run_files::state(connection, run, file).await? {
            None => return Ok(None),
            Some(RunFileState::Succeeded) => {}
            Some(_) => return Err(Error::NoResult),
        }
        let input = tasks::run_input(connection, run, file).await?.ok_or(Error::Gone)?;
        let others = run_references::of(connection, run).await?;
        Self::of(input, others).map(Some)
    }

    /// What makes the rows that a preview shows of a file, by its name for people.
    #[must_use]
    pub fn previewed(of: PreviewOf, name: String) -> Self {
        let mut recipe = of.recipe;
        recipe.steps.truncate(of.steps);
        // There is one sheet, and its rows are in one place.
        recipe.input.sheets = Sheets::All;
        recipe.output.split = None;
        Self {
            name,
            ingest: of.ingest,
            tables: vec![of.position],
            recipe,
            references: of.references,
            mapping: of.mapping,
        }
    }

    fn of(input: RunInput, others: BTreeMap<String, (IngestId, i32)>) -> Result<Self, Error> {
        let place = |position: i32| u32::try_from(position).map_err(|error| Error::Internal(error.to_string()));
        let mut references = BTreeMap::new();
        for (name, (ingest, position)) in others {
            references.insert(name, (ingest, place(position)?));
        }
        Ok(Self {
            name: input.name,
            ingest: input.ingest,
            tables: input.tables.into_iter().map(place).collect::<Result<_, _>>()?,
            recipe: serde_json::from_value(input.document).map_err(|error| Error::Internal(error.to_string()))?,
            references,
            mapping: serde_json::from_value(input.choices).map_err(|error| Error::Internal(error.to_string()))?,
        })
    }
}

/// The order that made a result, with the tables that it reads at hand while this is held.
struct MadeBy {
    order: ProcessOrder,
    _tables: Vec<Arc<Kept>>,
    _scratch: crate::sandbox::scratch::WorkFolder,
}

impl Previews {
    /// Rows of a result: at most `limit` from `offset`, counted from 0, of a sheet or the first one.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn results(
        &self,
        of: ResultOf,
        sheet: Option<String>,
        (offset, limit): (u64, usize),
    ) -> Result<ResultsAnswer, Error> {
        let made_by = self.made_by(of).await?;
        let order = Order::Results(ResultsOrder {
            made_by: made_by.order.clone(),
            sheet,
            offset,
            limit,
        });
        match self
            .0
            .answer(&order, &CancellationToken::new())
            .await
            .map_err(of_a_result)?
        {
            Message::Results(answer) => Ok(*answer),
            other => Err(unasked(&other)),
        }
    }

    /// Where a row of a result comes from.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn trace(&self, of: ResultOf, wanted: RowOf) -> Result<TraceAnswer, Error> {
        let made_by = self.made_by(of).await?;
        let order = Order::Trace(TraceOrder {
            made_by: made_by.order.clone(),
            sheet: wanted.sheet,
            part: wanted.part,
            row: wanted.row,
            follow: wanted.follow,
        });
        match self
            .0
            .answer(&order, &CancellationToken::new())
            .await
            .map_err(of_a_result)?
        {
            Message::Trace(answer) => Ok(*answer),
            other => Err(unasked(&other)),
        }
    }

    async fn made_by(&self, of: ResultOf) -> Result<MadeBy, Error> {
        let mut kept = Vec::new();
        let (mut tables, mut references) = (Vec::new(), BTreeMap::new());
        for position in of.tables {
            let table = self.0.cache.table(of.ingest, position).await.map_err(gone)?;
            tables.push(files(&table));
            kept.push(table);
        }
        for (name, (ingest, position)) in of.references {
            let table = self.0.cache.table(ingest, position).await.map_err(gone)?;
            references.insert(name, files(&table));
            kept.push(table);
        }
        let scratch = self.0.scratch.folder(&uuid::Uuid::now_v7().to_string())?;
        Ok(MadeBy {
            order: ProcessOrder {
                name: of.name,
                tables,
                recipe: of.recipe,
                references,
                mapping: of.mapping,
                out: scratch.tmp(),
                scratch: scratch.tmp(),
                memory: self.0.settings.plan_memory,
                jobs: JOBS,
            },
            _tables: kept,
            _scratch: scratch,
        })
    }
}

fn files(table: &Kept) -> TableFiles {
    TableFiles {
        folder: table.folder().to_owned(),
    }
}

/// A table that storage does not have any more.
fn gone(error: Error) -> Error {
    match error {
        Error::Missing => Error::Gone,
        other => other,
    }
}

fn of_a_result(error: Error) -> Error {
    match error {
        Error::TooMuch(_) => Error::TooMuch(
            "The run has too many rows to be gone through again while you wait. Download the result instead."
                .to_owned(),
        ),
        other => other,
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        Self::Database(error)
    }
}
