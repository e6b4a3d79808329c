//! The table of commands: reads the command line and hands over.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sheetmill::app::{self, Halves};
use sheetmill::settings::Overrides;

/// A self-hosted mill for spreadsheets.
#[derive(Debug, Parser)]
#[command(name = "sheetmill", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything on this machine; what happens without a command, too.
    Up(Place),
    /// Runs the web half: pages and API.
    Serve(Place),
    /// Runs the worker half.
    Work(Place),
}

/// Where data is and where to listen.
#[derive(Debug, Args)]
struct Place {
    /// The data folder [env: SHEETMILL_DATA].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port; port 0 takes a free one [env: SHEETMILL_LISTEN].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl From<Place> for Overrides {
    fn from(place: Place) -> Self {
        Self {
            data: place.data,
            listen: place.listen,
        }
    }
}

fn main() -> ExitCode {
    let everything = Command::Up(Place {
        data: None,
        listen: None,
    });
    match CommandLine::parse().command.unwrap_or(everything) {
        Command::Up(place) => app::main(place.into(), Halves::Both),
        Command::Serve(place) => app::main(place.into(), Halves::Web),
        Command::Work(place) => app::main(place.into(), Halves::Worker),
    }
}
