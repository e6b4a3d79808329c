//! What admins see: tasks with their attempts, queues, schedules, workers. To members there is no such page.

pub(super) mod schedule;
pub(super) mod schedules;
pub(super) mod side;
pub(super) mod task;
pub(super) mod tasks;
pub(super) mod workers;
