//! What a process and its children hold at most while a test goes on.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::processes::{descendants, peak_mib};

/// The most that was held at once, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peaks {
    /// By the process itself.
    pub server_mib: u64,
    /// By any of its children that read, process or preview.
    pub child_mib: u64,
}

/// A process that is watched.
pub struct Watched {
    stop: oneshot::Sender<()>,
    watching: JoinHandle<Peaks>,
}

impl Watched {
    /// Begins. The system remembers a process's peak; a child's has to be asked for while it lives.
    pub fn begin(pid: u32) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let watching = tokio::spawn(async move {
            let mut peaks = Peaks::default();
            let mut tick = tokio::time::interval(Duration::from_millis(100));
            loop {
                peaks.server_mib = peaks.server_mib.max(peak_mib(pid));
                let children = descendants(pid, " child").into_iter().map(peak_mib);
                peaks.child_mib = children.fold(peaks.child_mib, u64::max);
                tokio::select! {
                    _ = tick.tick() => {}
                    _ = &mut stopped => return peaks,
                }
            }
        });
        Self { stop, watching }
    }

    /// Ends, and gives the peaks.
    pub async fn end(self) -> Peaks {
        // The watcher ends by itself only when it panicked, which joining it tells.
        let _ = self.stop.send(());
        self.watching.await.expect("the watcher goes on")
    }
}
