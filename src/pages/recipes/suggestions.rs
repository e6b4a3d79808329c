//! What the profile of a table suggests to do with it, and which of that the recipe does already. The rules stand here alone;
//! pages only show what they answer.

mod patterns;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use sheetmill_engine::recipe::document::{Recipe, form_of};
use sheetmill_engine::tables::{ColumnKind, ColumnMeta};

use crate::pages::filters;
use patterns::{date_formats, date_parts, decimal_sign};

/// Steps that change cells and columns and leave rows as they are: what is suggested comes behind the last of them, and
/// before rows are picked, put together or looked up.
const TIDYING: [&str; 17] = [
    "trim",
    "case",
    "replace",
    "map",
    "split",
    "extract",
    "combine",
    "pad",
    "normalise",
    "rename",
    "select",
    "drop",
    "move",
    "convert",
    "fill",
    "blank_rows",
    "blank_columns",
];
/// Steps after which a column is no longer what the profile is of.
const SHAPING: [&str; 3] = ["group", "unpivot", "pivot"];
/// Texts of a column that have to look like a number or date before that is what they are.
const MOST_OF: u64 = 80;
/// Parts of names of what is written with digits and is no number.
const NAMES_NOT_AMOUNTS: [&str; 9] = ["phone", "tel", "zip", "post", "plz", "iban", "account", "code", "sku"];

/// A step that the profile suggests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::pages) struct Suggestion {
    /// What was found, with its count.
    pub(in crate::pages) sentence: String,
    /// The step as forms hold it.
    pub(in crate::pages) step: Value,
    /// Behind how many steps of the recipe it belongs.
    pub(in crate::pages) at: usize,
}

/// What a step can do away with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Padded,
    OddBlanks,
    Type,
    Spelling,
    Duplicates,
    Blank,
}

/// A column on its way through the recipe.
struct Known<'a> {
    meta: &'a ColumnMeta,
    /// Its name behind the steps so far; `None`: it is gone.
    name: Option<String>,
    /// Its name where suggestions are put in.
    here: String,
    done: BTreeSet<Sign>,
}

/// What the profile suggests and the recipe does not do.
pub(in crate::pages) fn of(columns: &[ColumnMeta], recipe: &Recipe) -> Vec<Suggestion> {
    let mut known: Vec<Known<'_>> = columns.iter().map(Known::new).collect();
    let (mut at, mut tidying) = (0, true);
    for step in &recipe.steps {
        let options = step.to_json()[step.name()].take();
        tidying &= TIDYING.contains(&step.name());
        known.iter_mut().for_each(|it| it.pass(step.name(), &options));
        if tidying {
            at += 1;
            for it in &mut known {
                it.here = it.name.clone().unwrap_or_default();
            }
        }
        if SHAPING.contains(&step.name()) {
            break;
        }
    }
    known.retain(|it| it.name.is_some());
    let mut found: Vec<(String, Value)> = blanks_around(&known).into_iter().collect();
    found.extend(blank_columns(&known));
    for it in &known {
        found.extend(typed(it));
        found.extend(spelt(it));
        found.extend(duplicates(it));
    }
    let suggestion = |(sentence, mut step)| {
        form_of(&mut step);
        Suggestion { sentence, step, at }
    };
    found.into_iter().map(suggestion).collect()
}

impl<'a> Known<'a> {
    fn new(meta: &'a ColumnMeta) -> Self {
        Self {
            meta,
            name: Some(meta.name.clone()),
            here: meta.name.clone(),
            done: BTreeSet::new(),
        }
    }

