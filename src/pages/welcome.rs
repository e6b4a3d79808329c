//! `/welcome`: behind a link that is good once. It makes the first account, or lets somebody choose a password.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use secrecy::SecretString;
use serde::Deserialize;

use super::chrome::Chrome;
use super::gate::DoorForm;
use super::sign_in::{at_the_door, enter};
use super::{PageError, Pages};
use crate::accounts::{self, Invitation, NewAccount, PasswordSettings};

#[derive(Debug, Template)]
#[template(path = "welcome.html")]
struct WelcomePage {
    chrome: Chrome,
    first: bool,
    link: String,
    name: String,
    email: String,
    least: usize,
    wrong: Option<String>,
}

/// The link's secret.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    link: String,
}

/// `GET /welcome?link=…`
pub(super) async fn show(
    request: HttpRequest,
    pages: web::Data<Pages>,
    link: web::Query<Link>,
) -> Result<HttpResponse, PageError> {
    let link = link.into_inner().link;
    page(
        &request,
        &pages,
        Tried {
            link,
            name: String::new(),
            email: String::new(),
            wrong: None,
        },
    )
    .await
}

/// What the form holds.
#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    link: String,
    name: String,
    email: String,
    password: SecretString,
}

/// `POST /welcome`
pub(super) async fn accept(
    request: HttpRequest,
    pages: web::Data<Pages>,
    form: DoorForm<Fields>,
) -> Result<HttpResponse, PageError> {
    let Fields {
        link,
        name,
        email,
        password,
    } = form.0;
    let previous = request.cookie(pages.cookie_name());
    let previous_cookie = previous.as_ref().map(|cookie| cookie.value());
    let account = NewAccount {
        email: &email,
        name: &name,
        password: &password,
        previous_cookie,
    };
    let wrong = match pages.accounts.accept(&link, &account).await {
        Ok(session) => return Ok(enter(&pages, &session, "/")),
        Err(accounts::Error::NotAnAddress) => "This is no email address.".to_owned(),
        Err(accounts::Error::AddressTaken) => {
            "There is an account with this address already. Sign in with it.".to_owned()
        }
        Err(accounts::Error::PasswordTooShort) => {
            format!(
                "The password is too short: at least {} characters.",
                PasswordSettings::SHORTEST
            )
        }
        Err(accounts::Error::PasswordTooLong) => {
            format!(
                "The password is too long: at most {} characters.",
                PasswordSettings::LONGEST
            )
        }
        Err(accounts::Error::LinkSpent) => return Err(spent()),
        Err(other) => return Err(other.into()),
    };
    page(
        &request,
        &pages,
        Tried {
            link,
            name,
            email,
            wrong: Some(wrong),
        },
    )
    .await
}

/// What the form shows again after a mistake.
struct Tried {
    link: String,
    name: String,
    email: String,
    wrong: Option<String>,
}

async fn page(request: &HttpRequest, pages: &Pages, tried: Tried) -> Result<HttpResponse, PageError> {
    let (first, email) = match pages.accounts.invitation(&tried.link).await {
        Ok(Invitation::FirstAccount) => (true, tried.email),
        Ok(Invitation::Account { email }) => (false, email),
        Err(accounts::Error::LinkSpent) => return Err(spent()),
        Err(other) => return Err(other.into()),
    };
    let Tried { link, name, wrong, .. } = tried;
    let least = PasswordSettings::SHORTEST;
    at_the_door(request, pages, |chrome| {
        WelcomePage {
            chrome,
            first,
            link,
            name,
            email,
            least,
            wrong,
        }
        .render()
    })
}

fn spent() -> PageError {
    PageError::Conflict("This link was used already or is too old. Sign in, or ask for a new one.".to_owned())
}
