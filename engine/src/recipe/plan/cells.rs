//! Cells out of Arrow columns: as texts, as numbers and dates out of columns of several kinds, as keys that make rows alike.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, StringArray, StructArray,
    Time32MillisecondArray, TimestampMillisecondArray, UInt8Array, new_null_array,
};
use arrow::compute::{cast, is_not_null, nullif};
use arrow::datatypes::{DataType, Float64Type};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::operator::PlanError;
use crate::sheets::CellKind;
use crate::sheets::dates::{unix_day, unix_ms};
use crate::sheets::view::{CellView, ColumnView};

const NO_MIXED: PlanError = PlanError::Internal("a column of several kinds is none");

/// A column's cells as texts, as expressions see them; `format` is the column's number format.
pub fn texts(column: &ArrayRef, format: Option<&str>) -> Result<StringArray, PlanError> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Ok(texts.clone());
    }
    if column.as_struct_opt().is_some() {
        return mixed_texts(column)?.as_string_opt::<i32>().cloned().ok_or(NO_MIXED);
    }
    let view = ColumnView::of(column)?;
    let text = |row| {
        let cell = view.cell(row);
        (cell.kind != CellKind::Blank).then(|| cell.plain(format).into_owned())
    };
    Ok((0..column.len()).map(text).collect())
}

/// A column of several kinds as expressions need it: cells of another kind are nothing. A text that reads as a number, an
/// ISO date or an ISO time counts as one.
pub fn mixed_as(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, PlanError> {
    if *wanted == DataType::Utf8 {
        return mixed_texts(column);
    }
    let view = ColumnView::of(column)?;
    let cells = (0..column.len()).map(|row| view.cell(row));
    Ok(match wanted {
        DataType::Float64 => Arc::new(cells.map(|cell| number_of(&cell)).collect::<Float64Array>()),
        DataType::Boolean => Arc::new(cells.map(|cell| truth_of(&cell)).collect::<BooleanArray>()),
        DataType::Date32 => Arc::new(cells.map(|cell| day_of(&cell)).collect::<Date32Array>()),
        DataType::Timestamp(..) => Arc::new(
            cells
                .map(|cell| moment_of(&cell))
                .collect::<TimestampMillisecondArray>(),
        ),
        _ => Arc::new(cells.map(|cell| time_of(&cell)).collect::<Time32MillisecondArray>()),
    })
}

fn mixed_texts(column: &ArrayRef) -> Result<ArrayRef, PlanError> {
    let cells = column.as_struct_opt().ok_or(NO_MIXED)?;
    let texts = cells.column_by_name("text").ok_or(NO_MIXED)?;
    masked(texts, cells)
}

/// A child without the cells that are blank in its parent.
fn masked(child: &ArrayRef, cells: &StructArray) -> Result<ArrayRef, PlanError> {
    if cells.null_count() == 0 {
        return Ok(child.clone());
    }
    Ok(nullif(child, &arrow::compute::is_null(cells)?)?)
}

fn number_of(cell: &CellView<'_>) -> Option<f64> {
    match cell.kind {
        CellKind::Number => Some(cell.number),
        CellKind::Text => cell.text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn truth_of(cell: &CellView<'_>) -> Option<bool> {
    (cell.kind == CellKind::Boolean).then_some(cell.number != 0.0)
}

fn day_of(cell: &CellView<'_>) -> Option<i32> {
    match cell.kind {
        CellKind::Date | CellKind::DateTime => unix_day(cell.number),
        CellKind::Text => iso_date(cell.text),
        _ => None,
    }
}

fn moment_of(cell: &CellView<'_>) -> Option<i64> {
    match cell.kind {
        CellKind::Date | CellKind::DateTime => unix_ms(cell.number),
        CellKind::Text => iso_date_time(cell.text),
        _ => None,
    }
}

fn time_of(cell: &CellView<'_>) -> Option<i32> {
    match cell.kind {
        #[expect(clippy::cast_possible_truncation, reason = "a time of day is below 86,400,000 ms")]
        CellKind::Time => Some((cell.number * 86_400_000.0).round() as i32),
        CellKind::Text => iso_time(cell.text),
        _ => None,
    }
}

/// Columns that are equal where cells are alike: one for a typed column, three for one of several kinds, whose number
/// formats do not count. Minus zero is zero.
pub fn likeness(column: &ArrayRef) -> Result<Vec<ArrayRef>, PlanError> {
    if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
        return Ok(vec![Arc::new(without_minus_zero(numbers))]);
    }
    let Some(cells) = column.as_struct_opt() else {
        return Ok(vec![column.clone()]);
    };
    let child = |name: &str| {
        cells
            .column_by_name(name)
            .ok_or(NO_MIXED)
            .and_then(|child| masked(child, cells))
    };
    let numbers = child("number")?;
    let numbers = numbers.as_primitive_opt::<Float64Type>().ok_or(NO_MIXED)?;
    Ok(vec![
        child("kind")?,
        Arc::new(without_minus_zero(numbers)),
        child("text")?,
    ])
}

/// Columns to sort by in place of a column: itself, or for one of several kinds its class (numbers and dates, texts, truths,
/// errors), then number, then text.
pub fn sort_keys(column: &ArrayRef) -> Result<Vec<ArrayRef>, PlanError> {
    if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
        return Ok(vec![Arc::new(without_minus_zero(numbers))]);
    }
    if column.as_struct_opt().is_none() {
        return Ok(vec![column.clone()]);
    }
    let view = ColumnView::of(column)?;
    let class = |row| match view.cell(row).kind {
        CellKind::Blank => None,
        CellKind::Text => Some(2),
        CellKind::Boolean => Some(3),
        CellKind::Error => Some(4),
        _ => Some(1),
    };
    let classes: UInt8Array = (0..column.len()).map(class).collect();
    let has_text = |row: usize| classes.is_valid(row) && matches!(classes.value(row), 2 | 4);
    let numbers: Float64Array = (0..column.len())
        .map(|row| (classes.is_valid(row) && !has_text(row)).then(|| view.cell(row).number + 0.0))
        .collect();
    let texts: StringArray = (0..column.len())
        .map(|row| has_text(row).then(|| view.cell(row).text.to_owned()))
        .collect();
    Ok(vec![Arc::new(classes), Arc::new(numbers), Arc::new(texts)])
}

fn without_minus_zero(numbers: &Float64Array) -> Float64Array {
    // Adding zero leaves every number but minus zero as it is.
    numbers.unary(|number| number + 0.0)
}

/// Where two columns of cells differ: by value for equal types, otherwise wherever one is filled.
pub fn differences(before: &ArrayRef, after: &ArrayRef) -> Result<BooleanArray, PlanError> {
    if before.data_type() != after.data_type() {
        return Ok(arrow::compute::or(&is_not_null(before)?, &is_not_null(after)?)?);
    }
    if before.as_struct_opt().is_none() {
        return Ok(arrow::compute::kernels::cmp::distinct(before, after)?);
    }
    let mut different = BooleanArray::from(vec![false; before.len()]);
    for (before, after) in likeness(before)?.iter().zip(&likeness(after)?) {
        different = arrow::compute::or(&different, &arrow::compute::kernels::cmp::distinct(before, after)?)?;
    }
    Ok(different)
}

/// One row of a value that any expression can take.
#[must_use]
pub fn sample(data_type: &DataType) -> ArrayRef {
    let one: ArrayRef = match data_type {
        DataType::Utf8 => Arc::new(StringArray::from(vec!["a"])),
        other => {
            let number: ArrayRef = Arc::new(arrow::array::Int32Array::from(vec![1]));
            cast(&number, other).unwrap_or_else(|_error| new_null_array(other, 1))
        }
    };
    one
}

/// A day out of `2024-01-31`, in days since 1970-01-01.
#[must_use]
pub fn iso_date(text: &str) -> Option<i32> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .ok()
        .and_then(day_number)
}

