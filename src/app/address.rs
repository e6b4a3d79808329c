//! The addresses that people are told.

use std::net::SocketAddr;

use url::Url;

use crate::accounts::Secret;
use crate::settings::Settings;

/// How people reach it: the public address, or the one listened on.
pub(super) fn public(settings: &Settings, listening: Option<SocketAddr>) -> String {
    match &settings.web.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => reachable(listening.unwrap_or(settings.web.listen)),
    }
}

/// Whether people reach it by https.
pub(super) fn is_https(settings: &Settings) -> bool {
    settings
        .web
        .public_url
        .as_ref()
        .is_some_and(|url: &Url| url.scheme() == "https")
}

/// An address that can be opened: "all addresses of this machine" is none, this machine itself is one of them.
fn reachable(listening: SocketAddr) -> String {
    if listening.ip().is_unspecified() {
        format!("http://localhost:{}", listening.port())
    } else {
        format!("http://{listening}")
    }
}

/// The page where a link is good, once.
pub(super) fn welcome(public: &str, link: &Secret) -> String {
    format!("{public}/welcome?link={}", link.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_people_are_told_can_be_opened() {
        let mut settings = Settings::at("/nowhere".into());
        let listening = "0.0.0.0:8080".parse().ok();
        assert_eq!(public(&settings, listening), "http://localhost:8080");
        settings.web.public_url = "https://mill.example.org/".parse().ok();
        assert_eq!(public(&settings, listening), "https://mill.example.org");
        assert!(is_https(&settings));
    }
}
