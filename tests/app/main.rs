//! The product as its users meet it: real Postgres, real storage, real processes.

mod accounts;
mod garage;
mod postgres;
mod private_postgres;
mod storage;
mod undertaker;
mod uploads;
mod wait;
