//! What holds for every answer of the pages: security headers, a check of where a change comes from, and errors as pages.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::error::{self, PageError};
use super::{Pages, gate};

/// Scripts, styles, images and connections come from here and nowhere else; nothing inline, nothing framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Wraps every route of the pages.
pub(super) async fn frame(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(pages) = request.app_data::<web::Data<Pages>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let now = pages.clock.now();
    let hosts = hosts(&request, &pages);
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if changes && !gate::is_own_site(request.headers(), &hosts) {
        let (request, _) = request.into_parts();
        let answer = error::render(&request, &PageError::Forged, now);
        ServiceResponse::new(request, answer).map_into_boxed_body()
    } else {
        let response = next.call(request).await?.map_into_boxed_body();
        match failure(&response) {
            Some(found) => {
                let answer = error::render(response.request(), &found, now);
                response.into_response(answer).map_into_boxed_body()
            }
            None => response,
        }
    };
    harden(response.headers_mut(), pages.settings.https);
    Ok(response)
}

/// How we are called: as the request says, and as the settings do. `Forwarded` and its like are anybody's word.
fn hosts(request: &ServiceRequest, pages: &Pages) -> Vec<String> {
    let asked = request.headers().get(header::HOST).and_then(|it| it.to_str().ok());
    asked
        .map(str::to_owned)
        .into_iter()
        .chain(pages.settings.public_host.clone())
        .collect()
}

/// The error behind an answer that is one, as far as a page has not been made of it.
fn failure(response: &ServiceResponse) -> Option<PageError> {
    let status = response.status();
    let error = response.response().error()?;
    let made = || error::of_status(status, error.to_string());
    Some(error.as_error::<PageError>().cloned().unwrap_or_else(made))
}

fn harden(headers: &mut HeaderMap, https: bool) {
    for (name, value) in HEADERS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
