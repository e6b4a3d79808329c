//! Bytes for a browser to keep.

use actix_web::body::SizedStream;
use actix_web::http::header::{ETAG, HeaderName, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::TryStreamExt as _;

use super::{PageError, Pages};
use crate::domain::ids::Sha256;
use crate::storage::{Asked, Delivery, Key, Offer, deliver};

/// Something stored, as its row in the database names it.
pub(super) struct Stored<'a> {
    pub(super) storage_key: &'a str,
    pub(super) name: &'a str,
    pub(super) content_type: &'a str,
    pub(super) bytes: i64,
    pub(super) sha256: Sha256,
}

/// Answers with what a row names.
pub(super) async fn stored(request: &HttpRequest, pages: &Pages, found: Stored<'_>) -> Result<HttpResponse, PageError> {
    let key: Key = found
        .storage_key
        .parse()
        .map_err(|_no_key| PageError::Internal(format!("key {}", found.storage_key)))?;
    let offer = Offer {
        key: &key,
        name: found.name,
        content_type: found.content_type,
        bytes: u64::try_from(found.bytes).unwrap_or_default(),
        sha256: found.sha256,
    };
    answer(request, pages, offer).await
}

/// Answers with the bytes, or the part of them that was asked for.
pub(super) async fn answer(request: &HttpRequest, pages: &Pages, offer: Offer<'_>) -> Result<HttpResponse, PageError> {
    let header = |name: HeaderName| request.headers().get(name).and_then(|it| it.to_str().ok());
    let asked = Asked {
        if_none_match: header(IF_NONE_MATCH),
        if_range: header(IF_RANGE),
        range: header(RANGE),
    };
    let shipment = match deliver(&*pages.storage, &offer, &asked).await? {
        Delivery::Unchanged(tag) => return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).finish()),
        Delivery::Elsewhere(address) => {
            return Ok(HttpResponse::TemporaryRedirect()
                .insert_header((LOCATION, address))
                .finish());
        }
        Delivery::Beyond(bytes) => return Err(PageError::OutOfRange(bytes)),
        Delivery::Bytes(shipment) => shipment,
    };
    let mut response = if shipment.is_part {
        HttpResponse::PartialContent()
    } else {
        HttpResponse::Ok()
    };
    for header in shipment.headers {
        response.insert_header(header);
    }
    let stream = shipment.stream.map_err(PageError::from);
    Ok(response.body(SizedStream::new(shipment.length, stream)))
}
