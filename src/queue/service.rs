//! The service that apalis calls with each ticket. It is ready only while a slot is free.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use apalis::prelude::Task;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;
use tower_service::Service;

use super::Ticket;

/// The right to run one task of a queue; dropping it makes room for the next ticket.
#[derive(Debug)]
pub struct Slot(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Slot {
    /// One of these slots, if one is free: for work that needs no ticket.
    #[must_use]
    pub fn of(slots: &Arc<Semaphore>) -> Option<Self> {
        Arc::clone(slots).try_acquire_owned().ok().map(Self)
    }
}

/// Calls a handler with a slot for each ticket.
pub(super) struct Tickets<H> {
    slots: PollSemaphore,
    next: Option<Slot>,
    handler: H,
}

impl<H: Clone> Clone for Tickets<H> {
    fn clone(&self) -> Self {
        Self {
            slots: self.slots.clone(),
            next: None,
            handler: self.handler.clone(),
        }
    }
}

impl<H> Tickets<H> {
    pub(super) fn new(slots: Arc<Semaphore>, handler: H) -> Self {
        Self {
            slots: PollSemaphore::new(slots),
            next: None,
            handler,
        }
    }
}

impl<H, F> Service<Task<Ticket>> for Tickets<H>
where
    H: Fn(Slot) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    type Response = ();
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.next.is_some() {
            return Poll::Ready(Ok(()));
        }
        match self.slots.poll_acquire(cx) {
            Poll::Ready(Some(permit)) => {
                self.next = Some(Slot(permit));
                Poll::Ready(Ok(()))
            }
            // A closed semaphore: the worker stops, and its consumer with it.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn call(&mut self, _ticket: Task<Ticket>) -> Self::Future {
        match self.next.take() {
            Some(slot) => {
                let handled = (self.handler)(slot);
                Box::pin(async move {
                    handled.await;
                    Ok(())
                })
            }
            // Called without being ready: a lost ticket, and the sweeper pushes another.
            None => Box::pin(async { Ok(()) }),
        }
    }
}