    fn pass(&mut self, step: &str, options: &Value) {
        let Some(name) = self.name.clone() else { return };
        let has = |value: &Value| match value {
            Value::Array(names) => names.iter().any(|it| it == name.as_str()),
            Value::String(one) => *one == name || one == "all",
            _ => false,
        };
        let (columns, column) = (has(&options["columns"]), options["column"] == name.as_str());
        let does: &[Sign] = match step {
            "trim" if columns && options["lookalikes"] == true => &[Sign::Padded, Sign::OddBlanks],
            "trim" if columns => &[Sign::Padded],
            "convert" if column => &[Sign::Type, Sign::Padded, Sign::OddBlanks, Sign::Spelling],
            "map" if column => &[Sign::Spelling],
            "case" if columns => &[Sign::Spelling],
            "deduplicate" if has(&options["by"]) => &[Sign::Duplicates],
            "blank_columns" => &[Sign::Blank],
            "validate" if is_unique(options, &name) => &[Sign::Duplicates],
            _ => &[],
        };
        self.done.extend(does);
        match step {
            "rename" => self.name = Some(options[&name].as_str().map_or(name, str::to_owned)),
            "drop" if columns => self.name = None,
            "select" if !columns => self.name = None,
            _ => {}
        }
    }

    fn wants(&self, sign: Sign) -> bool {
        !self.done.contains(&sign)
    }

    fn texts(&self) -> u64 {
        self.meta.profile.kinds.get("text").copied().unwrap_or_default()
    }
}

fn is_unique(options: &Value, name: &str) -> bool {
    let rules = options["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    rules
        .iter()
        .any(|rule| rule["column"] == name && rule["unique"] == true)
}

/// "1 cell is" or "1,204 cells are"
fn cells(count: u64, one: &str, many: &str) -> String {
    let words = if count == 1 { one } else { many };
    format!("{} {words}", filters::grouped(count.into()))
}

fn blanks_around(known: &[Known<'_>]) -> Option<(String, Value)> {
    let padded = |it: &Known<'_>| {
        if it.wants(Sign::Padded) {
            it.meta.profile.padded
        } else {
            0
        }
    };
    let odd = |it: &Known<'_>| {
        if it.wants(Sign::OddBlanks) {
            it.meta.profile.odd_blanks
        } else {
            0
        }
    };
    let names: Vec<&str> = known
        .iter()
        .filter(|it| padded(it) + odd(it) > 0)
        .map(|it| it.here.as_str())
        .collect();
    let (around, strange): (u64, u64) = (known.iter().map(padded).sum(), known.iter().map(odd).sum());
    let mut told = Vec::new();
    if around > 0 {
        told.push(cells(
            around,
            "cell has blanks around its text",
            "cells have blanks around their text",
        ));
    }
    if strange > 0 {
        told.push(cells(
            strange,
            "cell has blanks that only look like blanks",
            "cells have blanks that only look like blanks",
        ));
    }
    let mut options = json!({ "columns": names });
    if strange > 0 {
        options["lookalikes"] = json!(true);
        options["controls"] = json!(true);
    }
    (!told.is_empty()).then(|| (format!("{}: trim?", told.join("; ")), json!({ "trim": options })))
}

