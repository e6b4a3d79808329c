//! The product as its users meet it: real Postgres, real storage, real processes.

#![allow(
    dead_code,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests fail aloud, print what they measured, see the machine as it is, and speak with verbs that not each of them needs"
)]

mod accounts;
mod api;
mod archives;
mod bad_inputs;
mod browser;
mod by_menu;
mod chains;
mod checking;
mod clean_up;
mod client;
mod column_menu;
mod columns;
mod corpus;
mod crashes;
mod desk;
mod doors;
mod first_light;
mod garage;
mod guide;
mod hostile;
mod interleavings;
mod jobs;
mod library;
mod memory;
mod orders;
mod other_tables;
mod postgres;
mod previews;
mod private_postgres;
mod probes;
mod processes;
mod provenance;
mod references;
mod reuse;
mod revisions;
mod runs;
mod sandbox;
mod schedule_page;
mod schedules;
mod storage;
mod suggested;
mod tasks;
mod terminal;
mod test_app;
mod undertaker;
mod uploads;
mod visitor;
mod wait;
mod workbook;
