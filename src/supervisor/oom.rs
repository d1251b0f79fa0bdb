//! Who goes first when the kernel runs out of memory: the server, since its supervisor starts it again, and never the supervisor.
//!
//! Anybody may make a process of its own more likely to be killed, so the server is made so. Nobody but root (CAP_SYS_RESOURCE) may make
//! one less likely: where that is allowed, the supervisor cannot be killed for memory at all; elsewhere it is the smallest process in
//! its group by far, and the server of higher score.

use std::ffi::CString;
use std::fs;

const OWN: &str = "/proc/self/oom_score_adj";
const NEVER: i32 = -1_000;
/// Beyond what the supervisor has. A tenth of the memory there is, in the kernel's count.
const CHILD_MORE: i32 = 100;

/// What this process was started with, before `spare_self` changed it.
static INHERITED: std::sync::OnceLock<i32> = std::sync::OnceLock::new();

fn inherited() -> i32 {
    *INHERITED.get_or_init(|| fs::read_to_string(OWN).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0))
}

/// The supervisor is not to be killed for memory, where it may say so.
pub(super) fn spare_self() {
    inherited();
    if let Err(error) = fs::write(OWN, NEVER.to_string()) {
        tracing::debug!(%error, "the supervisor is as likely to be killed for memory as it is large: only root may change that");
    }
}

/// For the child to write of itself.
pub(super) fn of_child() -> Option<CString> {
    CString::new(score(inherited()).to_string()).ok()
}

/// A program that the supervisor runs beside its server takes nothing of its supervisor's exemption.
pub(super) fn not_spared(pid: Option<u32>) {
    if let Some(pid) = pid {
        let _ = fs::write(format!("/proc/{pid}/oom_score_adj"), score(inherited()).to_string());
    }
}

/// A unit that protects the whole service (OOMScoreAdjust=) protects the server too, only a little less.
fn score(inherited: i32) -> i32 {
    (inherited + CHILD_MORE).clamp(NEVER + 1, 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_goes_before_its_supervisor() {
        assert_eq!([-1_000, -500, 0, 950, 1_000].map(score), [-900, -400, 100, 1_000, 1_000]);
    }
}
