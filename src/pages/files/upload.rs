//! `POST /files`: files arrive, from a script with progress or from a plain form.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use sheetmill_engine::sheets::IngestOptions;

use crate::pages::gate::{self, SignedIn};
use crate::pages::{PageError, Pages};
use crate::upload::{Form, Received, Sender};

/// The token of a plain form. It stands in the address, for the body is not read before it is known to be ours.
#[derive(Debug, Deserialize)]
pub(in crate::pages) struct Token {
    #[serde(default)]
    csrf: String,
}

/// `POST /files`
pub(in crate::pages) async fn receive(
    request: HttpRequest,
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    token: web::Query<Token>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    if !gate::accepts_header(&session, request.headers()) && !session.accepts(&token.csrf) {
        return Err(PageError::Forged);
    }
    let asked_by = gate::asked_by(&request);
    let sender = Sender {
        user: session.user(),
        request: asked_by,
    };
    let received = pages.uploads.receive(sender, &IngestOptions::default(), form).await?;
    if gate::wants_json(&request) {
        let files: Vec<_> = received.iter().map(told).collect();
        return Ok(HttpResponse::Accepted().json(files));
    }
    let refused: Vec<&str> = received
        .iter()
        .filter_map(|it| it.error.as_ref())
        .map(|it| it.sentence.as_str())
        .collect();
    if refused.is_empty() {
        return Ok(HttpResponse::SeeOther().insert_header((LOCATION, "/")).finish());
    }
    Err(PageError::Wrong(format!(
        "{} The others, if any, are being read.",
        refused.join(" ")
    )))
}

fn told(file: &Received) -> serde_json::Value {
    json!({
        "id": file.id,
        "name": file.name,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "state": file.state,
        "error": file.error.as_ref().map(|it| &it.sentence),
    })
}
