//! The product as its users meet it: real Postgres, real storage, real processes.

mod accounts;
mod client;
mod garage;
mod interleavings;
mod jobs;
mod postgres;
mod private_postgres;
mod probes;
mod processes;
mod sandbox;
mod storage;
mod tasks;
mod test_app;
mod undertaker;
mod uploads;
mod wait;
