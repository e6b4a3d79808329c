//! Functions of our own for DataFusion's evaluator: those that can reject a row, and those with a spreadsheet's manners.
//!
//! A function that cannot give a value for a row gives nothing there and notes the row. DataFusion evaluates the branches
//! of a `case` on the rows that reach them only, so the row's position in the chunk comes along as the last argument. The
//! notes are kept per thread: an expression is evaluated from beginning to end on one thread, see `Program::evaluate`.

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Date32Type, Float64Type, UInt32Type};
use chrono::{Datelike, Days, NaiveDate};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use unicode_normalization::char::is_combining_mark;

/// A row that a function could not give a value for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Note {
    /// The row's position in the chunk.
    pub(super) position: u32,
    /// Which place of the expression: an index into the program's sites.
    pub(super) site: usize,
    /// The value that was at fault, where that helps.
    pub(super) value: Option<String>,
}

thread_local! {
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// Takes the notes that this thread has made.
pub(super) fn take_notes() -> Vec<Note> {
    NOTES.with(|notes| std::mem::take(&mut *notes.borrow_mut()))
}

/// What a function works with.
pub(super) struct Rows<'a> {
    /// The arguments, all of the same length, without the positions.
    pub(super) arguments: &'a [ArrayRef],
    positions: Option<&'a UInt32Array>,
    site: usize,
}

impl Rows<'_> {
    /// Notes that a row cannot be worked out.
    pub(super) fn note(&self, row: usize, value: Option<String>) {
        if let Some(positions) = self.positions {
            let note = Note {
                position: positions.value(row),
                site: self.site,
                value,
            };
            NOTES.with(|notes| notes.borrow_mut().push(note));
        }
    }

    fn numbers(&self, index: usize) -> Result<&Float64Array> {
        self.arguments[index]
            .as_primitive_opt::<Float64Type>()
            .ok_or_else(|| unexpected(&self.arguments[index]))
    }

    fn texts(&self, index: usize) -> Result<&StringArray> {
        self.arguments[index]
            .as_string_opt::<i32>()
            .ok_or_else(|| unexpected(&self.arguments[index]))
    }
}

fn unexpected(array: &ArrayRef) -> DataFusionError {
    DataFusionError::Internal(format!("an own function met {}", array.data_type()))
}

/// A function of ours.
pub(super) type Body = fn(&Rows<'_>) -> Result<ArrayRef>;

#[derive(Clone)]
struct OwnFunction {
    name: &'static str,
    body: Body,
    returns: DataType,
    site: Option<usize>,
    signature: Signature,
}

impl fmt::Debug for OwnFunction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{:?}", self.name, self.site)
    }
}

impl PartialEq for OwnFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.site == other.site && self.returns == other.returns
    }
}

impl Eq for OwnFunction {}

impl Hash for OwnFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, self.site).hash(state);
    }
}

impl ScalarUDFImpl for OwnFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = call.number_rows;
        let arrays: Result<Vec<ArrayRef>> = call.args.into_iter().map(|value| value.into_array(rows)).collect();
        let mut arrays = arrays?;
        let last = if self.site.is_some() { arrays.pop() } else { None };
        let positions = last.as_ref().and_then(|array| array.as_primitive_opt::<UInt32Type>());
        let rows = Rows {
            arguments: &arrays,
            positions,
            site: self.site.unwrap_or_default(),
        };
        Ok(ColumnarValue::Array((self.body)(&rows)?))
    }
}

/// A call of one of our functions. With a site, `positions` is passed as the last argument and rows can be noted.
pub(super) fn call(
    name: &'static str,
    body: Body,
    returns: DataType,
    site: Option<(usize, Expr)>,
    mut arguments: Vec<Expr>,
) -> Expr {
    let (site, positions) = site.unzip();
    arguments.extend(positions);
    // A call with a site has an effect besides its value, so it must be neither folded nor shared.
    let volatility = if site.is_some() {
        Volatility::Volatile
    } else {
        Volatility::Immutable
    };
    let signature = Signature::any(arguments.len(), volatility);
    let function = OwnFunction {
        name,
        body,
        returns,
        site,
        signature,
    };
    ScalarUDF::new_from_impl(function).call(arguments)
}

/// `a / b`.
pub(super) fn divide(rows: &Rows<'_>) -> Result<ArrayRef> {
    by_nonzero(rows, |a, b| a / b)
}

