//! The process's memory, as the kernel and the allocator see it.

use tikv_jemalloc_ctl::{epoch, stats};

use super::catalogue::MEMORY_BYTES;

/// Anonymous memory that the kernel holds for this process, in bytes: what a memory limit kills for. None where
/// /proc/self/status does not say.
pub fn rss_anon_bytes() -> Option<u64> {
    rss_anon_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn rss_anon_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The allocator's own account, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocatorBytes {
    /// In use by the program.
    pub allocated: usize,
    /// In pages that hold something in use.
    pub active: usize,
    /// Held from the kernel and backed by memory.
    pub resident: usize,
    /// Address space kept for later, not backed.
    pub retained: usize,
}

/// Reads the account; None where jemalloc is not this process's allocator or gives no statistics.
pub fn allocator_bytes() -> Option<AllocatorBytes> {
    epoch::advance().ok()?;
    Some(AllocatorBytes {
        allocated: stats::allocated::read().ok()?,
        active: stats::active::read().ok()?,
        resident: stats::resident::read().ok()?,
        retained: stats::retained::read().ok()?,
    })
}

/// Sets the gauges of memory; call it before a scrape, or as often as the meter runs.
pub fn record() {
    let set = |kind: &'static str, bytes: f64| metrics::gauge!(MEMORY_BYTES, "kind" => kind).set(bytes);
    if let Some(bytes) = rss_anon_bytes() {
        set("rss_anon", bytes as f64);
    }
    if let Some(bytes) = allocator_bytes() {
        set("allocated", bytes.allocated as f64);
        set("active", bytes.active as f64);
        set("resident", bytes.resident as f64);
        set("retained", bytes.retained as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_in_bytes() {
        assert_eq!(rss_anon_in("VmRSS:\t  9 kB\nRssAnon:\t     120 kB\n"), Some(122_880));
        assert_eq!(rss_anon_in("RssAnon: many kB\n"), None);
        assert_eq!(rss_anon_in(""), None);
    }

    #[test]
    fn this_process_holds_memory() {
        assert!(rss_anon_bytes().is_some_and(|bytes| bytes > 0));
        assert!(allocator_bytes().is_some());
    }
}
