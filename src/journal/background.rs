//! Threads whose work nobody waits for give way to those that somebody does.

/// How much nicer they are than the rest of the process: about a third of the time where all processors are busy.
const NICER: libc::c_int = 5;

/// The calling thread gives way from now on. Best effort: it makes nothing wrong if it fails, only slower.
pub fn give_way() {
    // SAFETY: no pointers; on Linux 0 names the calling thread alone.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICER) };
}