/// `a % b`, with the sign of `a`.
pub(super) fn remainder(rows: &Rows<'_>) -> Result<ArrayRef> {
    by_nonzero(rows, |a, b| a % b)
}

fn by_nonzero(rows: &Rows<'_>, work: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (rows.numbers(0)?, rows.numbers(1)?);
    let result = left.iter().zip(right).enumerate().map(|(row, pair)| match pair {
        (Some(_), Some(0.0)) => {
            rows.note(row, Some("0".into()));
            None
        }
        (Some(left), Some(right)) => Some(work(left, right)),
        _ => None,
    });
    Ok(Arc::new(result.collect::<Float64Array>()))
}

/// The second argument; where it is nothing although the first, a text, is something, the row is noted.
pub(super) fn checked(rows: &Rows<'_>) -> Result<ArrayRef> {
    let (original, converted) = (rows.texts(0)?, &rows.arguments[1]);
    if converted.null_count() > original.null_count() {
        for row in 0..original.len() {
            if converted.is_null(row) && original.is_valid(row) {
                rows.note(row, Some(original.value(row).to_owned()));
            }
        }
    }
    Ok(converted.clone())
}

/// The square root, with negative numbers noted. (DataFusion's fails the whole plan.)
pub(super) fn sqrt(rows: &Rows<'_>) -> Result<ArrayRef> {
    finite(rows, rows.numbers(0)?.iter().map(|number| number.map(f64::sqrt)))
}

/// e to the power of a number.
pub(super) fn exp(rows: &Rows<'_>) -> Result<ArrayRef> {
    finite(rows, rows.numbers(0)?.iter().map(|number| number.map(f64::exp)))
}

/// The natural logarithm; what is not above zero is noted.
pub(super) fn ln(rows: &Rows<'_>) -> Result<ArrayRef> {
    finite(rows, rows.numbers(0)?.iter().map(|number| number.map(f64::ln)))
}

/// The logarithm to base 10; what is not above zero is noted.
pub(super) fn log10(rows: &Rows<'_>) -> Result<ArrayRef> {
    finite(rows, rows.numbers(0)?.iter().map(|number| number.map(f64::log10)))
}

/// The first number to the power of the second.
pub(super) fn power(rows: &Rows<'_>) -> Result<ArrayRef> {
    let pairs = rows.numbers(0)?.iter().zip(rows.numbers(1)?);
    finite(rows, pairs.map(|(base, exponent)| Some(base?.powf(exponent?))))
}

/// The numbers; rows whose number is infinite or none at all are noted.
fn finite(rows: &Rows<'_>, numbers: impl Iterator<Item = Option<f64>>) -> Result<ArrayRef> {
    let result = numbers.enumerate().map(|(row, number)| {
        let number = number?;
        if !number.is_finite() {
            rows.note(row, None);
        }
        number.is_finite().then_some(number)
    });
    Ok(Arc::new(result.collect::<Float64Array>()))
}

/// A number out of a text, blanks around it allowed.
pub(super) fn number_of_text(rows: &Rows<'_>) -> Result<ArrayRef> {
    let parse = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let texts = rows.texts(0)?;
    let result = texts.iter().enumerate().map(|(row, text)| {
        let text = text?;
        let number = parse(text);
        if number.is_none() {
            rows.note(row, Some(text.to_owned()));
        }
        number
    });
    Ok(Arc::new(result.collect::<Float64Array>()))
}

/// A date out of a text like 2024-01-31.
pub(super) fn date_of_text(rows: &Rows<'_>) -> Result<ArrayRef> {
    let texts = rows.texts(0)?;
    let result = texts.iter().enumerate().map(|(row, text)| {
        let text = text?;
        let date = crate::recipe::plan::cells::iso_date(text);
        if date.is_none() {
            rows.note(row, Some(text.to_owned()));
        }
        date
    });
    Ok(Arc::new(result.collect::<Date32Array>()))
}

