//! `/theme`: light, dark or as the system; kept in a cookie, so that no page ever flashes in the wrong one.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::Pages;
use super::chrome::{THEME_COOKIE, theme};
use super::gate::DoorForm;
use super::sign_in::own_path;

/// What the form holds.
#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    theme: String,
    #[serde(default)]
    back: String,
}

/// `POST /theme`
pub(super) async fn choose(pages: web::Data<Pages>, form: DoorForm<Fields>) -> HttpResponse {
    let chosen = theme(&form.0.theme);
    let cookie = Cookie::build(THEME_COOKIE, chosen.unwrap_or_default())
        .path("/")
        .secure(pages.settings.https)
        .same_site(SameSite::Lax)
        .max_age(if chosen.is_some() {
            CookieDuration::days(365)
        } else {
            CookieDuration::ZERO
        })
        .finish();
    HttpResponse::SeeOther()
        .insert_header((LOCATION, own_path(&form.0.back).to_owned()))
        .cookie(cookie)
        .finish()
}
