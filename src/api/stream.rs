//! Streams for programs: what has changed, as server-sent events, until there is nothing more to come.
//!
//! What is heard on the bus is a hint to look at the database again, at most once a second. A batch ends with a `state`
//! whose id is the version it shows: who comes back with it in `Last-Event-ID` has seen all of that batch.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use super::caller::Bearer;
use super::{Api, Error};
use crate::events::{Heard, Seat};

/// Proxies close what is silent for a minute; and so long a stream may outlive its token.
const PING: Duration = Duration::from_secs(10);
/// Progress is told at most so often.
const PACE: Duration = Duration::from_secs(1);

/// Something that can be followed.
pub(super) trait Followed: 'static {
    /// Whether something heard may have changed it.
    fn concerns(&self, heard: &Heard) -> bool;

    /// What is new since the last look, in the order to be told.
    fn look(&mut self, api: &Api) -> impl Future<Output = Result<Vec<Message>, Error>>;

    /// Whether nothing more will come.
    fn is_over(&self) -> bool;
}

/// One event of a stream.
#[derive(Debug)]
pub(super) struct Message(web::Bytes);

impl Message {
    /// An event with data in JSON; with an id where a client may come back after it.
    pub(super) fn new(event: &str, id: Option<i64>, data: &impl Serialize) -> Result<Self, Error> {
        let data = serde_json::to_string(data).map_err(|cause| Error::Internal(cause.to_string()))?;
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        Ok(Self(web::Bytes::from(format!("event: {event}\n{id}data: {data}\n\n"))))
    }
}

/// The version that a client has seen already.
pub(super) fn last_seen(request: &HttpRequest) -> Option<i64> {
    request
        .headers()
        .get("last-event-id")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Answers with a stream. The first look happens before, so that what is not there is a 404 and not a broken stream;
/// where it has nothing to tell and nothing will come, the answer is 204, which tells a client not to come back.
pub(super) async fn follow(
    api: web::Data<Api>,
    caller: Bearer,
    mut followed: impl Followed,
) -> Result<HttpResponse, Error> {
    let seat = api.seats.take(caller.user);
    let seat = seat.ok_or(Error::TooMany(PING.as_secs()))?;
    let heard = api.bus.subscribe();
    let waiting: VecDeque<Message> = followed.look(&api).await?.into();
    if waiting.is_empty() && followed.is_over() {
        return Ok(HttpResponse::NoContent().finish());
    }
    let next_ping = Instant::now() + PING;
    let state = State {
        api,
        caller,
        followed,
        heard,
        waiting,
        look_at: None,
        looked_at: Instant::now(),
        next_ping,
        _seat: seat,
    };
    let body = unfold(state, |state| async move {
        state.next().await.map(|(bytes, state)| (Ok::<_, Error>(bytes), state))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Compressing or collecting it would hold back what is live.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body))
}

struct State<F> {
    api: web::Data<Api>,
    caller: Bearer,
    followed: F,
    heard: Receiver<Arc<Heard>>,
    waiting: VecDeque<Message>,
    /// When to look next, where there is a reason to.
    look_at: Option<Instant>,
    looked_at: Instant,
    next_ping: Instant,
    _seat: Seat,
}

impl<F: Followed> State<F> {
    /// The next bytes; `None` ends the stream.
    async fn next(mut self) -> Option<(web::Bytes, Self)> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some((message.0, self));
            }
            if self.followed.is_over() {
                return None;
            }
            let look_at = self.look_at;
            tokio::select! {
                heard = self.heard.recv() => match heard {
                    Ok(heard) if !self.followed.concerns(&heard) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => self.look_soon(),
                    // The process stops: the client comes back to the next one.
                    Err(RecvError::Closed) => return None,
                },
                () = until(look_at) => {
                    self.look_at = None;
                    self.looked_at = Instant::now();
                    match self.followed.look(&self.api).await {
                        Ok(news) => self.waiting.extend(news),
                        Err(Error::Unavailable(_)) => self.look_soon(),
                        // It is gone, or ours to mend: a client that comes back is told which.
                        Err(_) => return None,
                    }
                },
                () = sleep_until(self.next_ping) => {
                    self.next_ping += PING;
                    self.look_soon();
                    if self.caller.is_still_good(&self.api).await {
                        return Some((web::Bytes::from_static(b": ping\n\n"), self));
                    }
                    return None;
                },
            }
        }
    }

    fn look_soon(&mut self) {
        let earliest = self.looked_at + PACE;
        self.look_at.get_or_insert_with(|| earliest.max(Instant::now()));
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_block_with_its_id() {
        let message = Message::new("state", Some(7), &"a\nb").expect("it has a JSON form");
        assert_eq!(message.0, "event: state\nid: 7\ndata: \"a\\nb\"\n\n");
    }
}