/// A moment out of `2024-01-31 14:30:00`, with a `T` or without seconds, or a day alone; in milliseconds since 1970.
#[must_use]
pub fn iso_date_time(text: &str) -> Option<i64> {
    let text = text.trim();
    let formats = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ];
    let moment = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    match moment {
        Some(moment) => moment_number(moment),
        None => iso_date(text).map(|day| i64::from(day) * 86_400_000),
    }
}

/// A time of day out of `14:30:00` or `14:30`, in milliseconds.
#[must_use]
pub fn iso_time(text: &str) -> Option<i32> {
    let text = text.trim();
    let formats = ["%H:%M:%S%.f", "%H:%M"];
    formats
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
        .and_then(time_number)
}

/// A date's number, in days since 1970-01-01, where the calendar of spreadsheets has it: 1900 to 9999.
#[must_use]
pub fn day_number(date: NaiveDate) -> Option<i32> {
    (1900..=9999)
        .contains(&date.year())
        .then(|| date.num_days_from_ce() - 719_163)
}

/// A moment's number, in milliseconds since 1970-01-01.
#[must_use]
pub fn moment_number(moment: NaiveDateTime) -> Option<i64> {
    day_number(moment.date()).map(|_| moment.and_utc().timestamp_millis())
}

/// A time's number, in milliseconds since midnight.
#[must_use]
pub fn time_number(time: NaiveTime) -> Option<i32> {
    i32::try_from(time.num_seconds_from_midnight() * 1000 + time.nanosecond() / 1_000_000).ok()
}

/// A day out of numbers that are whole.
#[must_use]
pub fn date_of_parts(year: f64, month: f64, day: f64) -> Option<i32> {
    let whole = |number: f64| (number.fract() == 0.0 && (0.0..=9999.0).contains(&number)).then_some(number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded in the line above"
    )]
    let parts = (whole(year)? as i32, whole(month)? as u32, whole(day)? as u32);
    NaiveDate::from_ymd_opt(parts.0, parts.1, parts.2).and_then(day_number)
}

