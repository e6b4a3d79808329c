//! `POST /recipes/preview`: what a recipe makes of real rows, what is wrong with it, and how it reads as text. The rows come
//! from a warm child; here the document is only read and checked against the columns.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sheetmill_engine::order::RowsAnswer;
use sheetmill_engine::recipe::columns::{self, Column};
use sheetmill_engine::recipe::document::{Problem, Recipe};
use sheetmill_engine::tables::ColumnKind;

use super::save;
use crate::domain::ids::FileId;
use crate::pages::files::table;
use crate::pages::gate::{Sent, SignedIn};
use crate::pages::{PageError, Pages};
use crate::preview::PreviewOf;

/// Rows of a preview: a few screens.
const ROWS: usize = 200;

/// What is asked.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Asked {
    /// The builder's document, …
    document: Option<Value>,
    /// … or the recipe as text.
    text: Option<String>,
    /// On which file; without one, the recipe is only checked.
    file: Option<FileId>,
    /// On which of its sheets, by position from 0.
    #[serde(default)]
    table: u32,
    /// After how many steps.
    #[serde(default)]
    steps: usize,
    /// Whether all rows are counted; otherwise the first ones come at once.
    #[serde(default)]
    count: bool,
}

/// What is answered.
#[derive(Debug, Default, Serialize)]
struct Answer {
    /// The document, every option written out.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
    /// The same as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What each step does, in words.
    labels: Vec<String>,
    /// What is wrong.
    problems: Vec<Problem>,
    /// The columns before each step, and after the last; as far as steps are right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    before: Vec<Vec<ColumnHere>>,
    /// The rows after the steps that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<RowsAnswer>,
}

/// A column at one point of a recipe.
#[derive(Debug, Serialize)]
struct ColumnHere {
    name: String,
    kind: ColumnKind,
}

/// `POST /recipes/preview`
pub(in crate::pages) async fn preview(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    sent: Sent<Asked>,
) -> Result<HttpResponse, PageError> {
    let asked = sent.0;
    let recipe = match save::read(asked.text.as_deref(), asked.document.as_ref()) {
        Ok(recipe) => recipe,
        Err(problems) => {
            return Ok(HttpResponse::Ok().json(Answer {
                problems,
                ..Answer::default()
            }));
        }
    };
    let mut answer = Answer {
        document: Some(recipe.to_json()),
        text: Some(recipe.to_yaml()),
        labels: recipe.steps.iter().map(|step| step.label()).collect(),
        ..Answer::default()
    };
    if let Some(file) = asked.file {
        let mut connection = pages.pool.acquire().await?;
        let ingest = table::ready(&mut connection, session.user(), file).await?;
        drop(connection);
        let meta = table::load(&pages, ingest, asked.table).await?;
        (answer.before, answer.problems) = check(&recipe, columns::of_table(&meta));
        // A later step that is wrong does not hide what the earlier ones make.
        if answer
            .problems
            .iter()
            .all(|it| it.step.is_some_and(|step| step > asked.steps))
        {
            let (steps, count_all) = (asked.steps, asked.count);
            let of = PreviewOf {
                ingest,
                position: asked.table,
                recipe,
                steps,
                rows: ROWS,
                count_all,
            };
            answer.rows = Some(pages.previews.preview(of).await?);
        }
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// The columns at each point, up to the first step that is wrong, and what is wrong with that.
fn check(recipe: &Recipe, table: Vec<Column>) -> (Vec<Vec<ColumnHere>>, Vec<Problem>) {
    let here = |columns: &[Column]| {
        columns
            .iter()
            .map(|it| ColumnHere {
                name: it.name.clone(),
                kind: it.kind,
            })
            .collect()
    };
    let mut before = vec![here(&table)];
    let mut columns = table;
    for (index, step) in recipe.steps.iter().enumerate() {
        match step.check(index + 1, &columns) {
            Ok(after) => columns = after,
            Err(problems) => return (before, recipe.locate(problems)),
        }
        before.push(here(&columns));
    }
    (before, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<Column> {
        vec![
            Column::made("id", ColumnKind::Integer),
            Column::made("name", ColumnKind::Text),
        ]
    }

    #[test]
    fn columns_are_known_up_to_the_first_wrong_step() {
        let text = "steps:\n  - rename: {name: customer}\n  - select: [nobody]\n  - trim: {columns: all}\n";
        let recipe = Recipe::parse(text).expect("the text is a recipe");
        let (before, problems) = check(&recipe, table());
        assert_eq!(before.len(), 2);
        assert_eq!(before[1][1].name, "customer");
        assert_eq!(problems.iter().map(|it| it.step).collect::<Vec<_>>(), [Some(2)]);
    }
}
