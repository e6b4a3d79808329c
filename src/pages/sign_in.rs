//! `/sign-in` and `/sign-out`.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use secrecy::SecretString;
use serde::Deserialize;

use super::chrome::Chrome;
use super::gate::{self, DoorForm, Sent, SignedIn};
use super::{PageError, Pages};
use crate::accounts::{self, NewSession, SignIn};

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    chrome: Chrome,
    next: String,
    email: String,
    wrong: Option<String>,
}

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`
pub(super) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    next: web::Query<Next>,
) -> Result<HttpResponse, PageError> {
    let next = own_path(&next.next).to_owned();
    if gate::session(&request).await?.is_some() {
        return Ok(to(&next));
    }
    page(&request, &pages, next, String::new(), None)
}

/// What the form holds.
#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    email: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// `POST /sign-in`
pub(super) async fn sign_in(
    request: HttpRequest,
    pages: web::Data<Pages>,
    form: DoorForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let Fields { email, password, next } = form.0;
    let previous = request.cookie(pages.cookie_name());
    let attempt = SignIn {
        email: &email,
        password: &password,
        address: address(&request),
        previous_cookie: previous.as_ref().map(|cookie| cookie.value()),
    };
    match pages.accounts.sign_in(&attempt).await {
        Ok(session) => Ok(enter(&pages, &session, own_path(&next))),
        Err(accounts::Error::WrongCredentials) => {
            let wrong = "The email or the password is not right.".to_owned();
            page(&request, &pages, own_path(&next).to_owned(), email, Some(wrong))
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /sign-out`
pub(super) async fn sign_out(
    pages: web::Data<Pages>,
    SignedIn(session): SignedIn,
    _form: Sent<serde_json::Value>,
) -> Result<HttpResponse, PageError> {
    pages.accounts.sign_out(&session).await?;
    let gone = gate::no_cookie(&pages, pages.cookie_name());
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, "/sign-in"))
        .cookie(gone)
        .finish())
}

/// Sends a browser into the house with its new session.
pub(super) fn enter(pages: &Pages, session: &NewSession, path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, path.to_owned()))
        .cookie(gate::session_cookie(pages, session))
        .cookie(gate::no_cookie(pages, pages.door_cookie_name()))
        .finish()
}

/// A page at the door sets the cookie that its form's token equals.
pub(super) fn at_the_door(
    request: &HttpRequest,
    pages: &Pages,
    page: impl FnOnce(Chrome) -> Result<String, askama::Error>,
) -> Result<HttpResponse, PageError> {
    let known = request
        .cookie(pages.door_cookie_name())
        .map(|cookie| cookie.value().to_owned());
    let token = match known.filter(|it| it.len() == 64) {
        Some(token) => token,
        None => {
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(|error| PageError::Internal(error.to_string()))?;
            hex::encode(random)
        }
    };
    let body = page(Chrome::outside(request, token.clone(), pages.clock.now()))?;
    let cookie = gate::cookie(pages, pages.door_cookie_name(), token, CookieDuration::DAY);
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .cookie(cookie)
        .body(body))
}

fn page(
    request: &HttpRequest,
    pages: &Pages,
    next: String,
    email: String,
    wrong: Option<String>,
) -> Result<HttpResponse, PageError> {
    at_the_door(request, pages, |chrome| {
        SignInPage {
            chrome,
            next,
            email,
            wrong,
        }
        .render()
    })
}

/// Only paths of our own, so that a link to the sign-in leads nowhere else.
pub(super) fn own_path(next: &str) -> &str {
    // An address in a header is printable ASCII; browsers write everything else as escapes.
    let printable = next.bytes().all(|byte| byte.is_ascii_graphic());
    let own = printable && next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if own { next } else { "/" }
}

fn to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, path.to_owned()))
        .finish()
}

fn address(request: &HttpRequest) -> IpAddr {
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.ip())
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn nobody_is_led_elsewhere_after_signing_in() {
        assert_eq!(own_path("/files/1?sheet=2"), "/files/1?sheet=2");
        for trap in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/files\0",
            "/a\u{7f}b",
            "/fil\u{e9}s",
        ] {
            assert_eq!(own_path(trap), "/", "{trap}");
        }
    }
}
