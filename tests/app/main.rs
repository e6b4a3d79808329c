//! The product as its users meet it: real Postgres, real storage, real processes.

mod accounts;
mod garage;
mod jobs;
mod postgres;
mod private_postgres;
mod sandbox;
mod storage;
mod tasks;
mod undertaker;
mod uploads;
mod wait;
