//! The attempts that this worker holds, and how each is told to stop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::database::tasks::Fence;
use crate::domain::ids::TaskId;

/// Why an attempt is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody cancelled the task.
    Cancelled,
    /// The worker stops in peace.
    Interrupted,
    /// The task is another worker's now.
    Fenced,
}

/// All attempts of a worker.
#[derive(Clone, Debug, Default)]
pub struct Held(Arc<Mutex<HashMap<TaskId, Entry>>>);

#[derive(Clone, Debug)]
struct Entry {
    fence: Fence,
    stop: CancellationToken,
    why: Arc<OnceLock<Why>>,
}

impl Held {
    /// Holds an attempt until the answer is dropped.
    #[must_use]
    pub fn hold(&self, fence: Fence) -> Holding {
        let entry = Entry {
            fence,
            stop: CancellationToken::new(),
            why: Arc::default(),
        };
        self.entries().insert(fence.task, entry.clone());
        Holding {
            held: self.clone(),
            entry,
        }
    }

    /// The tasks that are held.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskId> {
        self.entries().keys().copied().collect()
    }

    /// Tells the attempt at a task to stop, if it is here; the first reason counts.
    pub fn stop(&self, task: TaskId, why: Why) {
        if let Some(entry) = self.entries().get(&task) {
            entry.stop(why);
        }
    }

    /// Tells all attempts to stop.
    pub fn stop_all(&self, why: Why) {
        self.entries().values().for_each(|entry| entry.stop(why));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TaskId, Entry>> {
        // A map is never left half changed: who panicked while holding it did no harm.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn stop(&self, why: Why) {
        let _too_late_to_matter = self.why.set(why);
        self.stop.cancel();
    }
}

/// One held attempt. Its lease is renewed until this is dropped.
#[derive(Debug)]
pub struct Holding {
    held: Held,
    entry: Entry,
}

impl Holding {
    /// Cancelled when the attempt shall stop.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.entry.stop
    }

    /// Why it shall stop; `None`: it shall not.
    #[must_use]
    pub fn why(&self) -> Option<Why> {
        self.entry.why.get().copied()
    }

    /// Tells it to stop from within.
    pub fn give_up(&self, why: Why) {
        self.entry.stop(why);
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut entries = self.held.entries();
        // The same task may have been claimed anew by this very worker.
        if entries
            .get(&self.entry.fence.task)
            .is_some_and(|entry| entry.fence == self.entry.fence)
        {
            entries.remove(&self.entry.fence.task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::BootId;

    #[test]
    fn the_first_reason_to_stop_counts_and_a_dropped_holding_is_not_held() {
        let held = Held::default();
        let task = TaskId::new();
        let holding = held.hold(Fence {
            task,
            attempt: 1,
            boot: BootId::new(),
        });
        assert_eq!((held.tasks(), holding.why()), (vec![task], None));
        held.stop(task, Why::Cancelled);
        held.stop_all(Why::Interrupted);
        assert!(holding.stop().is_cancelled());
        assert_eq!(holding.why(), Some(Why::Cancelled));
        drop(holding);
        assert_eq!(held.tasks(), []);
    }

    #[test]
    fn an_old_holding_does_not_let_go_of_a_newer_one_of_the_same_task() {
        let (held, task, boot) = (Held::default(), TaskId::new(), BootId::new());
        let old = held.hold(Fence { task, attempt: 1, boot });
        let _new = held.hold(Fence { task, attempt: 2, boot });
        drop(old);
        assert_eq!(held.tasks(), [task]);
    }
}
