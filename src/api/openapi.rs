//! The description of the API, made from the handlers themselves.

use actix_web::HttpResponse;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{artifacts, files, recipes, revisions, rows, runs};

#[derive(OpenApi)]
#[openapi(
    info(title = "Sheetmill", description = "Upload workbooks, run recipes on them, fetch what comes out."),
    paths(
        files::upload, files::show, files::remove, files::events, files::read_again,
        recipes::list, recipes::create, recipes::show, recipes::remove, recipes::revise,
        revisions::list, revisions::show, revisions::export, revisions::compare, revisions::restore,
        runs::start, runs::show, runs::put_off, runs::cancel, runs::events,
        rows::list, rows::trace,
        artifacts::download,
    ),
    security(("token" = [])),
    modifiers(&Token),
)]
struct Description;

/// Every call needs a token.
struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", scheme);
    }
}

/// The document; it needs no token, for it tells how to use one.
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Description::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_contract_is_described() {
        let document = serde_json::to_value(Description::openapi()).expect("it has a JSON form");
        let paths = document["paths"].as_object().expect("paths");
        let mut calls: Vec<String> = paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object()
                    .into_iter()
                    .flat_map(|it| it.keys())
                    .map(move |verb| format!("{verb} {path}"))
            })
            .collect();
        calls.sort();
        assert_eq!(
            calls,
            [
                "delete /api/v1/files/{id}",
                "delete /api/v1/recipes/{id}",
                "delete /api/v1/runs/{id}",
                "get /api/v1/artifacts/{id}",
                "get /api/v1/files/{id}",
                "get /api/v1/files/{id}/events",
                "get /api/v1/recipes",
                "get /api/v1/recipes/{id}",
                "get /api/v1/recipes/{id}/changes",
                "get /api/v1/recipes/{id}/revisions",
                "get /api/v1/recipes/{id}/revisions/{number}",
                "get /api/v1/recipes/{id}/revisions/{number}/export",
                "get /api/v1/runs/{id}",
                "get /api/v1/runs/{id}/events",
                "get /api/v1/runs/{id}/files/{file}/rows",
                "get /api/v1/runs/{id}/files/{file}/rows/{row}",
                "patch /api/v1/runs/{id}",
                "post /api/v1/files",
                "post /api/v1/recipes",
                "post /api/v1/recipes/{id}/revisions",
                "post /api/v1/recipes/{id}/revisions/{number}/restore",
                "post /api/v1/runs",
                "put /api/v1/files/{id}/options",
            ]
        );
        assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    }
}
