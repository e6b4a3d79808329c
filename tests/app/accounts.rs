//! Accounts on a real database: first start, sign-in, throttling, sessions, links, tokens.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sheetmill::accounts::{AccountSettings, Accounts, Error, Invitation, NewAccount, NewSession, SignIn};
use sheetmill::database::sign_in_tries::Allowance;
use sheetmill::domain::ids::UserId;
use sheetmill::domain::states::Role;

use crate::postgres::TestDatabase;
use crate::test_app::quick_accounts;

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";

struct Scene {
    database: TestDatabase,
    accounts: Accounts,
}

impl Scene {
    async fn empty() -> Self {
        Self::with(quick_accounts()).await
    }

    async fn with(settings: AccountSettings) -> Self {
        let database = TestDatabase::fresh().await;
        let accounts = Accounts::new(database.pool.clone(), settings).expect("sensible settings");
        Self { database, accounts }
    }

    async fn with_admin() -> (Self, NewSession) {
        let scene = Self::empty().await;
        let link = scene.first_link().await.expect("there is no account");
        let session = scene.accept(&link, PASSWORD).await.expect("the link is good");
        (scene, session)
    }

    async fn first_link(&self) -> Option<String> {
        let link = self.accounts.first_start_link().await.expect("the database answers");
        link.map(|it| it.expose().to_owned())
    }

    async fn accept(&self, link: &str, password: &str) -> Result<NewSession, Error> {
        let account = NewAccount {
            email: EMAIL,
            name: "Ada",
            password: &password.into(),
            previous_cookie: None,
        };
        self.accounts.accept(link, &account).await
    }

    async fn sign_in(&self, email: &str, password: &str, last: u8) -> Result<NewSession, Error> {
        let password: SecretString = password.into();
        let attempt = SignIn {
            email,
            password: &password,
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)),
            previous_cookie: None,
        };
        self.accounts.sign_in(&attempt).await
    }

    async fn user(&self, session: &NewSession) -> Option<UserId> {
        let found = self
            .accounts
            .session(session.cookie.expose())
            .await
            .expect("the database answers");
        found.map(|it| it.caller.user)
    }

    /// How often any of these texts stands anywhere in the tables that deal with secrets.
    async fn finds(&self, secret: &str) -> i64 {
        let mut found = 0;
        for table in ["users", "sessions", "tokens", "sign_in_links", "sign_in_tries"] {
            let query = format!("select count(*) from {table} t where t::text like '%{secret}%'");
            found += self.database.number(&query).await;
        }
        found
    }
}

#[tokio::test]
async fn the_first_link_makes_an_admin_and_is_good_once() {
    let scene = Scene::empty().await;
    let older = scene.first_link().await.expect("there is no account");
    let link = scene.first_link().await.expect("there is still none");
    assert_eq!(
        scene.accounts.invitation(&link).await.expect("good"),
        Invitation::FirstAccount
    );
    assert!(
        matches!(scene.accept(&older, PASSWORD).await, Err(Error::LinkSpent)),
        "only the last one is good"
    );
    assert!(matches!(
        scene.accept(&link, "short").await,
        Err(Error::PasswordTooShort)
    ));

    let session = scene
        .accept(&link, PASSWORD)
        .await
        .expect("a refused password does not spend the link");
    let found = scene
        .accounts
        .session(session.cookie.expose())
        .await
        .expect("answers")
        .expect("lives");
    assert_eq!(
        (found.caller.role, found.email.as_str(), found.name.as_str()),
        (Role::Admin, EMAIL, "Ada")
    );
    assert!(matches!(scene.accept(&link, PASSWORD).await, Err(Error::LinkSpent)));
    assert!(matches!(scene.accounts.invitation(&link).await, Err(Error::LinkSpent)));
    assert_eq!(scene.first_link().await, None, "there is an account now");
}

#[tokio::test]
async fn of_many_who_follow_the_first_link_at_once_one_becomes_admin() {
    let scene = Scene::empty().await;
    let link = scene.first_link().await.expect("there is no account");
    let tries = (0..8).map(|_| scene.accept(&link, PASSWORD));
    let ends = futures_util::future::join_all(tries).await;
    assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1);
    assert_eq!(scene.database.number("select count(*) from users").await, 1);
}

#[tokio::test]
async fn a_right_password_opens_a_session_and_signing_out_ends_it() {
    let (scene, _) = Scene::with_admin().await;
    let session = scene
        .sign_in(" ADA@example.org", PASSWORD, 1)
        .await
        .expect("the password is right");
    assert_eq!(scene.user(&session).await, Some(session.user));
    let found = scene
        .accounts
        .session(session.cookie.expose())
        .await
        .expect("answers")
        .expect("lives");
    scene.accounts.sign_out(&found).await.expect("the database answers");
    assert_eq!(scene.user(&session).await, None);
}

