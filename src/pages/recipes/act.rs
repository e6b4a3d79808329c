//! What people do with a recipe as a whole: rename, duplicate, remove, bring back.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web;
use serde::Deserialize;
use serde_json::Value;

use crate::database::recipes;
use crate::domain::ids::RecipeId;
use crate::pages::gate::{Sent, SignedIn};
use crate::pages::{PageError, Pages};
use crate::runs;

/// Another name.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Name {
    #[serde(default)]
    name: String,
}

/// `POST /recipes/{recipe}/rename`
pub(in crate::pages) async fn rename(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    sent: Sent<Name>,
) -> Result<HttpResponse, PageError> {
    runs::rename(&pages.pool, session.user(), *recipe, &sent.0.name).await?;
    Ok(to(&format!("/recipes/{recipe}/revisions")))
}

/// `POST /recipes/{recipe}/duplicate`
pub(in crate::pages) async fn duplicate(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    _form: Sent<Value>,
) -> Result<HttpResponse, PageError> {
    let copy = runs::duplicate(&pages.pool, session.user(), *recipe).await?;
    Ok(to(&format!("/recipes/{}", copy.recipe)))
}

/// `POST /recipes/{recipe}/remove`
pub(in crate::pages) async fn remove(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    _form: Sent<Value>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    if !recipes::delete(&mut connection, session.user(), *recipe).await? {
        return Err(PageError::NotFound);
    }
    Ok(to(&format!("/recipes?removed={recipe}")))
}

/// `POST /recipes/{recipe}/bring-back`
pub(in crate::pages) async fn bring_back(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    recipe: web::Path<RecipeId>,
    _form: Sent<Value>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let is_back = recipes::bring_back(&mut connection, session.user(), *recipe).await?;
    // It may have been brought back in another tab.
    if !is_back
        && recipes::latest(&mut connection, session.user(), *recipe)
            .await?
            .is_none()
    {
        return Err(PageError::NotFound);
    }
    Ok(to(&format!("/recipes/{recipe}/revisions")))
}

fn to(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, place)).finish()
}