/// A date out of year, month and day.
pub(super) fn date_of_parts(rows: &Rows<'_>) -> Result<ArrayRef> {
    let (years, months, days) = (rows.numbers(0)?, rows.numbers(1)?, rows.numbers(2)?);
    let result = (0..years.len()).map(|row| {
        if years.is_null(row) || months.is_null(row) || days.is_null(row) {
            return None;
        }
        let (year, month, day) = (years.value(row), months.value(row), days.value(row));
        let date = crate::recipe::plan::cells::date_of_parts(year, month, day);
        if date.is_none() {
            rows.note(row, Some(format!("{year}-{month}-{day}")));
        }
        date
    });
    Ok(Arc::new(result.collect::<Date32Array>()))
}

/// A date and a number of days: the date so many days later, fractions cut off.
pub(super) fn add_days(rows: &Rows<'_>) -> Result<ArrayRef> {
    let dates = rows.arguments[0]
        .as_primitive_opt::<Date32Type>()
        .ok_or_else(|| unexpected(&rows.arguments[0]))?;
    let result = dates.iter().zip(rows.numbers(1)?).enumerate().map(|(row, pair)| {
        let (date, days) = (pair.0?, pair.1?);
        let later = f64::from(date) + days.trunc();
        let later = crate::recipe::plan::cells::date_of_days(later);
        if later.is_none() {
            rows.note(row, Some(days.to_string()));
        }
        later
    });
    Ok(Arc::new(result.collect::<Date32Array>()))
}

/// A date and a unit, the same for all rows: the first day of the year, quarter, month or week (from Monday) that the
/// date is in; by any other unit the date itself.
pub(super) fn date_trunc(rows: &Rows<'_>) -> Result<ArrayRef> {
    let dates = rows.arguments[0]
        .as_primitive_opt::<Date32Type>()
        .ok_or_else(|| unexpected(&rows.arguments[0]))?;
    let units = rows.texts(1)?;
    let result = dates.iter().zip(units).map(|(date, unit)| {
        let date = Date32Type::to_naive_date_opt(date?)?;
        let first = match unit? {
            "year" => NaiveDate::from_ymd_opt(date.year(), 1, 1),
            "quarter" => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
            "month" => date.with_day(1),
            "week" => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into())),
            _ => Some(date),
        };
        first.map(Date32Type::from_naive_date)
    });
    Ok(Arc::new(result.collect::<Date32Array>()))
}

/// Any value as text, the way cells are seen as text.
pub(super) fn as_text(rows: &Rows<'_>) -> Result<ArrayRef> {
    let texts = crate::recipe::plan::cells::texts(&rows.arguments[0], None);
    Ok(Arc::new(
        texts.map_err(|error| DataFusionError::Internal(error.to_string()))?,
    ))
}

/// Rounded half away from zero to so many decimal places, as spreadsheets do it: by the shortest decimal digits of the
/// number, so that 1.005 rounds to 1.01.
pub(super) fn round(rows: &Rows<'_>) -> Result<ArrayRef> {
    by_places(rows, crate::recipe::plan::cells::round_decimal)
}

/// Cut off after so many decimal places, by the same digits: -273.15 has two. (DataFusion multiplies by powers of ten, which
/// gives -273.14, and nothing for great numbers.)
pub(super) fn trunc(rows: &Rows<'_>) -> Result<ArrayRef> {
    by_places(rows, crate::recipe::plan::cells::cut_decimal)
}

fn by_places(rows: &Rows<'_>, work: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let pairs = rows.numbers(0)?.iter().zip(rows.numbers(1)?);
    let result = pairs.map(|(number, places)| Some(work(number?, places?)));
    Ok(Arc::new(result.collect::<Float64Array>()))
}

/// Each word with a capital; a word is a run of letters, digits and the marks on them.
pub(super) fn initcap(rows: &Rows<'_>) -> Result<ArrayRef> {
    let capitals = rows.texts(0)?.iter().map(|text| text.map(with_capitals));
    Ok(Arc::new(capitals.collect::<StringArray>()))
}

fn with_capitals(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphanumeric) {
        let (between, word) = rest.split_at(start);
        let ends = word.find(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
        let (word, after) = word.split_at(ends.unwrap_or(word.len()));
        made.push_str(between);
        if let Some(first) = word.chars().next() {
            made.extend(first.to_uppercase());
            // A sigma at the end has a form of its own, which only the whole word shows.
            let small = word.to_lowercase();
            let begun: usize = first.to_lowercase().map(char::len_utf8).sum();
            made.push_str(small.get(begun..).unwrap_or_default());
        }
        rest = after;
    }
    made.push_str(rest);
    made
}
