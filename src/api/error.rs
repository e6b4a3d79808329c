//! What programs are told when something does not work: RFC 9457 problem documents. Only here does the API pick a status.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::RequestId;
use crate::domain::units;
use crate::{database, preview, runs, storage, upload};

/// Why a call did not work. `Display` is for the log: visitors get a `Problem`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token, or none that is good.
    #[error("no good token")]
    Unauthorized,
    /// No such thing, or somebody else's.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The call is understood and wrong.
    #[error("{code}: {sentence}")]
    Invalid {
        /// A stable word.
        code: &'static str,
        /// What is wrong, for people.
        sentence: String,
        /// Each thing that is wrong, where there are several.
        problems: Vec<Flaw>,
    },
    /// It does not fit what has happened before.
    #[error("{code}: {sentence}")]
    Conflict {
        /// A stable word.
        code: &'static str,
        /// Why, for people.
        sentence: String,
    },
    /// More than is taken.
    #[error("too large: {0}")]
    TooLarge(String),
    /// All of a person's streams are taken; how many seconds to wait.
    #[error("too many streams")]
    TooMany(u64),
    /// The bytes asked for are not there.
    #[error("not within {0} bytes")]
    Range(u64),
    /// Something that is needed is away; trying again later helps.
    #[error("not available: {0}")]
    Unavailable(String),
    /// A mistake of ours.
    #[error("{0}")]
    Internal(String),
}

/// One thing wrong with what was sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Flaw {
    /// What it is about, such as `steps[1].filter.keep`.
    pub path: String,
    /// The line in the text sent, from 1; 0 where it is not known.
    pub line: usize,
    /// The column in that line, from 1; 0 where it is not known.
    pub column: usize,
    /// What is wrong, for people.
    pub message: String,
}

/// Why something did not work.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct ErrorView {
    /// A stable word.
    pub(super) code: String,
    /// One sentence for people.
    pub(super) sentence: String,
    /// What to give whoever runs this installation.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub(super) reference: Option<RequestId>,
}

impl ErrorView {
    /// Where there is a sentence there is an error.
    pub(super) fn of(code: Option<String>, sentence: Option<String>, reference: Option<RequestId>) -> Option<Self> {
        Some(Self {
            code: code.unwrap_or_default(),
            sentence: sentence?,
            reference,
        })
    }
}

/// A problem document, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: `title` says what the status means, `code` says more.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// A stable word for programs.
    code: &'static str,
    /// One sentence for people.
    detail: String,
    /// What to give whoever runs this installation.
    #[schema(value_type = Option<String>, format = Uuid)]
    reference: Option<RequestId>,
    /// Each thing that is wrong, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Flaw>,
}

/// What a caller should wait before the next try, in seconds.
const RETRY_AFTER: &str = "5";

