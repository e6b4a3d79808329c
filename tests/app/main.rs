//! The product as its users meet it: real Postgres, real storage, real processes.

mod accounts;
mod api;
mod client;
mod garage;
mod interleavings;
mod jobs;
mod orders;
mod postgres;
mod private_postgres;
mod probes;
mod processes;
mod sandbox;
mod storage;
mod tasks;
mod terminal;
mod test_app;
mod undertaker;
mod uploads;
mod wait;
