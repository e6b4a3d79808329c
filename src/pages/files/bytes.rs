//! `/files/{file}/download` and `/files/{file}/remove`: the bytes as they came, and their end.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::database::files;
use crate::domain::ids::FileId;
use crate::pages::download;
use crate::pages::gate::{Sent, SignedIn};
use crate::pages::{PageError, Pages};
use crate::storage::{Key, Offer};

/// `GET /files/{file}/download`
pub(in crate::pages) async fn download(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
) -> Result<HttpResponse, PageError> {
    let mut connection = pages.pool.acquire().await?;
    let file = files::find(&mut connection, session.user(), *file)
        .await?
        .ok_or(PageError::NotFound)?;
    drop(connection);
    let key = Key::Blob(file.sha256);
    let bytes = u64::try_from(file.bytes).unwrap_or_default();
    let offer = Offer {
        key: &key,
        name: &file.name,
        content_type: key.content_type(),
        bytes,
        sha256: file.sha256,
    };
    download::answer(&request, &pages, offer).await
}

/// `POST /files/{file}/remove`
pub(in crate::pages) async fn remove(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    file: web::Path<FileId>,
    _form: Sent<serde_json::Value>,
) -> Result<HttpResponse, PageError> {
    if !pages.uploads.remove(session.user(), *file).await? {
        return Err(PageError::NotFound);
    }
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/files")).finish())
}