fn blank_columns(known: &[Known<'_>]) -> Option<(String, Value)> {
    let blank = |it: &&Known<'_>| it.meta.kind == ColumnKind::Blank && it.wants(Sign::Blank);
    let names: Vec<&str> = known.iter().filter(blank).map(|it| it.here.as_str()).collect();
    let count = cells(names.len() as u64, "column is wholly blank", "columns are wholly blank");
    (!names.is_empty()).then(|| {
        (
            format!("{count}: remove?"),
            json!({ "blank_columns": { "columns": names } }),
        )
    })
}

/// Texts that look like numbers or dates, by the patterns of the profile. Leading zeros are kept: such texts are names.
fn typed(it: &Known<'_>) -> Vec<(String, Value)> {
    let (profile, texts) = (&it.meta.profile, it.texts());
    if !matches!(it.meta.kind, ColumnKind::Text | ColumnKind::Mixed) || texts == 0 || !it.wants(Sign::Type) {
        return Vec::new();
    }
    let most = |count: u64| count * 100 >= texts * MOST_OF;
    let of = |is: &dyn Fn(&str) -> bool| -> u64 {
        let shown = profile.patterns.iter().filter(|(pattern, _)| is(pattern.trim()));
        shown.map(|(_, count)| count).sum()
    };
    let dates = of(&|pattern| date_parts(pattern).is_some());
    if most(dates) {
        let said = cells(dates, "text is a date", "texts are dates");
        let step = |formats: &[String]| json!({ "convert": { "column": it.here, "to": "date", "formats": formats } });
        let ways = date_formats(it.meta);
        let only = ways.len() == 1;
        return ways
            .into_iter()
            .map(|(order, formats)| {
                let order = if only {
                    String::new()
                } else {
                    format!(", {order} first")
                };
                (format!("{said} in {}: convert{order}?", it.here), step(&formats))
            })
            .collect();
    }
    let lower = it.here.to_lowercase();
    let named =
        NAMES_NOT_AMOUNTS.iter().any(|part| lower.contains(part)) || lower.split([' ', '_']).any(|it| it == "id");
    let numbers = of(&|pattern| decimal_sign(pattern).is_some());
    if !most(numbers) || profile.zero_padded > 0 || named {
        return Vec::new();
    }
    let signs = profile
        .patterns
        .iter()
        .filter_map(|(pattern, _)| decimal_sign(pattern.trim())?);
    let signs: BTreeSet<char> = signs.collect();
    let step = |sign: char| match sign {
        ',' => json!({ "convert": { "column": it.here, "to": "decimal", "decimal": "," } }),
        _ => json!({ "convert": { "column": it.here, "to": "decimal" } }),
    };
    let said = format!(
        "{} in {}",
        cells(numbers, "text is a number", "texts are numbers"),
        it.here
    );
    match signs.iter().copied().collect::<Vec<_>>().as_slice() {
        [] => vec![(format!("{said}: convert?"), step('.'))],
        [sign] => vec![(format!("{said}: convert?"), step(*sign))],
        // Some are written with a point and some with a comma: nobody can tell what 1.234 is.
        _ => Vec::new(),
    }
}

/// Frequent values that differ in capitals and blanks only: the most frequent spelling stands for the others.
fn spelt(it: &Known<'_>) -> Option<(String, Value)> {
    let top = &it.meta.profile.top;
    if it.meta.kind != ColumnKind::Text || !it.wants(Sign::Spelling) {
        return None;
    }
    let fold = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut values = serde_json::Map::new();
    let mut count = 0;
    for (text, often) in top {
        let alike = top.iter().filter(|(other, _)| fold(other) == fold(text));
        let usual = alike.max_by_key(|(other, often)| (*often, is_capitalised(other)));
        // What only blanks tell apart is for `trim`.
        if let Some((usual, _)) = usual
            && text.trim() == text
            && usual.trim() != text
        {
            values.insert(text.clone(), json!(usual.trim()));
            count += often;
        }
    }
    let (other, usual) = values.iter().next()?;
    let said = cells(count, "cell is", "cells are");
    let sentence = format!(
        "{said} spelt otherwise in {}, such as “{other}” for “{}”: unify?",
        it.here,
        usual.as_str().unwrap_or_default()
    );
    Some((
        sentence,
        json!({ "map": { "column": it.here, "values": values, "otherwise": "keep" } }),
    ))
}

/// Neither `BERLIN` nor `berlin`.
fn is_capitalised(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && text.chars().any(char::is_lowercase) && !text.contains('@')
}

/// Values that come twice in a column where nearly all come once.
fn duplicates(it: &Known<'_>) -> Option<(String, Value)> {
    let profile = &it.meta.profile;
    let filled: u64 = profile.kinds.values().sum();
    let twice = filled.saturating_sub(profile.distinct);
    let kind = matches!(it.meta.kind, ColumnKind::Text | ColumnKind::Integer | ColumnKind::Mixed);
    let id_like = kind && profile.distinct_exact && filled >= 20 && twice * 20 <= filled;
    if !id_like || twice == 0 || !it.wants(Sign::Duplicates) {
        return None;
    }
    let said = cells(twice, "cell repeats another", "cells repeat others");
    let step = json!({ "deduplicate": { "by": [it.here], "keep": "first" } });
    Some((format!("{said} in {}: remove duplicates?", it.here), step))
}

#[cfg(test)]
mod tests;
