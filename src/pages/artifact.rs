//! `/artifacts/{artifact}`: what a run made, for its owner.

use actix_web::{HttpRequest, HttpResponse, web};

use super::download::{self, Stored};
use super::gate::SignedIn;
use super::{PageError, Pages};
use crate::database::artifacts;
use crate::domain::ids::ArtifactId;

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
    let found = Stored {
        storage_key: &found.storage_key,
        name: &found.name,
        content_type: &found.content_type,
        bytes: found.bytes,
        sha256: found.sha256,
    };
    download::stored(&request, &pages, found).await
}
