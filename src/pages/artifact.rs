//! `/artifacts/{artifact}`: what a run made, for its owner.

use actix_web::{HttpRequest, HttpResponse, web};

use super::download;
use super::gate::SignedIn;
use super::{PageError, Pages};
use crate::database::artifacts;
use crate::domain::ids::ArtifactId;
use crate::storage::{Key, Offer};

/// `GET /artifacts/{artifact}`
pub(super) async fn download(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    artifact: web::Path<ArtifactId>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let found = artifacts::find(&mut connection, session.user(), *artifact)
        .await?
        .ok_or(PageError::NotFound)?;
    drop(connection);
    let key: Key = found
        .storage_key
        .parse()
        .map_err(|_no_key| PageError::Internal(format!("key {}", found.storage_key)))?;
    let offer = Offer {
        key: &key,
        name: &found.name,
        content_type: &found.content_type,
        bytes: u64::try_from(found.bytes).unwrap_or_default(),
        sha256: found.sha256,
    };
    download::answer(&request, &pages, offer).await
}
