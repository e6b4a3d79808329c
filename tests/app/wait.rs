//! The one way in which tests wait: ask again and again until it is so, or fail with what was waited for.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take on a busy machine with two cores.
pub const PATIENCE: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Asks until there is an answer; fails after [`PATIENCE`].
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        sleep(ASK_EVERY).await;
    }
}
