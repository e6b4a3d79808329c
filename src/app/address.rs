//! The addresses that people are told.

use std::net::SocketAddr;
use std::path::Path;

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

/// The file in the data folder that says where a web half listened last, for chores at the terminal.
const FILE: &str = "address";

/// Remembers where it listens. It is a convenience: where it cannot be written, nothing is lost.
pub(super) fn remember(data: &Path, listening: SocketAddr) {
    if let Err(error) = std::fs::write(data.join(FILE), format!("{listening}\n")) {
        tracing::debug!(%error, "the address is not remembered");
    }
}

/// Where a web half on this data folder listened last.
pub(super) fn remembered(data: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(data.join(FILE)).ok()?.trim().parse().ok()
}

/// The host of the public address, as browsers name it in `Origin`; `None` where none is set.
pub(super) fn public_host(settings: &Settings) -> Option<String> {
    let url = settings.web.public_url.as_ref()?;
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
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
        assert_eq!(public_host(&settings).as_deref(), Some("mill.example.org"));
    }

    #[test]
    fn chores_know_where_it_listened_last() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(remembered(folder.path()), None);
        remember(folder.path(), "127.0.0.1:18080".parse().expect("an address"));
        let told = public(&Settings::at(folder.path().to_owned()), remembered(folder.path()));
        assert_eq!(told, "http://127.0.0.1:18080");
    }
}
