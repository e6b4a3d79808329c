//! Which columns of a run's files were those that its recipe expects.

use askama::Template;
use sheetmill_engine::recipe::mapping::{ColumnMatch, How, SheetColumns};

use crate::database::run_files::ColumnsOfFiles;
use crate::domain::ids::RunId;
use crate::pages::{PageError, filters};

/// Groups of files that are shown: those of most files.
pub(super) const GROUPS: i64 = 20;

#[derive(Debug, Template)]
#[template(path = "runs/_columns.html")]
struct ColumnsFragment<'a> {
    run: RunId,
    csrf: &'a str,
    sheets: Vec<Sheet>,
    /// Whether all of it was found without anybody's help or doubt.
    plain: bool,
}

#[derive(Debug)]
struct Sheet {
    title: String,
    layout: String,
    columns: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    expected: String,
    header: String,
    words: String,
    tone: &'static str,
    icon: &'static str,
    /// It was chosen, so it can be forgotten.
    chosen: bool,
}

/// The table; nothing where the recipe expects no columns.
pub(super) fn fragment(run: RunId, csrf: &str, groups: &[ColumnsOfFiles]) -> Result<String, PageError> {
    let mut sheets = Vec::new();
    for group in groups {
        let of_group: Vec<SheetColumns> = serde_json::from_value(group.columns.clone()).unwrap_or_default();
        let several = of_group.len() > 1;
        sheets.extend(of_group.into_iter().map(|sheet| Sheet {
            title: title(group, several.then_some(sheet.sheet.as_str())),
            layout: sheet.layout,
            columns: sheet.columns.into_iter().map(found).collect(),
        }));
    }
    let is_plain = |found: &Found| found.tone == "good" && !found.chosen;
    let plain = sheets.iter().flat_map(|sheet| &sheet.columns).all(is_plain);
    Ok(ColumnsFragment {
        run,
        csrf,
        sheets,
        plain,
    }
    .render()?)
}

fn title(group: &ColumnsOfFiles, sheet: Option<&str>) -> String {
    let files = match group.files {
        1 => group.first.clone(),
        count => format!("{} files like {}", filters::grouped(count.into()), group.first),
    };
    sheet.map_or_else(|| files.clone(), |sheet| format!("{files}, sheet {sheet}"))
}

fn found(column: ColumnMatch) -> Found {
    let (tone, icon) = match column.how {
        How::Fuzzy => ("warn", "search"),
        How::Tied | How::Missing => ("warn", "circle-dashed"),
        _ => ("good", "check"),
    };
    Found {
        words: column.words(),
        chosen: matches!(column.how, How::Chosen | How::Remembered | How::Absent),
        expected: column.expected,
        header: column.header.unwrap_or_default(),
        tone,
        icon,
    }
}
