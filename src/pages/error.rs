//! The only place that picks a status code for a page, and what people read when something did not work.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::chrome::Chrome;
use super::filters;
use super::gate::Session;
use crate::domain::ids::RequestId;
use crate::{accounts, database, preview, readings, runs, schedules, storage, upload};

/// What the database has no place for.
const UNKEEPABLE: &str = "It holds a character or a time that cannot be kept. Take out control characters and times that are no dates of today.";

/// Why a page is not what was asked for.
#[derive(Clone, Debug)]
pub enum PageError {
    /// There is nothing, or nothing for this person.
    NotFound,
    /// Nobody is signed in: a page leads to the sign-in, everything else is told so.
    SignedOut,
    /// A form without its token, or one that another site sent.
    Forged,
    /// The request itself is wrong; the sentence says how.
    Wrong(String),
    /// What was asked for does not go with the present state; the sentence says why.
    Conflict(String),
    /// It is larger than the limit; the sentence says which.
    TooLarge(String),
    /// A range beyond the end of what has so many bytes.
    OutOfRange(u64),
    /// Too many tries or streams; how many seconds to wait.
    TooMany(u64),
    /// The database or the storage is away.
    Unavailable(String),
    /// A mistake of ours; the text is for the log only.
    Internal(String),
}

impl fmt::Display for PageError {
    /// For the log. actix would show it to the visitor; the frame never lets it come to that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(text)
            | Self::Conflict(text)
            | Self::TooLarge(text)
            | Self::Unavailable(text)
            | Self::Internal(text) => f.write_str(text),
            other => write!(f, "{other:?}"),
        }
    }
}

