//! `/recipes/{recipe}/compare`: what changed between two revisions.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::{changes, stored};
use crate::database::recipes::{self, RecipeRow};
use crate::domain::ids::RecipeId;
use crate::pages::chrome::Chrome;
use crate::pages::gate::SignedIn;
use crate::pages::{PageError, Pages, filters};

#[derive(Debug, Template)]
#[template(path = "recipes/compare.html")]
struct ComparePage {
    chrome: Chrome,
    id: RecipeId,
    name: String,
    latest: i32,
    from: RecipeRow,
    to: RecipeRow,
    changes: Option<String>,
}

/// Which two; without them the latest and the one before.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Which {
    from: Option<i32>,
    to: Option<i32>,
}

/// `GET /recipes/{recipe}/compare`
pub(in crate::pages) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    which: web::Query<Which>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let latest = recipes::latest(&mut connection, session.user(), *recipe).await?;
    let latest = latest.ok_or(PageError::NotFound)?;
    let to = which.to.unwrap_or(latest.number);
    let from = which.from.unwrap_or((to - 1).max(1));
    let mut found = Vec::with_capacity(2);
    for number in [from, to] {
        let missing = || {
            PageError::Wrong(format!(
                "There is no revision {number}: they are 1 to {}.",
                latest.number
            ))
        };
        let row = recipes::revision(&mut connection, session.user(), *recipe, number).await?;
        found.push(row.ok_or_else(missing)?);
    }
    drop(connection);
    let (Some(to), Some(from)) = (found.pop(), found.pop()) else {
        return Err(PageError::NotFound);
    };
    let changes = changes::fragment(&stored(&from)?, &stored(&to)?)?;
    crate::pages::page(&ComparePage {
        chrome: Chrome::of(&request, &session, "recipes", pages.clock.now()),
        id: latest.id,
        name: super::named(&latest.name),
        latest: latest.number,
        from,
        to,
        changes,
    })
}
