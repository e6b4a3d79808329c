//! Who may enter: sessions by cookie, admins, and proof that a form is ours.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::de::DeserializeOwned;

use super::{PageError, Pages};
use crate::accounts::{self, NewSession};
use crate::domain::ids::{RequestId, UserId};
use crate::domain::states::Role;
use crate::upload;

/// The most bytes of a form; a recipe's text is the largest thing in one.
pub(super) const FORM_BYTES: usize = 512 << 10;

/// The request's id, for what it sets going.
pub(super) fn asked_by(request: &HttpRequest) -> RequestId {
    let known = request.extensions().get::<RequestId>().copied();
    known.unwrap_or_else(RequestId::new)
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Session(accounts::Session);

impl Deref for Session {
    type Target = accounts::Session;

    fn deref(&self) -> &accounts::Session {
        &self.0
    }
}

impl Session {
    /// Whose session it is.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.0.caller.user
    }

    /// Whether they see the admin's part.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.0.caller.role == Role::Admin
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, PageError>>>>;

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Session);

impl FromRequest for SignedIn {
    type Error = PageError;
    type Future = Answer<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { session(&request).await?.map(Self).ok_or(PageError::SignedOut) })
    }
}

/// An admin who is signed in. To everybody else there is no such page.
#[derive(Clone, Debug)]
pub struct Admin(pub Session);

impl FromRequest for Admin {
    type Error = PageError;
    type Future = Answer<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let session = session(&request).await?.ok_or(PageError::SignedOut)?;
            if session.is_admin() {
                Ok(Self(session))
            } else {
                Err(PageError::NotFound)
            }
        })
    }
}

/// The session of the request's cookie, looked up once a request.
pub(super) async fn session(request: &HttpRequest) -> Result<Option<Session>, PageError> {
    if let Some(known) = request.extensions().get::<Session>() {
        return Ok(Some(known.clone()));
    }
    let pages = pages(request)?;
    let Some(cookie) = request.cookie(pages.cookie_name()) else {
        return Ok(None);
    };
    let found = pages.accounts.session(cookie.value()).await?.map(Session);
    if let Some(session) = &found {
        request.extensions_mut().insert(session.clone());
    }
    Ok(found)
}

pub(super) fn pages(request: &HttpRequest) -> Result<web::Data<Pages>, PageError> {
    let missing = || PageError::Internal("pages were not configured".to_owned());
    request.app_data::<web::Data<Pages>>().cloned().ok_or_else(missing)
}

/// What somebody who is signed in sends: a form with the token of their session, or JSON of our own scripts, which carry
/// it in a header that other sites cannot set.
#[derive(Clone, Debug)]
pub struct Sent<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Sent<T> {
    type Error = PageError;
    type Future = Answer<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let session = session(&request).await?.ok_or(PageError::SignedOut)?;
            let by_header = accepts_header(&session, request.headers());
            if request.content_type() == "application/json" {
                if !by_header {
                    return Err(PageError::Forged);
                }
                let body = body(&request, &mut payload).await?;
                let wrong = |_| PageError::Wrong("The request could not be read. Load the page again.".to_owned());
                return serde_json::from_slice(&body).map(Self).map_err(wrong);
            }
            let fields = fields(&request, payload).await?;
            let token = fields
                .iter()
                .find(|(name, _)| name == "csrf")
                .map_or("", |(_, value)| value.as_str());
            if !by_header && !session.accepts(token) {
                return Err(PageError::Forged);
            }
            read(&fields).map(Self)
        })
    }
}

/// Whether the answer is for a script.
pub(super) fn wants_json(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
    accept.is_some_and(|it| it.contains("application/json"))
}

/// A form of somebody at the door: there is no session yet, so its token equals a cookie that only our pages set.
#[derive(Clone, Debug)]
pub struct DoorForm<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for DoorForm<T> {
    type Error = PageError;
    type Future = Answer<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let fields = fields(&request, payload).await?;
            let token = fields
                .iter()
                .find(|(name, _)| name == "csrf")
                .map_or("", |(_, value)| value.as_str());
            let cookie = request.cookie(pages(&request)?.door_cookie_name());
            let same = cookie.is_some_and(|cookie| !token.is_empty() && same(cookie.value(), token));
            // The same form may be sent from a page that was made for a session, such as the switch of themes.
            let signed_in = session(&request).await?.is_some_and(|session| session.accepts(token));
            if same || signed_in {
                read(&fields).map(Self)
            } else {
                Err(PageError::Forged)
            }
        })
    }
}