impl std::error::Error for PageError {}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::OutOfRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<database::Error> for PageError {
    fn from(error: database::Error) -> Self {
        match error {
            database::Error::Unavailable(_) => Self::Unavailable(error.to_string()),
            database::Error::Value(_) => Self::Wrong(UNKEEPABLE.to_owned()),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<storage::Error> for PageError {
    fn from(error: storage::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<accounts::Error> for PageError {
    fn from(error: accounts::Error) -> Self {
        match error {
            accounts::Error::Database(error) => error.into(),
            accounts::Error::TryLater { after } => Self::TooMany(after.as_secs().max(1)),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<upload::Error> for PageError {
    fn from(error: upload::Error) -> Self {
        use upload::Error as E;
        let size = |limit: u64| filters::size(limit.into());
        match error {
            E::Malformed(_) => Self::Wrong("The upload broke off or is damaged. Try again.".to_owned()),
            E::NoFile => Self::Wrong("Choose at least one file to upload.".to_owned()),
            E::TooLarge { limit } => Self::TooLarge(format!("This is more than {}, the limit here.", size(limit))),
            E::TooMany { limit } => {
                Self::TooLarge(format!("These are more than {limit} files, the limit of one upload."))
            }
            E::Stalled(_) => {
                Self::Wrong("Nothing came for a minute, so the upload was given up. Try again.".to_owned())
            }
            E::Archive => Self::Conflict("This file is an archive. Read the files in it otherwise.".to_owned()),
            E::Spool(_) => Self::Unavailable(error.to_string()),
            E::Storage(error) => error.into(),
            E::Database(error) => error.into(),
            E::Queue(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<preview::Error> for PageError {
    fn from(error: preview::Error) -> Self {
        match error {
            preview::Error::Refused(sentence) | preview::Error::TooMuch(sentence) => Self::Wrong(sentence),
            preview::Error::Missing => Self::NotFound,
            preview::Error::NoResult | preview::Error::Gone => Self::Conflict(error.to_string()),
            preview::Error::Database(error) => error.into(),
            preview::Error::GivenUp => Self::Conflict("The page has asked anew meanwhile.".to_owned()),
            preview::Error::Unavailable(cause) => Self::Unavailable(cause),
            preview::Error::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<runs::Error> for PageError {
    fn from(error: runs::Error) -> Self {
        use runs::Error as E;
        match error {
            E::Database(error) => error.into(),
            E::NoRecipe | E::NoFile(_) | E::NoRun => Self::NotFound,
            E::NoFiles => Self::Wrong("Tick at least one file to run the recipe on.".to_owned()),
            E::TooManyFiles(_)
            | E::FilesAndRuns
            | E::TooManyFollowed(_)
            | E::TooManyTogether(_)
            | E::Unreadable(_)
            | E::NoReference(_)
            | E::UnusedReference(_)
            | E::LongNote(_)
            | E::BadName(_)
            | E::NoSuchColumn(_)
            | E::TooFarAhead => Self::Wrong(error.to_string()),
            E::Archive(_)
            | E::NotReady(_)
            | E::CannotFollow(_)
            | E::KeyReused
            | E::Begun
            | E::Ended(_)
            | E::TaskEnded
            | E::NothingToRetry
            | E::Changed(_)
            | E::Latest(_) => Self::Conflict(error.to_string()),
            E::Queue(_) | E::Form(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<schedules::Error> for PageError {
    fn from(error: schedules::Error) -> Self {
        use schedules::Error as E;
        match error {
            E::Database(error) => error.into(),
            E::NoSchedule => Self::NotFound,
            E::Rule(_) | E::NoReason(_) => Self::Wrong(error.to_string()),
            E::AtWork => Self::Conflict(error.to_string()),
        }
    }
}

impl From<readings::Error> for PageError {
    fn from(error: readings::Error) -> Self {
        match error {
            readings::Error::Database(error) => error.into(),
            readings::Error::Queue(error) => Self::Internal(error.to_string()),
        }
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("a template: {error}"))
    }
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "error.html")]
struct ErrorPage {
    chrome: Chrome,
    status: u16,
    title: &'static str,
    sentence: String,
    reference: Option<String>,
    way_on: String,
    way_on_words: &'static str,
}

/// What a visitor is told: a page for readers, JSON for scripts, the sign-in for whoever has to sign in first.
pub(super) fn render(request: &HttpRequest, error: &PageError, now: DateTime<Utc>) -> HttpResponse {
    let status = error.status_code();
    let reference = request
        .extensions()
        .get::<RequestId>()
        .copied()
        .unwrap_or_else(RequestId::new);
    log(error, reference);
    if matches!(error, PageError::SignedOut) && wants_page(request) {
        return to_sign_in(request);
    }
    let (title, sentence) = words(error);
    let shown = status.is_server_error().then(|| reference.to_string());
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let PageError::TooMany(seconds) = error {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if let PageError::OutOfRange(bytes) = error {
        response.insert_header((header::CONTENT_RANGE, format!("bytes */{bytes}")));
    }
    if !wants_page(request) {
        return response.json(json!({ "title": title, "detail": sentence, "reference": shown }));
    }
    // Looking at cookies needs the extensions too: they must not be held.
    let session = request.extensions().get::<Session>().cloned();
    let chrome = match &session {
        Some(session) => Chrome::of(request, session, "", now),
        None => Chrome::outside(request, String::new(), now),
    };
    let (way_on, way_on_words) = way_on(request, error);
    let page = ErrorPage {
        chrome,
        status: status.as_u16(),
        title,
        sentence,
        reference: shown,
        way_on,
        way_on_words,
    };
    // The page needs nothing that can be missing; were it to fail all the same, the title says enough.
    let body = page.render().unwrap_or_else(|_| title.to_owned());
    response.content_type("text/html; charset=utf-8").body(body)
}

/// The page error for an answer that actix made by itself, by its status.
pub(super) fn of_status(status: StatusCode, cause: String) -> PageError {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => PageError::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => PageError::TooLarge("This is more than a form may hold.".to_owned()),
        _ if status.is_client_error() => {
            PageError::Wrong("The request could not be read. Go back and try again.".to_owned())
        }
        _ => PageError::Internal(cause),
    }
}

fn log(error: &PageError, reference: RequestId) {
    match error {
        PageError::Internal(cause) => tracing::error!(%reference, cause, "a page failed"),
        PageError::Unavailable(cause) => {
            tracing::warn!(%reference, cause, "a page had to wait for database or storage");
        }
        _ => {}
    }
}

fn words(error: &PageError) -> (&'static str, String) {
    let (title, sentence) = match error {
        PageError::NotFound => ("Nothing is here", "The address is wrong, or what was here is gone."),
        PageError::SignedOut => ("You are signed out", "Sign in and try again. Nothing was changed."),
        PageError::Forged => (
            "This did not come from Sheetmill",
            "The form was too old, or another site sent it. Nothing was changed. Open the page again and repeat it.",
        ),
        PageError::Wrong(sentence) => ("That does not work", sentence.as_str()),
        PageError::Conflict(sentence) => ("That is not possible now", sentence.as_str()),
        PageError::TooLarge(sentence) => ("Too large", sentence.as_str()),
        PageError::OutOfRange(_) => ("Nothing is there", "The file ends before that."),
        PageError::TooMany(seconds) => {
            return ("Too many at once", format!("Wait {seconds} seconds and try again."));
        }
        PageError::Unavailable(_) => (
            "One moment, please",
            "The database or the storage does not answer right now. Nothing that was confirmed is lost. Try again shortly.",
        ),
        PageError::Internal(_) => (
            "Something broke",
            "It is our mistake, not yours, and it has been written down.",
        ),
    };
    (title, sentence.to_owned())
}

fn way_on(request: &HttpRequest, error: &PageError) -> (String, &'static str) {
    let again = || {
        request
            .uri()
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string)
    };
    let get = request.method() == actix_web::http::Method::GET;
    match error {
        PageError::Unavailable(_) | PageError::Internal(_) | PageError::TooMany(_) if get => (again(), "Try again"),
        PageError::SignedOut => ("/sign-in".to_owned(), "Sign in"),
        // Who is not signed in comes to the sign-in page by it.
        _ => ("/".to_owned(), "Go to the start"),
    }
}

fn to_sign_in(request: &HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
    let next = match request.method() == actix_web::http::Method::GET && path != "/" {
        true => format!(
            "/sign-in?next={}",
            percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC)
        ),
        false => "/sign-in".to_owned(),
    };
    response.insert_header((header::LOCATION, next)).finish()
}

/// Whether a person looks at the answer, rather than a script.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .map_or("", |it: &HeaderValue| it.to_str().unwrap_or_default());
    accept.contains("text/html") && !request.headers().contains_key("x-csrf") && !accept.contains("text/event-stream")
}