#[tokio::test]
async fn signing_in_replaces_the_session_that_the_browser_had() {
    let (scene, before) = Scene::with_admin().await;
    let password: SecretString = PASSWORD.into();
    let attempt = SignIn {
        email: EMAIL,
        password: &password,
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        previous_cookie: Some(before.cookie.expose()),
    };
    let after = scene.accounts.sign_in(&attempt).await.expect("the password is right");
    assert_ne!(after.cookie.expose(), before.cookie.expose());
    assert_eq!(
        scene.user(&before).await,
        None,
        "a cookie that somebody planted is worth nothing"
    );
    assert!(scene.user(&after).await.is_some());
}

#[tokio::test]
async fn sessions_end_with_time_and_with_the_account() {
    let (scene, session) = Scene::with_admin().await;
    scene
        .database
        .execute("update sessions set last_seen_at = now() - interval '8 days'")
        .await;
    assert_eq!(scene.user(&session).await, None, "not used for a week");
    scene.database.execute("update sessions set last_seen_at = now()").await;
    assert!(scene.user(&session).await.is_some());
    scene.database.execute("update sessions set expires_at = now()").await;
    assert_eq!(scene.user(&session).await, None, "expired");
    scene
        .database
        .execute("update sessions set expires_at = now() + interval '1 day'")
        .await;
    scene.database.execute("update users set disabled_at = now()").await;
    assert_eq!(scene.user(&session).await, None, "the account is closed");
    assert!(matches!(
        scene.sign_in(EMAIL, PASSWORD, 1).await,
        Err(Error::WrongCredentials)
    ));
}

#[tokio::test]
async fn a_form_is_accepted_with_its_own_sessions_token_alone() {
    let (scene, session) = Scene::with_admin().await;
    let other = scene.sign_in(EMAIL, PASSWORD, 1).await.expect("the password is right");
    let one = scene
        .accounts
        .session(session.cookie.expose())
        .await
        .expect("answers")
        .expect("lives");
    let other = scene
        .accounts
        .session(other.cookie.expose())
        .await
        .expect("answers")
        .expect("lives");
    assert!(one.accepts(&one.csrf_token()));
    assert!(!one.accepts(&other.csrf_token()));
    assert!(!one.accepts(""));
    assert!(!one.csrf_token().contains(session.cookie.expose()));
}

#[tokio::test]
async fn guessing_is_stopped_for_the_account_and_then_for_the_address() {
    let (scene, _) = Scene::with_admin().await;
    for last in 0..10 {
        let end = scene.sign_in(EMAIL, "wrong horse battery", last).await;
        assert!(matches!(end, Err(Error::WrongCredentials)), "{end:?}");
    }
    let end = scene.sign_in(EMAIL, PASSWORD, 99).await;
    let Err(Error::TryLater { after }) = end else {
        panic!("{end:?}")
    };
    assert!(
        after > Duration::from_secs(14 * 60) && after <= Duration::from_secs(15 * 60),
        "{after:?}"
    );

    scene
        .database
        .execute("update sign_in_tries set at = at - interval '15 minutes'")
        .await;
    scene.sign_in(EMAIL, PASSWORD, 99).await.expect("the time is over");

    for number in 0..50 {
        let end = scene.sign_in(&format!("nobody{number}@example.org"), PASSWORD, 7).await;
        assert!(matches!(end, Err(Error::WrongCredentials)), "{end:?}");
    }
    assert!(matches!(
        scene.sign_in(EMAIL, PASSWORD, 7).await,
        Err(Error::TryLater { .. })
    ));
    scene
        .sign_in(EMAIL, PASSWORD, 8)
        .await
        .expect("another address is not concerned");
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_as_many() {
    let (scene, _) = Scene::with_admin().await;
    let tries = (0..30).map(|last| scene.sign_in(EMAIL, "wrong horse battery", last));
    let ends = futures_util::future::join_all(tries).await;
    let looked_at = ends
        .iter()
        .filter(|it| matches!(it, Err(Error::WrongCredentials)))
        .count();
    assert_eq!(looked_at, 10);
}

#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() {
    let generous = Allowance {
        tries: 1000,
        window: Duration::from_secs(60),
    };
    let scene = Scene::with(AccountSettings {
        tries_per_account: generous,
        tries_per_address: generous,
        ..AccountSettings::default()
    })
    .await;
    let link = scene.first_link().await.expect("there is no account");
    scene.accept(&link, PASSWORD).await.expect("the link is good");
    let mut quickest = [Duration::MAX; 2];
    for _ in 0..8 {
        for (which, email) in [EMAIL, "nobody@example.org"].iter().enumerate() {
            let before = Instant::now();
            let end = scene.sign_in(email, "wrong horse battery", 1).await;
            quickest[which] = quickest[which].min(before.elapsed());
            assert!(matches!(end, Err(Error::WrongCredentials)), "{end:?}");
        }
    }
    let ratio = quickest[0].as_secs_f64() / quickest[1].as_secs_f64();
    assert!(
        (0.5..2.0).contains(&ratio),
        "known {:?}, unknown {:?}",
        quickest[0],
        quickest[1]
    );
}

