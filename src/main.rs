//! The table of commands: reads the command line and hands over.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use sheetmill::app::{self, Halves};
use sheetmill::domain::states::Role;
use sheetmill::settings::Overrides;
use sheetmill::{cli, sandbox};
use sheetmill_engine::order;

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
    /// Applies a recipe to files.
    Run(cli::run::Arguments),
    /// Writes a file in another format, by the ending of PATH.
    Convert(cli::convert::Arguments),
    /// Says what is in a file: sheets, columns, types, oddities.
    Inspect(cli::inspect::Arguments),
    /// Prints every filled cell as read, one JSON object a row.
    Cells(cli::cells::Arguments),
    /// Works on recipes.
    #[command(subcommand)]
    Recipe(cli::recipe::Command),
    /// Brings the database to this version.
    Migrate(Folder),
    /// Works on accounts.
    #[command(subcommand)]
    User(User),
    /// Says in words what is missing or misconfigured.
    Doctor(Folder),
    /// Works on one order after another, within limits; started by the others.
    #[command(hide = true)]
    Child,
}

#[derive(Debug, Subcommand)]
enum User {
    /// Creates an account and prints a one-time link that signs in.
    Add {
        /// The e-mail address to sign in with.
        email: String,
        /// The account may see and steer everything.
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        folder: Folder,
    },
    /// Prints a new API token of an account; it is shown once.
    Token {
        /// The account's e-mail address.
        email: String,
        #[command(flatten)]
        folder: Folder,
    },
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

/// Where data is.
#[derive(Debug, Args)]
struct Folder {
    /// The data folder [env: SHEETMILL_DATA].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl From<Folder> for Overrides {
    fn from(folder: Folder) -> Self {
        Self {
            data: folder.data,
            listen: None,
        }
    }
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
        Command::Run(arguments) => cli::run::main(&arguments),
        Command::Convert(arguments) => cli::convert::main(&arguments),
        Command::Inspect(arguments) => cli::inspect::main(&arguments),
        Command::Cells(arguments) => cli::cells::main(&arguments),
        Command::Recipe(command) => cli::recipe::main(&command),
        Command::Migrate(folder) => app::chores::migrate(folder.into()),
        Command::User(User::Add { email, admin, folder }) => {
            let role = if admin { Role::Admin } else { Role::Member };
            app::chores::add_user(folder.into(), &email, role)
        }
        Command::User(User::Token { email, folder }) => app::chores::add_token(folder.into(), &email),
        Command::Doctor(folder) => app::doctor::main(folder.into()),
        Command::Child => sandbox::child::main(order::execute_warm),
    }
}