/// A number of days since 1970-01-01 as a day of the calendar.
#[must_use]
pub fn date_of_days(days: f64) -> Option<i32> {
    // 1900-01-01 and 9999-12-31
    if !(-25_567.0..=2_932_896.0).contains(&days) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded in the line above")]
    let days = days.trunc() as i32;
    Some(days)
}

/// A number rounded half away from zero to so many decimal places, by its shortest decimal digits, as spreadsheets do it.
#[must_use]
pub fn round_decimal(number: f64, places: f64) -> f64 {
    at_places(number, places, Rest::Rounds)
}

/// A number cut off behind so many decimal places of its shortest decimal digits: 273.15 has two of them, although no f64 is it
/// exactly.
#[must_use]
pub fn cut_decimal(number: f64, places: f64) -> f64 {
    at_places(number, places, Rest::Goes)
}

/// What becomes of the digits behind the last place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// From five on they round the number up.
    Rounds,
    /// They go.
    Goes,
}

fn at_places(number: f64, places: f64, rest: Rest) -> f64 {
    if !number.is_finite() || !places.is_finite() {
        return number;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float cast saturates, and what saturates is clamped"
    )]
    let places = (places.trunc() as i64).clamp(-310, 310);
    let digits = format!("{}", number.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let kept = i64::try_from(whole.len()).unwrap_or(i64::MAX) + places;
    let all: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|digit| digit - b'0')
        .collect();
    let Ok(kept) = usize::try_from(kept) else { return 0.0 };
    if kept >= all.len() {
        return number;
    }
    let mut result: Vec<u8> = vec![0];
    result.extend(&all[..kept]);
    if rest == Rest::Rounds && all[kept] >= 5 {
        for digit in result.iter_mut().rev() {
            *digit = (*digit + 1) % 10;
            if *digit != 0 {
                break;
            }
        }
    }
    let text: String = result.iter().map(|digit| char::from(digit + b'0')).collect();
    let rounded: f64 = format!("{text}e{}", -places).parse().unwrap_or(number);
    rounded.copysign(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::mixed::MixedBuilder;

    #[test]
    fn numbers_round_as_in_a_spreadsheet() {
        for (number, places, wanted) in [
            (2.5, 0.0, 3.0),
            (-2.5, 0.0, -3.0),
            (1.005, 2.0, 1.01),
            (0.285, 2.0, 0.29),
            (1234.5, -2.0, 1200.0),
            (50.0, -2.0, 100.0),
            (49.0, -2.0, 0.0),
            (5.0, -3.0, 0.0),
            (9.999, 2.0, 10.0),
            (0.1, 5.0, 0.1),
            (1e300, 2.0, 1e300),
            (1e-300, 2.0, 0.0),
        ] {
            assert_eq!(round_decimal(number, places), wanted, "{number} to {places}");
        }
    }

    #[test]
    fn minus_zero_is_zero_also_among_other_kinds() -> Result<(), PlanError> {
        let mut cells = MixedBuilder::default();
        for (kind, number) in [
            (CellKind::Number, -0.0),
            (CellKind::Number, 0.0),
            (CellKind::Boolean, 1.0),
        ] {
            let cell = CellView {
                kind,
                number,
                text: "",
                format: None,
            };
            cells.push(&cell, 0, None);
        }
        let column = cells.finish();
        for keys in [likeness(&column)?, sort_keys(&column)?] {
            assert!(keys.iter().all(|key| key.slice(0, 1) == key.slice(1, 1)), "{keys:?}");
        }
        Ok(())
    }

    #[test]
    fn numbers_are_cut_by_the_digits_that_they_show() {
        for (number, places, wanted) in [
            (2.99, 0.0, 2.0),
            (-2.99, 1.0, -2.9),
            (-273.15, 2.0, -273.15),
            (9056.72, 8.0, 9056.72),
            (402.949, 20.0, 402.949),
            (1299.0, -2.0, 1200.0),
            (99.0, -2.0, 0.0),
            (99.0, -3.0, 0.0),
            (-1e308, 2.0, -1e308),
            (0.3, 1.0, 0.3),
            (0.29, 2.0, 0.29),
        ] {
            assert_eq!(cut_decimal(number, places), wanted, "{number} to {places}");
        }
    }

    #[test]
    fn days_and_moments_are_read_and_odd_ones_are_not() {
        assert_eq!(iso_date("1970-01-02"), Some(1));
        assert_eq!(iso_date("2024-02-30"), None);
        assert_eq!(iso_date("24-01-31"), None);
        assert_eq!(iso_date_time("1970-01-01T00:00:01"), Some(1000));
        assert_eq!(iso_date_time("1970-01-02"), Some(86_400_000));
        assert_eq!(iso_time("00:01"), Some(60_000));
        assert_eq!(date_of_days(-25_567.0), iso_date("1900-01-01"));
        assert_eq!(date_of_days(2_932_896.0), iso_date("9999-12-31"));
        assert_eq!(date_of_days(2_932_897.0), None);
    }
}
