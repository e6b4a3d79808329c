//! The bytes that runs made.

use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::TryStreamExt as _;

use super::caller::Bearer;
use super::{Api, Error};
use crate::database::artifacts;
use crate::domain::ids::ArtifactId;
use crate::storage::{Asked, Delivery, Key, Offer, Shipment, deliver};

/// Gives an artifact's bytes, or a range of them.
#[utoipa::path(
    get,
    path = "/api/v1/artifacts/{id}",
    tag = "artifacts",
    params(("id" = String, Path, description = "The artifact"), ("Range" = Option<String>, Header, description = "`bytes=FIRST-LAST`")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes asked for", content_type = "application/octet-stream"),
        (status = 307, description = "The bytes are at another address for a short time"),
        (status = 404, description = "There is no such artifact", body = super::error::Problem),
        (status = 416, description = "There are no such bytes", body = super::error::Problem),
    )
)]
pub(super) async fn download(
    request: HttpRequest,
    api: web::Data<Api>,
    caller: Bearer,
    id: web::Path<ArtifactId>,
) -> Result<HttpResponse, Error> {
    let found = artifacts::find(&mut *api.pool.acquire().await?, caller.user, *id).await?;
    let artifact = found.ok_or(Error::NotFound("artifact"))?;
    let key: Key = artifact
        .storage_key
        .parse()
        .map_err(|_unknown| Error::Internal(format!("no key: {}", artifact.storage_key)))?;
    let offer = Offer {
        key: &key,
        name: &artifact.name,
        content_type: &artifact.content_type,
        bytes: u64::try_from(artifact.bytes).unwrap_or_default(),
        sha256: artifact.sha256,
    };
    let header = |name: HeaderName| request.headers().get(name).and_then(|it| it.to_str().ok());
    let asked = Asked {
        if_none_match: header(header::IF_NONE_MATCH),
        if_range: header(header::IF_RANGE),
        range: header(header::RANGE),
    };
    match deliver(&*api.storage, &offer, &asked).await? {
        Delivery::Unchanged(tag) => Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish()),
        Delivery::Elsewhere(address) => Ok(HttpResponse::TemporaryRedirect()
            .insert_header((header::LOCATION, address))
            .finish()),
        Delivery::Beyond(bytes) => Err(Error::Range(bytes)),
        Delivery::Bytes(shipment) => Ok(shipped(shipment)),
    }
}

fn shipped(shipment: Shipment) -> HttpResponse {
    let mut response = if shipment.is_part {
        HttpResponse::PartialContent()
    } else {
        HttpResponse::Ok()
    };
    for header in shipment.headers {
        response.insert_header(header);
    }
    response.body(SizedStream::new(shipment.length, shipment.stream.map_err(Error::from)))
}
