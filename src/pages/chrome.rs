//! What every page has around it: who looks, in which theme, where they are.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};

use super::gate::Session;

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// Who looks; `None`: nobody is signed in.
    pub user: Option<Who>,
    /// `light` or `dark` where the reader has chosen; `None` follows the system.
    pub theme: Option<&'static str>,
    /// What forms carry; empty where there is no form to send.
    pub csrf: String,
    /// The part of the house that the navigation marks.
    pub here: &'static str,
    /// Where small forms come back to.
    pub back: String,
    /// The time the page was made at, which relative times refer to.
    pub now: DateTime<Utc>,
}

/// Who looks.
#[derive(Clone, Debug)]
pub struct Who {
    /// Their name, or their address where they have none.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Whether they see the admin's part.
    pub admin: bool,
}

/// The cookie that holds the reader's choice of theme; scripts may read it.
pub(super) const THEME_COOKIE: &str = "sheetmill_theme";

impl Chrome {
    /// The frame for somebody who is signed in.
    #[must_use]
    pub(super) fn of(request: &HttpRequest, session: &Session, here: &'static str, now: DateTime<Utc>) -> Self {
        let name = if session.name.is_empty() {
            &session.email
        } else {
            &session.name
        };
        let who = Who {
            name: name.clone(),
            email: session.email.clone(),
            admin: session.is_admin(),
        };
        Self {
            user: Some(who),
            csrf: session.csrf_token(),
            here,
            ..Self::outside(request, String::new(), now)
        }
    }

    /// The frame for somebody at the door.
    #[must_use]
    pub(super) fn outside(request: &HttpRequest, csrf: String, now: DateTime<Utc>) -> Self {
        let theme = request.cookie(THEME_COOKIE).and_then(|cookie| theme(cookie.value()));
        let back = request
            .uri()
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string);
        Self {
            user: None,
            theme,
            csrf,
            here: "",
            back,
            now,
        }
    }

    /// What the switch leads to: system, light, dark and round again.
    #[must_use]
    pub fn next_theme(&self) -> &'static str {
        match self.theme {
            None => "light",
            Some("light") => "dark",
            Some(_) => "system",
        }
    }

    /// The switch's icon.
    #[must_use]
    pub fn theme_icon(&self) -> &'static str {
        match self.theme {
            None => "sun-moon",
            Some("light") => "sun",
            Some(_) => "moon",
        }
    }

    /// What the switch says.
    #[must_use]
    pub fn theme_title(&self) -> &'static str {
        match self.theme {
            None => "Theme: as the system",
            Some("light") => "Theme: light",
            Some(_) => "Theme: dark",
        }
    }
}

/// The theme of a word; anything else follows the system.
pub(super) fn theme(word: &str) -> Option<&'static str> {
    ["light", "dark"].into_iter().find(|it| *it == word)
}
