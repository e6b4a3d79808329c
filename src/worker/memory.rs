//! How much memory the worker's process and its children hold, for admins.

use std::fs;

/// Bytes of this process and its direct children; 0 where the machine does not tell (`/proc`, see proc(5)).
#[must_use]
pub fn of_this_process() -> i64 {
    let own = std::process::id();
    let children = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|thread| {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            children
                .split_ascii_whitespace()
                .filter_map(|it| it.parse().ok())
                .collect::<Vec<u32>>()
        });
    std::iter::once(own).chain(children).filter_map(resident).sum()
}

fn resident(pid: u32) -> Option<i64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<i64>()
        .ok()
        .map(|it| it * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn a_running_process_holds_some_memory() {
        assert!(super::of_this_process() > 1 << 20);
    }
}
