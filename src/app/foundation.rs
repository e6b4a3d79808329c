//! What both halves stand on: the database, storage and accounts.

use std::sync::Arc;

use super::Error;
use crate::accounts::Accounts;
use crate::database::private::PrivatePostgres;
use crate::database::{self, DatabaseSettings, Pool};
use crate::queue;
use crate::settings::{DatabasePlace, Settings};
use crate::storage::{FolderStorage, S3Storage, Storage};

/// The database, storage and accounts of an installation.
#[derive(Debug)]
pub(super) struct Foundation {
    pub(super) pool: Pool,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) accounts: Accounts,
    /// The Postgres that this process runs, where it runs one.
    private: Option<PrivatePostgres>,
}

impl Foundation {
    /// Starts or finds everything and brings the database to this version. The private Postgres belongs to whoever holds
    /// the data folder, so a second process on it ends here.
    pub(super) async fn lay(settings: &Settings) -> Result<Self, Error> {
        let (url, private) = match &settings.database {
            DatabasePlace::At(url) => (url.clone(), None),
            DatabasePlace::Private(bin) => {
                let private = PrivatePostgres::start(&settings.data, bin.as_deref()).await?;
                (private.url().into(), Some(private))
            }
        };
        Self::on(settings, url, private).await
    }

    /// As [`Foundation::lay`], and beside a process that holds the data folder already: for chores.
    pub(super) async fn join(settings: &Settings) -> Result<Self, Error> {
        if let DatabasePlace::Private(_) = settings.database
            && let Some(url) = PrivatePostgres::join(&settings.data).await?
        {
            return Self::on(settings, url.into(), None).await;
        }
        Self::lay(settings).await
    }

    async fn on(
        settings: &Settings,
        url: secrecy::SecretString,
        private: Option<PrivatePostgres>,
    ) -> Result<Self, Error> {
        let database = DatabaseSettings {
            max_connections: settings.database_connections,
            ..DatabaseSettings::new(url)
        };
        let pool = database::connect(&database).await.map_err(Error::Database)?;
        database::migrate(&pool).await.map_err(Error::Database)?;
        queue::set_up(&pool).await?;
        let storage: Arc<dyn Storage> = match &settings.s3 {
            Some(s3) => Arc::new(S3Storage::new(s3)),
            None => Arc::new(FolderStorage::open(&settings.data.join("storage"))?),
        };
        let accounts = Accounts::new(pool.clone(), settings.accounts.clone())?;
        Ok(Self {
            pool,
            storage,
            accounts,
            private,
        })
    }

    /// Lets go of everything, Postgres last.
    pub(super) async fn leave(self) {
        self.pool.close().await;
        if let Some(private) = self.private {
            private.stop().await;
        }
    }
}
