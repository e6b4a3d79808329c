//! How many streams one person may hold open in this process: each keeps a connection and looks at the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::UserId;

/// Browsers close the streams of hidden tabs, so ten are many.
const SEATS: usize = 10;

/// The seats of all people at one front. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Seats(Arc<Mutex<HashMap<UserId, usize>>>);

/// One stream of a person; given back when dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    user: UserId,
}

impl Seats {
    /// A seat for one more stream; `None` when all of this person's are taken.
    #[must_use]
    pub fn take(&self, user: UserId) -> Option<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = taken.entry(user).or_default();
        if *mine >= SEATS {
            return None;
        }
        *mine += 1;
        Some(Seat {
            seats: self.clone(),
            user,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = taken.get_mut(&self.user) {
            *mine -= 1;
            if *mine == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_so_many_seats_and_gets_them_back() {
        let (seats, kim, lee) = (Seats::default(), UserId::new(), UserId::new());
        let held: Vec<Seat> = (0..SEATS).filter_map(|_| seats.take(kim)).collect();
        assert_eq!(held.len(), SEATS);
        assert!(seats.take(kim).is_none() && seats.take(lee).is_some());
        drop(held);
        assert!(seats.take(kim).is_some());
    }
}