impl Error {
    /// The call is understood and wrong.
    pub fn invalid(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::Invalid {
            code,
            sentence: sentence.into(),
            problems: Vec::new(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::NotFound(_) => "not_found",
            Self::Invalid { code, .. } | Self::Conflict { code, .. } => code,
            Self::TooLarge(_) => "too_large",
            Self::TooMany(_) => "too_many",
            Self::Range(_) => "range",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Unauthorized => {
                "Send a token: `Authorization: Bearer …`. `sheetmill user token EMAIL` makes one.".to_owned()
            }
            Self::NotFound(what) => format!("There is no such {what}."),
            Self::Invalid { sentence, .. } | Self::Conflict { sentence, .. } | Self::TooLarge(sentence) => {
                sentence.clone()
            }
            Self::TooMany(_) => "Too many streams are open. Close one, or poll the run instead.".to_owned(),
            Self::Range(bytes) => format!("The range asked for is not within the {bytes} bytes that there are."),
            Self::Unavailable(_) => {
                "The database or the storage is away for a moment. Nothing was lost; try again.".to_owned()
            }
            Self::Internal(_) => {
                "Something went wrong on our side. The cause is in the log under the reference.".to_owned()
            }
        }
    }

    fn response(&self, reference: Option<RequestId>) -> HttpResponse {
        let status = self.status_code();
        let problems = if let Self::Invalid { problems, .. } = self {
            problems.clone()
        } else {
            Vec::new()
        };
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code: self.code(),
            detail: self.detail(),
            reference,
            problems,
        };
        let mut response = HttpResponse::build(status);
        response.content_type("application/problem+json");
        match self {
            Self::Unauthorized => drop(response.insert_header((header::WWW_AUTHENTICATE, "Bearer"))),
            Self::Unavailable(_) => drop(response.insert_header((header::RETRY_AFTER, RETRY_AFTER))),
            Self::TooMany(seconds) => drop(response.insert_header((header::RETRY_AFTER, seconds.to_string()))),
            Self::Range(bytes) => drop(response.insert_header((header::CONTENT_RANGE, format!("bytes */{bytes}")))),
            _ => {}
        }
        // A body by hand: `json` would set its own content type.
        response.body(serde_json::to_string(&problem).unwrap_or_default())
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.response(None)
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        match error {
            database::Error::Unavailable(_) => Self::Unavailable(error.to_string()),
            database::Error::Value(_) => Self::invalid(
                "not_keepable",
                "The body holds a character or a time that cannot be kept: NUL, or one far beyond the calendar.",
            ),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<upload::Error> for Error {
    fn from(error: upload::Error) -> Self {
        use upload::Error as Upload;
        match error {
            Upload::Malformed(_) => {
                Self::invalid("not_a_form", "Send a multipart form with files in fields named `file`.")
            }
            Upload::NoFile => Self::invalid("no_file", "The form has no file in a field named `file`."),
            Upload::TooLarge { limit } => Self::TooLarge(format!(
                "That is larger than the {} allowed here.",
                units::show_bytes(limit)
            )),
            Upload::TooMany { limit } => Self::TooLarge(format!("Send at most {limit} files at once.")),
            Upload::Stalled(_) => Self::invalid("stalled", "The upload stopped coming."),
            Upload::Archive => Self::Conflict {
                code: "archive",
                sentence: "This file is an archive. Read the files in it otherwise.".to_owned(),
            },
            Upload::Spool(cause) => Self::Unavailable(format!("the spool cannot be written: {cause}")),
            Upload::Storage(error) => error.into(),
            Upload::Database(error) => error.into(),
            Upload::Queue(error) => Self::Internal(error.to_string()),
        }
    }
}

impl From<runs::Error> for Error {
    fn from(error: runs::Error) -> Self {
        use runs::Error as Runs;
        let sentence = error.to_string();
        match error {
            Runs::Database(error) => error.into(),
            Runs::Queue(_) | Runs::Form(_) => Self::Internal(sentence),
            Runs::NoRecipe => Self::NotFound("recipe"),
            Runs::NoFile(_) => Self::NotFound("file"),
            Runs::NoRun => Self::NotFound("run"),
            Runs::NoFiles => Self::invalid("no_files", sentence),
            Runs::FilesAndRuns => Self::invalid("files_and_runs", sentence),
            Runs::TooManyFollowed(_) => Self::invalid("too_many_runs", sentence),
            Runs::CannotFollow(_) => Self::Conflict {
                code: "cannot_follow",
                sentence,
            },
            Runs::TooManyFiles(_) => Self::invalid("too_many_files", sentence),
            Runs::NoReference(_) => Self::invalid("missing_reference", sentence),
            Runs::UnusedReference(_) => Self::invalid("unused_reference", sentence),
            Runs::Unreadable(_) => Self::invalid("unreadable", sentence),
            Runs::TooManyTogether(_) => Self::invalid("too_many_files", sentence),
            Runs::NoSuchColumn(_) => Self::invalid("no_such_column", sentence),
            Runs::LongNote(_) => Self::invalid("long_note", sentence),
            Runs::BadName(_) => Self::invalid("bad_name", sentence),
            Runs::TooFarAhead => Self::invalid("too_far_ahead", sentence),
            Runs::Begun => Self::Conflict {
                code: "begun",
                sentence,
            },
            Runs::Changed(_) => Self::Conflict {
                code: "recipe_changed",
                sentence,
            },
            Runs::Latest(_) => Self::Conflict {
                code: "latest_revision",
                sentence,
            },
            Runs::NotReady(_) => Self::Conflict {
                code: "not_ready",
                sentence,
            },
            Runs::Archive(_) => Self::Conflict {
                code: "archive",
                sentence,
            },
            Runs::KeyReused => Self::invalid("key_reused", sentence),
            Runs::Ended(_) | Runs::TaskEnded => Self::Conflict {
                code: "ended",
                sentence,
            },
            Runs::NothingToRetry => Self::Conflict {
                code: "nothing_to_retry",
                sentence,
            },
        }
    }
}

impl From<preview::Error> for Error {
    fn from(error: preview::Error) -> Self {
        use preview::Error as Preview;
        let conflict = |code, sentence: String| Self::Conflict { code, sentence };
        match error {
            Preview::Refused(sentence) => Self::Invalid {
                code: "no_such_row",
                sentence,
                problems: Vec::new(),
            },
            Preview::TooMuch(sentence) => conflict("too_much", sentence),
            Preview::NoResult => conflict("no_result", error.to_string()),
            Preview::Missing | Preview::Gone => conflict("no_longer_kept", Preview::Gone.to_string()),
            Preview::GivenUp => conflict("given_up", error.to_string()),
            Preview::Database(error) => error.into(),
            Preview::Unavailable(cause) => Self::Unavailable(cause),
            Preview::Internal(cause) => Self::Internal(cause),
        }
    }
}

/// What came with a form of which nothing was taken: what became of each file says why.
pub(super) fn all_refused(views: &impl Serialize) -> HttpResponse {
    HttpResponse::UnprocessableEntity().json(views)
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Unavailable(_) => Self::Unavailable(error.to_string()),
            storage::Error::Missing(_) | storage::Error::BadKey(_) => Self::Internal(error.to_string()),
        }
    }
}

/// Logs what is ours to mend and gives each problem its reference. Whatever actix itself refuses becomes a problem too.
pub(super) async fn explain(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let reference = request.extensions().get::<RequestId>().copied();
    let response = next.call(request).await?.map_into_boxed_body();
    let Some(cause) = response.response().error() else {
        return Ok(response);
    };
    let explained = match cause.as_error::<Error>() {
        Some(error) => {
            match error {
                Error::Internal(cause) => tracing::error!(cause, "a call failed"),
                Error::Unavailable(cause) => tracing::warn!(cause, "a call found something away"),
                _ => tracing::debug!(cause = %error, "a call was refused"),
            }
            error.response(reference)
        }
        None => {
            tracing::debug!(%cause, "a call was refused");
            of_actix(response.status()).response(reference)
        }
    };
    Ok(response.into_response(explained))
}

/// What actix refuses before a handler is asked.
fn of_actix(status: StatusCode) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::NotFound("address"),
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge("The body is larger than this call takes.".to_owned()),
        status if status.is_client_error() => Error::invalid(
            "not_understood",
            "The call is not as the OpenAPI document at /api/v1/openapi.json describes it.",
        ),
        _ => Error::Internal(format!("actix answered {status}")),
    }
}
