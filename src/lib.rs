//! Sheetmill: a self-hosted mill for spreadsheets.
//!
//! ```text
//! browser ──multipart──▶ upload ──▶ storage (blob by sha256)
//!                           └─ one transaction: file + ingest + task + ticket + event
//! ticket ──▶ worker ──claims a task──▶ child process: calamine reads the sheets in chunks
//!                                         └─▶ Parquet parts + table.json (types, profile) ──▶ storage
//! recipe ──▶ DataFusion plan over the parts, in a child ──▶ kept rows, rejected rows, ledger
//!       └─ preview: the same plan in a warm child, on real rows, at once
//! worker ──▶ what the child wrote ──▶ storage ──▶ artifact row ──▶ link
//! every change of state ──▶ event in the same transaction ──▶ Postgres NOTIFY ──▶ SSE ──▶ page fragment
//! ```
//!
//! What holds everywhere; most are absences:
//!
//! * The engine knows nothing of users, runs, network or time.
//! * A ticket may be delivered twice or never.
//! * A change of state, the task it causes and the event that tells of it share one transaction.
//! * Only `pages/error.rs` and `api/error.rs` pick a status code; only `worker/retry.rs` decides retry or dead.
//! * Internal error text never reaches a page.
//! * Only `settings` reads the environment, only `app` starts long-lived tasks, only `domain::clock` asks the time;
//!   leases and schedules use the database's.
//! * An event is a hint, the database is the truth.
//! * A server process reads at most 8 KiB of an upload itself, evaluates no user expression, opens only our own parts.
//!
//! The modules, in reading order:

pub mod accounts;
pub mod api;
pub mod app;
pub mod chains;
pub mod cli;
pub mod database;
pub mod domain;
pub mod events;
pub mod pages;
pub mod preview;
pub mod queue;
pub mod readings;
pub mod runs;
pub mod sandbox;
pub mod schedules;
pub mod settings;
pub mod storage;
pub mod telemetry;
pub mod upload;
pub mod worker;
