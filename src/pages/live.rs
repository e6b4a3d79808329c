//! Live pages: one stream of fragments a page, each rendered by the template that the page itself used.
//!
//! A stream begins with a snapshot of all fragments, so it does not matter what was missed before (`Last-Event-ID` needs
//! no answer of its own). What is heard on the bus is a hint to look at the database again, at most once a second; what
//! has not changed is not sent. A stream ends when its session does.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::gate::Session;
use super::{PageError, Pages};
use crate::events::{Heard, Seat};

/// Proxies close what is silent for a minute; and so long a stream may outlive its session.
const PING: Duration = Duration::from_secs(10);
/// Faster than this nobody reads.
const PACE: Duration = Duration::from_secs(1);

/// A part of a page that is replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// The id of the element whose content it is.
    pub id: &'static str,
    /// The content.
    pub html: String,
}

/// What a page shows now.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// Its live fragments.
    pub fragments: Vec<Fragment>,
    /// Rises with every change; the stream's event id.
    pub version: i64,
    /// Whether the page looks different altogether now and has to be loaded again; the stream ends with it.
    pub reload: bool,
}

/// A page that is live.
pub(super) trait Live: 'static {
    /// Whether something heard may have changed what it shows.
    fn concerns(&self, heard: &Heard) -> bool;

    /// What it shows now, from the database.
    fn snapshot(&mut self) -> impl Future<Output = Result<Snapshot, PageError>>;
}

/// Answers with a page's stream. The first look happens before, so that what is not there is a 404 and not a broken stream.
pub(super) async fn stream(
    request: &HttpRequest,
    pages: &web::Data<Pages>,
    session: &Session,
    page: impl Live,
) -> Result<HttpResponse, PageError> {
    let seat = pages.seats.take(session.user());
    let seat = seat.ok_or(PageError::TooMany(PING.as_secs()))?;
    let cookie = request
        .cookie(pages.cookie_name())
        .map(|it| it.value().to_owned())
        .unwrap_or_default();
    let heard = pages.bus.subscribe();
    let now = Instant::now();
    let mut state = State {
        page,
        pages: pages.clone(),
        cookie,
        heard,
        sent: Vec::new(),
        look_at: None,
        first: None,
        looked_at: now,
        next_ping: now + PING,
        over: false,
        _seat: seat,
    };
    match state.page.snapshot().await {
        Ok(snapshot) => state.first = state.changes_to(snapshot),
        // The page stands, and the stream says when there is more to say.
        Err(PageError::Unavailable(_)) => state.look_soon(),
        Err(error) => return Err(error),
    }
    let body = stream::unfold(state, |state| async move {
        state
            .next()
            .await
            .map(|(bytes, state)| (Ok::<_, PageError>(bytes), state))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compressing or collecting it would hold back what is live.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body_of(body)))
}

/// Names the type that actix wants.
fn body_of<S: Stream<Item = Result<web::Bytes, PageError>>>(stream: S) -> S {
    stream
}

struct State<L> {
    page: L,
    pages: web::Data<Pages>,
    cookie: String,
    heard: Receiver<Arc<Heard>>,
    sent: Vec<Fragment>,
    /// What was seen before the stream began.
    first: Option<web::Bytes>,
    /// When to look at the database next, if there is a reason to.
    look_at: Option<Instant>,
    looked_at: Instant,
    next_ping: Instant,
    over: bool,
    _seat: Seat,
}

impl<L: Live> State<L> {
    /// Waits for the next thing to send. `None` ends the stream.
    async fn next(mut self) -> Option<(web::Bytes, Self)> {
        loop {
            if let Some(bytes) = self.first.take() {
                return Some((bytes, self));
            }
            if self.over {
                return None;
            }
            let look_at = self.look_at;
            tokio::select! {
                heard = self.heard.recv() => match heard {
                    Ok(heard) => if self.page.concerns(&heard) { self.look_soon(); },
                    Err(RecvError::Lagged(_)) => self.look_soon(),
                    // The process stops: the browser comes back to the next one.
                    Err(RecvError::Closed) => return None,
                },
                () = until(look_at) => {
                    self.look_at = None;
                    self.looked_at = Instant::now();
                    if let Some(bytes) = self.changes().await? {
                        return Some((bytes, self));
                    }
                },
                () = tokio::time::sleep_until(self.next_ping) => {
                    self.next_ping += PING;
                    // The page may show times and speeds that nothing announces.
                    self.look_soon();
                    match self.pages.accounts.session(&self.cookie).await {
                        Ok(Some(_)) => return Some((web::Bytes::from_static(b": ping\n\n"), self)),
                        // Signed out here or elsewhere. A database that is away says nothing of that.
                        Ok(None) => return None,
                        Err(_) => return Some((web::Bytes::from_static(b": waiting\n\n"), self)),
                    }
                },
            }
        }
    }

    /// At once where nothing was looked at for a while: what is short is not over before it shows.
    fn look_soon(&mut self) {
        let earliest = self.looked_at + PACE;
        self.look_at.get_or_insert_with(|| earliest.max(Instant::now()));
    }

    /// The fragments that differ from what was sent last, as one message. The outer `None` ends the stream.
    async fn changes(&mut self) -> Option<Option<web::Bytes>> {
        let snapshot = match self.page.snapshot().await {
            Ok(snapshot) => snapshot,
            Err(PageError::Unavailable(_)) => {
                self.look_soon();
                return Some(None);
            }
            // What it showed is gone: loading the page again says so.
            Err(_) => Snapshot {
                reload: true,
                ..Snapshot::default()
            },
        };
        Some(self.changes_to(snapshot))
    }

    fn changes_to(&mut self, snapshot: Snapshot) -> Option<web::Bytes> {
        let changed: Vec<&Fragment> = snapshot.fragments.iter().filter(|it| !self.sent.contains(it)).collect();
        if changed.is_empty() && !snapshot.reload {
            return None;
        }
        let bytes = message(&changed, &snapshot);
        self.over = snapshot.reload;
        self.sent = snapshot.fragments;
        Some(bytes)
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// htmx puts the content of each `hx-partial` into its target; morphing keeps focus, selection and open menus.
fn message(changed: &[&Fragment], snapshot: &Snapshot) -> web::Bytes {
    let mut text = String::new();
    if !changed.is_empty() {
        text.push_str(&format!("id: {}\n", snapshot.version));
        for fragment in changed {
            text.push_str(&format!(
                "data: <hx-partial hx-target=\"#{}\" hx-swap=\"innerMorph\">\n",
                fragment.id
            ));
            for line in fragment.html.lines() {
                text.push_str("data: ");
                text.push_str(line);
                text.push('\n');
            }
            text.push_str("data: </hx-partial>\n");
        }
        text.push('\n');
    }
    if snapshot.reload {
        text.push_str("event: reload\ndata: now\n\n");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_holds_each_changed_fragment_and_says_when_to_reload() {
        let fragment = Fragment {
            id: "now",
            html: "<p>a\nb</p>".to_owned(),
        };
        let snapshot = Snapshot {
            fragments: vec![fragment.clone()],
            version: 7,
            reload: true,
        };
        let text = String::from_utf8(message(&[&fragment], &snapshot).to_vec()).expect("a message is text");
        assert_eq!(
            text,
            "id: 7\ndata: <hx-partial hx-target=\"#now\" hx-swap=\"innerMorph\">\ndata: <p>a\ndata: b</p>\n\
             data: </hx-partial>\n\nevent: reload\ndata: now\n\n"
        );
    }
}