fn same(left: &str, right: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

/// Whether a script sent the session's token along.
pub(super) fn accepts_header(session: &Session, headers: &HeaderMap) -> bool {
    headers
        .get("x-csrf")
        .and_then(|it| it.to_str().ok())
        .is_some_and(|token| session.accepts(token))
}

/// Whether a request that changes something comes from our own pages, as far as the browser says. Old browsers say
/// nothing, which is no proof against it; the token decides.
pub(super) fn is_own_site(headers: &HeaderMap, hosts: &[String]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match text(header::ORIGIN.as_str()) {
        Some(origin) => origin
            .split_once("://")
            .is_some_and(|(_, from)| hosts.iter().any(|host| from.eq_ignore_ascii_case(host))),
        None => true,
    }
}

async fn fields(request: &HttpRequest, mut payload: Payload) -> Result<Vec<(String, String)>, PageError> {
    if request.content_type() == "multipart/form-data" {
        let form = upload::Form::new(request.headers(), payload);
        return Ok(upload::texts(form, FORM_BYTES).await?);
    }
    let body = body(request, &mut payload).await?;
    Ok(url::form_urlencoded::parse(&body).into_owned().collect())
}

async fn body(request: &HttpRequest, payload: &mut Payload) -> Result<web::Bytes, PageError> {
    let too_large = || PageError::TooLarge("This is more than a form may hold: 512 KB.".to_owned());
    let said = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > FORM_BYTES) {
        return Err(too_large());
    }
    let mut body = web::BytesMut::new();
    while let Some(chunk) = futures_util::StreamExt::next(payload).await {
        let chunk = chunk.map_err(|_broken| PageError::Wrong("The request broke off. Try again.".to_owned()))?;
        if body.len() + chunk.len() > FORM_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Fields into a struct. A name that comes several times becomes a list where the struct wants one.
fn read<T: DeserializeOwned>(fields: &[(String, String)]) -> Result<T, PageError> {
    let mut map = serde_json::Map::new();
    for (name, value) in fields {
        let value = serde_json::Value::String(value.clone());
        if let Some(plain) = name.strip_suffix("[]") {
            let list = map
                .entry(plain.to_owned())
                .or_insert_with(|| serde_json::Value::Array(Vec::new()));
            if let Some(list) = list.as_array_mut() {
                list.push(value);
            }
        } else {
            map.insert(name.clone(), value);
        }
    }
    let wrong = |_| PageError::Wrong("The form is not complete. Go back and try again.".to_owned());
    serde_json::from_value(serde_json::Value::Object(map)).map_err(wrong)
}

/// The cookie that a session lives in.
pub(super) fn session_cookie(pages: &Pages, session: &NewSession) -> Cookie<'static> {
    let lifetime = CookieDuration::try_from(session.lifetime).unwrap_or(CookieDuration::DAY);
    cookie(pages, pages.cookie_name(), session.cookie.expose().to_owned(), lifetime)
}

/// A cookie that scripts cannot read: `Secure` and `__Host-` where the public address is https.
pub(super) fn cookie(pages: &Pages, name: &'static str, value: String, lifetime: CookieDuration) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(pages.settings.https)
        .same_site(SameSite::Lax)
        .max_age(lifetime)
        .finish()
}

/// What takes a cookie away again.
pub(super) fn no_cookie(pages: &Pages, name: &'static str) -> Cookie<'static> {
    cookie(pages, name, String::new(), CookieDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_change_that_another_site_sends_is_seen() {
        let hosts = ["mill:8080".to_owned(), "mill.example.org".to_owned()];
        let own = |pairs: &[(&'static str, &'static str)]| is_own_site(&headers(pairs), &hosts);
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        assert!(!own(&[("sec-fetch-site", "cross-site")]));
        assert!(!own(&[("sec-fetch-site", "same-site")]));
        assert!(own(&[("origin", "http://mill:8080")]));
        assert!(own(&[("origin", "https://mill.example.org")]));
        assert!(!own(&[
            ("origin", "http://evil.example"),
            ("x-forwarded-host", "evil.example")
        ]));
        assert!(!own(&[("origin", "null")]));
        assert!(own(&[]));
    }

    #[test]
    fn fields_that_repeat_become_a_list() {
        #[derive(serde::Deserialize)]
        struct Wanted {
            name: String,
            #[serde(default)]
            files: Vec<String>,
        }
        let fields = [("name", "n"), ("files[]", "a"), ("files[]", "b")];
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let wanted: Wanted = read(&fields).expect("all fields are there");
        assert_eq!((wanted.name.as_str(), wanted.files.len()), ("n", 2));
    }
}
