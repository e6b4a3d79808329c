//! Who calls: a bearer token, looked up for every call, so that a revoked one ends at once.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use secrecy::{ExposeSecret, SecretString};

use super::{Api, Error};
use crate::accounts;
use crate::domain::ids::{RequestId, UserId};

/// The caller of a call.
#[derive(Clone, Debug)]
pub(super) struct Bearer {
    /// Whose token it is.
    pub(super) user: UserId,
    /// The id that follows this call.
    pub(super) request: RequestId,
    token: SecretString,
}

impl Bearer {
    /// Whether the token is good now. A database that is away says nothing of that.
    pub(super) async fn is_still_good(&self, api: &Api) -> bool {
        !matches!(api.accounts.bearer(self.token.expose_secret()).await, Ok(None))
    }
}

impl FromRequest for Bearer {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let api = request.app_data::<web::Data<Api>>().cloned();
        let token = token(request);
        let id = request
            .extensions()
            .get::<RequestId>()
            .copied()
            .unwrap_or_else(RequestId::new);
        Box::pin(async move {
            let api = api.ok_or_else(|| Error::Internal("the API has no context".to_owned()))?;
            let token = token.ok_or(Error::Unauthorized)?;
            let caller = api
                .accounts
                .bearer(token.expose_secret())
                .await?
                .ok_or(Error::Unauthorized)?;
            Ok(Self {
                user: caller.user,
                request: id,
                token,
            })
        })
    }
}

fn token(request: &HttpRequest) -> Option<SecretString> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().into())
}

impl From<accounts::Error> for Error {
    fn from(error: accounts::Error) -> Self {
        match error {
            accounts::Error::Database(error) => error.into(),
            other => Self::Internal(other.to_string()),
        }
    }
}
