//! `POST /recipes/preview`: what a recipe makes of real rows, what is wrong with it, and how it reads as text. The rows come
//! and the checks come from a warm child; here the document is only read.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sheetmill_engine::order::{AnswerColumn, PreviewRows, RowsAnswer};
use sheetmill_engine::recipe::document::{Problem, Recipe};
use sheetmill_engine::recipe::mapping::{Choices, ColumnMatch};
use sheetmill_engine::sheets::IngestOptions;

use super::save;
use super::suggestions::{self, Suggestion};
use crate::database::files;
use crate::domain::ids::{FileId, IngestId, RequestId, UserId};
use crate::domain::states::IngestState;
use crate::pages::files::table;
use crate::pages::gate::{Sent, SignedIn};
use crate::pages::runs::act::references;
use crate::pages::{PageError, Pages};
use crate::preview::{Asker, PreviewOf};
use crate::readings::{self, For};
use crate::runs;

/// Rows of a preview: a few screens.
const ROWS: usize = 200;
/// Characters of the word by which a page is known.
const MOST_WORD: usize = 64;

/// What is asked.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Asked {
    /// The builder's document, …
    pub(super) document: Option<Value>,
    /// … or the recipe as text.
    pub(super) text: Option<String>,
    /// On which file; without one, the recipe is only checked.
    pub(super) file: Option<FileId>,
    /// The other tables by the names that the recipe calls them: `<file>/<sheet>`.
    #[serde(default)]
    pub(super) references: BTreeMap<String, String>,
    /// On which of its sheets, by position from 0.
    #[serde(default)]
    pub(super) table: u32,
    /// After how many steps.
    #[serde(default)]
    pub(super) steps: usize,
    /// Whether all rows are counted; otherwise the rows come at once.
    #[serde(default)]
    count: bool,
    /// Which rows are shown.
    #[serde(default)]
    show: PreviewRows,
    /// A word of the open page: what it asked before is given up.
    page: Option<String>,
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
    /// The columns before each step, and after the last, as far as steps are right; null where a step changes none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    before: Vec<Option<Vec<AnswerColumn>>>,
    /// The columns of the other tables.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    references: BTreeMap<String, Vec<AnswerColumn>>,
    /// What the profile suggests besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestions: Option<Vec<Suggestion>>,
    /// The headers of the table, where the recipe expects columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<String>,
    /// What became of the columns that the recipe expects.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<Vec<Found>>,
    /// The file is being read in the way that the recipe wants; ask again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reading: bool,
    /// The rows after the steps that were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<RowsAnswer>,
}

/// What became of an expected column.
#[derive(Debug, Serialize)]
struct Found {
    expected: String,
    header: Option<String>,
    /// How it was found, in words.
    words: String,
    sure: bool,
    /// The headers that come near, the nearest first.
    nearest: Vec<String>,
}

impl From<ColumnMatch> for Found {
    fn from(column: ColumnMatch) -> Self {
        Self {
            words: column.words(),
            sure: column.is_sure(),
            expected: column.expected,
            header: column.header,
            nearest: column.nearest.into_iter().map(|near| near.header).collect(),
        }
    }
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
        document: Some(recipe.to_form()),
        text: Some(recipe.to_yaml()),
        labels: recipe.steps.iter().map(|step| step.label()).collect(),
        ..Answer::default()
    };
    if let Some(file) = asked.file {
        let Some(ingest) = read_as_wanted(&pages, session.user(), file, &recipe).await? else {
            answer.reading = true;
            return Ok(HttpResponse::Ok().json(answer));
        };
        let Some(references) = others(&pages, session.user(), asked.references).await? else {
            answer.reading = true;
            return Ok(HttpResponse::Ok().json(answer));
        };
        let word = asked.page.as_ref().map(|word| word.chars().take(MOST_WORD).collect());
        let asker = word.map(|word| Asker(session.user(), word));
        let profile = table::load(&pages, ingest, asked.table).await?;
        answer.suggestions = Some(suggestions::of(&profile.columns, &recipe));
        let mut connection = pages.pool.acquire().await?;
        let mapping = runs::choices(&mut connection, session.user(), &recipe, Choices::default()).await?;
        drop(connection);
        let of = PreviewOf {
            ingest,
            position: asked.table,
            recipe,
            references,
            mapping,
            steps: asked.steps,
            rows: ROWS,
            count_all: asked.count,
            show: asked.show,
        };
        let made = pages.previews.preview(of, asker).await?;
        (answer.before, answer.problems, answer.rows) = (made.before, made.problems, made.rows);
        answer.references = made.references;
        answer.headers = made.headers;
        answer.mapping = made.mapping.map(|it| it.columns.into_iter().map(Found::from).collect());
    }
    Ok(HttpResponse::Ok().json(answer))
}

/// The tables behind the names, as far as they are the owner's; `None`: one is not read yet.
pub(super) async fn others(
    pages: &Pages,
    user: UserId,
    named: BTreeMap<String, String>,
) -> Result<Option<BTreeMap<String, (IngestId, u32)>>, PageError> {
    let named = references(named)?;
    let mut found = BTreeMap::new();
    if named.is_empty() {
        return Ok(Some(found));
    }
    let mut connection = pages.pool.acquire().await?;
    for (name, (file, position)) in named {
        let file = files::find(&mut connection, user, file)
            .await?
            .ok_or(PageError::NotFound)?;
        match file.state {
            IngestState::Ready => {}
            IngestState::Received | IngestState::Ingesting => return Ok(None),
            IngestState::Refused | IngestState::Failed => {
                return Err(PageError::Wrong(format!(
                    "“{}” cannot be read. Choose another file.",
                    file.name
                )));
            }
        }
        found.insert(
            name,
            (
                file.ingest,
                position.and_then(|it| u32::try_from(it).ok()).unwrap_or_default(),
            ),
        );
    }
    Ok(Some(found))
}

/// The reading of the owner's file that the recipe's input asks for, begun if there is none; `None`: it is not done yet.
pub(super) async fn read_as_wanted(
    pages: &Pages,
    user: UserId,
    file: FileId,
    recipe: &Recipe,
) -> Result<Option<IngestId>, PageError> {
    let mut tx = pages.pool.begin().await?;
    let found = files::find(&mut tx, user, file).await?.ok_or(PageError::NotFound)?;
    let own: IngestOptions = serde_json::from_value(found.options).unwrap_or_default();
    let wanted = recipe.input.ingest_options().over(&own);
    let (ingest, state) = if wanted == own {
        (found.ingest, found.state)
    } else {
        let asks = For {
            owner: user,
            request: RequestId::new(),
        };
        let readings = readings::ensure(&mut tx, asks, &[found.sha256], &wanted).await?;
        let reading = readings.get(&found.sha256).ok_or(PageError::NotFound)?;
        (reading.ingest, reading.state)
    };
    tx.commit().await?;
    match state {
        IngestState::Ready => Ok(Some(ingest)),
        IngestState::Received | IngestState::Ingesting => Ok(None),
        IngestState::Refused | IngestState::Failed => Err(PageError::Wrong(
            "The file cannot be read in the way that the recipe's `input` says. Choose another header or encoding."
                .to_owned(),
        )),
    }
}
