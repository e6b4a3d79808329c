//! Recipes that expect columns, as whole orders: files with other headers, by likeness, by hand, and without.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use super::recipe_tests::{Fallible, Ran, preview_of, process, process_with};
use super::{Message, OutputRole};
use crate::recipe::mapping::{Choices, How};
use crate::recipe::plan::tests::make_table;

fn people() -> Vec<(&'static str, ArrayRef)> {
    let mails: ArrayRef = Arc::new(StringArray::from(vec![
        Some("a@example.org"),
        None,
        Some("c@example.org"),
    ]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    vec![("City", mails.clone()), ("E-Mail", mails), ("Custmer", numbers)]
}

const RECIPE: &str = "input: {columns: [customer, {name: email, required: true}, phone]}\nsteps:\n  \
                      - compute: {column: both, as: \"concat(email, coalesce(phone, '-'))\"}\n  \
                      - validate: [{column: email, required: true}]\noutput: {format: csv}\n";

fn by_hand(header: &str, name: &str) -> Choices {
    Choices {
        chosen: [(header.to_owned(), name.to_owned())].into(),
        ..Choices::default()
    }
}

fn failure(ran: &Ran) -> Fallible<(&str, &str)> {
    match ran.last() {
        Message::Failed { code, sentence, .. } => Ok((code, sentence)),
        other => Err(format!("{other:?}").into()),
    }
}

#[test]
fn a_file_with_other_headers_runs_under_the_expected_names_and_rejects_keep_its_addresses() -> Fallible {
    let ran = process(&people(), RECIPE, 2, 64 << 20)?;
    assert_eq!(
        ran.text(OutputRole::Result)?,
        "City,email,customer,phone,both\na@example.org,a@example.org,1,,a@example.org-\nc@example.org,c@example.org,3,,c@example.org-\n"
    );
    // The mail is in column B of the sheet, whatever it is called.
    assert!(ran.text(OutputRole::Rejects)?.contains(",B3,email,"));
    let Message::Done(report) = ran.last() else {
        return Err(format!("{:?}", ran.last()).into());
    };
    let how: Vec<How> = report.columns[0].columns.iter().map(|it| it.how).collect();
    assert_eq!(how, [How::Fuzzy, How::Normalised, How::Missing]);
    let codes: Vec<&str> = report.issues.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["column_by_likeness", "column_missing"]);
    Ok(())
}

#[test]
fn the_result_is_the_same_at_any_number_of_threads_and_a_choice_by_hand_wins() -> Fallible {
    let one = process_with(&people(), RECIPE, by_hand("City", "phone"), (1, 64 << 20))?;
    let four = process_with(&people(), RECIPE, by_hand("City", "phone"), (4, 16 << 20))?;
    assert_eq!(one.text(OutputRole::Result)?, four.text(OutputRole::Result)?);
    assert!(one.text(OutputRole::Result)?.starts_with("phone,email,customer,both\n"));
    Ok(())
}

#[test]
fn a_required_column_that_is_not_there_fails_the_file_with_its_name_and_the_nearest() -> Fallible {
    let columns: Vec<(&str, ArrayRef)> = people().into_iter().filter(|(name, _)| *name != "E-Mail").collect();
    let ran = process(&columns, RECIPE, 1, 64 << 20)?;
    let (code, sentence) = failure(&ran)?;
    assert_eq!(code, "recipe_does_not_fit");
    assert!(
        sentence.starts_with("“Orders 2024.xlsx”, sheet “Orders”: No column is `email`, which the recipe requires."),
        "{sentence}"
    );
    Ok(())
}

#[test]
fn the_annotated_sheet_has_the_names_that_people_gave_it() -> Fallible {
    let text = RECIPE.replace("{format: csv}", "{format: csv, rejects: {as: annotate}}");
    let ran = process(&people(), &text, 1, 64 << 20)?;
    let output = ran.output(OutputRole::Annotated).ok_or("no annotated workbook")?;
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(ran.path(output))?;
    let range = calamine::Reader::worksheet_range(&mut book, "Orders")?;
    let header: Vec<String> = range
        .rows()
        .next()
        .ok_or("no header")?
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(header, ["City", "E-Mail", "Custmer", "_row", "_errors"]);
    Ok(())
}

#[test]
fn a_preview_says_which_columns_were_found_also_where_one_is_missed() -> Fallible {
    let folder = tempfile::tempdir()?;
    make_table(folder.path(), &people(), 1000)?;
    let answer = preview_of(folder.path(), RECIPE, Choices::default())?;
    let names: Vec<String> = answer.before[0].iter().flatten().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["City", "email", "customer", "phone"]);
    assert_eq!(answer.headers, ["City", "E-Mail", "Custmer"]);
    assert_eq!(answer.mapping.ok_or("no mapping")?.columns[0].how, How::Fuzzy);
    assert!(answer.rows.is_some());
    let wanted = RECIPE.replace("phone]", "{name: phone, required: true}]");
    let answer = preview_of(folder.path(), &wanted, Choices::default())?;
    assert_eq!(answer.problems[0].path, "input.columns");
    assert_eq!(answer.mapping.ok_or("no mapping")?.columns[2].how, How::Missing);
    assert_eq!(answer.rows, None);
    let answer = preview_of(folder.path(), &wanted, by_hand("City", "phone"))?;
    assert_eq!(answer.problems, []);
    Ok(())
}