#[tokio::test]
async fn an_added_person_chooses_a_password_behind_a_link() {
    let (scene, _) = Scene::with_admin().await;
    let older = scene
        .accounts
        .invite("kim@example.org", Role::Member)
        .await
        .expect("an address");
    let link = scene
        .accounts
        .invite("Kim@example.org", Role::Member)
        .await
        .expect("asked for again");
    let invitation = scene.accounts.invitation(link.expose()).await.expect("good");
    assert_eq!(
        invitation,
        Invitation::Account {
            email: "kim@example.org".to_owned()
        }
    );
    assert!(matches!(
        scene.accounts.invitation(older.expose()).await,
        Err(Error::LinkSpent)
    ));
    let without = scene.sign_in("kim@example.org", PASSWORD, 1).await;
    assert!(matches!(without, Err(Error::WrongCredentials)), "no password yet");

    let session = scene
        .accept(link.expose(), "kims own password")
        .await
        .expect("the link is good");
    let found = scene
        .accounts
        .session(session.cookie.expose())
        .await
        .expect("answers")
        .expect("lives");
    assert_eq!(
        (found.caller.role, found.email.as_str()),
        (Role::Member, "kim@example.org")
    );
    let again = scene
        .accounts
        .invite("kim@example.org", Role::Member)
        .await
        .expect("a forgotten password");
    scene
        .accept(again.expose(), "kims new password")
        .await
        .expect("the link is good");
    assert_eq!(scene.user(&session).await, None, "the old password's sessions are over");
    assert!(scene.sign_in("kim@example.org", "kims own password", 1).await.is_err());
    scene
        .sign_in("kim@example.org", "kims new password", 1)
        .await
        .expect("the new one is right");
}

#[tokio::test]
async fn a_link_ends_with_time() {
    let scene = Scene::empty().await;
    let link = scene.first_link().await.expect("there is no account");
    scene
        .database
        .execute("update sign_in_links set expires_at = now()")
        .await;
    assert!(matches!(scene.accept(&link, PASSWORD).await, Err(Error::LinkSpent)));
}

#[tokio::test]
async fn a_token_speaks_for_its_user_until_it_is_revoked() {
    let (scene, session) = Scene::with_admin().await;
    let accounts = &scene.accounts;
    let token = accounts
        .make_token_for(EMAIL, None)
        .await
        .expect("there is such an account");
    assert!(token.secret.expose().starts_with("smt_"));
    let caller = accounts
        .bearer(token.secret.expose())
        .await
        .expect("answers")
        .expect("it is good");
    assert_eq!((caller.user, caller.role), (session.user, Role::Admin));
    let listed = accounts.tokens(session.user).await.expect("answers");
    assert!(token.secret.expose().starts_with(&listed[0].prefix) && listed[0].prefix.len() == 10);
    assert!(listed[0].last_used_at.is_some());

    assert!(
        !accounts.revoke_token(UserId::new(), token.id).await.expect("answers"),
        "not a stranger's"
    );
    assert!(accounts.revoke_token(session.user, token.id).await.expect("answers"));
    assert_eq!(accounts.bearer(token.secret.expose()).await.expect("answers"), None);
    let short = accounts
        .make_token_for(EMAIL, Some(Duration::from_secs(60)))
        .await
        .expect("made");
    scene
        .database
        .execute("update tokens set expires_at = now() where expires_at is not null")
        .await;
    assert_eq!(
        accounts.bearer(short.secret.expose()).await.expect("answers"),
        None,
        "expired"
    );
    for wrong in ["", "smt_", "smt_wrong", session.cookie.expose()] {
        assert_eq!(accounts.bearer(wrong).await.expect("answers"), None, "{wrong:?}");
    }
    assert!(matches!(
        accounts.make_token_for("no@example.org", None).await,
        Err(Error::NoSuchAccount)
    ));
}

#[tokio::test]
async fn no_secret_stands_in_the_database() {
    let (scene, session) = Scene::with_admin().await;
    let token = scene.accounts.make_token(session.user, None).await.expect("made");
    let link = scene
        .accounts
        .invite("kim@example.org", Role::Member)
        .await
        .expect("made");
    assert!(
        scene.finds("ada@example.org").await > 0,
        "the search finds what is there"
    );
    for secret in [PASSWORD, session.cookie.expose(), token.secret.expose(), link.expose()] {
        assert_eq!(scene.finds(secret).await, 0);
    }
}

#[tokio::test]
async fn with_the_database_away_nobody_gets_in_and_the_error_says_so() {
    let (scene, session) = Scene::with_admin().await;
    scene.database.cut_off().await;
    let end = scene.accounts.session(session.cookie.expose()).await;
    assert!(
        matches!(end, Err(Error::Database(sheetmill::database::Error::Unavailable(_)))),
        "{end:?}"
    );
    scene.database.restore().await;
    assert!(scene.user(&session).await.is_some(), "it goes on where it was");
}
