//! Carries out one order and always ends with one message: done, refused or failed.

use super::{Message, Order, Report, Warmth, cells, ingest, peek, preview, process, results, rows, trace};
use crate::sheets::{ReadError, Refusal};
use crate::tables::read::TableError;
use crate::tables::write::MakeError;

/// Why an order was not carried out. What it says is for the log, apart from a refusal.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The input is at fault.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The disk is.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A table is not readable or writable.
    #[error("{0}")]
    Table(#[from] TableError),
    /// A table could not be made into an answer.
    #[error("{0}")]
    Answer(#[from] arrow::error::ArrowError),
    /// A line could not be written.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

impl From<ReadError> for OrderError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Refused(refusal) => Self::Refused(refusal),
            ReadError::Io(error) => Self::Io(error),
        }
    }
}

impl From<MakeError> for OrderError {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::Refused(refusal) => Self::Refused(refusal),
            MakeError::Table(error) => Self::Table(error),
        }
    }
}

/// Carries out an order, telling how it goes. The last message is `Done`, `Refused` or `Failed`.
pub fn execute(order: Order, say: &mut dyn FnMut(Message)) {
    execute_warm(order, &mut Warmth::default(), say);
}

/// The same for a process that carries out several orders, one after another.
pub fn execute_warm(order: Order, warmth: &mut Warmth, say: &mut dyn FnMut(Message)) {
    let (name, result) = match order {
        Order::Ingest(order) => (order.name.clone(), ingest::run(&order, say)),
        Order::Cells(order) => (order.name.clone(), cells::run(&order, say)),
        Order::Peek(order) => (order.name.clone(), peek::run(&order, say)),
        Order::Rows(order) => (String::new(), rows::run(&order, say)),
        Order::Process(order) => return process::run(&order, say),
        Order::Preview(order) => return preview::run(&order, warmth, say),
        Order::Results(order) => return results::run(&order, say),
        Order::Trace(order) => return trace::run(&order, say),
    };
    say(last_message(&name, result));
}

fn last_message(name: &str, result: Result<Report, OrderError>) -> Message {
    match result {
        Ok(report) => Message::Done(report),
        Err(OrderError::Refused(refusal)) => {
            // The sentence leaves out what only helps us; the code and this line are all there is of it.
            Message::Refused {
                code: refusal.code().to_owned(),
                sentence: refusal.sentence(name),
            }
        }
        Err(error) => Message::Failed {
            code: "engine".to_owned(),
            sentence: "Something went wrong on our side while the file was read.".to_owned(),
            detail: error.to_string(),
            input_at_fault: false,
        },
    }
}
