//! Writes the "orders" workbook that tests and `make bench` measure with: `orders ROWS OUT.xlsx`.
//!
//! The same arguments give the same bytes on every machine. Strings are shared, dates carry a number format and `note`
//! is blank but for one row in forty, and in the first two thousand rows always: readers that guess a column's type from its
//! first rows guess wrong here, as they do in life.

use std::error::Error;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet};

const COLUMNS: [&str; 10] = [
    "order_id",
    "order_date",
    "customer",
    "region",
    "product",
    "quantity",
    "unit_price",
    "discount",
    "status",
    "note",
];
const REGIONS: [&str; 6] = ["North", "South", "East", "West", "Überlingen", "Île-de-France"];
const STATUSES: [&str; 8] = [
    "shipped",
    "shipped",
    "shipped",
    "shipped",
    "shipped",
    "pending",
    "returned",
    "cancelled",
];
const GOODS: [&str; 10] = [
    "Desk", "Chair", "Lamp", "Shelf", "Cable", "Screen", "Keyboard", "Printer", "Paper A4", "Notebook",
];
const NOTES: [&str; 6] = [
    "call before delivery",
    "gift",
    "leave with the neighbour",
    "second attempt, first address was wrong",
    "invoice to head office",
    "Rückfrage offen",
];
const DISCOUNTS: [f64; 6] = [0.0, 0.0, 0.0, 0.05, 0.1, 0.25];

/// Rows before the first note.
const NOTES_START: u64 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(rows), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: orders ROWS OUT.xlsx".into());
    };
    write(rows.replace('_', "").parse()?, &PathBuf::from(out))
}

fn write(rows: u64, out: &Path) -> Result<(), Box<dyn Error>> {
    let first_day = NaiveDate::from_ymd_opt(2022, 1, 1).ok_or("no such day")?;
    let mut workbook = Workbook::new();
    // Otherwise the time of writing gets into the file, and two files of the same rows differ.
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&first_day));
    let sheet = workbook.add_worksheet_with_low_memory()?;
    sheet.set_name("Orders")?;
    sheet.write_row(0, 0, COLUMNS)?;
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let price = Format::new().set_num_format("0.00");
    let mut chance = Chance(0x0005_4EE7_0411);
    for row in 1..=rows {
        write_order(sheet, u32::try_from(row)?, &mut chance, first_day, [&day, &price])?;
    }
    workbook.save(out)?;
    Ok(())
}

fn write_order(
    sheet: &mut Worksheet,
    row: u32,
    chance: &mut Chance,
    first_day: NaiveDate,
    [day, price]: [&Format; 2],
) -> Result<(), Box<dyn Error>> {
    let ordered = first_day
        .checked_add_days(Days::new(chance.below(1_096)))
        .ok_or("a day out of range")?;
    sheet.write_number(row, 0, f64::from(100_000 + row))?;
    sheet.write_datetime_with_format(row, 1, ordered, day)?;
    sheet.write_string(row, 2, format!("Customer {:05}", chance.below(20_000)))?;
    sheet.write_string(row, 3, chance.pick(&REGIONS))?;
    sheet.write_string(row, 4, format!("{} {}", chance.pick(&GOODS), 100 + chance.below(50)))?;
    // One order in some twenty takes nothing or gives something back: `quantity > 0` has work to do.
    sheet.write_number(row, 5, f64::from(i32::try_from(chance.below(40))? - 1))?;
    sheet.write_number_with_format(
        row,
        6,
        f64::from(u32::try_from(99 + chance.below(49_900))?) / 100.0,
        price,
    )?;
    sheet.write_number(row, 7, chance.pick(&DISCOUNTS))?;
    sheet.write_string(row, 8, chance.pick(&STATUSES))?;
    if chance.below(40) == 0 && u64::from(row) > NOTES_START {
        sheet.write_string(row, 9, chance.pick(&NOTES))?;
    }
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and equal everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to one below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let bound = u64::try_from(from.len()).unwrap_or(1);
        from[usize::try_from(self.below(bound)).unwrap_or(0)]
    }
}
