//! `POST /recipes/row`: where a row of a preview comes from, and what each step did to it.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use sheetmill_engine::order::PreviewRows;
use sheetmill_engine::recipe::mapping::Choices;

use super::{preview, save};
use crate::database::files;
use crate::pages::gate::{Sent, SignedIn};
use crate::pages::runs::act::references;
use crate::pages::runs::trace::{Grids, fragment};
use crate::pages::{PageError, Pages};
use crate::preview::{PreviewOf, ResultOf, RowOf};
use crate::runs;

/// What is asked: a preview, and which of the rows that stay.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Asked {
    #[serde(flatten)]
    of: preview::Asked,
    /// Its number among them, from 1.
    row: u64,
    follow: Option<u32>,
}

/// `POST /recipes/row`
pub(in crate::pages) async fn tell(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    sent: Sent<Asked>,
) -> Result<HttpResponse, PageError> {
    let Asked { of, row, follow } = sent.0;
    let later = || PageError::Conflict("The file is being read. Try again in a moment.".to_owned());
    let recipe = save::read(of.text.as_deref(), of.document.as_ref())
        .map_err(|_problems| PageError::Wrong("The recipe has mistakes. Mend them first.".to_owned()))?;
    let file = of.file.ok_or(PageError::NotFound)?;
    let user = session.user();
    let ingest = preview::read_as_wanted(&pages, user, file, &recipe).await?;
    let ingest = ingest.ok_or_else(later)?;
    let others = preview::others(&pages, user, of.references.clone()).await?;
    let others = others.ok_or_else(later)?;
    let mut connection = pages.pool.acquire().await?;
    let mapping = runs::choices(&mut connection, user, &recipe, Choices::default()).await?;
    let found = files::find(&mut connection, user, file)
        .await?
        .ok_or(PageError::NotFound)?;
    drop(connection);
    let named = references(of.references)?.into_iter();
    let grids = Grids {
        own: (found.ingest == ingest).then_some(file),
        others: named
            .map(|(name, (file, sheet))| (name, (file, sheet.unwrap_or_default())))
            .collect(),
    };
    let shown = PreviewOf {
        ingest,
        position: of.table,
        recipe,
        references: others,
        mapping,
        steps: of.steps,
        rows: 0,
        count_all: false,
        show: PreviewRows::First,
    };
    let wanted = RowOf {
        row,
        follow,
        ..RowOf::default()
    };
    let answer = pages
        .previews
        .trace(ResultOf::previewed(shown, found.name), wanted)
        .await;
    let html = fragment(answer, row, (&grids, None))?;
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}
